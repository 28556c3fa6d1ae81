//! `-i full`: names that the zone cannot know, asked of the host's resolver.
//!
//! Both programs run in a root directory with a hosts file of its own and a resolver that denies every name, or fails
//! where the name says so; nothing leaves the host. Who may not change the root directory compares how that is told.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::thread;

use super::compare;

const HOSTS: &str = "\
192.0.2.10 mail.out.test mail.out.test.
192.0.2.11 canon.out.test. alias.out.test.
192.0.2.12 CANON2.out.test canon2.out.test.
192.0.2.21 ns.sub.ex.test ns.sub.ex.test.
192.0.2.22 ns.sub.ex.test ns.sub.ex.test.
2001:db8::21 ns.sub.ex.test ns.sub.ex.test.
192.0.2.30 canon.out.test. ns.alias.ex.test.
192.0.2.60 cut.ex.test cut.ex.test.
192.0.2.70 bare.sub.ex.test bare.sub.ex.test.
192.0.2.71 bare.sub.ex.test bare.sub.ex.test.
";
const ZONE: &str = "\
$TTL 300
@ SOA ns1 h 1 2 3 4 5
@ NS ns1
@ NS none.out.test.
ns1 A 192.0.2.1
@ MX 10 mail.out.test.
@ MX 10 alias.out.test.
@ MX 10 canon2.out.test.
@ MX 20 none.out.test.
m1 MX 20 NONE.out.test.
m2 MX 20 alias.out.test.
m3 MX 20 .
m4 MX 1 ns.sub
m5 MX 1 missing.sub
m6 MX 1 cut
m7 MX 1 fails.out.test.
m8 MX 1 fails.out.test.
m9 MX 1 nowhere
_s1._tcp SRV 0 0 1 alias.out.test.
_s2._tcp SRV 0 0 1 alias.out.test.
_s3._tcp SRV 0 0 1 none2.out.test.
_s4._tcp SRV 0 0 1 none.out.test.
_s5._tcp SRV 0 0 1 ns.sub
_s6._tcp SRV 0 0 1 .
_s7._tcp SRV 0 0 1 fails.out.test.
sub NS ns.sub
ns.sub A 192.0.2.21
ns.sub A 192.0.2.99
ns.sub A 192.0.2.98
ns.sub AAAA 2001:db8::99
sub NS none.out.test.
sub NS glued.sub
glued.sub A 192.0.2.1
again NS ns.sub
alias NS ns.alias
ns.alias A 192.0.2.30
lacks NS miss.lacks
v6 NS fails.v6
fails.v6 AAAA ::1
cut NS cut
cut A 192.0.2.61
sib1 NS bare.sub
sib2 NS miss.cut
dname DNAME other.test.
below MX 1 x.dname
";

/// Answers queries for ever: SERVFAIL for names that begin with `fails`, NXDOMAIN for others. Each run has an address of
/// its own, since a resolver has no port of its own.
fn deny_names() -> Ipv4Addr {
    let [.., high, low] = std::process::id().to_be_bytes();
    let address = Ipv4Addr::new(127, 77, high, low);
    let Ok(socket) = UdpSocket::bind((address, 53)) else { return address };
    thread::spawn(move || {
        let mut packet = [0; 512];
        while let Ok((len, client)) = socket.recv_from(&mut packet) {
            let rcode = if packet[12..].starts_with(b"\x05fails") { 2 } else { 3 };
            packet[2] |= 0x80;
            packet[3] = 0x80 | rcode;
            let _ = socket.send_to(&packet[..len], client);
        }
    });
    address
}

/// A folder whose `jail` is to become the root directory.
fn folder(resolver: Ipv4Addr) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let etc = folder.path().join("jail/etc");
    fs::create_dir_all(&etc).unwrap();
    let write = |file: &str, text: &str| fs::write(etc.join(file), text).unwrap();
    write("hosts", HOSTS);
    write("host.conf", "multi on\n");
    write("resolv.conf", &format!("nameserver {resolver}\noptions timeout:2 attempts:1\n"));
    fs::write(folder.path().join("jail/zone"), ZONE).unwrap();
    folder
}

#[test]
fn names_of_other_zones_are_judged_as_bind_judges_them() {
    let folder = folder(deny_names());
    let run = |program: &str, words: &str| compare(program, &format!("-t jail {words} ex.test /zone"), folder.path());
    for modes in [
        "",
        "-i full",
        "-i full-sibling",
        "-i local",
        "-i local-sibling",
        "-i local -i full",
        "-i none",
        "-M ignore -S ignore",
        "-M fail",
        "-S fail",
        "-M fail -i local",
        "-m ignore",
        "-m fail",
    ] {
        run("named-checkzone", modes);
    }
    run("named-compilezone", "-o /out");
    run("named-compilezone", "-q -o - -i full");
}
