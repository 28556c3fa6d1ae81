//! Signed requests, good and bad (RFC 8945): named and nomd answer them alike but for the time and the MAC.

use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::edns::ask;
use super::packets::{message, name, question, record};
use super::peers::{Kind, Server, Spec, Zone};

const SECRET: &str = "bm9tZC1jb21wYXQtdGVzdHMtc2VjcmV0LTAxMjM0NTY=";
const TSIG: u16 = 250;
const ANY: u16 = 255;
const ID: u16 = 0x1234;
const FUDGE_S: u16 = 300;

/// How a request is signed; by default as it should be.
#[derive(Clone)]
struct Signature {
    key: Vec<u8>,
    algorithm: Vec<u8>,
    /// Added to the clock.
    skew_s: i64,
    fudge_s: u16,
    /// How many bytes of the MAC are sent; more than there are are zeros.
    mac_bytes: usize,
    /// Whether the MAC is one.
    is_sound: bool,
    original_id: u16,
    error: u16,
    other: Vec<u8>,
    class: u16,
    ttl: u32,
}

impl Default for Signature {
    fn default() -> Self {
        Self {
            key: name("full"),
            algorithm: name("hmac-sha256"),
            skew_s: 0,
            fudge_s: FUDGE_S,
            mac_bytes: 32,
            is_sound: true,
            original_id: ID,
            error: 0,
            other: vec![],
            class: ANY,
            ttl: 0,
        }
    }
}

impl Signature {
    /// The TSIG record for a message.
    fn of(&self, message: &[u8]) -> Vec<u8> {
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let signed_s = now_s.checked_add_signed(self.skew_s).unwrap().to_be_bytes();
        let times = [&signed_s[2..], &self.fudge_s.to_be_bytes()].concat();
        let tail = [&self.error.to_be_bytes()[..], &(self.other.len() as u16).to_be_bytes(), &self.other].concat();
        let folded = self.key.to_ascii_lowercase();
        let class_and_ttl = [&self.class.to_be_bytes()[..], &self.ttl.to_be_bytes()].concat();
        let mut mac = Hmac::<Sha256>::new_from_slice(&BASE64.decode(SECRET.as_bytes()).unwrap()).unwrap();
        mac.update(&self.original_id.to_be_bytes());
        mac.update(&message[2..]);
        mac.update(&[&folded, &class_and_ttl, &self.algorithm, &times, &tail].map(Vec::as_slice).concat());
        let mut mac = mac.finalize().into_bytes().to_vec();
        mac[0] ^= u8::from(!self.is_sound);
        mac.resize(self.mac_bytes, 0);
        let size = (mac.len() as u16).to_be_bytes();
        let parts = [&self.algorithm[..], &times, &size, &mac, &self.original_id.to_be_bytes(), &tail];
        record(&self.key, TSIG, self.class, self.ttl, &parts.concat())
    }

    /// The message with the record at its end.
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        with_additional(message, &self.of(message))
    }
}

fn with_additional(message: &[u8], record: &[u8]) -> Vec<u8> {
    let mut longer = [message, record].concat();
    longer[11] += 1;
    longer
}

fn plain() -> Vec<u8> {
    message(ID, 0, [1, 0, 0, 0], &question("example.com", 6, 1))
}

