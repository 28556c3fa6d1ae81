//! Many datagrams in one system call: `recvmmsg` and `sendmmsg`.
//!
//! The message headers are built on the stack for each call, so no pointer outlives it and the buffers stay ordinary
//! owned memory. That costs a few nanoseconds a datagram, far less than the call.

use std::io::{self, ErrorKind};
use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use crate::net::udp::BATCH_SIZE;

/// Room for one datagram. One cache line more than a page: starts of buffers 4096 bytes apart would all compete for the
/// same few lines of the first-level cache.
pub(in crate::net) type Buffer = [u8; 4096 + 64];

/// Where a datagram came from, as the kernel wrote it.
#[derive(Clone, Copy)]
pub(in crate::net) struct Peer {
    /// Holds either family: it is the larger one, and both begin with family and port.
    raw: libc::sockaddr_in6,
    length: libc::socklen_t,
}

impl Peer {
    /// The address in the form that the rest of the program uses.
    pub(in crate::net) fn address(&self) -> SocketAddr {
        let port = u16::from_be(self.raw.sin6_port);
        if libc::c_int::from(self.raw.sin6_family) == libc::AF_INET6 {
            let address = Ipv6Addr::from(self.raw.sin6_addr.s6_addr);
            return SocketAddrV6::new(address, port, self.raw.sin6_flowinfo, self.raw.sin6_scope_id).into();
        }
        // The IPv4 address of a sockaddr_in lies where a sockaddr_in6 has its flow label.
        SocketAddrV4::new(Ipv4Addr::from(self.raw.sin6_flowinfo.to_ne_bytes()), port).into()
    }
}

impl Default for Peer {
    fn default() -> Self {
        let raw = libc::sockaddr_in6 {
            sin6_family: 0,
            sin6_port: 0,
            sin6_flowinfo: 0,
            sin6_addr: libc::in6_addr { s6_addr: [0; 16] },
            sin6_scope_id: 0,
        };
        Self { raw, length: 0 }
    }
}

/// Receives what is there, without waiting, into the first buffers; says how many datagrams came.
/// The length of a datagram that did not fit is set to 0, as nobody can answer part of a request.
pub(in crate::net) fn receive(
    socket: BorrowedFd<'_>,
    buffers: &mut [Buffer],
    lengths: &mut [usize],
    peers: &mut [Peer],
) -> io::Result<usize> {
    let room = BATCH_SIZE.min(buffers.len()).min(lengths.len()).min(peers.len());
    let (mut vectors, mut headers) = empty();
    for (((vector, header), buffer), peer) in vectors.iter_mut().zip(&mut headers).zip(buffers).zip(&mut *peers) {
        vector.iov_base = buffer.as_mut_ptr().cast();
        vector.iov_len = buffer.len();
        header.msg_hdr.msg_name = (&raw mut peer.raw).cast();
        header.msg_hdr.msg_namelen = size_of_val(&peer.raw) as libc::socklen_t;
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
    }
    // SAFETY: the first `room` headers point to a vector on this stack frame and to a buffer and a peer that are
    // borrowed mutably until after the call, each with its true length; the kernel touches no header beyond `room`.
    let count = unsafe {
        let flags = libc::MSG_DONTWAIT;
        libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), room as libc::c_uint, flags, ptr::null_mut())
    };
    let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
    for ((header, length), peer) in headers.iter().zip(lengths).zip(peers).take(count) {
        let whole = header.msg_hdr.msg_flags & libc::MSG_TRUNC == 0;
        *length = if whole { header.msg_len as usize } else { 0 };
        peer.length = header.msg_hdr.msg_namelen;
    }
    Ok(count)
}

/// Sends up to [`BATCH_SIZE`] datagrams; says how many the kernel would not take.
/// One that is refused for its destination does not hold up the others; a full socket drops the rest, as a full
/// network would.
pub(in crate::net) fn send<'a>(socket: BorrowedFd<'_>, datagrams: impl Iterator<Item = (&'a [u8], &'a Peer)>) -> usize {
    let (mut vectors, mut headers) = empty();
    let mut count = 0;
    for ((vector, header), (bytes, peer)) in vectors.iter_mut().zip(&mut headers).zip(datagrams) {
        vector.iov_base = bytes.as_ptr().cast_mut().cast();
        vector.iov_len = bytes.len();
        header.msg_hdr.msg_name = (&raw const peer.raw).cast_mut().cast();
        header.msg_hdr.msg_namelen = peer.length;
        header.msg_hdr.msg_iov = vector;
        header.msg_hdr.msg_iovlen = 1;
        count += 1;
    }
    let mut rest = headers.get_mut(..count).unwrap_or_default();
    let mut lost = 0;
    while !rest.is_empty() {
        // SAFETY: every header of `rest` points to a vector on this stack frame and to bytes and a peer borrowed for
        // 'a, each with its true length; the kernel reads them and writes only `msg_len` of the headers.
        let sent = unsafe {
            libc::sendmmsg(socket.as_raw_fd(), rest.as_mut_ptr(), rest.len() as libc::c_uint, libc::MSG_DONTWAIT)
        };
        let done = match usize::try_from(sent) {
            Ok(sent) => sent,
            Err(_) => match io::Error::last_os_error().kind() {
                ErrorKind::Interrupted => continue,
                ErrorKind::WouldBlock => return lost + rest.len(),
                _ => {
                    lost += 1;
                    1
                }
            },
        };
        rest = rest.get_mut(done..).unwrap_or_default();
    }
    lost
}

/// Vectors and headers of a whole batch, pointing nowhere.
fn empty() -> ([libc::iovec; BATCH_SIZE], [libc::mmsghdr; BATCH_SIZE]) {
    // SAFETY: both are C structures of integers and pointers, for which all bits zero is a valid value.
    unsafe { (mem::zeroed(), mem::zeroed()) }
}
