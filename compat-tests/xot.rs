//! Zone transfers over TLS (RFC 9103): named and nomd in each role fetch from each other, and from nobody else than whom
//! their `tls` statement names.

use super::encrypted::Certificates;
use super::peers::{Kind, Server, Spec, Zone, free_port};

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];

fn zone(serial: u32) -> String {
    format!("$TTL 300\n@ SOA ns hm {serial} 3600 900 604800 60\n@ NS ns\nns A 127.0.0.1\nwww 77 A 192.0.2.{serial}\n")
}

/// A primary whose zone is to be had over TLS alone, and the port.
fn primary(kind: Kind, certificates: &Certificates, tls: &str, clauses: &str) -> (Server, u16) {
    let port = free_port();
    let clauses = format!("allow-transfer port {port} transport tls {{ any; }}; {clauses}");
    let zone_statement = format!("zone \"example\" {{ type primary; file \"example.db\"; {clauses} }};\n");
    let spec = Spec {
        options: format!("listen-on port {port} tls {tls} {{ 127.0.0.1; }};\n"),
        statements: certificates.statements() + &zone_statement,
        files: vec![("example.db".to_owned(), zone(1))],
        ..Spec::default()
    };
    let server = Server::start(kind, &spec);
    server.wait_for_serial("example", 1);
    (server, port)
}

/// A secondary that asks for the zone at this port under a `tls` statement of these clauses.
fn secondary(kind: Kind, port: u16, clauses: &str, options: &str) -> Server {
    let zone = format!(
        "tls asking {{ {clauses} }};\nzone \"example\" {{ type secondary; file \"example.bk\"; \
         primaries {{ 127.0.0.1 port {port} tls Asking; }}; }};\n"
    );
    let spec = Spec { options: options.to_owned(), statements: zone, ..Spec::default() };
    Server::start(kind, &spec)
}

fn strict(certificates: &Certificates, name: &str) -> String {
    format!("ca-file \"{}\"; remote-hostname \"{name}\";", certificates.path("ca.pem"))
}

/// What makes each version after the first come as differences.
const DIFFERENCES: &str = "ixfr-from-differences yes; max-ixfr-ratio unlimited;";

/// The second version came as differences, not whole.
fn assert_differences(primary: &Server) {
    primary.wait_for_log("': IXFR started (serial 1 -> 2)");
    assert!(!primary.log().contains("AXFR-style"), "{}", primary.log());
}

#[test]
fn zones_and_differences_are_fetched_over_tls_by_each_from_each() {
    let certificates = Certificates::make();
    for (from, to) in [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(from, to)| (BOTH[from], BOTH[to])) {
        let (primary, port) = primary(from, &certificates, "own", DIFFERENCES);
        let secondary = secondary(to, port, &strict(&certificates, "server.example"), "");
        secondary.wait_for_serial("example", 1);
        primary.change_zone("example", &zone(2));
        primary.wait_for_serial("example", 2);
        secondary.refresh("example");
        secondary.wait_for_serial("example", 2);
        assert_differences(&primary);
        secondary.wait_for_log(&format!("from 127.0.0.1#{port}: Transfer completed"));
    }
}

/// Knot learns to speak TLS with its version 3.4.
#[test]
fn nsd_fetches_over_tls_and_follows_by_differences() {
    let certificates = Certificates::make();
    let notified = free_port();
    let also = format!("also-notify {{ 127.0.0.1 port {notified}; }}; notify explicit; {DIFFERENCES}");
    let (nomd, port) = primary(Kind::Nomd, &certificates, "own", &also);
    let nsd = format!("  tls-cert-bundle: \"{}\"\n", certificates.path("ca.pem"));
    let zones = vec![Zone::secondary("example", port)];
    let spec = Spec { zones, nsd, nsd_asks: Some("server.example"), has_differences: true, ..Spec::default() };
    let nsd = Server::start_at(Kind::Nsd, &spec, notified);
    nsd.wait_for_serial("example", 1);
    nomd.change_zone("example", &zone(2));
    nsd.wait_for_serial("example", 2);
    assert_differences(&nomd);
}

/// NSD before 4.7 does not say that what it speaks within TLS is DNS, as RFC 9103 section 7.1 wants it to.
#[test]
fn a_server_that_names_no_protocol_is_not_fetched_from_as_with_named() {
    let certificates = Certificates::make();
    let port = free_port();
    let [key, certificate] = ["server.key", "server.pem"].map(|name| certificates.path(name));
    let tls = format!("  tls-service-key: \"{key}\"\n  tls-service-pem: \"{certificate}\"\n  tls-port: {port}\n");
    let nsd = format!("  ip-address: 127.0.0.1@{port}\n{tls}");
    let spec = Spec { zones: vec![Zone::primary("example", zone(1))], nsd, ..Spec::default() };
    let _nsd = Server::start(Kind::Nsd, &spec);
    for kind in BOTH {
        let secondary = secondary(kind, port, &strict(&certificates, "server.example"), "");
        secondary.wait_for_log("ALPN for DoT failed");
    }
}

