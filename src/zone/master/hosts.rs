//! `check-names` and its relatives as the records of a master file meet them: what owners must be, by the type of
//! record that they have.

use super::Options;
use crate::dns::host::{is_host, is_host_label, is_mailbox};
use crate::dns::rdata::{Judgement, NameChecks};
use crate::dns::{Class, NameRef, Rtype};
use crate::zone::message::Strictness;

/// What is asked of the names within record data.
pub(super) fn name_checks(options: &Options) -> NameChecks {
    let judgement = |strictness| match strictness {
        Strictness::Ignore => Judgement::Ignore,
        Strictness::Warn => Judgement::Remark,
        Strictness::Fail => Judgement::Refuse,
    };
    let (names, addresses) = (judgement(options.check_names), judgement(options.check_mx));
    NameChecks { names, addresses, ..NameChecks::default() }
}

/// Whether `owner` may have records of this type: those that give addresses or mail need a host's name, a wildcard
/// counts as one. Of addresses BIND asks that in IN and CH.
pub(in crate::zone) fn is_owner_allowed(owner: NameRef<'_>, rtype: Rtype, class: Class) -> bool {
    match rtype {
        Rtype::A if class == Class::CH => is_host(owner, true),
        Rtype::A | Rtype::AAAA | WKS | A6 if class != Class::IN => true,
        Rtype::A => is_host(owner, true) || is_gc_msdcs(owner) || is_for_spf(owner),
        Rtype::AAAA => is_host(owner, true) || is_gc_msdcs(owner),
        Rtype::MX | WKS | A6 => is_host(owner, true),
        MB | MG => is_mailbox(owner),
        Rtype::NSEC3 => owner.starts_with_hash(),
        OPT => owner.is_root(),
        _ => true,
    }
}

/// Active Directory puts addresses at `gc._msdcs.<forest>`; BIND lets it.
fn is_gc_msdcs(owner: NameRef<'_>) -> bool {
    let mut labels = owner.labels();
    labels.next().is_some_and(|label| label.eq_ignore_ascii_case(b"gc"))
        && labels.next().is_some_and(|label| label.eq_ignore_ascii_case(b"_msdcs"))
        && labels.all(is_host_label)
}

/// The targets of SPF's `exists` (RFC 7208 section 5.7 and appendix D.1).
fn is_for_spf(owner: NameRef<'_>) -> bool {
    const LABELS: [&str; 3] = ["_spf", "_spf_verify", "_spf_rate"];
    // The label next to the root does not count.
    let labels = owner.labels().take(owner.label_count().saturating_sub(1));
    labels.into_iter().any(|label| LABELS.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(label)))
}

/// Whether the names that PTR records of this owner give are those of hosts.
pub(in crate::zone) fn is_reverse(owner: NameRef<'_>) -> bool {
    let is_below = |tree: &[u8]| NameRef::from_wire(tree).is_ok_and(|tree| owner.is_at_or_below(tree));
    REVERSE.into_iter().any(is_below) && !is_service_list(owner)
}

/// Where service discovery keeps its lists of domains (RFC 6763 section 11).
fn is_service_list(owner: NameRef<'_>) -> bool {
    let mut labels = owner.labels();
    let is = |label: Option<&[u8]>, words: &[&str]| {
        label.is_some_and(|label| words.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(label)))
    };
    is(labels.next(), &["b", "db", "r", "dr", "lb"]) && is(labels.next(), &["_dns-sd"]) && is(labels.next(), &["_udp"])
}

/// Whether a label other than the first is a lone asterisk, which matches nothing and is usually a slip.
pub(in crate::zone) fn has_inner_wildcard(owner: NameRef<'_>) -> bool {
    owner.labels().skip(1).any(|label| label == b"*")
}

const WKS: Rtype = Rtype(11);
const MB: Rtype = Rtype(7);
const MG: Rtype = Rtype(8);
const A6: Rtype = Rtype(38);
const OPT: Rtype = Rtype(41);
const REVERSE: [&[u8]; 3] = [b"\x07in-addr\x04arpa\0", b"\x03ip6\x04arpa\0", b"\x03ip6\x03int\0"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;

    #[test]
    fn owners_are_judged_by_type() {
        let allowed = |owner: &str, rtype| is_owner_allowed(owner.parse::<Name>().unwrap().as_ref(), rtype, Class::IN);
        assert!(allowed("a-1.example.", Rtype::A));
        assert!(allowed("*.example.", Rtype::MX));
        assert!(allowed("gc._msdcs.example.", Rtype::A));
        assert!(allowed("a._SPF_rate.example.", Rtype::A));
        assert!(!allowed("a._spf.example.", Rtype::AAAA));
        assert!(allowed("_dmarc.example.", Rtype::TXT));
        assert!(allowed("a_b.example.", MB));
        assert!(allowed("2t7B4g4vsa5smi47k61mv5bv1a22bojr.example.", Rtype::NSEC3));
        assert!(!allowed("a_b.example.", Rtype::AAAA));
        assert!(!allowed("-a.example.", Rtype::A));
        assert!(!allowed("*.*.example.", Rtype::A));
        assert!(!allowed("a.b_c.example.", MG));
        assert!(!allowed("x.example.", Rtype::NSEC3));
    }
}
