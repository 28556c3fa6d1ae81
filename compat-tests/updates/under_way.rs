//! What becomes of updates that are under way when the server ends, when their zone goes, or when its file turns out not
//! to be readable.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use super::requests::{A, IN, at, update_of};
use super::{ZONE, records, start, start_again};
use crate::packets::{framed, receive as receive_framed};
use crate::peers::{Kind, PATIENCE, Server, receive, run, signal};

const DYNAMIC: &str = "allow-update { any; };";
/// Fewer than `update-quota`, and more than are made together.
const MANY: u8 = 90;

/// An update that adds a name with this number, under this ID.
fn numbered(number: u8) -> Vec<u8> {
    let mut packet = update_of(ZONE, &[], &[at(&format!("n{number}"), A, IN, 60, &[192, 0, 2, number])]);
    packet[1] = number;
    packet
}

fn names(numbers: impl IntoIterator<Item = u8>) -> BTreeSet<String> {
    numbers.into_iter().map(|number| format!("n{number}.{ZONE}.")).collect()
}

/// The numbered names of the zone.
fn added(server: &Server) -> BTreeSet<String> {
    let owners = records(server).into_iter().filter_map(|record| record.split_whitespace().next().map(str::to_owned));
    owners.filter(|owner| owner.starts_with('n') && !owner.starts_with("ns.")).collect()
}

fn send_many(server: &Server) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", server.port)).unwrap();
    for number in 0..MANY {
        socket.send(&numbered(number)).unwrap();
    }
    socket
}

/// Number and RCODE of so many replies, or of those that come until there is none for so long.
fn replies(socket: &UdpSocket, most: usize, patience: Duration) -> Vec<(u8, u8)> {
    socket.set_read_timeout(Some(patience)).unwrap();
    let mut reply = [0; 512];
    let replies = std::iter::from_fn(|| receive(socket, &mut reply).ok().map(|_| (reply[1], reply[3] & 15)));
    replies.take(most).collect()
}

/// named tells nobody of what it makes once it is told to stop.
#[test]
fn updates_that_are_there_after_an_orderly_end_were_acknowledged() {
    let mut server = start(Kind::Nomd);
    let socket = send_many(&server);
    let mut replies = replies(&socket, 1, PATIENCE);
    signal(server.pid(), "TERM");
    assert_eq!(server.wait_for_end(), 0);
    replies.extend(self::replies(&socket, usize::from(MANY), Duration::from_millis(1)));
    let acknowledged = names(replies.into_iter().filter(|(_, rcode)| *rcode == 0).map(|(number, _)| number));
    let server = start_again(Kind::Nomd, server.stop(), DYNAMIC);
    assert_eq!(acknowledged, added(&server));
}

#[test]
fn so_were_those_that_came_over_tcp() {
    let mut server = start(Kind::Nomd);
    let mut clients: Vec<_> = (0..MANY).map(|_| TcpStream::connect(("127.0.0.1", server.port)).unwrap()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.write_all(&framed(&numbered(number as u8))).unwrap();
    }
    let first = receive_framed(&mut clients[0]);
    signal(server.pid(), "TERM");
    assert_eq!(server.wait_for_end(), 0);
    let others = clients.iter_mut().skip(1).map(receive_framed);
    let replied = std::iter::once(first).chain(others).zip(0..).filter_map(|(reply, number)| reply.map(|_| number));
    let acknowledged = names(replied);
    let server = start_again(Kind::Nomd, server.stop(), DYNAMIC);
    assert_eq!(acknowledged, added(&server));
}

#[test]
fn all_updates_that_wait_for_a_file_are_refused_where_it_cannot_be_read() {
    let server = start(Kind::Nomd);
    let pipe = server.path("pipe").display().to_string();
    assert_eq!(run("mkfifo", &[&pipe]).status, 0);
    let conf = server.path("named.conf");
    let text = fs::read_to_string(&conf).unwrap();
    fs::write(&conf, text.replace(&format!("{ZONE}.db"), "pipe")).unwrap();
    assert_eq!(server.rndc(&["reconfig"]).status, 0);
    // The zone is being read until somebody has written its file.
    let socket = send_many(&server);
    server.settled_log();
    fs::write(&pipe, "nonsense\n").unwrap();
    server.wait_for_log("not loaded due to errors.");
    let replies = replies(&socket, usize::from(MANY), Duration::from_secs(5));
    assert_eq!(replies.len(), usize::from(MANY));
    assert!(replies.iter().all(|(_, rcode)| *rcode == 2), "{replies:?}");
}
