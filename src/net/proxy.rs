//! The PROXY protocol, version 2: what a proxy sends ahead of a request, or of a connection, of whom it speaks for.
//!
//! In: the first bytes of a datagram or a connection; out: where the request first came from and to which address, and
//! the size of the header. As with BIND a header is read to its last extension, and what is wrong anywhere makes all
//! of it worthless: there is no reply, and a connection is closed.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};

/// A header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// How many bytes it takes.
    pub size: usize,
    /// What it says; none: the proxy speaks for itself, or for somebody without an address.
    pub origin: Option<Origin>,
}

/// How a request reached the first proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Who sent it.
    pub source: SocketAddr,
    /// Where to.
    pub destination: SocketAddr,
}

/// What should have been a header is none.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the PROXY header is malformed")]
pub struct Malformed;

impl Header {
    /// Reads the header at the head of a datagram.
    ///
    /// # Errors
    /// There is none, or not a sound one.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let (prefix, rest) = bytes.split_first_chunk().ok_or(Malformed)?;
        let prefix = Prefix::read(prefix)?;
        let origin = prefix.origin(rest.get(..prefix.length).ok_or(Malformed)?)?;
        Ok(Self { size: PREFIX_SIZE + prefix.length, origin })
    }

    /// Takes the header off the head of a stream, and nothing behind it.
    ///
    /// # Errors
    /// The stream ends or breaks, or there is no sound header.
    pub async fn receive<T: AsyncRead + Unpin>(stream: &mut T) -> io::Result<Self> {
        let mut prefix = [0; PREFIX_SIZE];
        stream.read_exact(&mut prefix).await?;
        let prefix = Prefix::read(&prefix)?;
        let mut body = vec![0; prefix.length];
        stream.read_exact(&mut body).await?;
        Ok(Self { size: PREFIX_SIZE + prefix.length, origin: prefix.origin(&body)? })
    }
}

