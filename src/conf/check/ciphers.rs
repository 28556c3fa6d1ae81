//! `ciphers` of `tls`: OpenSSL's notation for lists of ciphers.
//!
//! OpenSSL passes over what it does not know; a list is at fault if nothing is left that adds a cipher. Which ciphers
//! there are is OpenSSL's affair, so a name passes here if it is made of parts that names of ciphers have.

/// Groups of ciphers.
const GROUPS: [&str; 55] = [
    "3DES",
    "AECDH",
    "AES",
    "AES128",
    "AES256",
    "AESCCM",
    "AESCCM8",
    "AESGCM",
    "ALL",
    "ARIA",
    "ARIA128",
    "ARIA256",
    "ARIAGCM",
    "CAMELLIA",
    "CAMELLIA128",
    "CAMELLIA256",
    "CHACHA20",
    "COMPLEMENTOFALL",
    "COMPLEMENTOFDEFAULT",
    "DEFAULT",
    "DH",
    "DHE",
    "DSS",
    "ECDH",
    "ECDHE",
    "ECDSA",
    "EDH",
    "EECDH",
    "HIGH",
    "MEDIUM",
    "PSK",
    "RSA",
    "SHA",
    "SHA1",
    "SHA256",
    "SHA384",
    "SRP",
    "TLSv1",
    "TLSv1.0",
    "TLSv1.2",
    "aDSS",
    "aECDSA",
    "aNULL",
    "aRSA",
    "eNULL",
    "kDHE",
    "kECDHE",
    "kEDH",
    "kEECDH",
    "kPSK",
    "kRSA",
    "kSRP",
    "NULL",
    "SUITEB128",
    "SUITEB192",
];
/// What the names of ciphers are made of, between hyphens.
const PARTS: [&str; 29] = [
    "AES128",
    "AES256",
    "AES",
    "128",
    "256",
    "ARIA128",
    "ARIA256",
    "CAMELLIA128",
    "CAMELLIA256",
    "CBC",
    "CCM",
    "CCM8",
    "CHACHA20",
    "DHE",
    "DSS",
    "ECDHE",
    "ECDSA",
    "GCM",
    "NULL",
    "POLY1305",
    "PSK",
    "RSA",
    "SHA",
    "SHA256",
    "SHA384",
    "SRP",
    "ADH",
    "AECDH",
    "ARIA",
];
/// What stands between the elements of a list.
const SEPARATORS: [char; 4] = [':', ',', ';', ' '];
/// Elements that add nothing start so: they take away, move to the end, or are commands.
const OTHERS: [char; 4] = ['!', '-', '+', '@'];

/// Whether a list adds a cipher.
pub(super) fn is_list(text: &str) -> bool {
    text.split(SEPARATORS).any(|element| !element.is_empty() && !element.starts_with(OTHERS) && is_known(element))
}

/// One cipher, or groups of which it must be in each.
fn is_known(element: &str) -> bool {
    let is_cipher = |name: &str| name.contains('-') && name.split('-').all(|part| PARTS.contains(&part));
    is_cipher(element) || element.split('+').all(|group| GROUPS.contains(&group))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OpenSSL 3.0, asked by way of named-checkconf.
    #[test]
    fn a_list_has_to_add_a_cipher() {
        for list in
            ["HIGH", "HIGH:!aNULL:!MD5", "nope:HIGH", "ECDHE-RSA-AES128-GCM-SHA256", "EECDH+AESGCM", "AES:FOO BAR"]
        {
            assert!(is_list(list), "{list}");
        }
        for list in ["", ":", "foo", "!aNULL", "-HIGH", "+HIGH", "@STRENGTH", "TLS_AES_128_GCM_SHA256", "HIGH+foo"] {
            assert!(!is_list(list), "{list}");
        }
    }
}
