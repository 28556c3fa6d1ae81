//! The system calls that have no safe wrapper: whole batches of datagrams, and socket options unknown to `socket2`.
//!
//! Everything handed out is safe to call with any arguments; each unsafe block says why it may be there.
#![allow(unsafe_code)]

mod datagrams;

pub(in crate::net) use datagrams::{Buffer, Peer, receive, send};

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use libc::{c_int, socklen_t};

/// Sets a socket option whose value is an int.
pub(in crate::net) fn set_option(socket: BorrowedFd<'_>, level: c_int, option: c_int, value: c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open while it is borrowed, and the kernel reads exactly one int from `value`.
    let outcome = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const value).cast(), size_of::<c_int>() as socklen_t)
    };
    if outcome == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
