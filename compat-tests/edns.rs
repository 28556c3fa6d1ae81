//! EDNS: sizes, cookies, padding and the other options. named and nomd are configured alike and say the same, to the byte
//! but for what is hashed, and each takes the cookies of the other.

use std::io::Write;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};

use super::packets::{answer_to, ask_both, framed, hex, message, question, receive, record};
use super::peers::{self, Kind, PATIENCE, Server, Spec, Zone, free_port};

const NSID: u16 = 3;
const SUBNET: u16 = 8;
const EXPIRE: u16 = 9;
const COOKIE: u16 = 10;
const KEEPALIVE: u16 = 11;
const PADDING: u16 = 12;
const KEY_TAG: u16 = 14;

const ID: u16 = 0x1234;
const CLIENT: &[u8; 8] = b"8 bytes.";
/// A server's part: version or nonce, time, hash.
const SERVER_PART: usize = 16;
const SECRETS: [&str; 2] = ["00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"];

/// A request: its name, its bytes, and whether it goes over TCP.
type Asked = (&'static str, Vec<u8>, bool);

fn options(options: &[(u16, &[u8])]) -> Vec<u8> {
    let one =
        |(code, data): &(u16, &[u8])| [&code.to_be_bytes()[..], &(data.len() as u16).to_be_bytes(), data].concat();
    options.iter().flat_map(one).collect()
}

/// A query with OPT: its size, its third and fourth byte of TTL, and options.
pub(super) fn asking_with(name: &str, rtype: u16, (size, ttl): (u16, u32), with: &[(u16, &[u8])]) -> Vec<u8> {
    let opt = record(&[0], 41, size, ttl, &options(with));
    message(ID, 0, [1, 0, 0, 1], &[question(name, rtype, 1), opt].concat())
}

pub(super) fn asking(name: &str, rtype: u16, with: &[(u16, &[u8])]) -> Vec<u8> {
    asking_with(name, rtype, (1232, 0), with)
}

fn zone() -> Zone {
    let long = format!("big TXT {}\n", "\"twenty bytes of text\" ".repeat(70));
    let text =
        "$TTL 300\n@ SOA ns hostmaster 7 7200 900 1209600 60\n NS ns\nns A 192.0.2.1\nwww A 192.0.2.2\nalias CNAME @\n";
    Zone::primary("example.com", [text, &long, "middle TXT ", &"\"twenty bytes of text\" ".repeat(30), "\n"].concat())
}

fn spec(options: &str) -> Spec {
    let fixed = "rrset-order { order none; }; minimal-responses yes; server-id \"id-1\";";
    Spec { zones: vec![zone()], options: format!("{fixed} {options}"), ..Spec::default() }
}

fn start(kind: Kind, options: &str) -> Server {
    let server = Server::start(kind, &spec(options));
    server.wait_for_serial("example.com", 7);
    server
}

/// What both servers answer to their requests.
pub(super) fn ask(asked: [(&Server, &[u8]); 2], is_tcp: bool) -> [Option<Vec<u8>>; 2] {
    if is_tcp { asked.map(|(server, request)| ask_tcp(server, request)) } else { ask_both(asked) }
}

pub(super) fn ask_tcp(server: &Server, request: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&framed(request)).unwrap();
    receive(&mut stream)
}

/// The cookie in a reply, the client's and the server's part.
fn cookie_in(reply: &[u8]) -> Option<Vec<u8>> {
    let start = reply.windows(CLIENT.len()).position(|bytes| bytes == CLIENT)?;
    reply.get(start..start + CLIENT.len() + SERVER_PART).map(<[u8]>::to_vec)
}

/// A cookie that the server has made for us now.
fn fresh_cookie(server: &Server) -> Option<Vec<u8>> {
    cookie_in(&answer_to(server, &asking("www.example.com", 1, &[(COOKIE, CLIENT)])))
}

/// A reply without what depends on the second, and with AES on chance.
fn without_hash(reply: Option<Vec<u8>>) -> String {
    let Some(mut reply) = reply else { return "nothing".into() };
    if let Some(start) = reply.windows(CLIENT.len()).position(|bytes| bytes == CLIENT) {
        reply.iter_mut().skip(start + CLIENT.len()).take(SERVER_PART).for_each(|byte| *byte = 0xee);
    }
    hex(&Some(reply))
}

