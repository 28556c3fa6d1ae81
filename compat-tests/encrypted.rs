//! DNS over TLS and HTTPS: named and nomd with the same certificates serve and refuse the same clients, and take over
//! new certificates while connections stay.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::peers::{Kind, Output, Server, Spec, Zone, dig, free_port, run};

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];
const ZONE: &str = "$TTL 300\n@ SOA ns hm 1 3600 900 604800 60\n@ NS ns\nns A 127.0.0.1\nwww 77 A 192.0.2.1\n";

/// An authority, and certificates of a server, a client and a stranger.
pub(super) struct Certificates(TempDir);

impl Certificates {
    pub(super) fn make() -> Self {
        let made = Self(tempfile::Builder::new().prefix("nomd-certificates-").tempdir().unwrap());
        made.authority("ca");
        made.authority("others");
        made.issue("server", "ca");
        made.issue("client", "ca");
        made.issue("stranger", "others");
        made
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn openssl(&self, words: &str) {
        let words: Vec<String> = words.split(' ').map(|word| word.replace("HERE", &self.path(""))).collect();
        let output = run("openssl", &words.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(output.status, 0, "{words:?}: {}", output.stderr);
    }

    pub(super) fn authority(&self, name: &str) {
        let key = format!("-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout HERE/{name}.key");
        self.openssl(&format!("req -x509 {key} -days 2 -subj /CN={name} -out HERE/{name}.pem"));
    }

    /// A certificate for `NAME.example`, in the place of one that there was.
    fn issue(&self, name: &str, authority: &str) {
        self.issue_for(name, authority, &format!("DNS:{name}.example"));
    }

    /// A certificate that vouches for itself.
    pub(super) fn pinned(&self, name: &str, host: &str) {
        let key = format!("-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout HERE/{name}.key");
        let subject = format!("-subj /CN={name} -addext subjectAltName=DNS:{host}");
        self.openssl(&format!("req -x509 {key} -days 2 {subject} -out HERE/{name}.pem"));
    }

    /// A certificate for what an extension says.
    pub(super) fn issue_for(&self, name: &str, authority: &str, whom: &str) {
        let key = format!("-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout HERE/{name}.key");
        self.openssl(&format!("req {key} -subj /CN={name} -out HERE/{name}.csr"));
        std::fs::write(self.path("names"), format!("subjectAltName={whom}\n")).unwrap();
        let ca = format!("-CA HERE/{authority}.pem -CAkey HERE/{authority}.key -CAcreateserial -days 2");
        self.openssl(&format!("x509 -req -in HERE/{name}.csr {ca} -extfile HERE/names -out HERE/{name}.pem"));
    }

    /// `tls` statements: `own`, `mutual`, which asks for certificates of clients, and those of certificates made besides.
    pub(super) fn statements(&self) -> String {
        let files = |name: &str| {
            let [key, certificate] = ["key", "pem"].map(|kind| self.path(&format!("{name}.{kind}")));
            format!("key-file \"{key}\"; cert-file \"{certificate}\";")
        };
        let (own, ca) = (files("server"), self.path("ca.pem"));
        let besides = ["address", "alone"].map(|name| match std::fs::exists(self.path(&format!("{name}.pem"))) {
            Ok(true) => format!("tls {name} {{ {} }};\n", files(name)),
            _ => String::new(),
        });
        format!("tls own {{ {own} }};\ntls mutual {{ {own} ca-file \"{ca}\"; }};\n{}", besides.concat())
    }

    /// dig's words for a client with a certificate.
    fn of_client(&self, name: &str) -> Vec<String> {
        let trust = [format!("+tls-ca={}", self.path("ca.pem")), "+tls-hostname=server.example".into()];
        let own = [format!("+tls-certfile={}", self.path(&format!("{name}.pem")))];
        [&trust[..], &own, &[format!("+tls-keyfile={}", self.path(&format!("{name}.key")))]].concat()
    }
}

/// A server with further listeners, and their ports.
fn start<const N: usize>(kind: Kind, statements: &str, listeners: [&str; N]) -> (Server, [u16; N]) {
    let ports = listeners.map(|_| free_port());
    let lines = listeners.iter().zip(ports);
    let options: String =
        lines.map(|(words, port)| format!("listen-on port {port} {words} {{ 127.0.0.1; }};\n")).collect();
    let path = format!("allow-transfer port {} transport tls {{ any; }};", ports[0]);
    let statements = format!("{statements}zone \"path\" {{ type primary; file \"example.db\"; {path} }};\n");
    let spec = Spec { zones: vec![Zone::primary("example", ZONE)], options, statements, ..Spec::default() };
    let server = Server::start(kind, &spec);
    server.wait_for_serial("example", 1);
    (server, ports)
}

/// What dig says, without what differs from run to run; its complaints about a connection are one.
fn asked(port: u16, words: &[&str]) -> String {
    let output = dig::dig(port, words);
    dig::parse(&output.stdout).map_or_else(|| "none".to_owned(), |answer| format!("{answer:?}"))
}

#[test]
fn what_named_answers_over_tls_and_https_nomd_answers() {
    let certificates = Certificates::make();
    let statements = certificates.statements() + "http two { endpoints { \"/dns-query\"; \"/other\"; }; };\n";
    let listeners = ["tls own", "tls ephemeral", "tls own http two", "tls none http default"];
    let trust = format!("+tls-ca={}", certificates.path("ca.pem"));
    let answers = BOTH.map(|kind| {
        let (_server, [own, ephemeral, https, http]) = start(kind, &statements, listeners);
        // Where there is no answer at all it is not waited for any longer.
        let none = "+time=2";
        let cases: &[(u16, &[&str])] = &[
            (own, &["+tls"]),
            (own, &["+tls", &trust, "+tls-hostname=server.example"]),
            (own, &["+tls", &trust, "+tls-hostname=other.example", none]),
            (own, &["+tcp", none]),
            (own, &["+notcp", none]),
            (ephemeral, &["+tls"]),
            (https, &["+https"]),
            (https, &["+https=/other"]),
            (https, &["+https-get"]),
            (https, &["+https=/nowhere", none]),
            (https, &["+tls", none]),
            (http, &["+http-plain"]),
            (http, &["+http-plain-get"]),
            (http, &["+https", none]),
        ];
        let ask = |(port, words): &(u16, &[&str])| {
            let names = ["www.example", "nope.example", "elsewhere.test"];
            let answers = names.map(|name| asked(*port, &[*words, &[name]].concat()));
            format!("{words:?} {}", answers.join("\n"))
        };
        cases.iter().map(ask).collect::<Vec<_>>()
    });
    assert!(answers[0].iter().filter(|answer| answer.contains("192.0.2.1")).count() >= 8, "{answers:#?}");
    similar(&answers);
}

fn similar([bind, nomd]: &[Vec<String>; 2]) {
    assert_eq!(bind.len(), nomd.len());
    bind.iter().zip(nomd).for_each(|(bind, nomd)| assert_eq!(bind, nomd));
}

#[test]
fn a_listener_with_ca_file_takes_clients_with_its_certificates_only() {
    let certificates = Certificates::make();
    let answers = BOTH.map(|kind| {
        let (_server, [dot, https]) =
            start(kind, &certificates.statements(), ["tls mutual", "tls mutual http default"]);
        let ask = |client: Option<&str>| {
            let words = client.map_or_else(Vec::new, |name| certificates.of_client(name));
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            [(dot, "+tls"), (https, "+https")]
                .map(|(port, how)| asked(port, &[&words[..], &[how, "www.example"]].concat()))
        };
        [None, Some("client"), Some("stranger")].map(ask).concat()
    });
    assert!(answers[0][2].contains("192.0.2.1") && answers[0][3].contains("192.0.2.1"), "{answers:#?}");
    assert!([0, 1, 4, 5].iter().all(|&case| answers[0][case].starts_with("none")), "{answers:#?}");
    similar(&answers);
}

#[test]
fn transfers_go_over_tls_to_those_who_say_dot_and_never_over_https() {
    let certificates = Certificates::make();
    let answers = BOTH.map(|kind| {
        let listeners = ["tls own", "tls ephemeral", "tls own http default"];
        let (server, [own, other, https]) = start(kind, &certificates.statements(), listeners);
        let axfr = |port: u16, zone: &str, how: &str| {
            let output = dig::dig(port, &[how, zone, "AXFR", "+noall", "+answer"]);
            format!("{zone} {how} {}", output.stdout.lines().filter(|line| line.starts_with(zone)).count())
        };
        let cases = [(server.port, "+tcp"), (own, "+tls"), (other, "+tls"), (https, "+https")];
        let with_dot = ["example", "path"].map(|zone| cases.map(|(port, how)| axfr(port, zone, how))).concat();
        let without = ["", "dot", "h2"].map(|protocol| raw_axfr(own, protocol));
        [with_dot, without.to_vec()].concat()
    });
    assert_eq!(answers[0][1], "example +tls 3", "{answers:#?}");
    similar(&answers);
}

/// `openssl s_client`, which stays until its standard input ends.
fn s_client(port: u16, words: &[&str]) -> Child {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &format!("127.0.0.1:{port}")]).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// The rcode of an AXFR request by a client that names this protocol in the handshake.
fn raw_axfr(port: u16, protocol: &str) -> String {
    let words: &[&str] = if protocol.is_empty() { &["-quiet"] } else { &["-quiet", "-alpn", protocol] };
    let mut client = s_client(port, words);
    client.stdin.as_mut().unwrap().write_all(&framed(b"\x07example\0\0\xfc\0\x01")).unwrap();
    let mut head = [0; 6];
    client.stdout.as_mut().unwrap().read_exact(&mut head).unwrap();
    client.kill().unwrap();
    client.wait().unwrap();
    format!("{protocol}: {}", head[5] & 15)
}

fn framed(question: &[u8]) -> Vec<u8> {
    let message = [b"\0\x07\0\0\0\x01\0\0\0\0\0\0", question].concat();
    [&(message.len() as u16).to_be_bytes()[..], &message].concat()
}

/// The serial number of the certificate that is shown at a port.
fn shown_certificate(port: u16) -> String {
    let mut client = s_client(port, &[]);
    drop(client.stdin.take());
    let mut text = String::new();
    client.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    client.wait().unwrap();
    let from = text.find("-----BEGIN CERTIFICATE-----").expect("a certificate");
    text[from..].split("-----END").next().unwrap().to_owned()
}

/// One more answer over a connection.
fn asked_again(client: &mut Child) -> Vec<u8> {
    client.stdin.as_mut().unwrap().write_all(&framed(b"\x03www\x07example\0\0\x01\0\x01")).unwrap();
    let answers = client.stdout.as_mut().unwrap();
    let mut length = [0; 2];
    answers.read_exact(&mut length).unwrap();
    let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
    answers.read_exact(&mut reply).unwrap();
    reply
}

#[test]
fn reconfig_takes_over_certificates_and_keeps_connections() {
    let certificates = Certificates::make();
    for kind in BOTH {
        certificates.issue("server", "ca");
        let (server, [port]) = start(kind, &certificates.statements(), ["tls own"]);
        let before = shown_certificate(port);
        let mut long = s_client(port, &["-quiet"]);
        let first = asked_again(&mut long);
        certificates.issue("server", "ca");
        assert_eq!(server.rndc(&["reconfig"]).status, 0);
        server.wait_until("the new certificate is shown", || shown_certificate(port) != before);
        assert_eq!(asked_again(&mut long), first, "{kind:?}");
        long.kill().unwrap();
        long.wait().unwrap();
    }
}

#[test]
fn a_broken_certificate_keeps_the_old_one_and_is_named() {
    let certificates = Certificates::make();
    let (server, [port]) = start(Kind::Nomd, &certificates.statements(), ["tls own"]);
    let before = shown_certificate(port);
    std::fs::write(certificates.path("server.pem"), "junk").unwrap();
    assert_eq!(server.rndc(&["reconfig"]).status, 0);
    server.wait_for_log(&format!("tls 'own': reading '{}'", certificates.path("server.pem")));
    assert_eq!(shown_certificate(port), before);
    assert!(server.rndc(&["status"]).stdout.contains("not in force: tls own: "));
    certificates.issue("server", "ca");
    assert_eq!(server.rndc(&["reconfig"]).status, 0);
    server.wait_until("the new certificate is shown", || shown_certificate(port) != before);
    assert!(!server.rndc(&["status"]).stdout.contains("not in force: tls own"));
}

#[test]
fn without_its_certificate_neither_server_starts() {
    let folder = tempfile::tempdir().unwrap();
    let conf = folder.path().join("named.conf");
    let here = folder.path().display();
    let text = format!(
        "tls own {{ key-file \"{here}/no.key\"; cert-file \"{here}/no.pem\"; }};\ncontrols {{ }};\n\
         options {{ directory \"{here}\"; pid-file none; listen-on port {} tls own {{ 127.0.0.1; }}; \
         listen-on-v6 {{ none; }}; recursion no; }};\n",
        free_port()
    );
    std::fs::write(&conf, text).unwrap();
    for words in [&["named"][..], &[super::peers::nomd(), "named"]] {
        let output = foreground(words, &conf);
        assert_eq!(output.status, 1, "{output:?}");
        assert!(output.stderr.contains("loading configuration: TLS error"), "{output:?}");
    }
}

fn foreground(words: &[&str], conf: &Path) -> Output {
    let conf = conf.display().to_string();
    run(words[0], &[&words[1..], &["-g", "-c", &conf]].concat())
}

#[test]
fn a_client_that_speaks_no_tls_is_left() {
    let (_server, [port]) = start(Kind::Nomd, "", ["tls ephemeral"]);
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.write_all(&framed(b"\x03www\x07example\0\0\x01\0\x01")).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut said = Vec::new();
    // What comes, if anything, is an alert of TLS.
    let _ = client.read_to_end(&mut said);
    assert!(said.is_empty() || said[0] == 21, "{said:?}");
}
