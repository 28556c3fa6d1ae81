//! A primary that nothing reaches over UDP: how often it is asked there before it is asked over TCP.
//!
//! That takes half a minute, so it is done with `NOMD_MINUTES` set.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::primary::FAULTY;
use super::slow::has_minutes;
use super::stream::{Request, soa, zone_messages};
use crate::packets::framed;
use crate::peers::doors::{Doors, Host};
use crate::peers::{Kind, Server, Spec, Zone, dig, free_port, within};

const ZONE: &str = "deaf.example";

/// What has come over UDP.
#[derive(Default)]
struct Deaf(Mutex<Vec<&'static str>>);

impl Host for Deaf {
    fn datagram(&self, bytes: &[u8], _: SocketAddr) -> Option<Vec<u8>> {
        let has_opt = bytes.get(10..12) != Some(&[0, 0]);
        self.0.lock().unwrap().push(if has_opt { "EDNS" } else { "plain" });
        None
    }

    fn connection(&self, mut stream: TcpStream) -> Option<()> {
        loop {
            let mut length = [0; 2];
            stream.read_exact(&mut length).ok()?;
            let mut bytes = vec![0; u16::from_be_bytes(length).into()];
            stream.read_exact(&mut bytes).ok()?;
            let request = Request::read(&bytes)?;
            let messages = match request.is_transfer() {
                true => zone_messages(&request, FAULTY),
                false => vec![request.reply(&[soa(ZONE, FAULTY)])],
            };
            messages.iter().try_for_each(|message| stream.write_all(&framed(message))).ok()?;
        }
    }
}

/// What a secondary asks over UDP until it has the zone.
fn asked(kind: Kind) -> Vec<&'static str> {
    let deaf = Arc::new(Deaf::default());
    let doors = Doors::open((Ipv4Addr::LOCALHOST, free_port()).into(), &deaf);
    let zones = vec![Zone::secondary(ZONE, doors.address.port())];
    let server = Server::start(kind, &Spec { zones, ..Spec::default() });
    let has_it = within(Duration::from_secs(60), || dig::serial(server.port, ZONE) == Some(FAULTY));
    assert!(has_it, "{kind:?}: {}", server.log());
    deaf.0.lock().unwrap().clone()
}

#[test]
fn a_primary_that_is_silent_over_udp_is_asked_there_as_often_as_by_named_and_then_over_tcp() {
    if !has_minutes() {
        return;
    }
    let [theirs, ours] = thread::scope(|scope| {
        [Kind::Bind, Kind::Nomd].map(|kind| scope.spawn(move || asked(kind))).map(|run| run.join().unwrap())
    });
    assert_eq!(ours, theirs);
    assert_eq!(ours, ["EDNS", "EDNS", "EDNS", "plain", "plain", "plain"]);
}