/// Puts the same requests to both, with a valid cookie of each server where the request has a forged one of a's.
fn compare(options: &str, requests: &[Asked]) {
    let servers = [Kind::Bind, Kind::Nomd].map(|kind| start(kind, options));
    let mut found = String::new();
    for (name, request, is_tcp) in requests {
        let asked = servers.each_ref().map(|server| match fresh_cookie(server) {
            Some(cookie) => (server, replaced(request, &PLACE_OF_COOKIE, &cookie)),
            None => (server, request.clone()),
        });
        let asked = asked.each_ref().map(|(server, request)| (*server, &request[..]));
        let [theirs, ours] = ask(asked, *is_tcp).map(without_hash);
        if theirs != ours {
            found += &format!("{name}\n   named {theirs}\n   nomd  {ours}\n");
        }
    }
    assert!(found.is_empty(), "with {options:?} these are answered in another way:\n{found}");
}

/// Stands in a request where a valid cookie of the server is to be.
const PLACE_OF_COOKIE: [u8; 24] = [0xaa; 24];

fn replaced(bytes: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    match bytes.windows(what.len()).position(|part| part == what) {
        Some(at) => [&bytes[..at], with, &bytes[at + what.len()..]].concat(),
        None => bytes.to_vec(),
    }
}

fn with_cookies(name: &str, rtype: u16, size: u16) -> [Asked; 4] {
    let forged = [&CLIENT[..], &[7; SERVER_PART]].concat();
    let query = |with: &[(u16, &[u8])]| asking_with(name, rtype, (size, 0), with);
    [
        ("EDNS alone", query(&[]), false),
        ("a client's cookie", query(&[(COOKIE, CLIENT)]), false),
        ("a forged cookie", query(&[(COOKIE, &forged)]), false),
        ("a valid cookie", query(&[(COOKIE, &PLACE_OF_COOKIE)]), false),
    ]
}

fn without_edns(name: &str, rtype: u16) -> Asked {
    ("no EDNS", message(ID, 0, [1, 0, 0, 0], &question(name, rtype, 1)), false)
}

#[test]
fn each_option_is_answered_as_named_does() {
    let one = |name, rtype, code, data: &[u8]| asking(name, rtype, &[(code, data)]);
    let www = |code, data| one("www.example.com", 1, code, data);
    let requests = [
        ("NSID", www(NSID, &[]), false),
        ("NSID with data", www(NSID, b"x"), false),
        ("NSID twice", asking("www.example.com", 1, &[(NSID, b""), (NSID, b"")]), false),
        ("EXPIRE of a SOA", one("example.com", 6, EXPIRE, &[]), false),
        ("EXPIRE of a SOA behind an alias", one("alias.example.com", 6, EXPIRE, &[]), false),
        ("EXPIRE of an address", www(EXPIRE, &[]), false),
        ("KEEPALIVE over UDP", www(KEEPALIVE, &[]), false),
        ("KEEPALIVE over TCP", www(KEEPALIVE, &[]), true),
        ("KEEPALIVE with data", www(KEEPALIVE, &[0, 1]), true),
        ("PADDING without response-padding", www(PADDING, &[0; 9]), true),
        ("CLIENT-SUBNET of IPv4", www(SUBNET, &[0, 1, 24, 0, 192, 0, 2]), false),
        ("CLIENT-SUBNET of IPv6", www(SUBNET, &[0, 2, 48, 0, 0x20, 1, 0xd, 0xb8, 0, 1]), false),
        ("CLIENT-SUBNET of nobody", www(SUBNET, &[0, 1, 0, 0]), false),
        ("CLIENT-SUBNET of family 0", www(SUBNET, &[0, 0, 0, 0]), false),
        ("KEY-TAG", www(KEY_TAG, &[0x4f, 0x66]), false),
        ("KEY-TAG of no tag", www(KEY_TAG, &[]), false),
        ("KEY-TAG of half a tag", www(KEY_TAG, &[0x4f]), false),
        ("EDE in a query", www(15, &[0, 1]), false),
        ("version 1", asking_with("www.example.com", 1, (1232, 0x0001_0000), &[(NSID, b""), (COOKIE, CLIENT)]), false),
        ("version 1 over TCP", asking_with("www.example.com", 1, (1232, 0x0001_0000), &[(KEEPALIVE, b"")]), true),
        (
            "every option",
            {
                let all: &[(u16, &[u8])] =
                    &[(KEEPALIVE, b""), (COOKIE, CLIENT), (SUBNET, &[0, 1, 0, 0]), (EXPIRE, b""), (NSID, b"")];
                asking("example.com", 6, all)
            },
            true,
        ),
    ];
    compare("tcp-advertised-timeout 123;", &requests);
}

