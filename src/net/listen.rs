//! Binding the addresses to serve.
//!
//! In: the addresses wanted and those open; out: bound sockets, to be handed to the UDP workers and the TCP service.
//! Plain sockets, so that they can be bound before privileges are dropped and before any runtime exists.
//! BIND: an address that cannot be bound is logged and left out, and tried again at the next scan of the interfaces.

use std::collections::BTreeSet;
use std::io;
use std::iter;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsFd;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;

use super::sys;

/// Binds one UDP socket for each worker to an address; they form one `SO_REUSEPORT` group, in the order of the workers.
///
/// # Errors
/// The first socket that cannot be made or bound; those before it are closed again.
pub fn bind_udp(address: SocketAddr, workers: usize) -> Result<Vec<UdpSocket>, ListenError> {
    let failed = |source| ListenError { protocol: "UDP", address, source };
    let first = udp_socket(address).map_err(failed)?;
    // Port 0 lets the kernel choose; the rest of the group has to follow it.
    let chosen = first.local_addr().map_err(failed)?;
    let rest = (1..workers).map(|_| udp_socket(chosen).map_err(failed));
    iter::once(Ok(first)).chain(rest).collect()
}

/// Listens on an address over TCP with a queue of `backlog` connections not yet accepted (`tcp-listen-queue`).
///
/// # Errors
/// The socket cannot be made or bound.
pub fn bind_tcp(address: SocketAddr, backlog: u32) -> Result<TcpListener, ListenError> {
    let listener = tcp_socket(address, false).and_then(|socket| listen(socket, backlog));
    listener.map_err(|source| ListenError { protocol: "TCP", address, source })
}

/// Listens on an address over TCP with one socket for each worker; they form a group as those of [`bind_udp`] do. An
/// address on which another server listens is refused even if that server would share it.
///
/// # Errors
/// The address is taken, or the first socket that cannot be made or bound; those before it are closed again.
pub fn bind_tcp_group(address: SocketAddr, workers: usize, backlog: u32) -> Result<Vec<TcpListener>, ListenError> {
    let failed = |source| ListenError { protocol: "TCP", address, source };
    let alone = tcp_socket(address, false).and_then(|socket| TcpListener::from(socket).local_addr());
    let chosen = alone.map_err(failed)?;
    let member = |_| listen(tcp_socket(chosen, true)?, backlog);
    (0..workers).map(member).collect::<io::Result<_>>().map_err(failed)
}

/// Which addresses to open and which to close, so that those open become those wanted.
#[must_use]
pub fn changes(open: &BTreeSet<SocketAddr>, wanted: &BTreeSet<SocketAddr>) -> Changes {
    Changes { open: wanted.difference(open).copied().collect(), close: open.difference(wanted).copied().collect() }
}

/// What [`changes`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Wanted and not open.
    pub open: Vec<SocketAddr>,
    /// Open and no longer wanted.
    pub close: Vec<SocketAddr>,
}

/// An address that could not be bound.
#[derive(Debug, Error)]
#[error("could not listen on {protocol} socket {address}: {source}")]
pub struct ListenError {
    /// UDP or TCP.
    pub protocol: &'static str,
    /// The address.
    pub address: SocketAddr,
    /// What the kernel said.
    pub source: io::Error,
}

fn udp_socket(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_port(true)?;
    enlarge_buffers(&socket)?;
    ignore_path_mtu(&socket, address)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// A bound socket, alone or as one of a group. Connections have the options of the socket that they came in by.
fn tcp_socket(address: SocketAddr, is_shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(is_shared)?;
    socket.set_tcp_nodelay(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn listen(socket: Socket, backlog: u32) -> io::Result<TcpListener> {
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// Asks for room for bursts: beyond the system's limit if privileges allow, else as much as the limit allows.
fn enlarge_buffers(socket: &Socket) -> io::Result<()> {
    if setsockopt(socket, sockopt::RcvBufForce, &UDP_BUFFER_BYTES).is_err() {
        socket.set_recv_buffer_size(UDP_BUFFER_BYTES)?;
    }
    if setsockopt(socket, sockopt::SndBufForce, &UDP_BUFFER_BYTES).is_err() {
        socket.set_send_buffer_size(UDP_BUFFER_BYTES)?;
    }
    Ok(())
}

/// Keeps forged ICMP messages from shrinking the path MTU, and so from cutting answers into fragments that an attacker
/// can replace. BIND does the same; over IPv6 it also never sends packets above the least MTU.
fn ignore_path_mtu(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    if address.is_ipv4() {
        return sys::set_option(socket.as_fd(), libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_OMIT);
    }
    sys::set_option(socket.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_OMIT)?;
    sys::set_option(socket.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_MTU, IPV6_MTU_MIN)
}

/// Socket buffer for requests, and for replies: the default holds fewer than 300 small packets.
const UDP_BUFFER_BYTES: usize = 4 << 20;

/// RFC 8200 section 5.
const IPV6_MTU_MIN: libc::c_int = 1280;

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn the_sockets_of_all_workers_share_the_address() {
        let sockets = bind_udp((Ipv4Addr::LOCALHOST, 0).into(), 3).unwrap();
        let addresses: BTreeSet<_> = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
        assert_eq!((sockets.len(), addresses.len()), (3, 1));
    }

    #[test]
    fn an_address_that_this_host_lacks_is_named_in_the_error() {
        let absent = "192.0.2.1:53000".parse().unwrap();
        let message = bind_udp(absent, 1).unwrap_err().to_string();
        assert!(message.starts_with("could not listen on UDP socket 192.0.2.1:53000: "), "{message}");
    }

    #[test]
    fn a_port_in_use_is_refused() {
        // No other test takes the port of this address meanwhile.
        let first = bind_tcp((Ipv4Addr::new(127, 0, 9, 1), 0).into(), 10).unwrap();
        let taken = first.local_addr().unwrap();
        assert_eq!(bind_tcp(taken, 10).unwrap_err().source.kind(), io::ErrorKind::AddrInUse);
        drop(first);
        bind_tcp(taken, 10).unwrap();
    }

    #[test]
    fn the_listeners_of_a_group_share_an_address_that_nobody_else_gets() {
        let group = bind_tcp_group((Ipv4Addr::LOCALHOST, 0).into(), 3, 10).unwrap();
        let addresses: BTreeSet<_> = group.iter().map(|listener| listener.local_addr().unwrap()).collect();
        assert_eq!((group.len(), addresses.len()), (3, 1));
        let taken = *addresses.first().unwrap();
        assert_eq!(bind_tcp_group(taken, 3, 10).unwrap_err().source.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn connections_send_without_delay() {
        let listener = bind_tcp((Ipv4Addr::LOCALHOST, 0).into(), 10).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(listener.accept().unwrap().0.nodelay().unwrap());
    }

    #[test]
    fn changes_are_what_is_missing_and_what_is_too_much() {
        let [a, b, c] = [1, 2, 3].map(|last| SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 53)));
        let found = changes(&BTreeSet::from([a, b]), &BTreeSet::from([b, c]));
        assert_eq!(found, Changes { open: vec![c], close: vec![a] });
    }
}
