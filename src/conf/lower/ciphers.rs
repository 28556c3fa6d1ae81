//! OpenSSL's notation for lists of ciphers, as far as it speaks of ciphers that nomd has.
//!
//! A list is a program: each element adds, takes away or moves to the end the ciphers of a group. What is not known
//! adds nothing, as with OpenSSL, so that lists written for it can stay.

/// The ciphers of TLS 1.2, in OpenSSL's order.
const CIPHERS: [&str; 6] = [
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
];
/// The ciphers of TLS 1.3.
const SUITES: [&str; 3] = ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"];
/// Groups that all of [`CIPHERS`] belong to.
const COMMON: [&str; 9] = ["ALL", "DEFAULT", "HIGH", "TLSv1.2", "ECDH", "ECDHE", "EECDH", "kECDHE", "kEECDH"];
/// Groups, and what the names of their ciphers contain.
const GROUPS: [(&str, &str); 9] = [
    ("AES", "-AES"),
    ("AESGCM", "-AES"),
    ("AES128", "-AES128-"),
    ("AES256", "-AES256-"),
    ("CHACHA20", "-CHACHA20-"),
    ("ECDSA", "-ECDSA-"),
    ("aECDSA", "-ECDSA-"),
    ("aRSA", "-RSA-"),
    ("SUITEB192", "-ECDSA-AES256-"),
];
/// What stands between the elements of a list.
const SEPARATORS: [char; 4] = [':', ',', ';', ' '];

/// A list that asks for all there are, of TLS 1.2 and 1.3.
pub(super) const ALL: &str = "ALL:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";

/// The ciphers of TLS 1.2 that a list comes to.
pub(super) fn select(list: &str) -> Vec<&'static str> {
    let (mut selected, mut banned) = (Vec::<&'static str>::new(), Vec::<&'static str>::new());
    for element in list.split(SEPARATORS) {
        let (action, group) = match element.split_at_checked(1) {
            Some((action @ ("!" | "-" | "+"), group)) => (action, group),
            _ => ("", element),
        };
        let members: Vec<&'static str> = CIPHERS.into_iter().filter(|cipher| is_in(cipher, group)).collect();
        let (mut those, others): (Vec<_>, Vec<_>) = selected.iter().partition(|cipher| members.contains(cipher));
        match action {
            "!" | "-" => selected = others,
            "+" => {
                selected = others;
                selected.append(&mut those);
            }
            _ => {
                let new = members.iter().filter(|cipher| !those.contains(cipher) && !banned.contains(*cipher));
                selected.extend(new);
            }
        }
        if action == "!" {
            banned.extend(members);
        }
    }
    selected
}

/// The ciphers of TLS 1.3 that a list names.
pub(super) fn select_suites(list: &str) -> Vec<&'static str> {
    list.split(SEPARATORS).filter_map(|name| SUITES.into_iter().find(|known| *known == name)).collect()
}

/// Whether a cipher is meant: by its name, or by groups of which it is in each.
fn is_in(cipher: &str, element: &str) -> bool {
    let is_in_group = |group: &str| {
        COMMON.contains(&group) || GROUPS.iter().any(|(known, part)| *known == group && cipher.contains(part))
    };
    cipher == element || element.split('+').all(is_in_group)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `openssl ciphers -tls1_2 -s` of 3.0 lists among ours.
    #[test]
    fn lists_come_to_what_openssl_makes_of_them() {
        let [e256, r256, echa, rcha, e128, r128] = CIPHERS;
        for (list, selected) in [
            ("HIGH:!aNULL:!MD5", &CIPHERS[..]),
            ("HIGH:!kRSA:!aNULL:!eNULL:!RC4:!3DES:!MD5:!EXP:!PSK:!SRP:!DSS:!SHA1:!SHA256:!SHA384", &CIPHERS),
            ("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384", &[r128, e256]),
            ("EECDH+AESGCM+aRSA", &[r256, r128]),
            ("CHACHA20:AES256", &[echa, rcha, e256, r256]),
            ("ALL:-AES:ECDSA", &[echa, rcha, e256, e128]),
            ("ALL:+AES256:!aRSA", &[echa, e128, e256]),
            ("!AES:ALL", &[echa, rcha]),
            ("DHE-RSA-AES128-GCM-SHA256", &[]),
            ("kRSA:AES128-SHA", &[]),
        ] {
            assert_eq!(select(list), selected, "{list}");
        }
        assert_eq!(select_suites("TLS_AES_128_CCM_SHA256:TLS_AES_128_GCM_SHA256"), ["TLS_AES_128_GCM_SHA256"]);
    }
}