impl From<Malformed> for io::Error {
    fn from(error: Malformed) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// The part of a header that all have.
struct Prefix {
    family: Family,
    length: usize,
}

impl Prefix {
    fn read(bytes: &[u8; PREFIX_SIZE]) -> Result<Self, Malformed> {
        let [signature @ .., version_and_command, family, high, low] = bytes;
        let family = match (version_and_command, family) {
            (&LOCAL | &PROXY, 0) => Family::Unspecified,
            (&PROXY, 0x11 | 0x12) => Family::Inet,
            (&PROXY, 0x21 | 0x22) => Family::Inet6,
            (&PROXY, 0x31 | 0x32) => Family::Unix,
            _ => return Err(Malformed),
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let is_sound = signature == SIGNATURE && PREFIX_SIZE + length <= MAX_SIZE;
        is_sound.then_some(Self { family, length }).ok_or(Malformed)
    }

    /// What the rest of the header says.
    fn origin(&self, body: &[u8]) -> Result<Option<Origin>, Malformed> {
        let (origin, extensions) = match self.family {
            Family::Unspecified => return Ok(None),
            Family::Inet => {
                let (bytes, rest) = body.split_first_chunk::<12>().ok_or(Malformed)?;
                let [s0, s1, s2, s3, d0, d1, d2, d3, ports @ ..] = *bytes;
                (Some(origin([s0, s1, s2, s3].into(), [d0, d1, d2, d3].into(), ports)?), rest)
            }
            Family::Inet6 => {
                let (source, rest) = body.split_first_chunk::<16>().ok_or(Malformed)?;
                let (destination, rest) = rest.split_first_chunk::<16>().ok_or(Malformed)?;
                let (ports, rest) = rest.split_first_chunk().ok_or(Malformed)?;
                (Some(origin((*source).into(), (*destination).into(), *ports)?), rest)
            }
            Family::Unix => {
                let (source, rest) = body.split_at_checked(PATH_SIZE).ok_or(Malformed)?;
                let (destination, rest) = rest.split_at_checked(PATH_SIZE).ok_or(Malformed)?;
                let is_sound = source.contains(&0) && destination.contains(&0);
                is_sound.then_some((None, rest)).ok_or(Malformed)?
            }
        };
        check_extensions(extensions)?;
        Ok(origin)
    }
}

/// What the addresses in a header are.
enum Family {
    Unspecified,
    Inet,
    Inet6,
    Unix,
}

/// BIND: there is no port 0 to send to, and nobody has the address of all zeros. A source port of 0 is known to come.
fn origin(source: IpAddr, destination: IpAddr, ports: [u8; 4]) -> Result<Origin, Malformed> {
    let [s0, s1, d0, d1] = ports;
    let (from, to) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    if to == 0 || source.is_unspecified() || destination.is_unspecified() {
        return Err(Malformed);
    }
    Ok(Origin { source: SocketAddr::new(source, from), destination: SocketAddr::new(destination, to) })
}

/// An extension that is known: its type, and how long it may be. It stands once at most.
type Extension = (u8, RangeInclusive<usize>);

const TLS: u8 = 0x20;
const NETNS: u8 = 0x30;
const ANY_SIZE: usize = MAX_SIZE;

/// ALPN, authority, CRC-32C, unique ID, TLS and network namespace.
const EXTENSIONS: [Extension; 6] = [
    (0x01, 1..=ANY_SIZE),
    (0x02, 1..=ANY_SIZE),
    (0x03, 4..=4),
    (0x05, 0..=128),
    (TLS, 5..=ANY_SIZE),
    (NETNS, 1..=ANY_SIZE),
];

const TLS_VERSION: u8 = 0x21;
const COMMON_NAME: u8 = 0x22;

/// What stands within the extension of TLS: version, common name, algorithms of signature and key.
const OF_TLS: [Extension; 4] =
    [(TLS_VERSION, 1..=ANY_SIZE), (COMMON_NAME, 1..=ANY_SIZE), (0x24, 1..=ANY_SIZE), (0x25, 1..=ANY_SIZE)];

fn check_extensions(bytes: &[u8]) -> Result<(), Malformed> {
    let listed = list(bytes, &EXTENSIONS)?;
    if listed.iter().any(|(kind, _)| *kind == 0) {
        return Err(Malformed);
    }
    match listed.iter().find(|(kind, _)| *kind == TLS) {
        Some((_, value)) => check_tls(value),
        None => Ok(()),
    }
}

/// The version stands where the client spoke TLS and only there, and its name where it showed a certificate.
fn check_tls(value: &[u8]) -> Result<(), Malformed> {
    let (&[flags, ..], rest) = value.split_first_chunk::<5>().ok_or(Malformed)?;
    let listed = list(rest, &OF_TLS)?;
    let has = |wanted| listed.iter().any(|(kind, _)| *kind == wanted);
    let (is_tls, is_certified) = (flags & 1 != 0, flags & 0b110 != 0);
    let is_misplaced = listed.iter().any(|(kind, _)| *kind <= TLS || *kind == NETNS);
    let is_sound = has(TLS_VERSION) == is_tls && has(COMMON_NAME) == is_certified && (is_tls || !is_certified);
    if is_misplaced || !is_sound { Err(Malformed) } else { Ok(()) }
}

/// All extensions with their values; each known one is of a size that it may have, and there once.
fn list<'a>(mut bytes: &'a [u8], known: &[Extension]) -> Result<Vec<(u8, &'a [u8])>, Malformed> {
    let mut listed: Vec<(u8, &[u8])> = Vec::new();
    while !bytes.is_empty() {
        let (&[kind, high, low], rest) = bytes.split_first_chunk().ok_or(Malformed)?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (value, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
        if let Some((_, sizes)) = known.iter().find(|(known, _)| *known == kind)
            && (!sizes.contains(&length) || listed.iter().any(|(other, _)| *other == kind))
        {
            return Err(Malformed);
        }
        listed.push((kind, value));
        bytes = rest;
    }
    Ok(listed)
}

/// Signature, version and command, family, and the length of what follows.
const PREFIX_SIZE: usize = 16;

/// The largest header, as with BIND.
const MAX_SIZE: usize = 65_535;

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Version 2, and the proxy speaks for itself.
const LOCAL: u8 = 0x20;

/// Version 2, and it speaks for somebody else.
const PROXY: u8 = 0x21;

/// Room for the path of a socket.
const PATH_SIZE: usize = 108;

#[cfg(test)]
mod tests {
    use super::*;

    fn header(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [SIGNATURE, &[command, family], &length, body].concat()
    }

    fn inet(extensions: &[u8]) -> Vec<u8> {
        let body = [&[192, 0, 2, 1, 192, 0, 2, 53, 0x14, 0xe9, 0, 53][..], extensions].concat();
        header(PROXY, 0x12, &body)
    }

    fn extension(kind: u8, value: &[u8]) -> Vec<u8> {
        [&[kind][..], &u16::try_from(value.len()).unwrap().to_be_bytes(), value].concat()
    }

    fn is_read(bytes: &[u8]) -> bool {
        let read = Header::read(bytes);
        assert!(read.is_err() || read.is_ok_and(|header| header.size == bytes.len()));
        read.is_ok()
    }

    #[test]
    fn a_header_says_who_asked_and_where() {
        let origin =
            Origin { source: "192.0.2.1:5353".parse().unwrap(), destination: "192.0.2.53:53".parse().unwrap() };
        let whole = [inet(&[]), b"request".to_vec()].concat();
        assert_eq!(Header::read(&whole), Ok(Header { size: 28, origin: Some(origin) }));
        let body = [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[1], &[0x20, 1, 0xd, 0xb8], &[0; 11], &[2], &[0, 1, 0, 53]];
        let read = Header::read(&header(PROXY, 0x21, &body.concat())).unwrap();
        let origin = read.origin.unwrap();
        assert_eq!(origin.source, "[2001:db8::1]:1".parse().unwrap());
        assert_eq!(origin.destination, "[2001:db8::2]:53".parse().unwrap());
    }

    #[test]
    fn a_proxy_may_speak_for_itself_or_for_nobody_with_an_address() {
        let paths = [[b'/'; 107].as_slice(), &[0], &[b'/'; 107], &[0]].concat();
        for bytes in
            [header(LOCAL, 0, &[]), header(LOCAL, 0, b"any"), header(PROXY, 0, &[7]), header(PROXY, 0x31, &paths)]
        {
            assert_eq!(Header::read(&bytes), Ok(Header { size: bytes.len(), origin: None }));
        }
    }

    #[test]
    fn what_is_malformed_is_no_header() {
        let zero_port = [192, 0, 2, 1, 192, 0, 2, 53, 0, 1, 0, 0];
        let from_nowhere = [0, 0, 0, 0, 192, 0, 2, 53, 0, 1, 0, 53];
        let other_signature = [b"\r\n\r\n\0\r\nQUIT\r", &inet(&[])[12..]].concat();
        for bytes in [
            vec![],
            inet(&[])[..27].to_vec(),
            other_signature,
            header(0x11, 0x12, &zero_port),
            header(0x22, 0, &[]),
            header(LOCAL, 0x11, &[1; 12]),
            header(PROXY, 0x13, &[1; 12]),
            header(PROXY, 0x41, &[1; 12]),
            header(PROXY, 0x11, &[1; 11]),
            header(PROXY, 0x21, &[1; 35]),
            header(PROXY, 0x31, &[1; 216]),
            header(PROXY, 0x11, &zero_port),
            header(PROXY, 0x11, &from_nowhere),
            header(LOCAL, 0, &[0; 65_535]),
        ] {
            assert_eq!(Header::read(&bytes), Err(Malformed), "{bytes:02x?}");
        }
    }

    #[test]
    fn extensions_are_looked_at_to_the_last() {
        let tls = |flags: u8, within: &[u8]| extension(TLS, &[&[flags, 0, 0, 0, 0][..], within].concat());
        let (version, name) = (extension(TLS_VERSION, b"1.3"), extension(COMMON_NAME, b"me"));
        for sound in [
            extension(4, &[]),
            [extension(4, &[]), extension(4, &[])].concat(),
            extension(0xe0, b"own"),
            extension(3, &[0; 4]),
            tls(1, &version),
            tls(0, &[]),
            tls(3, &[version.clone(), name.clone()].concat()),
        ] {
            assert!(is_read(&inet(&sound)), "{sound:02x?}");
        }
        for broken in [
            vec![1],
            vec![1, 0],
            vec![4, 0, 1],
            extension(0, &[1]),
            extension(1, &[]),
            extension(3, &[0; 3]),
            extension(5, &[0; 129]),
            extension(TLS, &[1, 0, 0, 0]),
            [extension(2, b"a"), extension(2, b"b")].concat(),
            tls(1, &[]),
            tls(0, &version),
            tls(1, &[version.clone(), version.clone()].concat()),
            tls(3, &version),
            tls(2, &name),
            tls(1, &[version.clone(), extension(NETNS, b"x")].concat()),
        ] {
            assert!(!is_read(&inet(&broken)), "{broken:02x?}");
        }
    }

    #[tokio::test]
    async fn a_stream_goes_on_behind_its_header() {
        let bytes = [inet(&[]), b"rest".to_vec()].concat();
        let mut stream = bytes.as_slice();
        assert!(Header::receive(&mut stream).await.unwrap().origin.is_some());
        assert_eq!(stream, b"rest");
        assert!(Header::receive(&mut stream).await.is_err());
    }
}
