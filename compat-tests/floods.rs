//! Floods: of garbage, of random subdomains, of TCP connections that say nothing, half a message, or dribble.
//!
//! Good clients are answered meanwhile, memory stays bounded, and the log stays short. All floods are of a fixed size.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use super::peers::{Kind, PATIENCE, Server, Spec, Zone, receive};

const ZONE: &str = "$TTL 300\n@ SOA ns hm 1 3600 600 86400 300\n@ NS ns\nns A 192.0.2.1\na A 192.0.2.2\n";
/// Packets of a flood.
const PACKETS: u32 = 20_000;
/// A good client asks once for so many packets of a flood.
const GOOD_EVERY: u32 = 500;
/// How many of the good client's questions may be lost: the flood fills the sockets' buffers.
const LOST_MAX: usize = 4;
/// What the server may need more of memory after a flood than before.
const GROWTH_MAX_BYTES: u64 = 32 << 20;
/// What it may log of a flood.
const LOG_MAX_BYTES: usize = 16 << 10;
/// TCP clients that the server takes, and connections that a flood opens.
const CLIENTS: usize = 20;
const CONNECTIONS: usize = 60;

fn server() -> Server {
    let zones = vec![Zone::primary("f.test", ZONE)];
    let server =
        Server::start(Kind::Nomd, &Spec { zones, options: format!("tcp-clients {CLIENTS};"), ..Spec::default() });
    server.wait_for_serial("f.test", 1);
    server
}

fn query(id: u16, label: &str) -> Vec<u8> {
    let mut bytes = [&id.to_be_bytes()[..], &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]].concat();
    bytes.push(label.len() as u8);
    bytes.extend_from_slice(label.as_bytes());
    bytes.extend_from_slice(b"\x01f\x04test\x00\x00\x01\x00\x01");
    bytes
}

fn address(server: &Server) -> SocketAddr {
    ([127, 0, 0, 1], server.port).into()
}

fn udp(server: &Server) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(address(server)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    socket
}

/// What the server has in memory.
fn memory_bytes(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() << 10
}

/// Sends a flood of packets over UDP, asking a good question now and then; says how many of those were lost.
fn flood(server: &Server, packet: impl Fn(u32) -> Vec<u8>) -> usize {
    let (bad, good) = (udp(server), udp(server));
    let mut lost = 0;
    for number in 0..PACKETS {
        // What comes back is not read; a refused send is as good as a lost packet.
        let _ = bad.send(&packet(number));
        if number % GOOD_EVERY == 0 {
            let id = (number / GOOD_EVERY) as u16;
            good.send(&query(id, "a")).unwrap();
            lost += usize::from(!is_answered(&good, id));
        }
    }
    lost
}

/// Whether the answer comes; those that come too late for their questions are passed over.
fn is_answered(good: &UdpSocket, id: u16) -> bool {
    let mut reply = [0; 512];
    while let Ok((length, _)) = receive(good, &mut reply) {
        if reply[..2] == id.to_be_bytes() {
            return length > 40;
        }
    }
    false
}

fn check(what: &str, packet: impl Fn(u32) -> Vec<u8>) {
    let server = server();
    let (memory, log) = (memory_bytes(&server), server.log().len());
    let lost = flood(&server, packet);
    assert!(lost <= LOST_MAX, "{what}: {lost} good questions were lost");
    let (grown, logged) = (memory_bytes(&server).saturating_sub(memory), server.log().len() - log);
    assert!(grown < GROWTH_MAX_BYTES, "{what}: {grown} bytes of memory");
    assert!(logged < LOG_MAX_BYTES, "{what}: {logged} bytes of log");
}

/// Numbers that look like chance, the same each time.
fn scattered(number: u32) -> u32 {
    number.wrapping_mul(0x9e37_79b9).rotate_left(13) ^ number
}

#[test]
fn good_clients_are_answered_in_a_flood_of_garbage() {
    check("garbage", |number| {
        (0..number % 100).flat_map(|part| scattered(number ^ part << 16).to_be_bytes()).collect()
    });
}

#[test]
fn good_clients_are_answered_in_a_flood_of_random_subdomains() {
    check("random subdomains", |number| query(number as u16, &format!("x{:08x}", scattered(number))));
}

#[test]
fn tcp_connections_that_say_nothing_or_too_little_lock_nobody_out() {
    let server = server();
    let (memory, log) = (memory_bytes(&server), server.log().len());
    let beginnings: [&[u8]; 3] = [b"", b"\x00", b"\x00\x40half of a message"];
    let open = |number: usize| {
        let mut stream = TcpStream::connect(address(&server)).unwrap();
        stream.write_all(beginnings[number % 3]).unwrap();
        stream
    };
    let held: Vec<_> = (0..CONNECTIONS).map(open).collect();
    let begin = Instant::now();
    let mut good = TcpStream::connect(address(&server)).unwrap();
    good.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = query(7, "a");
    good.write_all(&[&(request.len() as u16).to_be_bytes()[..], &request].concat()).unwrap();
    let mut head = [0; 4];
    good.read_exact(&mut head).unwrap();
    assert_eq!(head[2..], [0, 7]);
    // Without room made the first place would be free after tcp-initial-timeout: 30 seconds.
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    assert!(memory_bytes(&server).saturating_sub(memory) < GROWTH_MAX_BYTES);
    let added = server.settled_log().split_off(log);
    assert!(added.len() < LOG_MAX_BYTES && added.matches("quota reached").count() == 1, "{added}");
    drop(held);
}