fn requests() -> Vec<(String, Vec<u8>)> {
    let good = Signature::default;
    let with = |signature: Signature| signature.sign(&plain());
    let opt = record(&[0], 41, 1232, 0, &[]);
    let other = record(&name("a"), 1, 1, 0, &[192, 0, 2, 1]);
    let mut requests = vec![
        ("good", with(good())),
        ("with OPT", good().sign(&with_additional(&plain(), &opt))),
        ("for no zone of ours", good().sign(&message(ID, 0, [1, 0, 0, 0], &question("example.net", 6, 1)))),
        ("without question", good().sign(&message(ID, 0, [0; 4], &[]))),
        ("a MAC that is none", with(Signature { is_sound: false, ..good() })),
        ("a MAC that is none, with OPT", {
            Signature { is_sound: false, ..good() }.sign(&with_additional(&plain(), &opt))
        }),
        ("an unknown key", with(Signature { key: name("nobody"), ..good() })),
        ("an unknown key, with OPT", {
            Signature { key: name("nobody"), ..good() }.sign(&with_additional(&plain(), &opt))
        }),
        ("a key in other letters", with(Signature { key: name("FuLL"), ..good() })),
        ("another algorithm", with(Signature { algorithm: name("hmac-sha1"), mac_bytes: 20, ..good() })),
        ("no algorithm", with(Signature { algorithm: name("rot13"), ..good() })),
        ("GSS-TSIG", with(Signature { algorithm: name("gss-tsig"), ..good() })),
        ("too early", with(Signature { skew_s: 400, ..good() })),
        ("too late", with(Signature { skew_s: -400, ..good() })),
        ("too late and wrong", with(Signature { skew_s: -400, is_sound: false, ..good() })),
        ("late, but within its fudge", with(Signature { skew_s: -1000, fudge_s: 2000, ..good() })),
        ("another ID in the message", with(Signature { original_id: 0x4321, ..good() })),
        ("an error in a request", with(Signature { error: 16, ..good() })),
        ("other data", with(Signature { other: vec![0; 6], ..good() })),
        ("class IN", with(Signature { class: 1, ..good() })),
        ("a TTL", with(Signature { ttl: 60, ..good() })),
        ("not last", with_additional(&with(good()), &other)),
        ("twice", good().sign(&with(good()))),
        ("no data", with_additional(&plain(), &record(&name("full"), TSIG, ANY, 0, &[]))),
        ("in the answer section", {
            let mut bytes = with(good());
            (bytes[7], bytes[11]) = (1, 0);
            bytes
        }),
    ];
    let sizes = [0, 1, 9, 10, 15, 16, 17, 31, 33, 64].map(|mac_bytes| Signature { mac_bytes, ..good() });
    let cut = [0, 9, 10, 15, 16, 17, 32, 33].map(|mac_bytes| Signature { key: name("cut"), mac_bytes, ..good() });
    let named = |signature: Signature| (format!("a MAC of {} bytes", signature.mac_bytes), with(signature));
    let mut all: Vec<_> = requests.drain(..).map(|(name, bytes)| (name.to_owned(), bytes)).collect();
    all.extend(sizes.map(named));
    all.extend(cut.map(named).map(|(name, bytes)| (format!("{name} for a key of 16"), bytes)));
    all
}

/// A reply without the time and the MAC of its signature.
fn masked(reply: Option<Vec<u8>>) -> String {
    let Some(mut reply) = reply else { return "nothing".into() };
    let known = ["hmac-sha256", "hmac-sha1", "rot13", "gss-tsig"].map(name);
    let end =
        known.iter().find_map(|name| reply.windows(name.len()).position(|part| part == name).map(|at| at + name.len()));
    if let Some(at) = end {
        let size = usize::from(u16::from_be_bytes([reply[at + 8], reply[at + 9]]));
        let mac = at + 10;
        reply[at..at + 6].fill(0xee);
        reply[mac..mac + size].fill(0xee);
        // The server's time.
        if reply[mac + size + 4..mac + size + 6] == [0, 6] {
            reply[mac + size + 6..].fill(0xee);
        }
    }
    HEXLOWER.encode(&reply)
}

/// What the log says of the signature.
fn told(log: &str) -> String {
    let lines = log.lines().filter_map(|line| line.split_once("request has ").map(|(_, behind)| behind));
    lines.map(|line| format!(" {line}")).collect()
}

/// Requests that nomd answers otherwise, and why.
const DIFFERENCES: [(&str, &str); 1] = [(
    "an error in a request",
    "a signature that is right is right; named says neither yes nor no, NOERROR and no data",
)];

fn start(kind: Kind) -> Server {
    let text = "$TTL 300\n@ SOA ns hostmaster 7 7200 900 1209600 60\n NS ns\nns A 192.0.2.1\n";
    let statements = format!(
        "key full {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};\n\
         key cut {{ algorithm hmac-sha256-128; secret \"{SECRET}\"; }};\n"
    );
    let options = "minimal-responses yes; answer-cookie no;".into();
    let zones = vec![Zone::primary("example.com", text).with("allow-query { key full; key cut; 127.0.0.1; };")];
    let server = Server::start(kind, &Spec { zones, options, statements, ..Spec::default() });
    server.wait_for_serial("example.com", 7);
    server
}

#[test]
fn signed_requests_are_answered_as_named_does() {
    let servers = [Kind::Bind, Kind::Nomd].map(start);
    let mut found = String::new();
    for is_tcp in [false, true] {
        for (name, request) in requests() {
            let before = servers.each_ref().map(|server| server.log().len());
            let answers = ask(servers.each_ref().map(|server| (server, &request[..])), is_tcp).map(masked);
            let logs = servers.each_ref().map(Server::settled_log);
            let [theirs, ours] = [0, 1].map(|at| answers[at].clone() + &told(&logs[at][before[at]..]));
            let is_meant = DIFFERENCES.iter().any(|(meant, _)| *meant == name);
            if (theirs == ours) == is_meant {
                found += &format!("{name} (TCP: {is_tcp})\n   named {theirs}\n   nomd  {ours}\n");
            }
        }
    }
    assert!(found.is_empty(), "answered in another way:\n{found}");
}