#[test]
fn without_a_name_or_authorities_anybody_is_trusted() {
    let certificates = Certificates::make();
    for from in BOTH {
        let (_primary, port) = primary(from, &certificates, "ephemeral", "");
        for to in BOTH {
            secondary(to, port, "protocols { TLSv1.2; TLSv1.3; };", "").wait_for_serial("example", 1);
            secondary(to, port, "protocols { TLSv1.2; };", "").wait_for_serial("example", 1);
        }
    }
}

#[test]
fn a_server_is_known_by_its_name_its_address_or_its_own_certificate() {
    let certificates = Certificates::make();
    let ca = format!("ca-file \"{}\";", certificates.path("ca.pem"));
    certificates.issue_for("address", "ca", "IP:127.0.0.1");
    certificates.pinned("alone", "alone.example");
    let alone = format!("ca-file \"{}\"; remote-hostname \"alone.example\";", certificates.path("alone.pem"));
    let (by_address, address_port) = primary(Kind::Nomd, &certificates, "address", "");
    let (by_itself, alone_port) = primary(Kind::Nomd, &certificates, "alone", "");
    for kind in BOTH {
        for (port, clauses) in [(address_port, &ca), (alone_port, &alone)] {
            secondary(kind, port, clauses, "").wait_for_serial("example", 1);
        }
    }
    drop((by_address, by_itself));
}

#[test]
fn nothing_is_fetched_from_a_stranger() {
    let certificates = Certificates::make();
    let (_primary, port) = primary(Kind::Nomd, &certificates, "own", "");
    let others = format!("ca-file \"{}\"; remote-hostname \"server.example\";", certificates.path("others.pem"));
    let by_host = "remote-hostname \"server.example\";".to_owned();
    for kind in BOTH {
        for clauses in [&strict(&certificates, "other.example"), &others, &by_host] {
            let secondary = secondary(kind, port, clauses, "");
            secondary.wait_for_log("TLS peer certificate verification failed");
            assert!(!secondary.path("example.bk").exists(), "{kind:?}");
        }
    }
}

/// named has a certificate of its own only where it checks that of the server.
#[test]
fn a_primary_that_asks_for_certificates_gets_ours() {
    let certificates = Certificates::make();
    let trust = strict(&certificates, "server.example");
    let files = |name: &str| {
        let [certificate, key] = ["pem", "key"].map(|kind| certificates.path(&format!("{name}.{kind}")));
        format!("cert-file \"{certificate}\"; key-file \"{key}\"; {trust}")
    };
    for from in BOTH {
        let (_primary, port) = primary(from, &certificates, "mutual", "");
        for to in BOTH {
            secondary(to, port, &files("client"), "").wait_for_serial("example", 1);
            let stranger = secondary(to, port, &files("stranger"), "");
            stranger.wait_for_log(&format!("127.0.0.1#{port}"));
            assert!(!stranger.path("example.bk").exists(), "{from:?} {to:?}");
        }
    }
}

/// named 9.18 sends NOTIFY in plain text whatever `also-notify` says.
#[test]
fn a_notify_goes_over_tls_where_that_is_asked_for() {
    let certificates = Certificates::make();
    for to in BOTH {
        let notified = free_port();
        let also = format!("also-notify {{ 127.0.0.1 port {notified} tls ephemeral; }}; notify explicit;");
        let (primary, port) = primary(Kind::Nomd, &certificates, "own", &also);
        let listen = format!("listen-on port {notified} tls ephemeral {{ 127.0.0.1; }};\n");
        let secondary = secondary(to, port, &strict(&certificates, "server.example"), &listen);
        secondary.wait_for_serial("example", 1);
        primary.change_zone("example", &zone(2));
        primary.reload("example");
        secondary.wait_for_serial("example", 2);
    }
}

#[test]
fn without_its_files_a_server_is_not_asked_and_the_reason_is_said() {
    let certificates = Certificates::make();
    let (_primary, port) = primary(Kind::Nomd, &certificates, "own", "");
    let absent = certificates.path("absent.pem");
    let secondary = secondary(Kind::Nomd, port, &format!("ca-file \"{absent}\";"), "");
    secondary.wait_for_log(&format!("reading '{absent}'"));
    certificates.authority("absent");
    std::fs::copy(certificates.path("ca.pem"), &absent).unwrap();
    std::fs::remove_file(certificates.path("ca.key")).unwrap();
    assert_eq!(secondary.rndc(&["reconfig"]).status, 0);
    assert_eq!(secondary.rndc(&["refresh", "example"]).status, 0);
    secondary.wait_for_log("TLS peer certificate verification failed");
}
