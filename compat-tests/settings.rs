//! Settings that shape answers: `sortlist`, `max-query-restarts`, and EDNS in transfers, as with named.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::TcpStream;

use super::edns::asking;
use super::packets::{answer_to, framed, hex, message, question, receive, record};
use super::peers::{Kind, PATIENCE, Server, Spec, Zone};

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];
const SOA: &str = "$TTL 300\n@ SOA ns hostmaster 7 7200 900 1209600 60\n NS ns\nns A 192.0.2.1\n";
/// How often an answer in random order is asked for.
const ROUNDS: usize = 300;

fn start(kind: Kind, zones: Vec<Zone>, options: &str) -> Server {
    let server = Server::start(kind, &Spec { zones, options: options.into(), ..Spec::default() });
    server.wait_for_serial("example.com", 7);
    server
}

/// At which places each address of a name stands, answer by answer. All come from one RRset of five.
fn places(server: &Server, name: &str) -> BTreeMap<String, BTreeSet<usize>> {
    let request = message(1, 0, [1, 0, 0, 0], &question(name, 1, 1));
    let mut places = BTreeMap::<String, BTreeSet<usize>>::new();
    for _ in 0..ROUNDS {
        let reply = answer_to(server, &request);
        for (place, record) in reply[request.len()..].chunks(16).take(5).enumerate() {
            let address: Vec<String> = record[12..].iter().map(u8::to_string).collect();
            places.entry(address.join(".")).or_default().insert(place);
        }
    }
    places
}

#[test]
fn sortlist_puts_first_what_named_does() {
    let rrset: String = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "192.168.1.1"]
        .map(|address| format!("www A {address}\n"))
        .concat();
    for list in [
        "{ 127.0.0.1; { 10.0.0.3; { 10.0.0.2; 10.0.0.4; }; }; };",
        "{ localhost; { !10.0.0.1; 192.168.0.0/16; }; };",
        "{ 10.0.0.0/8; { 10.0.0.1; }; }; { 127.0.0.0/8; 192.168.1.1; };",
        "192.0.2.1; 127.0.0.1;",
        "10.0.0.1;",
        "{ !127.0.0.1; { 10.0.0.4; }; }; { 127.0.0.1; { 10.0.0.4; }; };",
        "{ { 127.0.0.1; 10.0.0.2; }; };",
        "none;",
    ] {
        let of = |kind| {
            let zone = Zone::primary("example.com", format!("{SOA}{rrset}"));
            places(&start(kind, vec![zone], &format!("sortlist {{ {list} }};")), "www.example.com")
        };
        let [theirs, ours] = BOTH.map(of);
        assert_eq!(theirs, ours, "{list}");
    }
}

#[test]
fn chains_are_as_long_as_max_query_restarts_lets_them_be() {
    let links: String = (0..20).map(|link| format!("c{link} CNAME c{}\n", link + 1)).collect();
    for options in ["", "max-query-restarts 1;", "max-query-restarts 15;"] {
        let replies = BOTH.map(|kind| {
            let zone = Zone::primary("example.com", format!("{SOA}{links}c20 A 192.0.2.2\n"));
            let server = start(kind, vec![zone], &format!("answer-cookie no; {options}"));
            // Code and counts; what is compressed how far is another matter.
            let head = |reply: Vec<u8>| hex(&Some(reply[..12].to_vec()));
            let ask = |link: usize| head(answer_to(&server, &asking(&format!("c{link}.example.com"), 1, &[])));
            (0..=20).map(ask).collect::<Vec<_>>()
        });
        assert_eq!(replies[0], replies[1], "{options}");
        let failed = replies[0].iter().filter(|reply| &reply[7..8] == "2").count();
        assert!(failed > 0 && failed < 20, "{options}: {failed}");
    }
}

/// The messages of a transfer.
fn transfer(server: &Server, zone: &str, rtype: u16) -> Vec<Vec<u8>> {
    let soa = match rtype {
        251 => record(&[0xc0, 12], 6, 1, 0, &[&[0, 0][..], &7_u32.to_be_bytes(), &[0; 16]].concat()),
        _ => vec![],
    };
    // NSID, EXPIRE, TCP keepalive, and a client subnet.
    let options = [&[0, 3, 0, 0, 0, 9, 0, 0, 0, 11, 0, 0][..], &[0, 8, 0, 7, 0, 1, 24, 0, 192, 0, 2]].concat();
    let opt = record(&[0], 41, 1232, 0, &options);
    let counts = [1, 0, u16::from(!soa.is_empty()), 1];
    let request = message(1, 0, counts, &[question(zone, rtype, 1), soa, opt].concat());
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&framed(&request)).unwrap();
    let (mut messages, mut soas) = (vec![], 0);
    while soas < if rtype == 251 { 1 } else { 2 } {
        let message = receive(&mut stream).unwrap();
        soas += message.windows(20).filter(|window| window[..4] == 7_u32.to_be_bytes() && window[6] == 0x1c).count();
        messages.push(message);
    }
    messages
}

/// The OPT record at the end of a message, without what EXPIRE says, which grows less.
fn opt(message: &[u8]) -> String {
    let start = message.windows(5).rposition(|window| window == [0, 0, 41, 4, 208]);
    let Some(start) = start.filter(|_| message[11] == 1) else { return "none".into() };
    let mut opt = message[start..].to_vec();
    if let Some(expire) = opt.windows(4).position(|window| window == [0, 9, 0, 4]) {
        opt[expire + 4..expire + 8].fill(0);
    }
    hex(&Some(opt))
}

#[test]
fn messages_of_a_transfer_end_with_the_opt_records_that_named_has() {
    let long: String = (0..3000).map(|host| format!("host{host} TXT \"host number {host}\"\n")).collect();
    let seen = BOTH.map(|kind| {
        let primary = start(kind, vec![Zone::primary("example.com", format!("{SOA}{long}"))], "server-id \"me\";");
        let copy = start(kind, vec![Zone::secondary("example.com", primary.port)], "server-id \"me\";");
        [(&primary, 252), (&primary, 251), (&copy, 252), (&copy, 251)].map(|(server, rtype)| {
            let messages = transfer(server, "example.com", rtype);
            assert!(rtype == 251 || messages.len() > 2, "{kind:?}");
            let rest: BTreeSet<String> = messages[1..].iter().map(|message| opt(message)).collect();
            (opt(&messages[0]), rest)
        })
    });
    assert_eq!(seen[0], seen[1]);
    assert_ne!(seen[0][0].0, "none");
}
