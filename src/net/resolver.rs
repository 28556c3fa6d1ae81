//! Asking the host's resolver for the addresses of names, as checks of zones do for names of other zones.
//!
//! In: a name as text. Out: what the resolver makes of it, its own words for a failure included. It waits as long as
//! the resolver does, so it is nothing for a server at work.

use std::ffi::CString;
use std::net::IpAddr;

use libc::c_int;

use super::sys;

/// What the resolver says of a name that has addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The name at the end of aliases, where the resolver tells.
    pub canonical: Option<String>,
    /// The addresses, in the resolver's order.
    pub addresses: Vec<IpAddr>,
}

/// Why there are no addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The name does not exist, or has none.
    #[error("no addresses")]
    NoAddresses,
    /// Nobody knows, and this is why.
    #[error("{0}")]
    Failed(String),
}

/// The addresses of `name`, which is absolute if a dot ends it.
pub fn resolve(name: &str) -> Result<Resolved, ResolveError> {
    // A zero byte is in no name that a resolver could know.
    let name = CString::new(name).map_err(|_| ResolveError::NoAddresses)?;
    match sys::names::resolve(&name) {
        Ok(answer) => Ok(Resolved { canonical: answer.canonical, addresses: answer.addresses }),
        Err((libc::EAI_NONAME | EAI_NODATA, _)) => Err(ResolveError::NoAddresses),
        Err((_, words)) => Err(ResolveError::Failed(words)),
    }
}

/// glibc's number for a name without addresses.
const EAI_NODATA: c_int = -5;

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers are resolved without asking anybody.
    #[test]
    fn addresses_of_either_family_are_found() {
        for text in ["192.0.2.1", "2001:db8::1"] {
            let expected = Resolved { canonical: Some(text.to_owned()), addresses: vec![text.parse().unwrap()] };
            assert_eq!(resolve(text), Ok(expected));
        }
    }

    #[test]
    fn what_cannot_be_a_name_has_no_addresses() {
        assert_eq!(resolve("a\0b"), Err(ResolveError::NoAddresses));
        assert_eq!(resolve(""), Err(ResolveError::NoAddresses));
    }
}
