//! What a validator, BIND's delv, makes of answers from zones that each of the signers has signed.

use std::fs;

use super::signers::{Denial, Signer, anchor, delegation, signed};
use crate::peers::{Kind, Server, Spec, Zone, run};

const SIGNINGS: &[(Signer, Denial)] = &[
    (Signer::Bind, Denial::Nsec),
    (Signer::Bind, Denial::Nsec3 { iterations: 2, has_salt: true, opt_out: false }),
    (Signer::Ldns, Denial::Nsec3 { iterations: 0, has_salt: false, opt_out: false }),
    (Signer::Knot, Denial::Nsec3 { iterations: 0, has_salt: false, opt_out: true }),
];

/// What delv says. With opt-out there may be a name that nobody signed wherever there is none that somebody did, so the
/// absence of a name is not proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Secure,
    SecureDenial,
    Insecure,
    /// As [`Self::Secure`], and with opt-out as [`Self::Insecure`].
    SecureSynthesis,
}

const QUESTIONS: &[(&str, &str, Verdict)] = &[
    ("example", "DNSKEY", Verdict::Secure),
    ("ns.example", "A", Verdict::Secure),
    ("ns.example", "TXT", Verdict::SecureDenial),
    ("b.example", "A", Verdict::SecureDenial),
    ("nothing.example", "A", Verdict::SecureDenial),
    ("deep.below.nothing.example", "A", Verdict::SecureDenial),
    ("below.ns.example", "A", Verdict::SecureDenial),
    ("x.wild.example", "A", Verdict::SecureSynthesis),
    ("x.y.wild.example", "A", Verdict::SecureSynthesis),
    ("*.wild.example", "A", Verdict::Secure),
    ("x.wild.example", "TXT", Verdict::SecureDenial),
    ("x.alias.example", "A", Verdict::SecureSynthesis),
    ("x.dname.example", "A", Verdict::Secure),
    ("y.dname.example", "A", Verdict::Secure),
    ("open.example", "DS", Verdict::SecureDenial),
    ("ns.open.example", "A", Verdict::Insecure),
    ("secure.example", "DS", Verdict::Secure),
    ("ns.secure.example", "A", Verdict::Secure),
    ("ns.secure.example", "TXT", Verdict::SecureDenial),
    ("nothing.secure.example", "A", Verdict::SecureDenial),
];

/// An asterisk that is an empty non-terminal: named's denial of what it would match does not validate.
const NOMD_ONLY: (&str, &str, Verdict) = ("x.hollow.example", "A", Verdict::SecureDenial);

const ZONE: &str = "example. 600 SOA ns.example. hostmaster.example. 1 7200 900 1209600 300\nexample. 600 NS ns.example.\n\
                    ns.example. 600 A 192.0.2.1\na.b.example. 600 A 192.0.2.2\n*.wild.example. 600 A 192.0.2.3\n\
                    *.alias.example. 600 CNAME ns.example.\ndname.example. 600 DNAME target.example.\n\
                    x.target.example. 600 A 192.0.2.4\nx.*.hollow.example. 600 TXT \"x\"\n\
                    open.example. 600 NS ns.open.example.\nns.open.example. 600 A 192.0.2.6\n\
                    secure.example. 600 NS ns.secure.example.\nns.secure.example. 600 A 192.0.2.7\n";

/// A zone of an apex and one server.
fn child(apex: &str) -> String {
    format!(
        "{apex} 600 SOA ns.{apex} hostmaster.{apex} 1 7200 900 1209600 300\n{apex} 600 NS ns.{apex}\nns.{apex} 600 A 192.0.2.8\n"
    )
}

#[test]
fn a_validator_accepts_answers_and_denials() {
    let mut faults = vec![];
    for &(signer, denial) in SIGNINGS {
        let secure = signed(&child("secure.example."), "secure.example.", Some((signer, denial)));
        let zone =
            signed(&(ZONE.to_owned() + &delegation(&secure, "secure.example.")), "example.", Some((signer, denial)));
        let folder = tempfile::tempdir().unwrap();
        let anchors = folder.path().join("anchors").display().to_string();
        fs::write(&anchors, trust_anchors(&zone)).unwrap();
        let zones = vec![("example", zone), ("secure.example", secure), ("open.example", child("open.example."))];
        let zones = zones.into_iter().map(|(name, text)| Zone::primary(name, text)).collect();
        let spec = Spec { zones, ..Spec::default() };
        let judge = |kind| judge(kind, &spec, &anchors, matches!(denial, Denial::Nsec3 { opt_out: true, .. }));
        let found = std::thread::scope(|scope| {
            let threads = [Kind::Bind, Kind::Nomd].map(|kind| scope.spawn(move || judge(kind)));
            threads.map(|thread| thread.join().unwrap()).concat()
        });
        faults.extend(found.into_iter().map(|fault| format!("{signer:?} {denial:?} {fault}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn trust_anchors(zone: &str) -> String {
    let data = anchor(zone).unwrap();
    let [flags, protocol, algorithm, key] = data.splitn(4, ' ').collect::<Vec<_>>()[..] else { panic!("{data}") };
    format!("trust-anchors {{ example. static-key {flags} {protocol} {algorithm} \"{key}\"; }};\n")
}

/// Asks delv about all questions, and lists where it says something else than is expected.
fn judge(kind: Kind, spec: &Spec, anchors: &str, is_opt_out: bool) -> Vec<String> {
    let server = Server::start(kind, spec);
    server.wait_for_serial("open.example", 1);
    server.wait_for_serial("example", 1);
    let port = server.port.to_string();
    let mut faults = vec![];
    for &(name, rtype, verdict) in QUESTIONS.iter().chain((kind == Kind::Nomd).then_some(&NOMD_ONLY)) {
        let wanted = match verdict {
            Verdict::Secure => "; fully validated",
            Verdict::SecureSynthesis if !is_opt_out => "; fully validated",
            Verdict::SecureDenial => "; negative response, fully validated",
            Verdict::Insecure | Verdict::SecureSynthesis => "; unsigned answer",
        };
        let words = ["@127.0.0.1", "-p", &port, "-a", anchors, "+root=example.", name, rtype];
        let said = run("delv", &words).stdout;
        let verdicts: Vec<&str> = said.lines().filter(|line| is_verdict(line)).collect();
        if verdicts.first() != Some(&wanted) {
            faults.push(format!("{kind:?} {name} {rtype}: {verdict:?}, but\n{said}"));
        }
    }
    faults
}

fn is_verdict(line: &str) -> bool {
    line.starts_with("; ") && (line.ends_with("validated") || line.ends_with("unsigned answer"))
}