#[test]
fn whoever_sends_a_cookie_needs_ours_where_that_is_required() {
    let alone = |name, rtype| (name, asking("example.com", rtype, &[(COOKIE, CLIENT)]), false);
    let mut requests = Vec::from(with_cookies("www.example.com", 1, 1232));
    requests.extend([
        without_edns("www.example.com", 1),
        ("a client's cookie over TCP", asking("www.example.com", 1, &[(COOKIE, CLIENT)]), true),
        (
            "a client's cookie and RD",
            {
                let mut bytes = asking("www.example.com", 1, &[(COOKIE, CLIENT)]);
                bytes[2] = 1;
                bytes
            },
            false,
        ),
        ("a name that is not there", asking("none.example.com", 1, &[(COOKIE, CLIENT)]), false),
        ("no question", message(ID, 0, [0, 0, 0, 1], &record(&[0], 41, 1232, 0, &options(&[(COOKIE, CLIENT)]))), false),
        alone("type MAILA", 254),
        alone("type AXFR", 252),
        alone("type OPT", 41),
        alone("type DS", 43),
    ]);
    compare("require-server-cookie yes; answer-cookie no;", &requests);
    compare("require-server-cookie yes; cookie-algorithm aes;", &requests[..5]);
    requests.push(("a name of no zone of ours", asking("example.net", 1, &[(COOKIE, CLIENT)]), false));
    compare("require-server-cookie yes;", &requests);
}

#[test]
fn answers_to_clients_without_a_cookie_have_a_size_of_their_own() {
    let sizes = |name, rtype| {
        let large = with_cookies(name, rtype, 4096);
        large.into_iter().chain(with_cookies(name, rtype, 1232)).chain([without_edns(name, rtype)])
    };
    let requests: Vec<Asked> = sizes("big.example.com", 16).chain(sizes("middle.example.com", 16)).collect();
    for options in [
        "",
        "max-udp-size 4096;",
        "max-udp-size 4096; nocookie-udp-size 512;",
        "max-udp-size 4096; nocookie-udp-size 1000;",
        "max-udp-size 512;",
        "max-udp-size 4096; edns-udp-size 700; nocookie-udp-size 1;",
    ] {
        compare(options, &requests);
    }
    let peer = "max-udp-size 4096; }; server 127.0.0.1 { max-udp-size 600; }; server 127.0.0.0/8 { max-udp-size 900;";
    compare(peer, &requests);
}

#[test]
fn answers_are_padded_for_whom_response_padding_names() {
    let padded = |name, with: &[(u16, &[u8])], is_tcp| {
        let all = [&[(PADDING, &b"some"[..])], with].concat();
        (name, asking("www.example.com", 1, &all), is_tcp)
    };
    let requests = [
        padded("over TCP", &[], true),
        padded("over UDP", &[], false),
        padded("with a client's cookie", &[(COOKIE, CLIENT)], false),
        padded("with a valid cookie", &[(COOKIE, &PLACE_OF_COOKIE)], false),
        padded("with NSID", &[(NSID, b"")], true),
        ("without PADDING", asking("www.example.com", 1, &[]), true),
        ("a truncated answer", asking("big.example.com", 16, &[(PADDING, b""), (COOKIE, &PLACE_OF_COOKIE)]), false),
        (
            "an answer near the limit",
            {
                let with: &[(u16, &[u8])] = &[(PADDING, b""), (COOKIE, &PLACE_OF_COOKIE)];
                asking_with("middle.example.com", 16, (760, 0), with)
            },
            false,
        ),
        ("NXDOMAIN", asking("none.example.com", 1, &[(PADDING, b"")]), true),
        ("a fault of another option", asking("www.example.com", 1, &[(PADDING, b""), (COOKIE, b"short")]), true),
        ("version 1", asking_with("www.example.com", 1, (1232, 0x0001_0000), &[(PADDING, b"")]), true),
        ("type MAILA", asking("www.example.com", 254, &[(PADDING, b"")]), true),
    ];
    for block in [0, 1, 128, 468, 512, 1000] {
        compare(&format!("response-padding {{ any; }} block-size {block};"), &requests);
    }
    compare("response-padding { !127.0.0.1; any; } block-size 128;", &requests[..4]);
}

