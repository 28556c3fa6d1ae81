//! The side of the server: what a listener needs, and connections accepted.
//!
//! [`Acceptor::new`] reads everything, so that a listener has either a working identity or none: a certificate that is
//! broken never takes the place of one that works.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Identity, Terms, TlsError, authorities, certified, provider};

/// What a listener's `tls` statement asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Who we are.
    pub identity: Identity,
    /// Whom clients have to have a certificate from; none: they need not have one.
    pub client_ca: Option<PathBuf>,
    /// What is spoken.
    pub terms: Terms,
    /// Whether our order of ciphers counts, not that of the client.
    pub prefers_own_order: bool,
    /// Whether clients may resume a session.
    pub resumes_sessions: bool,
}

/// Makes TLS connections of TCP connections.
#[derive(Clone, Debug)]
pub struct Acceptor {
    /// For clients that name our protocol (ALPN).
    agreed: Arc<ServerConfig>,
    /// For those that do not: BIND speaks to them all the same.
    other: Arc<ServerConfig>,
    protocol: &'static [u8],
}

impl Acceptor {
    /// Reads the files of an identity. The protocol is what clients call what is spoken, such as [`super::DOT`].
    ///
    /// # Errors
    /// A file cannot be used.
    pub fn new(settings: &Settings, protocol: &'static [u8]) -> Result<Self, TlsError> {
        let provider = Arc::new(provider(&settings.terms));
        let identity = certified(&settings.identity, &provider)?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_protocol_versions(settings.terms.versions.list())?;
        let builder = match &settings.client_ca {
            Some(path) => builder.with_client_cert_verifier(client_verifier(path, provider)?),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity)));
        config.ignore_client_order = settings.prefers_own_order;
        if !settings.resumes_sessions {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        let other = Arc::new(config.clone());
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(Self { agreed: Arc::new(config), other, protocol })
    }

    /// Shakes hands with a client; also says whether it named our protocol.
    ///
    /// # Errors
    /// The client does not speak TLS, or not in a way that is accepted here.
    pub async fn accept(&self, stream: TcpStream) -> std::io::Result<(TlsStream<TcpStream>, bool)> {
        let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
        let is_agreed = self.is_named_by(&start.client_hello());
        let config = if is_agreed { &self.agreed } else { &self.other };
        Ok((start.into_stream(Arc::clone(config)).await?, is_agreed))
    }

    fn is_named_by(&self, hello: &ClientHello<'_>) -> bool {
        hello.alpn().is_some_and(|mut names| names.any(|name| name == self.protocol))
    }
}

fn client_verifier(path: &Path, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let roots = Arc::new(authorities(path)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider).build();
    verifier.map_err(|error: VerifierBuilderError| TlsError::File(path.to_owned(), error.to_string()))
}
