//! Root hints, as named reads them: where the servers of the root are.
//!
//! An authoritative server has no use for them, but a host's checks read the file all the same, and say when it holds
//! more than the root's name servers and their addresses.

use std::path::Path;

use super::master::{self, Options};
use super::message::{Message, Strictness};
use crate::dns::{Class, Name, NameRef, Rtype};

/// What came of reading hints.
#[derive(Debug, Default)]
pub struct Hints {
    /// What there is to say of the file's lines.
    pub messages: Vec<Message>,
    /// Why it could not be read to the end.
    pub failure: Option<String>,
    /// Whether there is something in it that is no hint.
    pub has_extra: bool,
}

/// Reads the hints of a class.
pub fn read(path: &Path, class: Class) -> Hints {
    let mut servers: Vec<Name> = Vec::new();
    let mut owners: Vec<Name> = Vec::new();
    let mut has_extra = false;
    let mut take = |owner: NameRef<'_>, rtype: Rtype, _ttl_s: u32, rdata: &[u8]| match rtype {
        Rtype::NS if owner.is_root() => servers.extend(NameRef::from_wire(rdata).map(NameRef::to_name)),
        Rtype::A | Rtype::AAAA => owners.push(owner.to_name()),
        _ => has_extra = true,
    };
    let report = master::read_hints(path, &options(class), &mut take);
    has_extra |= owners.iter().any(|owner| !servers.contains(owner));
    Hints { messages: report.messages, failure: report.failure, has_extra }
}

/// None of the checks of zones is made.
fn options(class: Class) -> Options {
    Options {
        apex: NameRef::ROOT.to_name(),
        class,
        check_names: Strictness::Ignore,
        check_mx: Strictness::Ignore,
        check_ns: Strictness::Ignore,
        check_wildcard: false,
        max_zone_ttl_s: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(text: &str) -> Hints {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read(file.path(), Class::IN)
    }

    #[test]
    fn hints_are_servers_of_the_root_and_their_addresses() {
        let found = hints(". NS a.ROOT.\nA.root. A 192.0.2.1\n. NS b.root.\nb.root. AAAA 2001:db8::1\n");
        assert_eq!((found.messages.len(), found.failure, found.has_extra), (0, None, false));
        for extra in ["c.root. A 192.0.2.1\n", ". TXT x\n", "root. NS a.root.\n", "a.root. TXT x\n"] {
            assert!(hints(&format!("$TTL 1\n. NS a.root.\n{extra}")).has_extra, "{extra}");
        }
        assert!(!hints("").has_extra);
    }

    #[test]
    fn the_first_fault_ends_the_reading() {
        let found = hints("$TTL 1\n. NX a.root.\n. NX b.root.\n. TXT x\n");
        assert_eq!((found.messages.len(), found.failure.as_deref()), (1, Some("unknown class/type")));
        assert!(!found.has_extra);
        assert_eq!(read(Path::new("/no/such/file"), Class::IN).failure.as_deref(), Some("file not found"));
    }
}
