//! `check-names`: which names may be a host's (RFC 952, RFC 1123 section 2.1), by the type of record that has them.

use std::net::IpAddr;

use crate::dns::{NameRef, Rtype};

/// Whether `owner` may have records of this type: those that give addresses or mail need a host's name, a wildcard
/// counts as one.
pub(super) fn is_owner_allowed(owner: NameRef<'_>, rtype: Rtype) -> bool {
    match rtype {
        Rtype::A | Rtype::AAAA => is_host(owner, true) || is_gc_msdcs(owner),
        Rtype::MX => is_host(owner, true),
        _ => true,
    }
}

/// The name within `rdata` that has to be a host's and is not, and which field of the data it is, from 0.
pub(super) fn bad_target<'a>(owner: NameRef<'_>, rtype: Rtype, rdata: &'a [u8]) -> Option<(usize, NameRef<'a>)> {
    let (field, offset) = match rtype {
        Rtype::NS => (0, 0),
        Rtype::MX => (1, 2),
        Rtype::SRV => (3, 6),
        Rtype::PTR if is_reverse(owner) => (0, 0),
        Rtype::SOA => return bad_soa_name(rdata),
        _ => return None,
    };
    let target = rdata.get(offset..)?;
    if are_host_labels(target) { None } else { Some((field, NameRef::from_prefix(target).ok()?)) }
}

fn bad_soa_name(rdata: &[u8]) -> Option<(usize, NameRef<'_>)> {
    let primary = NameRef::from_prefix(rdata).ok()?;
    if !is_host(primary, false) {
        return Some((0, primary));
    }
    let mailbox = NameRef::from_prefix(rdata.get(primary.len()..)?).ok()?;
    // The first label of a mailbox is its local part, where nearly anything goes.
    let is_mailbox = mailbox.is_root() || mailbox.parent().is_some_and(|domain| is_host(domain, false));
    if is_mailbox { None } else { Some((1, mailbox)) }
}

/// Whether every label is letters, digits and inner hyphens.
fn is_host(name: NameRef<'_>, may_be_wildcard: bool) -> bool {
    let name = if may_be_wildcard && name.is_wildcard() { name.parent().unwrap_or(name) } else { name };
    are_host_labels(name.as_bytes())
}

/// The same of the name that `wire` starts with: every target of a zone goes through here.
#[inline]
fn are_host_labels(mut wire: &[u8]) -> bool {
    while let Some((&length @ 1.., rest)) = wire.split_first() {
        let Some((label, rest)) = rest.split_at_checked(usize::from(length)) else { return false };
        if !is_host_label(label) {
            return false;
        }
        wire = rest;
    }
    true
}

#[inline]
fn is_host_label(label: &[u8]) -> bool {
    let kind = |byte: Option<&u8>| byte.map_or(OTHER, |&byte| KINDS[usize::from(byte)]);
    kind(label.first()) == ALPHANUMERIC
        && kind(label.last()) == ALPHANUMERIC
        && label.iter().all(|&byte| KINDS[usize::from(byte)] != OTHER)
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

/// Active Directory puts addresses at `gc._msdcs.<forest>`; BIND lets it.
fn is_gc_msdcs(owner: NameRef<'_>) -> bool {
    let mut labels = owner.labels();
    labels.next().is_some_and(|label| label.eq_ignore_ascii_case(b"gc"))
        && labels.next().is_some_and(|label| label.eq_ignore_ascii_case(b"_msdcs"))
        && labels.all(is_host_label)
}

fn is_reverse(owner: NameRef<'_>) -> bool {
    REVERSE.iter().any(|tree| NameRef::from_wire(tree).is_ok_and(|tree| owner.is_at_or_below(tree)))
}

/// Whether a label other than the first is a lone asterisk, which matches nothing and is usually a slip.
pub(super) fn has_inner_wildcard(owner: NameRef<'_>) -> bool {
    owner.labels().skip(1).any(|label| label == b"*")
}

/// Whether the text of a name is really an address.
pub(super) fn is_address(text: &[u8]) -> bool {
    let may_be_v6 = text.first().is_some_and(|&first| first.is_ascii_hexdigit() || first == b':');
    let looks_like_one = text.last().is_some_and(u8::is_ascii_digit) || (may_be_v6 && text.contains(&b':'));
    looks_like_one && std::str::from_utf8(text).is_ok_and(|text| text.parse::<IpAddr>().is_ok())
}

const REVERSE: [&[u8]; 3] = [b"\x07in-addr\x04arpa\0", b"\x03ip6\x04arpa\0", b"\x03ip6\x03int\0"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn owners_are_judged_by_type() {
        let allowed = |owner: &str, rtype| is_owner_allowed(name(owner).as_ref(), rtype);
        assert!(allowed("a-1.example.", Rtype::A));
        assert!(allowed("*.example.", Rtype::MX));
        assert!(allowed("gc._msdcs.example.", Rtype::A));
        assert!(allowed("_dmarc.example.", Rtype::TXT));
        assert!(!allowed("a_b.example.", Rtype::AAAA));
        assert!(!allowed("-a.example.", Rtype::A));
        assert!(!allowed("*.*.example.", Rtype::A));
    }

    #[test]
    fn targets_are_judged_by_type() {
        let bad = |owner: &str, rtype, before: &[u8], target: &str| {
            let rdata = [before, name(target).as_ref().as_bytes()].concat();
            bad_target(name(owner).as_ref(), rtype, &rdata).is_some()
        };
        assert!(bad("a.", Rtype::NS, b"", "n_s."));
        assert!(!bad("a.", Rtype::NS, b"", "ns."));
        assert!(bad("a.", Rtype::MX, b"\0\x0a", "m_x."));
        assert!(!bad("a.", Rtype::PTR, b"", "h_h."));
        assert!(bad("1.10.in-addr.arpa.", Rtype::PTR, b"", "h_h."));
        assert!(!bad("a.", Rtype::CNAME, b"", "h_h."));
    }
}
