//! Several requests on one TCP connection: answers come as they are ready, with named and with nomd.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use socket2::{Domain, Socket, Type};

use super::packets::{framed, message, question, receive};
use super::peers::{Kind, PATIENCE, Server, Spec, Zone};

/// More records than the buffers of a connection take: some 700 kB.
const RECORDS: usize = 20_000;
/// What the client takes at a time and holds. The server's kernel gives a connection of such segments little room too.
const SEGMENT_BYTES: u32 = 536;
const BUFFER_BYTES: usize = 4096;

const IN: u16 = 1;
const SOA: u16 = 6;
const AXFR: u16 = 252;
const TRANSFER_ID: u16 = 1;
const OTHER_ID: u16 = 2;

fn server(kind: Kind) -> Server {
    let names: String = (0..RECORDS).map(|number| format!("host-number-{number} TXT \"{number}\"\n")).collect();
    let text = format!("$TTL 3600\n@ SOA ns host 1 3600 600 86400 300\n@ NS ns\nns A 192.0.2.1\n{names}");
    let server = Server::start(kind, &Spec { zones: vec![Zone::primary("large.test", text)], ..Spec::default() });
    server.wait_for_serial("large.test", 1);
    server
}

/// A connection whose buffers are far from holding the transfer, so that the server cannot be done with it before the
/// client goes on reading.
fn connect(server: &Server) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(BUFFER_BYTES).unwrap();
    socket.set_tcp_mss(SEGMENT_BYTES).unwrap();
    socket.connect(&SocketAddr::from(([127, 0, 0, 1], server.port)).into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn request(id: u16, rtype: u16) -> Vec<u8> {
    framed(&message(id, 0, [1, 0, 0, 0], &question("large.test", rtype, IN)))
}

fn records(message: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([message[6], message[7]]))
}

/// How many records of the transfer had come when the other answer came, and how many came in all.
fn converse(server: &Server) -> (usize, usize) {
    let mut stream = connect(server);
    stream.write_all(&request(TRANSFER_ID, AXFR)).unwrap();
    let mut count = records(&receive(&mut stream).unwrap());
    stream.write_all(&request(OTHER_ID, SOA)).unwrap();
    let mut before = None;
    // The SOA record comes once more at the end.
    while count < RECORDS + 4 || before.is_none() {
        let message = receive(&mut stream)
            .unwrap_or_else(|| panic!("{:?} closes after {count} records: {}", server.kind, server.log()));
        match message[1] {
            1 => count += records(&message),
            _ => before = Some(count),
        }
    }
    (before.unwrap(), count)
}

#[test]
fn a_transfer_holds_up_no_other_query_of_its_connection() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let server = server(kind);
        let (before, all) = converse(&server);
        assert_eq!(all, RECORDS + 4, "{kind:?}");
        assert!(before < all, "{kind:?}: answered behind the last record of the transfer");
    }
}
