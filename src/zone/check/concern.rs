//! Which records a check of the zone has to look at. Most it has nothing to say of: a delegation to servers elsewhere,
//! an address, a signature. So whoever packs the records of a name notes whether there are any others, while they are
//! at hand, and a check goes only to those names.
//!
//! What is found here may be nothing in the end; what is not found must be nothing.

use super::{CASED_NAMES, HIP, KEY, SPF};
use crate::dns::{NameRef, Rtype, case};
use crate::zone::keys::DEPRECATED_DIGESTS;

/// Whether something may have to be said of an RRset: it points into the zone, is deprecated, may hold the same record
/// twice, or wants another beside it.
pub(in crate::zone) fn is_of_concern<'a>(
    rtype: Rtype,
    count: usize,
    mut rdatas: impl Iterator<Item = &'a [u8]>,
    apex: NameRef<'_>,
) -> bool {
    match rtype {
        Rtype::NS | Rtype::MX | Rtype::SRV => rdatas.any(|data| ends_in(data, apex)),
        Rtype::DS | KEY => rdatas.any(|data| old_algorithm(rtype, data).is_some() || old_digest(rtype, data).is_some()),
        SPF => true,
        HIP => count > 1,
        _ => count > 1 && CASED_NAMES.iter().any(|(cased, ..)| *cased == rtype),
    }
}

/// Whether the name at the end of some data may lie in the zone.
fn ends_in(data: &[u8], apex: NameRef<'_>) -> bool {
    let end = data.len().checked_sub(apex.len()).and_then(|start| data.get(start..));
    end.is_some_and(|end| case::is_same(end, apex.as_bytes()))
}

/// The algorithm of a key or digest of one, if it is made with SHA-1.
pub(super) fn old_algorithm(rtype: Rtype, data: &[u8]) -> Option<u8> {
    const ALGORITHMS: [u8; 2] = [5, 7];
    let algorithm = data.get(if rtype == KEY { 3 } else { 2 }).copied();
    algorithm.filter(|algorithm| ALGORITHMS.contains(algorithm))
}

/// The kind of a digest of a key, if it must not be made any more.
pub(super) fn old_digest(rtype: Rtype, data: &[u8]) -> Option<(u8, &'static str)> {
    let kind = data.get(3).filter(|_| rtype == Rtype::DS)?;
    DEPRECATED_DIGESTS.into_iter().find(|(deprecated, _)| deprecated == kind)
}

/// Whether the strings of a TXT record, one behind the other, are an SPF record (RFC 7208 section 4.5).
pub(super) fn is_spf(data: &[u8]) -> bool {
    let mut strings = data;
    let bytes = std::iter::from_fn(|| {
        let (&length, tail) = strings.split_first()?;
        let (string, rest) = tail.split_at_checked(usize::from(length))?;
        strings = rest;
        Some(string)
    });
    let mut bytes = bytes.flatten().copied();
    // BIND looks at the text as C does, which ends at a null byte.
    b"v=spf1".iter().all(|&wanted| bytes.next() == Some(wanted)) && matches!(bytes.next(), None | Some(b' ' | 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;

    #[test]
    fn spf_begins_with_its_version_across_strings() {
        for data in [&b"\x06v=spf1"[..], b"\x02v=\0\x04spf1", b"\x0bv=spf1 -all", b"\x06v=spf1\x02 a", b"\x07v=spf1\0"]
        {
            assert!(is_spf(data), "{data:?}");
        }
        for data in
            [&b"\x05v=spf"[..], b"\x07v=spf10", b"\x06V=spf1", b"\x06v=spf1\x01a", b"\x01 \x06v=spf1", b"\0", b""]
        {
            assert!(!is_spf(data), "{data:?}");
        }
    }

    fn concerns(rtype: Rtype, rdatas: &[&[u8]]) -> bool {
        let apex: Name = "Ex.test.".parse().unwrap();
        is_of_concern(rtype, rdatas.len(), rdatas.iter().copied(), apex.as_ref())
    }

    #[test]
    fn records_that_point_into_the_zone_are_of_concern() {
        assert!(concerns(Rtype::NS, &[b"\x01a\x05other\0", b"\x02ns\x02eX\x04test\0"]));
        assert!(concerns(Rtype::MX, &[b"\0\x0a\x02ex\x04test\0"]));
        assert!(concerns(Rtype::SRV, &[b"\0\0\0\0\0\x35\x01s\x02ex\x04test\0"]));
        assert!(!concerns(Rtype::NS, &[b"\x02ns\x02ex\x05tests\0", b"\x04test\0"]));
        assert!(!concerns(Rtype::CNAME, &[b"\x02ex\x04test\0"]));
    }

    #[test]
    fn what_is_made_with_sha_1_is_of_concern() {
        assert!(concerns(Rtype::DS, &[&[0, 1, 8, 2, 9], &[0, 1, 8, 1, 9]]));
        assert!(concerns(Rtype::DS, &[&[0, 1, 7, 2, 9]]));
        assert!(concerns(Rtype::DS, &[&[0, 1, 8, 3, 9]]));
        assert!(concerns(KEY, &[&[1, 0, 3, 5, 9]]));
        assert!(!concerns(Rtype::DS, &[&[0, 1, 13, 2, 9]]));
        assert!(!concerns(KEY, &[&[1, 0, 5, 8, 9]]));
    }

    #[test]
    fn records_that_may_be_the_same_are_of_concern_when_there_are_two() {
        assert!(concerns(Rtype::NSEC, &[b"\x01a\0\0\x01\x40", b"\x01A\0\0\x01\x40"]));
        assert!(concerns(HIP, &[b"1", b"2"]));
        assert!(concerns(SPF, &[b"\x01x"]));
        assert!(!concerns(Rtype::NSEC, &[b"\x01a\0\0\x01\x40"]));
        assert!(!concerns(Rtype::TXT, &[b"\x01x", b"\x01X"]));
    }
}
