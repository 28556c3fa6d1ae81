//! Queries to a server, and its replies: over UDP many at once, over TCP one by one, from clients of several addresses.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::queries::Query;
use crate::peers::{self, PATIENCE};

/// How many queries are under way at once over UDP.
const AT_ONCE: usize = 50;
/// Behind each lot goes a query that is surely answered: when its answer is there, so are the others.
const LAST_ID: u16 = 0xffff;
/// By so much answers may overtake each other.
const OVERTAKING: Duration = Duration::from_millis(20);
/// The same on a busy host, where datagrams wait for the processor that they have gone to.
const HELD_UP: Duration = Duration::from_secs(5);

/// Puts queries to a server; their IDs are their places.
pub fn ask(port: u16, queries: &[Query]) -> Vec<Option<Vec<u8>>> {
    let mut replies = vec![None; queries.len()];
    for (at, query) in queries.iter().enumerate().filter(|(_, query)| query.is_tcp) {
        replies[at] = ask_tcp(port, query);
    }
    for client in 1..=4 {
        let is_meant = |at: &usize| !queries[*at].is_tcp && queries[*at].client == client;
        let places: Vec<usize> = (0..queries.len()).filter(is_meant).collect();
        for some in places.chunks(AT_ONCE) {
            let socket = udp(port, client);
            for &at in some {
                socket.send(&queries[at].bytes).unwrap();
            }
            receive(&socket, &mut replies);
        }
    }
    replies
}

/// Puts a query once more, patiently, to a server that seems to have left it without an answer.
pub fn ask_again(port: u16, query: &Query) -> Option<Vec<u8>> {
    if query.is_tcp {
        return ask_tcp(port, query);
    }
    let socket = udp(port, query.client);
    socket.set_read_timeout(Some(HELD_UP)).unwrap();
    socket.send(&query.bytes).unwrap();
    let mut buffer = [0; 65535];
    peers::receive(&socket, &mut buffer).ok().map(|(length, _)| buffer[..length].to_vec())
}

fn udp(port: u16, client: u8) -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, client), 0)).unwrap();
    socket.connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Takes replies until one to a last query comes, and those behind it.
fn receive(socket: &UdpSocket, replies: &mut [Option<Vec<u8>>]) {
    let last = [&LAST_ID.to_be_bytes()[..], &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1]].concat();
    socket.send(&last).unwrap();
    let mut buffer = [0; 65535];
    let mut is_over = false;
    loop {
        let (length, _) = match peers::receive(socket, &mut buffer) {
            Ok(received) => received,
            Err(_) if is_over => return,
            Err(error) => panic!("a server answers no more: {error}"),
        };
        match u16::from_be_bytes([buffer[0], buffer[1]]) {
            LAST_ID => {
                is_over = true;
                socket.set_read_timeout(Some(OVERTAKING)).unwrap();
            }
            id => replies[usize::from(id)] = Some(buffer[..length].to_vec()),
        }
    }
}

fn ask_tcp(port: u16, query: &Query) -> Option<Vec<u8>> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, query.client), 0)).into()).unwrap();
    socket.connect(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&[&(query.bytes.len() as u16).to_be_bytes(), &query.bytes[..]].concat()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut reply).ok()?;
    Some(reply)
}
