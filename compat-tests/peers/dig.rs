//! Questions by way of the real dig, read back as text.

use super::{Key, Output, run};

/// One answer as dig shows it, ready to be compared: sections sorted, times and ids gone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    pub status: String,
    pub flags: String,
    pub edns: String,
    pub answer: Vec<String>,
    pub authority: Vec<String>,
    pub additional: Vec<String>,
}

impl Answer {
    /// Where another server's answer differs, section by section.
    pub fn difference(&self, other: &Self) -> String {
        let heads = (
            format!("{} {} {}", self.status, self.flags, self.edns),
            format!("{} {} {}", other.status, other.flags, other.edns),
        );
        let sections = [
            ("answer", &self.answer, &other.answer),
            ("authority", &self.authority, &other.authority),
            ("additional", &self.additional, &other.additional),
        ];
        let mut text = if heads.0 == heads.1 { String::new() } else { format!("  - {}\n  + {}\n", heads.0, heads.1) };
        for (name, ours, theirs) in sections {
            let gone =
                ours.iter().filter(|record| !theirs.contains(record)).map(|record| format!("  - {name}: {record}\n"));
            let new =
                theirs.iter().filter(|record| !ours.contains(record)).map(|record| format!("  + {name}: {record}\n"));
            text.extend(gone.chain(new));
            if ours.len() != theirs.len() {
                text += &format!("  {name}: {ours:?} and {theirs:?}\n");
            }
        }
        text
    }
}

/// Asks with any of dig's words.
pub fn dig(port: u16, words: &[&str]) -> Output {
    let port = port.to_string();
    let fixed = ["@127.0.0.1", "-p", &port, "+tries=1", "+time=30", "+nocookie"];
    run("dig", &[&fixed, words].concat())
}

/// Asks; none when no answer comes, as from a server that is not there yet.
pub fn try_ask(port: u16, name: &str, rtype: &str) -> Option<Answer> {
    let output = dig(port, &["+time=10", name, rtype]);
    (output.status == 0).then(|| parse(&output.stdout)).flatten()
}

/// Asks with further words such as `+dnssec`.
pub fn ask(port: u16, name: &str, rtype: &str, words: &[&str]) -> Answer {
    let output = dig(port, &[&[name, rtype], words].concat());
    parse(&output.stdout).unwrap_or_else(|| panic!("no answer for {name} {rtype} {words:?}: {output:?}"))
}

/// The serial that is served, if the zone is.
pub fn serial(port: u16, zone: &str) -> Option<u32> {
    let answer = try_ask(port, zone, "SOA")?;
    let soa = answer.answer.first()?;
    soa.split_whitespace().nth(6)?.parse().ok()
}

/// Every record of a zone by AXFR, sorted; none when the transfer is refused or fails.
pub fn transfer(port: u16, zone: &str, key: Option<&Key>) -> Option<Vec<String>> {
    let key = key.map(|key| format!("{}:{}:{}", key.algorithm, Key::NAME, key.secret));
    let mut words = vec![zone, "AXFR", "+noall", "+answer", "+onesoa"];
    if let Some(key) = &key {
        words.extend(["-y", key]);
    }
    let output = dig(port, &words);
    if output.status != 0 || output.stdout.contains("; Transfer failed") || output.stdout.contains("; Couldn't") {
        return None;
    }
    let mut records: Vec<String> = output.stdout.lines().filter(|line| is_record(line)).map(fold_owner).collect();
    records.sort();
    (!records.is_empty()).then_some(records)
}

fn is_record(line: &str) -> bool {
    !line.is_empty() && !line.starts_with(';')
}

/// NSD keeps no case in owners, so it does not count here.
fn fold_owner(line: &str) -> String {
    let line = squeeze(line);
    let (owner, rest) = line.split_once(' ').unwrap_or((&line, ""));
    format!("{} {rest}", owner.to_lowercase())
}

fn squeeze(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads dig's ordinary output.
pub fn parse(text: &str) -> Option<Answer> {
    let after = |mark: &str| text.split_once(mark).map(|(_, rest)| rest);
    let status = after("status: ")?.split(',').next()?.to_owned();
    let flags = after(";; flags:")?.split(';').next()?.trim().to_owned();
    let edns = after("; EDNS: ").and_then(|rest| rest.lines().next()).unwrap_or_default().to_owned();
    let section = |name: &str| {
        let lines = after(&format!(";; {name} SECTION:\n")).unwrap_or_default().lines();
        let mut records: Vec<String> = lines.take_while(|line| is_record(line)).map(squeeze).collect();
        records.sort();
        records
    };
    Some(Answer {
        status,
        flags,
        edns,
        answer: section("ANSWER"),
        authority: section("AUTHORITY"),
        additional: section("ADDITIONAL"),
    })
}
