//! What named says of the keys at a zone's apex, and of the copies of them that are meant for the parent (RFC 7344).

use super::contents::ZoneVersion;
use super::node::Rrset;
use crate::dns::{Rtype, rdata};

/// The type of the records by which the parent is told what does not agree with the keys of the zone, if there are any:
/// each algorithm told needs a key of it, and a request to delete all (RFC 8078 section 4) stands alone.
pub(super) fn told_wrongly(version: &ZoneVersion) -> Option<Rtype> {
    let apex = version.apex_node()?;
    let keys: Vec<u8> = apex.rrset(Rtype::DNSKEY).iter().flat_map(algorithms_of_keys).collect();
    let is_wrong = |rtype, delete: &[u8]| {
        let Some(told) = apex.rrset(rtype) else { return false };
        let deletes = told.rdatas().any(|data| data == delete);
        let mut algorithms = told.rdatas().filter(|data| *data != delete).filter_map(|data| algorithm(rtype, data));
        algorithms.any(|algorithm| deletes || !keys.contains(&algorithm))
    };
    let told = [(CDS, CDS_DELETE), (CDNSKEY, CDNSKEY_DELETE)];
    told.into_iter().find(|&(rtype, delete)| is_wrong(rtype, delete)).map(|(rtype, _)| rtype)
}

fn algorithms_of_keys(keys: &Rrset<'_>) -> Vec<u8> {
    keys.rdatas().filter_map(|data| algorithm(Rtype::DNSKEY, data)).collect()
}

fn algorithm(rtype: Rtype, data: &[u8]) -> Option<u8> {
    data.get(if rtype == CDS { 2 } else { 3 }).copied()
}

/// What is to be said of the zone's keys.
pub(super) fn warnings(version: &ZoneVersion) -> Vec<String> {
    let keys = version.apex_node().and_then(|apex| apex.rrset(Rtype::DNSKEY));
    let keys = || keys.iter().flat_map(|keys| keys.rdatas());
    let mut warnings = told_digests(version);
    for key in keys() {
        warnings.extend(weak(key));
        // Each algorithm is told of once.
        warnings.extend(deprecated(key).filter(|text| !warnings.contains(text)));
    }
    if keys().count() > 0 && keys().all(|key| deprecated(key).is_some()) {
        warnings.push("all DNSKEY algorithms found are deprecated".to_owned());
    }
    warnings
}

/// What is to be said of the hashes of the zone's NSEC3 chains, and whether one of them can be made (RFC 5155 section
/// 4), if any is asked for.
pub(super) fn hashes(version: &ZoneVersion) -> (Vec<String>, bool) {
    let Some(parameters) = version.apex_node().and_then(|apex| apex.rrset(Rtype::NSEC3PARAM)) else {
        return (vec![], true);
    };
    let (mut warnings, mut has_known) = (Vec::new(), false);
    for &[hash, _, high, low] in parameters.rdatas().filter_map(<[u8]>::first_chunk) {
        has_known |= hash == SHA1;
        if hash != SHA1 {
            warnings.push(format!("unsupported nsec3 hash algorithm: {hash}"));
        }
        let iterations = u16::from_be_bytes([high, low]);
        if iterations > MAX_ITERATIONS {
            warnings.push(format!("excessive NSEC3PARAM iterations {iterations} > {MAX_ITERATIONS}"));
        }
    }
    (warnings, has_known)
}

/// Digests for the parent of a kind that must not be made any more (RFC 8624 section 3.3), where there are keys.
pub(super) fn told_digests(version: &ZoneVersion) -> Vec<String> {
    let signed = version.apex_node().filter(|apex| apex.rrset(Rtype::DNSKEY).is_some());
    let told = signed.and_then(|apex| apex.rrset(CDS));
    let kinds: Vec<u8> = told.iter().flat_map(|told| told.rdatas()).filter_map(|data| data.get(3).copied()).collect();
    let mut words = DEPRECATED_DIGESTS.to_vec();
    words.sort_by_key(|(kind, _)| kinds.iter().position(|told| told == kind));
    let told = words.into_iter().filter(|(kind, _)| kinds.contains(kind));
    told.map(|(kind, word)| format!("deprecated CDS digest type {kind} ({word})")).collect()
}

/// RSA with the exponent 3.
fn weak(key: &[u8]) -> Option<String> {
    const RSA: [u8; 5] = [1, 5, 7, 8, 10];
    let &[_, _, _, algorithm, 1, 3, ..] = key else { return None };
    let word = rdata::algorithm_word(algorithm).filter(|_| RSA.contains(&algorithm))?;
    Some(format!("weak {word} ({algorithm}) key found (exponent=3, id={})", rdata::key_tag(key)))
}

/// Algorithms that must not sign any more (RFC 8624 section 3.1). BIND leaves a blank line behind.
fn deprecated(key: &[u8]) -> Option<String> {
    const ALGORITHMS: [u8; 6] = [1, 3, 5, 6, 7, 12];
    let algorithm = algorithm(Rtype::DNSKEY, key).filter(|algorithm| ALGORITHMS.contains(algorithm))?;
    let word = rdata::algorithm_word(algorithm)?;
    Some(format!("deprecated DNSKEY algorithm found: {algorithm} ({word})\n"))
}

/// Digests that DS and CDS records must not have any more (RFC 8624 section 3.3), with their words.
pub(super) const DEPRECATED_DIGESTS: [(u8, &str); 2] = [(1, "SHA-1"), (3, "GOST")];
/// The most iterations that BIND hashes a name with.
const MAX_ITERATIONS: u16 = 150;
/// The one hash of NSEC3 (RFC 5155 section 11).
const SHA1: u8 = 1;
const CDS: Rtype = Rtype(59);
const CDNSKEY: Rtype = Rtype(60);
const CDS_DELETE: &[u8] = &[0; 5];
const CDNSKEY_DELETE: &[u8] = &[0, 0, 3, 0, 0];