#[test]
fn either_server_takes_the_cookies_of_the_other() {
    for algorithm in ["siphash24", "aes"] {
        let options = |[first, second]: [&str; 2]| {
            format!(
                "require-server-cookie yes; cookie-algorithm {algorithm}; cookie-secret \"{first}\"; \
                 cookie-secret \"{second}\";"
            )
        };
        // Each makes its cookies with the secret that the other has only to check with.
        let [first, second] = SECRETS;
        let (named, nomd) =
            (start(Kind::Bind, &options([first, second])), start(Kind::Nomd, &options([second, first])));
        for (maker, taker) in [(&named, &nomd), (&nomd, &named)] {
            let cookie = fresh_cookie(maker).unwrap();
            assert_eq!(rcode_with(taker, &cookie), (0, 0), "{algorithm}: {:?} of {:?}", taker.kind, maker.kind);
            let mut forged = cookie;
            *forged.last_mut().unwrap() ^= 1;
            assert_eq!(rcode_with(taker, &forged), (7, 1), "{algorithm}: {:?}, forged", taker.kind);
        }
    }
}

/// The low four bits of the rcode of the reply, and the high eight.
fn rcode_with(server: &Server, cookie: &[u8]) -> (u8, u8) {
    let reply = answer_to(server, &asking("www.example.com", 1, &[(COOKIE, cookie)]));
    // OPT is the last record, and the cookie its only option.
    (reply[3] & 15, reply[reply.len() - 28 - 6])
}

#[test]
fn cookies_for_addresses_of_ipv6_are_those_of_named() {
    for algorithm in ["siphash24", "aes"] {
        let at = |kind| {
            let port = free_port();
            let own = format!("listen-on-v6 port {port} {{ ::1; }}; cookie-algorithm {algorithm};");
            let options = format!("{own} require-server-cookie yes; cookie-secret \"{}\";", SECRETS[0]);
            Server::start_at(kind, &spec(&options), port)
        };
        let (named, nomd) = (at(Kind::Bind), at(Kind::Nomd));
        for (maker, taker) in [(&named, &nomd), (&nomd, &named)] {
            let reply = ask_ipv6(maker, CLIENT);
            let cookie = cookie_in(&reply).unwrap();
            assert_eq!(ask_ipv6(taker, &cookie)[3] & 15, 0, "{algorithm}: {:?} of {:?}", taker.kind, maker.kind);
            assert_eq!(reply[3] & 15, 7, "{algorithm}: {:?} without a cookie", maker.kind);
        }
    }
}

fn ask_ipv6(server: &Server, cookie: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("[::1]:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let to = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), server.port);
    socket.send_to(&asking("www.example.com", 1, &[(COOKIE, cookie)]), to).unwrap();
    let mut bytes = vec![0; 4096];
    let (length, _) = peers::receive(&socket, &mut bytes).unwrap();
    bytes.truncate(length);
    bytes
}

/// What nomd has beyond BIND 9.18: ZONEVERSION of BIND 9.21, and words on why there is no answer.
#[test]
fn operators_learn_more_where_they_ask() {
    let version = |options: &str, name: &str| {
        let nomd = start(Kind::Nomd, options);
        let reply = answer_to(&nomd, &asking(name, 1, &[(19, b"")]));
        hex(&Some(reply)).contains("00130006020000000007")
    };
    assert!(version("", "www.example.com") && version("", "none.example.com"));
    assert!(!version("", "example.net") && !version("provide-zoneversion no;", "www.example.com"));
    let nomd = start(Kind::Nomd, "");
    let reply = answer_to(&nomd, &asking("example.net", 1, &[]));
    assert!(hex(&Some(reply)).ends_with("000f00020014"), "not authoritative");
}
