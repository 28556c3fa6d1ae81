//! Sockets: what comes in, what goes out, and when to give up on a peer. Bytes only; no zones.
//!
//! `listen` binds the addresses to serve, `udp` and `tcp` serve them (the latter also under TLS and HTTP), `interfaces`
//! says which addresses the host has, `exchange` asks other servers, `resolver` the host's, `later` takes replies to
//! where they were asked for, `proxy` reads what proxies say of those whom they speak for, `tls` wraps the TLS library.
//! UDP runs on plain threads in batches; everything else runs on tokio. All unsafe code of the program is in `sys`.

pub mod connections;
pub mod exchange;
pub mod interfaces;
pub mod later;
pub mod listen;
pub mod proxy;
pub mod resolver;
pub mod sockets;
mod sys;
pub mod tcp;
pub mod tls;
pub mod udp;

pub use sys::memory::release as release_memory;
