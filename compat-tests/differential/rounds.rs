//! What the servers serve in one round: which zones, who signed them and how, in which views and with which options.

use super::signers::{Denial, Signer, Signing, delegation, signed};
use super::zones::{Child, Shape, below, strict, zone};
use super::{Dice, names::Names};
use crate::peers::{Spec, Zone};

/// One set of zones and options.
#[derive(Debug)]
pub struct Round {
    pub signing: Signing,
    pub options: &'static str,
    has_root: bool,
    shape: Shape,
    has_views: bool,
    /// Only what NSD and Knot load as well.
    is_strict: bool,
}

const PLAIN: Round =
    Round { signing: None, options: "", has_root: false, shape: Shape::Mixed, has_views: false, is_strict: false };
const BIND_NSEC: Signing = Some((Signer::Bind, Denial::Nsec));
const BIND_NSEC3: Signing = nsec3(Signer::Bind, false);
const KNOT_NSEC: Signing = Some((Signer::Knot, Denial::Nsec));
const LDNS_NSEC: Signing = Some((Signer::Ldns, Denial::Nsec));

const fn nsec3(signer: Signer, has_salt: bool) -> Signing {
    Some((signer, Denial::Nsec3 { iterations: if has_salt { 2 } else { 0 }, has_salt, opt_out: false }))
}

const fn opt_out(signer: Signer) -> Signing {
    Some((signer, Denial::Nsec3 { iterations: 0, has_salt: false, opt_out: true }))
}

pub const ROUNDS: &[Round] = &[
    PLAIN,
    Round { signing: BIND_NSEC, ..PLAIN },
    Round { signing: nsec3(Signer::Bind, true), options: "minimal-responses no;", ..PLAIN },
    Round { signing: opt_out(Signer::Bind), ..PLAIN },
    Round { options: "minimal-responses yes; minimal-any yes;", has_root: true, ..PLAIN },
    Round { signing: KNOT_NSEC, options: "minimal-responses no-auth;", ..PLAIN },
    Round { signing: nsec3(Signer::Ldns, true), options: "minimal-any yes;", ..PLAIN },
    Round { options: "minimal-responses no; max-udp-size 700;", shape: Shape::Delegating, ..PLAIN },
    Round { signing: opt_out(Signer::Knot), shape: Shape::Delegating, ..PLAIN },
    Round { signing: LDNS_NSEC, options: "zero-no-soa-ttl no;", ..PLAIN },
    Round { options: "", has_views: true, ..PLAIN },
    Round { signing: opt_out(Signer::Ldns), options: "minimal-responses no;", shape: Shape::Delegating, ..PLAIN },
    Round { signing: nsec3(Signer::Knot, true), has_views: true, ..PLAIN },
    Round { signing: BIND_NSEC3, has_root: true, options: "minimal-responses no;", ..PLAIN },
    Round { signing: BIND_NSEC, has_root: true, shape: Shape::Delegating, ..PLAIN },
];

/// Rounds that NSD and Knot play as well.
pub const WITH_OTHERS: &[Round] = &[
    STRICT,
    Round { signing: BIND_NSEC, ..STRICT },
    Round { signing: nsec3(Signer::Knot, true), ..STRICT },
    Round { signing: opt_out(Signer::Ldns), shape: Shape::Delegating, ..STRICT },
];
const STRICT: Round = Round { options: "minimal-responses yes; zero-no-soa-ttl no;", is_strict: true, ..PLAIN };

/// The last number of the client's address that each kind of client has.
pub const INNER: u8 = 2;
pub const UNWANTED: u8 = 3;
pub const NO_CASE_COMPRESS: u8 = 4;

/// What all rounds have: records in the order in which they are stored, and clients of several kinds.
const OPTIONS: &str = "rrset-order { order none; }; server-id \"test\"; no-case-compress { 127.0.0.4; };";
const LAX: &str =
    "check-names ignore; check-integrity no; check-mx ignore; check-srv-cname ignore; check-mx-cname ignore;";

/// A zone of a round.
pub struct Served {
    pub apex: &'static str,
    pub text: String,
}

