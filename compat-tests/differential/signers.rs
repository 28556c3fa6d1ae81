//! Zones signed by the tools that operators use: BIND's dnssec-signzone, Knot's kzonesign and ldns-signzone.

use std::fs;
use std::path::Path;

use crate::peers::run;

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer {
    Bind,
    Knot,
    Ldns,
}

/// How absence is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    Nsec,
    Nsec3 { iterations: u8, has_salt: bool, opt_out: bool },
}

/// How a zone is signed, if it is.
pub type Signing = Option<(Signer, Denial)>;

/// The signed text of a zone.
pub fn signed(text: &str, apex: &str, signing: Signing) -> String {
    let Some((signer, denial)) = signing else { return text.to_owned() };
    let folder = tempfile::tempdir().unwrap();
    let is_known = |line: &&str| signer != Signer::Knot || !UNKNOWN_TO_KNOT.iter().any(|rtype| line.contains(rtype));
    let known: String = text.lines().filter(is_known).flat_map(|line| [line, "\n"]).collect();
    fs::write(folder.path().join("zone"), known).unwrap();
    match signer {
        Signer::Bind => by_bind(folder.path(), apex, denial),
        Signer::Knot => by_knot(folder.path(), apex, denial),
        Signer::Ldns => by_ldns(folder.path(), apex, denial),
    }
}

/// The DS records that lead to a signed zone, one a line.
pub fn delegation(signed: &str, apex: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone");
    // dnssec-dsfromkey wants records of one form, which not all signers write.
    let keys: Vec<String> = signed.lines().filter_map(|line| key_line(line, apex)).collect();
    fs::write(&path, keys.concat()).unwrap();
    done("dnssec-dsfromkey", &["-2", "-T", "900", "-f", &path.display().to_string(), apex])
}

/// A record of the apex key as a line that every tool reads.
fn key_line(line: &str, apex: &str) -> Option<String> {
    let (_, rest) = line.split_once("DNSKEY")?;
    let data = rest.trim_start();
    data.starts_with("257 ").then(|| format!("{apex} 3600 IN DNSKEY {data}\n"))
}

/// The key that signs the keys of a zone, as flags, protocol, algorithm and key.
pub fn anchor(signed: &str) -> Option<String> {
    let line = signed.lines().find_map(|line| key_line(line, "."))?;
    line.split_once("DNSKEY ").map(|(_, data)| data.split(';').next().unwrap_or_default().trim().to_owned())
}

fn by_bind(folder: &Path, apex: &str, denial: Denial) -> String {
    let here = folder.display().to_string();
    key(&here, apex);
    let [plain, out] = ["zone", "signed"].map(|name| folder.join(name).display().to_string());
    let mut words = vec!["-O", "full", "-z", "-P", "-S", "-K", &here, "-d", &here, "-o", apex, "-f", &out];
    let iterations;
    if let Denial::Nsec3 { iterations: count, has_salt, opt_out } = denial {
        iterations = count.to_string();
        words.extend(["-3", if has_salt { SALT } else { "-" }, "-H", &iterations]);
        words.extend(opt_out.then_some("-A"));
    }
    words.push(&plain);
    done("dnssec-signzone", &words);
    fs::read_to_string(out).unwrap()
}

fn by_ldns(folder: &Path, apex: &str, denial: Denial) -> String {
    let key = folder.join(key(&folder.display().to_string(), apex)).display().to_string();
    let [plain, out] = ["zone", "signed"].map(|name| folder.join(name).display().to_string());
    let mut words = vec!["-o", apex, "-f", &out];
    let iterations;
    if let Denial::Nsec3 { iterations: count, has_salt, opt_out } = denial {
        iterations = count.to_string();
        words.extend(["-n", "-t", &iterations]);
        words.extend(has_salt.then_some(["-s", SALT]).into_iter().flatten());
        words.extend(opt_out.then_some("-p"));
    }
    words.extend([&plain[..], &key]);
    done("ldns-signzone", &words);
    fs::read_to_string(out).unwrap()
}

fn by_knot(folder: &Path, apex: &str, denial: Denial) -> String {
    let here = folder.display();
    let mut policy = String::from("    single-type-signing: on\n    cds-cdnskey-publish: none\n");
    if let Denial::Nsec3 { iterations, has_salt, opt_out } = denial {
        let (salt_bytes, opt_out) = (if has_salt { 4 } else { 0 }, if opt_out { "on" } else { "off" });
        policy += &format!(
            "    nsec3: on\n    nsec3-opt-out: {opt_out}\n    nsec3-iterations: {iterations}\n    nsec3-salt-length: {salt_bytes}\n"
        );
    }
    let conf = format!(
        "database:\n  storage: \"{here}/keys\"\npolicy:\n  - id: only\n{policy}zone:\n  - domain: {apex}\n    storage: \"{here}\"\n    \
         file: zone\n    dnssec-signing: on\n    dnssec-policy: only\n    zonefile-load: whole\n    journal-content: none\n"
    );
    let conf_path = folder.join("knot.conf");
    fs::write(&conf_path, conf).unwrap();
    ["out", "keys"].iter().for_each(|name| fs::create_dir(folder.join(name)).unwrap());
    let out = folder.join("out").display().to_string();
    done("kzonesign", &["-c", &conf_path.display().to_string(), "-o", &out, apex]);
    fs::read_to_string(folder.join("out/zone")).unwrap()
}

/// A new key for all of a zone; the name of its files.
fn key(folder: &str, apex: &str) -> String {
    let words = ["-q", "-K", folder, "-a", "ECDSAP256SHA256", "-f", "KSK", apex];
    done("dnssec-keygen", &words).trim().to_owned()
}

/// Types that Knot reads only in the form of RFC 3597.
pub const UNKNOWN_TO_KNOT: [&str; 6] = [" MB ", " MG ", " MR ", " PX ", " X25 ", " ISDN "];
const SALT: &str = "aabbccdd";

fn done(program: &str, words: &[&str]) -> String {
    let output = run(program, words);
    assert_eq!(output.status, 0, "{program} {words:?}: {}{}", output.stdout, output.stderr);
    output.stdout
}
