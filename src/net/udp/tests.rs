use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::*;
use crate::net::later::ReplyTo;
use crate::net::listen::bind_udp;

/// Sends each request back, its first byte raised by one. Panics at `b"panic"`, does not answer `b"quiet"`, and leaves
/// it to the test to answer `b"later"`.
struct Echo {
    faults: Sender<String>,
    later: Sender<ReplyTo>,
}

impl Responder for Echo {
    fn respond(&mut self, batch: &mut Batch) {
        let (requests, replies) = batch.split();
        for index in 0..requests.len() {
            let request = requests.bytes(index);
            assert_ne!(request, b"panic", "asked to");
            if request == b"later" {
                let _ = self.later.send(requests.reply_to(index).unwrap());
            }
            if request == b"quiet" || request == b"later" {
                continue;
            }
            replies.buffer(index)[..request.len()].copy_from_slice(request);
            if let Some(first) = replies.buffer(index).first_mut() {
                *first = first.wrapping_add(1);
            }
            replies.set(index, request.len());
        }
    }

    fn fault(&mut self, fault: Fault<'_>) {
        let _ = self.faults.send(format!("{fault:?}"));
    }
}

fn worker() -> (Worker, Receiver<String>) {
    let (worker, faults, _) = worker_with_later();
    (worker, faults)
}

fn worker_with_later() -> (Worker, Receiver<String>, Receiver<ReplyTo>) {
    let ((faults, seen), (later, promised)) = (channel(), channel());
    (Worker::start("udp-test", Echo { faults, later }).unwrap(), seen, promised)
}

fn serve_on(worker: &Worker, address: impl Into<std::net::IpAddr>) -> SocketAddr {
    let socket = bind_udp((address.into(), 0).into(), 1).unwrap().remove(0);
    let local = socket.local_addr().unwrap();
    worker.add(local, socket, Framing::Bare);
    local
}

fn client(server: SocketAddr) -> UdpSocket {
    let any: std::net::IpAddr = if server.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
    let socket = UdpSocket::bind((any, 0)).unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    socket
}

fn ask(client: &UdpSocket, request: &[u8]) -> Vec<u8> {
    client.send(request).unwrap();
    receive(client)
}

fn receive(client: &UdpSocket) -> Vec<u8> {
    let mut reply = [0; REPLY_SIZE];
    let length = client.recv(&mut reply).unwrap();
    reply[..length].to_vec()
}

#[test]
fn every_request_of_a_burst_is_answered_to_its_sender() {
    let (worker, _) = worker();
    let socket = bind_udp((Ipv4Addr::LOCALHOST, 0).into(), 1).unwrap().remove(0);
    let local = socket.local_addr().unwrap();
    let clients: Vec<_> = (0..10).map(|_| client(local)).collect();
    for number in 0..20_u8 {
        for (who, client) in clients.iter().enumerate() {
            client.send(&[number, who as u8]).unwrap();
        }
    }
    worker.add(local, socket, Framing::Bare);
    for (who, client) in clients.iter().enumerate() {
        for number in 0..20_u8 {
            assert_eq!(receive(client), [number + 1, who as u8]);
        }
    }
}

#[test]
fn ipv6_peers_are_answered() {
    let (worker, _) = worker();
    let local = serve_on(&worker, Ipv6Addr::LOCALHOST);
    assert_eq!(ask(&client(local), b"a6"), b"b6");
}

#[test]
fn peers_and_local_address_are_told() {
    let socket = Arc::new(bind_udp((Ipv4Addr::LOCALHOST, 0).into(), 1).unwrap().remove(0));
    let local = socket.local_addr().unwrap();
    let client = client(local);
    client.send(b"x").unwrap();
    let mut batch = Batch::new();
    batch.receive(&socket, local, Framing::Bare).unwrap();
    assert_eq!(batch.requests().len(), 1);
    assert_eq!(batch.requests().bytes(0), b"x");
    assert_eq!(batch.requests().peer(0), Some(client.local_addr().unwrap()));
    assert_eq!(batch.requests().peer(1), None);
    assert_eq!(batch.requests().local(), local);
}

#[test]
fn a_request_beyond_the_buffer_is_seen_as_empty() {
    let socket = Arc::new(bind_udp((Ipv4Addr::LOCALHOST, 0).into(), 1).unwrap().remove(0));
    let local = socket.local_addr().unwrap();
    client(local).send(&[7; 5000]).unwrap();
    let mut batch = Batch::new();
    batch.receive(&socket, local, Framing::Bare).unwrap();
    assert_eq!((batch.requests().len(), batch.requests().bytes(0).len()), (1, 0));
}

#[test]
fn a_destination_that_cannot_be_reached_does_not_hold_up_the_others() {
    let socket = Arc::new(bind_udp((Ipv4Addr::LOCALHOST, 0).into(), 1).unwrap().remove(0));
    let local = socket.local_addr().unwrap();
    let client = client(local);
    for byte in 0..3 {
        client.send(&[byte]).unwrap();
    }
    let mut batch = Batch::new();
    batch.receive(&socket, local, Framing::Bare).unwrap();
    batch.unreachable(1);
    for index in 0..3 {
        batch.split().1.buffer(index)[0] = index as u8;
        batch.split().1.set(index, 1);
    }
    assert_eq!(batch.send(&socket), 1);
    assert_eq!((receive(&client), receive(&client)), (vec![0], vec![2]));
}

#[test]
fn a_reply_may_come_later_and_keeps_no_address_in_use() {
    let (worker, _, promised) = worker_with_later();
    // No other test takes the port of this address meanwhile.
    let local = serve_on(&worker, Ipv4Addr::new(127, 0, 9, 7));
    let client = client(local);
    let [first, second] = [(); 2].map(|()| {
        client.send(b"later").unwrap();
        promised.recv_timeout(Duration::from_secs(60)).unwrap()
    });
    assert_eq!(ask(&client, b"a"), b"b");
    first.send(b"at last".to_vec());
    assert_eq!(receive(&client), b"at last");
    drop(worker);
    bind_udp(local, 1).unwrap();
    second.send(b"too late".to_vec());
}

#[test]
fn sockets_come_and_go_while_others_serve() {
    let (worker, _) = worker();
    let stays = serve_on(&worker, Ipv4Addr::LOCALHOST);
    // No other test takes the port of this address meanwhile.
    let goes = serve_on(&worker, Ipv4Addr::new(127, 0, 9, 6));
    assert_eq!(ask(&client(goes), b"a"), b"b");
    let late = client(goes);
    late.send(b"before the end").unwrap();
    worker.remove(goes);
    assert_eq!(receive(&late), b"cefore the end");
    assert_eq!(ask(&client(stays), b"a"), b"b");
    let comes = serve_on(&worker, Ipv4Addr::LOCALHOST);
    assert_eq!(ask(&client(comes), b"a"), b"b");
    drop(worker);
    bind_udp(goes, 1).unwrap();
}

#[test]
fn a_panic_costs_its_batch_and_is_reported() {
    let (worker, faults) = worker();
    let local = serve_on(&worker, Ipv4Addr::LOCALHOST);
    let client = client(local);
    client.send(b"panic").unwrap();
    let fault = faults.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(fault.starts_with("Panic"), "{fault}");
    assert_eq!(ask(&client, b"a"), b"b");
}

#[test]
fn a_request_without_reply_is_not_answered() {
    let (worker, _) = worker();
    let client = client(serve_on(&worker, Ipv4Addr::LOCALHOST));
    client.send(b"quiet").unwrap();
    assert_eq!(ask(&client, b"loud"), b"moud");
}
