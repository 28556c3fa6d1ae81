//! The system calls that have no safe wrapper: whole batches of datagrams, and socket options unknown to `socket2`.
//!
//! Everything handed out is safe to call with any arguments; each unsafe block says why it may be there.
#![allow(unsafe_code)]

mod datagrams;
pub(super) mod memory;
pub(in crate::net) mod names;

pub(in crate::net) use datagrams::{Buffer, Peer, receive, send};

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use libc::{c_int, socklen_t};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Sets a socket option whose value is an int.
pub(in crate::net) fn set_option(socket: BorrowedFd<'_>, level: c_int, option: c_int, value: c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open while it is borrowed, and the kernel reads exactly one int from `value`.
    let outcome = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const value).cast(), size_of::<c_int>() as socklen_t)
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Registers a descriptor with the runtime, to wait until it can be read.
pub(in crate::net) fn readable(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an OwnedFd is one open descriptor for as long as it lives, and it is moved into the AsyncFd, which
    // deregisters it before it is closed.
    Ok(unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?)
}
