//! `check-names` as records meet it: what owners must be, by the type of record that they have, and which names within
//! data are not what they should be. Master files ask while they are read, transfers and updates for each record.

use std::fmt;

use crate::dns::host::{are_host_labels, is_host, is_host_label, is_mailbox};
use crate::dns::name::NoDot;
use crate::dns::{Class, Name, NameRef, Rtype, rdata};

/// A name that `check-names` does not let pass, and the record that it is in. Its text is the line of named's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misnamed {
    owner: Name,
    rtype: Rtype,
    /// The name within the data; none: it is the owner.
    target: Option<Name>,
}

impl Misnamed {
    /// Whether there is none in a record.
    #[inline]
    pub fn is_in_none(owner: NameRef<'_>, rtype: Rtype, class: Class, rdata: &[u8]) -> bool {
        is_owner_allowed(owner, rtype, class) && misnamed_in(owner, rtype, class, rdata).is_none()
    }

    /// What is wrong with the names of a record: with its owner, then with the first such name in its data.
    #[cold]
    pub fn all<'r>(
        owner: NameRef<'r>,
        rtype: Rtype,
        class: Class,
        rdata: &'r [u8],
    ) -> impl Iterator<Item = Self> + use<'r> {
        let misnamed = move |target: Option<Name>| Self { owner: owner.to_name(), rtype, target };
        let of_owner = (!is_owner_allowed(owner, rtype, class)).then(|| misnamed(None));
        let of_data = misnamed_in(owner, rtype, class, rdata);
        of_owner.into_iter().chain(of_data.map(move |name| misnamed(Some(name.to_name()))))
    }

    /// What is wrong, as named ends the transfer with it.
    pub fn reason(&self) -> &'static str {
        if self.target.is_none() { BAD_OWNER } else { BAD_NAME }
    }
}

impl fmt::Display for Misnamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, rtype, target } = self;
        let (owner, reason) = (NoDot(owner.as_ref()), self.reason());
        match target {
            None => write!(f, "{owner}/{rtype}: {reason}"),
            // The blank at the end is named's.
            Some(name) => write!(f, "{owner}/{rtype}: {}: {reason} ", NoDot(name.as_ref())),
        }
    }
}

/// The first name within well-formed data that `check-names` does not let pass. What most records of most zones are is
/// seen without their type's table.
#[inline]
fn misnamed_in<'r>(owner: NameRef<'_>, rtype: Rtype, class: Class, rdata: &'r [u8]) -> Option<NameRef<'r>> {
    let is_plain = match rtype {
        Rtype::NS => are_host_labels(rdata),
        Rtype::MX => rdata.get(2..).is_some_and(are_host_labels),
        Rtype::A | Rtype::AAAA | Rtype::TXT | Rtype::CNAME | Rtype::DS | Rtype::RRSIG | Rtype::NSEC => true,
        Rtype::NSEC3 | Rtype::DNSKEY => true,
        _ => false,
    };
    if is_plain {
        return None;
    }
    rdata::misnamed(rdata::in_class(rtype, class), rdata, || class == Class::IN && is_reverse(owner))
}

/// What named says of an owner.
pub(super) const BAD_OWNER: &str = "bad owner name (check-names)";
const BAD_NAME: &str = "bad name (check-names)";

/// Whether `owner` may have records of this type: those that give addresses or mail need a host's name, a wildcard
/// counts as one. Of addresses BIND asks that in IN and CH.
pub(super) fn is_owner_allowed(owner: NameRef<'_>, rtype: Rtype, class: Class) -> bool {
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
pub(super) fn is_reverse(owner: NameRef<'_>) -> bool {
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
pub(super) fn has_inner_wildcard(owner: NameRef<'_>) -> bool {
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

    /// As named 9.18.49 has it of transfers.
    #[test]
    fn names_within_data_are_judged_by_type() {
        let wire = |text: &str| text.parse::<Name>().unwrap().as_ref().as_bytes().to_vec();
        let [bad, good] = ["a_b.x_y.", "a.example."].map(wire);
        let said = |owner: &str, rtype: u16, parts: &[&[u8]]| {
            let (owner, data) = (owner.parse::<Name>().unwrap(), parts.concat());
            let all = Misnamed::all(owner.as_ref(), Rtype(rtype), Class::IN, &data);
            all.map(|misnamed| misnamed.to_string()).collect::<Vec<_>>()
        };
        let (reverse, lists) = ("1.2.0.192.in-addr.arpa.", "b._dns-sd._udp.0.192.in-addr.arpa.");
        for (owner, rtype, before) in [
            ("o.", 2, &[][..]),
            ("o.", 15, &[0, 5]),
            ("o.", 18, &[0, 1]),
            ("o.", 21, &[0, 1]),
            ("o.", 33, &[0; 6]),
            ("o.", 38, &[128]),
            ("o.", 64, &[0, 1]),
            ("o.", 66, &[0, 1, 1, 0, 53]),
            (reverse, 12, &[]),
        ] {
            let line = format!("{}/{}: a_b.x_y: bad name (check-names) ", owner.trim_end_matches('.'), Rtype(rtype));
            assert_eq!(said(owner, rtype, &[before, &bad]), [line]);
            assert!(said(owner, rtype, &[before, &good]).is_empty(), "{rtype}");
        }
        for (owner, rtype, before) in [
            ("o.", 12, &[][..]),
            (lists, 12, &[]),
            ("o.", 3, &[]),
            ("o.", 5, &[]),
            ("o.", 7, &[]),
            ("o.", 36, &[0, 1]),
            ("o.", 39, &[]),
            ("o.", 64, &[0, 0]),
            ("a_b.", 16, &[]),
        ] {
            assert!(said(owner, rtype, &[before, &bad]).is_empty(), "{rtype}");
        }
        assert!(said("o.", 38, &[&[0; 17]]).is_empty());
        // Mailboxes; of several such names the first is told.
        assert_eq!(said("o.", 14, &[&good, &bad]), ["o/MINFO: a_b.x_y: bad name (check-names) "]);
        assert_eq!(said("o.", 14, &[&bad, &bad]).len(), 1);
        assert!(said("o.", 17, &[&good, &bad]).is_empty());
        assert_eq!(said("o_o.", 15, &[&[0, 5], &bad]).len(), 2);
    }

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