impl Round {
    pub fn apexes(&self) -> Vec<&'static str> {
        let apexes = ["example.", "b.example.", "c.a.b.example.", "other.test."];
        if self.has_root { [&["."][..], &apexes].concat() } else { apexes.to_vec() }
    }

    /// The zones, and the names that stand in them.
    pub fn zones(&self, dice: &mut Dice) -> (Vec<Served>, Names) {
        let apexes = self.apexes();
        let (mut zones, mut names) = (Vec::<Served>::new(), Names::new(&apexes));
        // Children first: their parents have the DS.
        for &apex in apexes.iter().rev() {
            let children = zones.iter().filter(|zone| parent(&apexes, zone.apex) == Some(apex));
            let mut children: Vec<Child> = children.map(|zone| child(dice, zone)).collect();
            if apex == "." {
                children.push(Child { apex: "test.".into(), ds: String::new() });
            }
            let plain = zone(dice, apex, &apexes, &children, self.shape);
            let plain = if self.is_strict { strict(&plain) } else { plain };
            names.learn(&plain);
            // At the bottom there is also what nobody signed.
            let signing = self.signing.filter(|_| children.len() + dice.below(2) > 0);
            zones.push(Served { apex, text: signed(&plain, apex, signing) });
        }
        (zones, names)
    }

    /// What the servers are to do with zones; those of the inner view are its own.
    pub fn spec(&self, zones: Vec<Served>, inner: &[Served]) -> Spec {
        let options = format!("{OPTIONS} {}", self.options);
        if self.has_views {
            return Spec { options, ..views(&zones, inner) };
        }
        let zones =
            zones.into_iter().map(|zone| Zone::primary(name_of(zone.apex), zone.text).with(&clauses(zone.apex)));
        Spec { zones: zones.collect(), options, ..Spec::default() }
    }

    /// Zones for a second view, if there is one.
    pub fn inner_zones(&self, dice: &mut Dice, names: &mut Names) -> Vec<Served> {
        if !self.has_views {
            return vec![];
        }
        let (zones, more) = self.zones(dice);
        names.join(more);
        zones
    }
}

/// The closest zone above another one. Between other.test and the root there is test, which is not served.
fn parent(apexes: &[&'static str], apex: &str) -> Option<&'static str> {
    let is_top = apex.matches('.').count() == 1;
    let above = apexes
        .iter()
        .filter(|other| **other != apex && (**other == "." && is_top || apex.ends_with(&format!(".{other}"))));
    above.max_by_key(|other| other.len()).copied()
}

fn child(dice: &mut Dice, zone: &Served) -> Child {
    let is_secure = zone.text.contains("DNSKEY") && !dice.one_in(3);
    let ds = if is_secure { delegation(&zone.text, zone.apex) } else { String::new() };
    Child { apex: zone.apex.to_owned(), ds }
}

fn name_of(apex: &str) -> &str {
    if apex == "." { apex } else { apex.trim_end_matches('.') }
}

fn clauses(apex: &str) -> String {
    let is_guarded = apex == "other.test.";
    format!("{LAX} {}", if is_guarded { "allow-query { !127.0.0.3; any; };" } else { "" })
}

/// Three views: one for a client of its own, one for whoever asks for recursion, one for the rest.
fn views(outer: &[Served], inner: &[Served]) -> Spec {
    let heads = [
        ("inner", "match-clients { 127.0.0.2; };", inner),
        ("recursive", "match-clients { !127.0.0.4; any; }; match-recursive-only yes; minimal-responses no;", outer),
        ("outer", "match-clients { !127.0.0.3; any; };", outer),
    ];
    let mut spec = Spec::default();
    for (view, clauses_of_view, zones) in heads {
        spec.statements += &format!("view \"{view}\" {{ {clauses_of_view}\n");
        for Served { apex, text } in zones {
            let file = format!("{view}.{}db", below(apex));
            let (name, clauses) = (name_of(apex), clauses(apex));
            spec.statements += &format!("zone \"{name}\" {{ type primary; file \"{file}\"; {clauses} }};\n");
            spec.files.push((file, text.clone()));
        }
        spec.statements += "};\n";
    }
    spec
}
