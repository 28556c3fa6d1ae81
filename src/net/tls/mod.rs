//! TLS: files read, settings turned into what listeners ([`server`]) and those who ask other servers ([`client`]) need,
//! connections secured. All use of rustls is here.

pub mod client;
mod ephemeral;
pub mod server;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, InconsistentKeys, RootCertStore, SupportedProtocolVersion, version};
use thiserror::Error;

/// What is spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The versions.
    pub versions: Versions,
    /// OpenSSL's names of the ciphers of TLS 1.2, the best first; none: all.
    pub ciphers: Option<Vec<&'static str>>,
    /// The ciphers of TLS 1.3 in the same way.
    pub cipher_suites: Option<Vec<&'static str>>,
}

/// Whom we say to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Whom these files say, PEM both.
    Files {
        /// Our certificate, and those that lead from it to one that clients trust.
        certificate: PathBuf,
        /// The private key.
        key: PathBuf,
    },
    /// Nobody in particular: with a key and a certificate made for this purpose.
    Ephemeral,
}

/// Versions of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    /// 1.2 alone.
    Only12,
    /// 1.3 alone.
    Only13,
}

/// Why there is no TLS to be had.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file is not there, or not what it should be.
    #[error("reading '{path}': {reason}", path = .0.display(), reason = .1)]
    File(PathBuf, String),
    /// The key is not that of the certificate.
    #[error("the key in '{}' is not that of the certificate in '{}'", .0.display(), .1.display())]
    OtherKey(PathBuf, PathBuf),
    /// Something in the library.
    #[error("{0}")]
    Library(String),
}

impl Versions {
    fn list(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Both => BOTH_VERSIONS,
            Self::Only12 => VERSION_12,
            Self::Only13 => VERSION_13,
        }
    }
}

const BOTH_VERSIONS: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];
const VERSION_12: &[&SupportedProtocolVersion] = &[&version::TLS12];
const VERSION_13: &[&SupportedProtocolVersion] = &[&version::TLS13];

/// The library with no other ciphers than those asked for.
fn provider(terms: &Terms) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    let all = std::mem::take(&mut provider.cipher_suites);
    let of = |is_tls13: bool, wanted: Option<&[&str]>| match wanted {
        None => all.iter().copied().filter(|suite| suite.tls13().is_some() == is_tls13).collect::<Vec<_>>(),
        Some(names) => {
            let numbers = names.iter().filter_map(|name| SUITES.iter().find(|(known, _)| known == name));
            numbers.filter_map(|(_, number)| all.iter().copied().find(|suite| suite.suite() == *number)).collect()
        }
    };
    provider.cipher_suites = of(true, terms.cipher_suites.as_deref());
    provider.cipher_suites.extend(of(false, terms.ciphers.as_deref()));
    provider
}

fn certified(identity: &Identity, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let Identity::Files { certificate, key } = identity else {
        let (certificate, key) = ephemeral::make().map_err(|_| TlsError::Library("no key can be made".to_owned()))?;
        let key = provider.key_provider.load_private_key(key)?;
        return Ok(CertifiedKey::new(vec![certificate], key));
    };
    let chain = certificates(certificate)?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, error))?;
    let private = provider.key_provider.load_private_key(private);
    let private = private.map_err(|error| TlsError::File(key.clone(), error.to_string()))?;
    let certified = CertifiedKey::new(chain, private);
    match certified.keys_match() {
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(TlsError::OtherKey(key.clone(), certificate.clone()))
        }
        // That the library cannot look into an old certificate is no fault of ours: clients judge it.
        _ => Ok(certified),
    }
}

/// Those that a file says certificates are to be trusted from.
fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| TlsError::File(path.to_owned(), error.to_string()))?;
    }
    Ok(roots)
}

/// The certificates of a file, of which there is at least one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if found.is_empty() => Err(unreadable(path, pem::Error::NoItemsFound)),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(path, error)),
    }
}

impl From<rustls::Error> for TlsError {
    fn from(error: rustls::Error) -> Self {
        Self::Library(error.to_string())
    }
}

fn unreadable(path: &Path, error: pem::Error) -> TlsError {
    let reason = match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => "there is no such thing in it".to_owned(),
        other => other.to_string(),
    };
    TlsError::File(path.to_owned(), reason)
}

/// What clients call DNS over TLS (RFC 7858).
pub const DOT: &[u8] = b"dot";

/// What clients call HTTP/2.
pub const HTTP2: &[u8] = b"h2";

/// OpenSSL's names.
const SUITES: [(&str, CipherSuite); 9] = [
    ("TLS_AES_256_GCM_SHA384", CipherSuite::TLS13_AES_256_GCM_SHA384),
    ("TLS_AES_128_GCM_SHA256", CipherSuite::TLS13_AES_128_GCM_SHA256),
    ("TLS_CHACHA20_POLY1305_SHA256", CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-RSA-AES256-GCM-SHA384", CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("ECDHE-RSA-CHACHA20-POLY1305", CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE-RSA-AES128-GCM-SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
];
