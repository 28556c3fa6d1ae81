//! Names of hosts (RFC 952, RFC 1123 section 2.1) and of mailboxes (RFC 1035 section 8): what `check-names` asks for.

use std::net::IpAddr;

use super::NameRef;

/// Whether every label is letters, digits and inner hyphens. The root is.
pub fn is_host(name: NameRef<'_>, may_be_wildcard: bool) -> bool {
    let name = if may_be_wildcard && name.is_wildcard() { name.parent().unwrap_or(name) } else { name };
    are_host_labels(name.as_bytes())
}

/// Whether a name is a mailbox: the first label its local part, where any character that can be seen goes, and behind
/// it the host. The root is.
pub fn is_mailbox(name: NameRef<'_>) -> bool {
    let local = name.labels().next().unwrap_or_default();
    let is_local = local.iter().all(u8::is_ascii_graphic);
    name.is_root() || (is_local && name.parent().is_some_and(|host| is_host(host, false)))
}

/// The same as [`is_host`] of the name that `wire` starts with: every target of a zone goes through here.
#[inline]
pub fn are_host_labels(mut wire: &[u8]) -> bool {
    while let Some((&length @ 1.., rest)) = wire.split_first() {
        let Some((label, rest)) = rest.split_at_checked(usize::from(length)) else { return false };
        if !is_host_label(label) {
            return false;
        }
        wire = rest;
    }
    true
}

/// Whether a label may stand in the name of a host.
#[inline]
pub fn is_host_label(label: &[u8]) -> bool {
    let kind = |byte: Option<&u8>| byte.map_or(OTHER, |&byte| KINDS[usize::from(byte)]);
    kind(label.first()) == ALPHANUMERIC
        && kind(label.last()) == ALPHANUMERIC
        && label.iter().all(|&byte| KINDS[usize::from(byte)] != OTHER)
}

/// Whether the text of a name is really an address, a dot at its end or not.
pub fn is_address(text: &[u8]) -> bool {
    let text = text.strip_suffix(b".").unwrap_or(text);
    let may_be_v6 = text.first().is_some_and(|&first| first.is_ascii_hexdigit() || first == b':');
    let looks_like_one = text.last().is_some_and(u8::is_ascii_digit) || (may_be_v6 && text.contains(&b':'));
    looks_like_one && std::str::from_utf8(text).is_ok_and(|text| text.parse::<IpAddr>().is_ok())
}

const OTHER: u8 = 0;
const HYPHEN: u8 = 1;
const ALPHANUMERIC: u8 = 2;

/// What a byte is in a host's name.
static KINDS: [u8; 256] = kinds();

const fn kinds() -> [u8; 256] {
    let mut kinds = [OTHER; 256];
    let mut byte = 0;
    while byte < kinds.len() {
        if (byte as u8).is_ascii_alphanumeric() {
            kinds[byte] = ALPHANUMERIC;
        }
        byte += 1;
    }
    kinds[b'-' as usize] = HYPHEN;
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;

    #[test]
    fn mailboxes_have_any_local_part_and_a_host() {
        let mailbox = |text: &str| is_mailbox(text.parse::<Name>().unwrap().as_ref());
        assert!(mailbox("."));
        assert!(mailbox("first\\.last.example."));
        assert!(mailbox("_.example."));
        assert!(mailbox("example."));
        assert!(!mailbox("a\\032b.example."));
        assert!(!mailbox("a._b.example."));
    }
}
