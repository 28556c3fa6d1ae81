//! `tls ephemeral`: a key on P-256 and a certificate that it signs itself, which says nothing but the key.
//!
//! The certificate is put together as DER (RFC 5280) from the inside out; it never expires, as the key goes with the
//! process.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Makes a certificate and its key.
pub(super) fn make() -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), Unspecified> {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random)?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref()).map_err(|_| Unspecified)?;
    let statement = statement(pair.public_key().as_ref());
    let signature = pair.sign(&random, &statement)?;
    let signature = element(BIT_STRING, &[&[0], signature.as_ref()]);
    let certificate = element(SEQUENCE, &[&statement, &signature_algorithm(), &signature]);
    let key = PrivatePkcs8KeyDer::from(document.as_ref().to_vec());
    Ok((certificate.into(), key.into()))
}

/// What is signed: serial number, names, validity and the key.
fn statement(public_key: &[u8]) -> Vec<u8> {
    let version = element(VERSION, &[&element(INTEGER, &[&[2]])]);
    let serial = element(INTEGER, &[&[1]]);
    let name = name();
    let validity = element(SEQUENCE, &[&element(UTC_TIME, &[NOT_BEFORE]), &element(GENERALIZED_TIME, &[NOT_AFTER])]);
    let algorithm = element(SEQUENCE, &[&element(OBJECT_ID, &[EC_PUBLIC_KEY]), &element(OBJECT_ID, &[PRIME256V1])]);
    let key = element(SEQUENCE, &[&algorithm, &element(BIT_STRING, &[&[0], public_key])]);
    element(SEQUENCE, &[&version, &serial, &signature_algorithm(), &name, &validity, &name, &key])
}

/// A name with a common name alone.
fn name() -> Vec<u8> {
    let pair = element(SEQUENCE, &[&element(OBJECT_ID, &[COMMON_NAME]), &element(UTF8_STRING, &[NAME])]);
    element(SEQUENCE, &[&element(SET, &[&pair])])
}

fn signature_algorithm() -> Vec<u8> {
    element(SEQUENCE, &[&element(OBJECT_ID, &[ECDSA_WITH_SHA256])])
}

/// One element: tag, length, content. All are far shorter than 64 KiB.
fn element(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let size: usize = content.iter().map(|part| part.len()).sum();
    let [high, low] = (size as u16).to_be_bytes();
    let head = match size {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    content.iter().fold(head, |mut all, part| {
        all.extend_from_slice(part);
        all
    })
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_ID: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// The version stands in a wrapper of its own.
const VERSION: u8 = 0xa0;

const NAME: &[u8] = b"ephemeral";
const NOT_BEFORE: &[u8] = b"200101000000Z";
/// RFC 5280 section 4.1.2.5: never.
const NOT_AFTER: &[u8] = b"99991231235959Z";

/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 1.2.840.10045.2.1
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7
const PRIME256V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 1.2.840.10045.4.3.2
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
