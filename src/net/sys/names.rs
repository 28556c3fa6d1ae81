//! Names asked of the host's resolver: getaddrinfo(3), for the canonical name and the kind of failure that the standard
//! library keeps to itself.

use std::ffi::{CStr, CString};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr;

use libc::{addrinfo, c_int};

/// What the resolver knows of a name.
pub(in crate::net) struct Answer {
    pub(in crate::net) canonical: Option<String>,
    pub(in crate::net) addresses: Vec<IpAddr>,
}

/// Asks for all addresses of a name. The error is the resolver's number and its words for that.
pub(in crate::net) fn resolve(name: &CString) -> Result<Answer, (c_int, String)> {
    // SAFETY: an addrinfo is numbers and pointers, for all of which zero is valid and means: nothing asked for.
    let mut hints: addrinfo = unsafe { std::mem::zeroed() };
    hints.ai_flags = libc::AI_CANONNAME;
    hints.ai_family = libc::AF_UNSPEC;
    hints.ai_socktype = libc::SOCK_STREAM;
    hints.ai_protocol = libc::IPPROTO_TCP;
    let mut first: *mut addrinfo = ptr::null_mut();
    // SAFETY: the name ends with a zero byte, hints and `first` live through the call, and no service is asked for.
    let code = unsafe { libc::getaddrinfo(name.as_ptr(), ptr::null(), &raw const hints, &raw mut first) };
    if code != 0 {
        // SAFETY: the text is a constant of the C library for any number.
        let words = unsafe { CStr::from_ptr(libc::gai_strerror(code)) };
        return Err((code, words.to_string_lossy().into_owned()));
    }
    let mut answer = Answer { canonical: None, addresses: Vec::new() };
    let mut next = first;
    // SAFETY: `next` is null or an element of the list, which is not freed before the loop is over.
    while let Some(info) = unsafe { next.as_ref() } {
        answer.take(info);
        next = info.ai_next;
    }
    // SAFETY: the list is what getaddrinfo made, and nothing refers to it any more.
    unsafe { libc::freeaddrinfo(first) };
    Ok(answer)
}

impl Answer {
    /// Takes over what one element of getaddrinfo's list says.
    fn take(&mut self, info: &addrinfo) {
        if self.canonical.is_none() && !info.ai_canonname.is_null() {
            // SAFETY: the canonical name of an element is a string that ends with a zero byte.
            let name = unsafe { CStr::from_ptr(info.ai_canonname) };
            self.canonical = Some(name.to_string_lossy().into_owned());
        }
        let address = match info.ai_family {
            libc::AF_INET => {
                // SAFETY: in this family an address is a sockaddr_in; it is copied whatever its alignment.
                let address = unsafe { info.ai_addr.cast::<libc::sockaddr_in>().read_unaligned() };
                IpAddr::V4(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)))
            }
            libc::AF_INET6 => {
                // SAFETY: in this family an address is a sockaddr_in6; it is copied whatever its alignment.
                let address = unsafe { info.ai_addr.cast::<libc::sockaddr_in6>().read_unaligned() };
                IpAddr::V6(Ipv6Addr::from(address.sin6_addr.s6_addr))
            }
            _ => return,
        };
        self.addresses.push(address);
    }
}
