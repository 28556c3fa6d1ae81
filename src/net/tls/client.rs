//! The side of the client: other servers asked over TLS (RFC 9103, strict or opportunistic as the settings say).

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{DOT, Identity, Terms, TlsError, authorities, certificates, certified, provider};

/// What the `tls` statement of a server to be asked asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Who we are, for servers that want to know.
    pub identity: Option<Identity>,
    /// Whose certificates are trusted; none, but a name: those that the host trusts.
    pub authorities: Option<PathBuf>,
    /// The name that the server's certificate has to be for; none, but authorities: its address.
    pub name: Option<String>,
    /// What is spoken.
    pub terms: Terms,
}

/// Makes TLS connections of TCP connections to servers.
#[derive(Clone, Debug)]
pub struct Connector {
    config: Arc<ClientConfig>,
    name: Option<ServerName<'static>>,
}

/// Why a server is not spoken to.
#[derive(Debug, Error)]
pub enum HandshakeError {
    /// Its certificate is not what the settings ask for. The text is BIND's, with the reason.
    #[error("TLS peer certificate verification failed: {0}")]
    Certificate(CertificateError),
    /// It does not say that it speaks DNS (RFC 9103, 7.1).
    #[error("ALPN for DoT failed")]
    Protocol,
    /// The connection broke, or the two have nothing in common.
    #[error("TLS error: {0}")]
    Other(std::io::Error),
}

impl Connector {
    /// Reads the files.
    ///
    /// # Errors
    /// A file cannot be used.
    pub fn new(settings: &Settings) -> Result<Self, TlsError> {
        let provider = Arc::new(provider(&settings.terms));
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_protocol_versions(settings.terms.versions.list())?;
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier(settings, &provider)?);
        let mut config = match &settings.identity {
            Some(identity) => {
                let identity = certified(identity, &provider)?;
                builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(identity)))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![DOT.to_vec()];
        let name = settings.name.clone().map(ServerName::try_from).transpose();
        let name = name.map_err(|_| TlsError::Library("the name is not that of a host".to_owned()))?;
        Ok(Self { config: Arc::new(config), name })
    }

    /// Shakes hands with the server of this address.
    ///
    /// # Errors
    /// See [`HandshakeError`].
    pub async fn connect(&self, stream: TcpStream, address: IpAddr) -> Result<TlsStream<TcpStream>, HandshakeError> {
        let name = self.name.clone().unwrap_or_else(|| ServerName::IpAddress(address.into()));
        let stream = TlsConnector::from(Arc::clone(&self.config)).connect(name, stream).await.map_err(told)?;
        match stream.get_ref().1.alpn_protocol() {
            Some(DOT) => Ok(stream),
            _ => Err(HandshakeError::Protocol),
        }
    }
}

/// What the library says, in our words.
fn told(error: std::io::Error) -> HandshakeError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(Error::InvalidCertificate(reason)) => HandshakeError::Certificate(reason.clone()),
        Some(Error::NoApplicationProtocol) => HandshakeError::Protocol,
        _ => HandshakeError::Other(error),
    }
}

fn verifier(settings: &Settings, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let algorithms = provider.signature_verification_algorithms;
    let (roots, pinned) = match (&settings.authorities, &settings.name) {
        (Some(path), _) => (authorities(path)?, certificates(path)?),
        (None, Some(_)) => (host_authorities()?, Vec::new()),
        (None, None) => return Ok(Arc::new(Anybody(algorithms))),
    };
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let chains = builder.build().map_err(|error| TlsError::Library(error.to_string()))?;
    Ok(Arc::new(Known { chains, pinned }))
}

/// The authorities that the host trusts.
fn host_authorities() -> Result<RootCertStore, TlsError> {
    let bundle = BUNDLES.iter().map(Path::new).find(|path| fs::exists(path).unwrap_or(false));
    let bundle = bundle.ok_or_else(|| TlsError::Library("the host has no list of authorities".to_owned()))?;
    let mut roots = RootCertStore::empty();
    // One that the library does not understand is none that it could trust.
    roots.add_parsable_certificates(certificates(bundle)?);
    Ok(roots)
}

/// Where systems keep the authorities that they trust: Debian, Fedora, SUSE, and Alpine as the BSDs do.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Lets in whoever a listed authority vouches for, and who is listed itself: a certificate that vouches for itself is
/// one that the library takes for an authority alone.
#[derive(Debug)]
struct Known {
    chains: Arc<WebPkiServerVerifier>,
    pinned: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.chains.verify_server_cert(certificate, others, name, ocsp, now) {
            // The library looks for this after the times and before the name.
            Err(Error::InvalidCertificate(CertificateError::Other(_))) if self.pinned.contains(certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chains.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Lets in whoever answers: opportunistic TLS (RFC 9103, 9.3.1). As anybody may be there, it proves nothing that who is
/// there has the key of the certificate shown; and BIND's own certificates are of a version that is not read here.
#[derive(Debug)]
pub(super) struct Anybody(pub(super) WebPkiSupportedAlgorithms);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
