use std::fs;
use std::sync::Arc;

use data_encoding::BASE64;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::client::{Anybody, Connector, HandshakeError};
use super::server::{Acceptor, Settings};
use super::*;
use crate::net::listen::bind_tcp;

fn settings(identity: Identity) -> Settings {
    Settings {
        identity,
        client_ca: None,
        terms: Terms { versions: Versions::Both, ciphers: None, cipher_suites: None },
        prefers_own_order: false,
        resumes_sessions: true,
    }
}

fn pem(kind: &str, der: &[u8]) -> String {
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", BASE64.encode(der))
}

/// Writes a certificate and its key into a folder.
fn write_pair(folder: &Path, name: &str) -> Identity {
    let (certificate, key) = ephemeral::make().unwrap();
    let paths = ["pem", "key"].map(|kind| folder.join(format!("{name}.{kind}")));
    fs::write(&paths[0], pem("CERTIFICATE", &certificate)).unwrap();
    fs::write(&paths[1], pem("PRIVATE KEY", key.secret_der())).unwrap();
    let [certificate, key] = paths;
    Identity::Files { certificate, key }
}

fn fault(settings: &Settings) -> String {
    Acceptor::new(settings, DOT).unwrap_err().to_string()
}

#[test]
fn a_key_that_is_not_that_of_the_certificate_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let one = write_pair(folder.path(), "one");
    let Identity::Files { key, .. } = write_pair(folder.path(), "other") else { panic!() };
    let Identity::Files { certificate, .. } = one.clone() else { panic!() };
    Acceptor::new(&settings(one), DOT).unwrap();
    let text = fault(&settings(Identity::Files { certificate, key }));
    assert!(text.starts_with("the key in '") && text.ends_with("one.pem'"), "{text}");
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let Identity::Files { certificate, key } = write_pair(folder.path(), "good") else { panic!() };
    let (absent, junk) = (folder.path().join("absent"), folder.path().join("junk"));
    fs::write(&junk, "junk").unwrap();
    for bad in [absent, junk] {
        let text = fault(&settings(Identity::Files { certificate: bad.clone(), key: key.clone() }));
        assert!(text.contains(&bad.display().to_string()), "{text}");
        let text = fault(&settings(Identity::Files { certificate: certificate.clone(), key: bad.clone() }));
        assert!(text.contains(&bad.display().to_string()), "{text}");
        let text = fault(&Settings { client_ca: Some(bad.clone()), ..settings(Identity::Ephemeral) });
        assert!(text.contains(&bad.display().to_string()), "{text}");
    }
}

/// A client that takes any server, and names these protocols.
fn client_of(protocols: &[&str]) -> TlsConnector {
    let provider = aws_lc_rs::default_provider();
    let anybody = Arc::new(Anybody(provider.signature_verification_algorithms));
    let builder = ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions();
    let mut config = builder.unwrap().dangerous().with_custom_certificate_verifier(anybody).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

/// What the server finds agreed, and the cipher, of a client that names these protocols; none: no connection.
async fn handshake(settings: &Settings, protocols: &[&str]) -> Option<(bool, CipherSuite)> {
    let listener = bind_tcp((std::net::Ipv4Addr::LOCALHOST, 0).into(), 10).unwrap();
    let address = listener.local_addr().unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let acceptor = Acceptor::new(settings, DOT).unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, is_agreed) = acceptor.accept(listener.accept().await.unwrap().0).await.ok()?;
        stream.write_all(b"hello").await.unwrap();
        stream.flush().await.unwrap();
        let suite = stream.get_ref().1.negotiated_cipher_suite().unwrap().suite();
        // The client goes first, so that no reset takes the words away.
        let _ = stream.read(&mut [0]).await;
        Some((is_agreed, suite))
    });
    let client = TcpStream::connect(address).await.unwrap();
    let client = client_of(protocols).connect(ServerName::try_from("any.test").unwrap(), client).await;
    if let Ok(mut client) = client {
        let mut said = [0; 5];
        let _ = client.read_exact(&mut said).await;
        drop(client);
    }
    server.await.unwrap()
}

#[tokio::test]
async fn clients_need_not_say_what_they_speak() {
    let settings = settings(Identity::Ephemeral);
    for (protocols, is_agreed) in [(&["dot"][..], true), (&[], false), (&["h2"], false), (&["h2", "dot"], true)] {
        assert_eq!(handshake(&settings, protocols).await.map(|(agreed, _)| agreed), Some(is_agreed), "{protocols:?}");
    }
}

#[tokio::test]
async fn versions_and_ciphers_are_those_asked_for() {
    let only12 = Settings {
        terms: Terms {
            versions: Versions::Only12,
            ciphers: Some(vec!["ECDHE-ECDSA-CHACHA20-POLY1305"]),
            cipher_suites: None,
        },
        ..settings(Identity::Ephemeral)
    };
    let suite = CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
    assert_eq!(handshake(&only12, &["dot"]).await, Some((true, suite)));
    let only13 = Settings {
        terms: Terms { versions: Versions::Only13, ciphers: None, cipher_suites: Some(vec!["TLS_AES_128_GCM_SHA256"]) },
        ..settings(Identity::Ephemeral)
    };
    assert_eq!(handshake(&only13, &["dot"]).await, Some((true, CipherSuite::TLS13_AES_128_GCM_SHA256)));
}

#[tokio::test]
async fn without_a_certificate_nobody_gets_in_where_one_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let Identity::Files { certificate, .. } = write_pair(folder.path(), "ca") else { panic!() };
    let mutual = Settings { client_ca: Some(certificate), ..settings(Identity::Ephemeral) };
    assert_eq!(handshake(&mutual, &["dot"]).await, None);
}

#[tokio::test]
async fn a_server_that_does_not_say_that_it_speaks_dns_is_left() {
    for (protocol, is_left) in [(DOT, false), (HTTP2, true)] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = Acceptor::new(&settings(Identity::Ephemeral), protocol).unwrap();
        let server = tokio::spawn(async move { drop(acceptor.accept(listener.accept().await.unwrap().0).await) });
        let connector = Connector::new(&client::Settings::default()).unwrap();
        let outcome = connector.connect(TcpStream::connect(address).await.unwrap(), address.ip()).await;
        assert_eq!(matches!(outcome, Err(HandshakeError::Protocol)), is_left, "{outcome:?}");
        server.await.unwrap();
    }
}
