//! Zones made at random, right and wrong, before both programs.
//!
//! What a record may say comes from `grammar/rdata` and from `tokens`, what else may stand in a file from `lines`. A zone
//! over which the programs differ is made smaller until nothing can be left out, and then shown. Ordinary runs compare
//! verdicts and what is written of zones that are accepted. With `NOMD_ZONES`, which says how many zones to try, all that
//! the programs say is compared as well; `NOMD_SEED` says where to start.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use nomd::transfer::random::Random;

use super::{Outcome, nomd, outcome};

const SEED: u64 = 20_240_901;
const ZONES: u64 = 250;
/// So many differences are enough to look at.
const MAX_DIFFERENCES: usize = 20;
const HEAD: &str = "$TTL 3600\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n";
const PART: &str = "part TXT included\n part2 TXT x\n$ORIGIN inner\nx 60 TXT y\n";
const BROKEN: &str = "b TXT x\nb FOO x\n";
/// With what words the programs are run.
const RUNS: [&str; 7] = [
    "named-compilezone -i local -k warn -s full",
    "named-compilezone -i none -k ignore -s relative",
    "named-compilezone -i none -k warn -n warn -F raw",
    "named-compilezone -i local",
    "named-compilezone -i local -F raw=0 -l 7200",
    "named-checkzone -D -i local -r fail",
    "named-checkzone -i local -m fail -n fail -k fail -S fail -M fail",
];

/// One of the texts for a field, by what stands in front of it.
#[derive(Default)]
struct Choices {
    right: Vec<&'static str>,
    wrong: Vec<&'static str>,
}

/// What zones are made of.
pub(super) struct Material {
    types: Vec<(&'static str, &'static str, Vec<&'static str>)>,
    fields: HashMap<&'static str, Choices>,
    lines: Choices,
}

impl Material {
    pub(super) fn new() -> Self {
        let rows =
            include_str!("../../grammar/rdata").lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let types = rows.map(|row| {
            let mut words = row.split_whitespace();
            let (mnemonic, number) = (words.next().unwrap(), words.next().unwrap());
            (mnemonic, number, words.map(|word| word.split('/').next().unwrap()).collect())
        });
        let mut fields: HashMap<&str, Choices> = HashMap::new();
        for line in include_str!("tokens").lines().filter(|line| !line.starts_with('#')) {
            let at = line.find([':', '!']).unwrap();
            let texts = line[at + 1..].split(" |").map(str::trim);
            let choices = fields.entry(&line[..at]).or_default();
            if line[at..].starts_with(':') { choices.right.extend(texts) } else { choices.wrong.extend(texts) }
        }
        let (wrong, right) =
            include_str!("lines").lines().filter(|l| !l.starts_with('#')).partition(|l| l.starts_with('!'));
        Self {
            types: types.filter(|(_, _, fields): &(_, _, Vec<_>)| fields != &["meta"]).collect(),
            fields,
            lines: Choices { right, wrong },
        }
    }
}

/// Makes entries.
pub(super) struct Author<'m> {
    material: &'m Material,
    random: Random,
}

impl<'m> Author<'m> {
    pub(super) fn new(material: &'m Material, seed: u64) -> Self {
        Self { material, random: Random::new(seed) }
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.random.below(limit)
    }

    pub(super) fn one_in(&mut self, count: u64) -> bool {
        self.random.below(count) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.random.below(from.len() as u64) as usize]
    }

    /// The entries of a zone behind its head.
    fn zone(&mut self) -> Vec<String> {
        let faults = self.pick(&[0, 0, 0, 1, 3, 8]);
        let mut entries: Vec<String> = (0..15 + self.random.below(20)).map(|_| self.entry(false)).collect();
        for _ in 0..faults {
            let at = self.random.below(entries.len() as u64) as usize;
            entries.insert(at, self.entry(true));
        }
        entries
    }

    fn entry(&mut self, is_wrong: bool) -> String {
        let lines = &self.material.lines;
        match self.random.below(6) {
            0 => {
                let line = self.pick(if is_wrong { &lines.wrong } else { &lines.right });
                line.trim_start_matches("! ").replace("\\n", "\n").replace("\\r", "\r") + "\n"
            }
            _ => self.record(is_wrong),
        }
    }

    fn record(&mut self, is_wrong: bool) -> String {
        let (mnemonic, number, fields) =
            &self.material.types[self.random.below(self.material.types.len() as u64) as usize];
        let number = format!("TYPE{number}");
        let owner = match self.random.below(8) {
            0 => self.pick(&["a", "b", "c", "@", "", "x.y", "A"]).to_owned(),
            1 if !is_wrong => self.pick(&self.material.fields["name"].right).to_owned(),
            _ => format!("r{}", self.random.below(10_000)),
        };
        let mut text = owner;
        text += self.pick(&[" ", "\t", "  \t "]);
        text += self.pick(&["", "", "", "IN ", "300 ", "300 IN ", "IN\t60 ", "1h in ", "IN 1d2h "]);
        text += match self.random.below(10) {
            0 => &number,
            _ => mnemonic,
        };
        let mut data: Vec<&str> = fields.iter().map(|field| self.field(field, false)).collect();
        if is_wrong {
            self.spoil(fields, &mut data);
        }
        self.lay_out(&data, &mut text);
        text
    }

    fn field(&mut self, field: &str, is_wrong: bool) -> &'static str {
        let choices = self.material.fields.get(field).unwrap_or_else(|| panic!("no tokens for {field}"));
        self.pick(if is_wrong { &choices.wrong } else { &choices.right })
    }

    fn spoil(&mut self, fields: &[&str], data: &mut Vec<&'static str>) {
        let at = self.random.below(data.len() as u64) as usize;
        match self.random.below(8) {
            0 => data.truncate(at),
            1 => data.insert(at, "extra"),
            2 => data.push(self.pick(&["extra", "\"\"", "0", "\\# 0", "A"])),
            3 => data[at] = self.pick(&["\"\"", "\"quoted\"", "\\# 1 aa", "x", "0", "-"]),
            4 => *data = vec![self.pick(&["\\# 1 aa", "\\# 0", "\\# 4 c0000201", "\\# 3 000100", "\\# 2 aa", "\\#"])],
            _ => data[at] = self.field(fields[at], true),
        }
    }

    /// Puts blanks, line ends and comments between fields.
    fn lay_out(&mut self, data: &[&str], text: &mut String) {
        let is_parted = self.one_in(6);
        *text += if is_parted { " (" } else { "" };
        for field in data {
            *text += if is_parted {
                self.pick(&[" ", "\n\t", " ; comment (\n "])
            } else {
                self.pick(&[" ", " ", "\t", "  "])
            };
            *text += field;
        }
        *text += if is_parted { self.pick(&[" )", "\n)", " ; c\n )"]) } else { "" };
        *text += self.pick(&["\n", "\n", "\n", " ; comment\n", "\t \n", "\r\n"]);
    }
}

/// What both make of a zone: theirs and ours, if that is not the same. All that they say counts if `is_strict`.
pub(super) fn difference(folder: &Path, entries: &[String], run: &str, is_strict: bool) -> Option<(Outcome, Outcome)> {
    fs::write(folder.join("zone"), format!("{HEAD}{}", entries.concat())).unwrap();
    let mut words: Vec<&str> = run.split(' ').collect();
    let program = words.remove(0);
    if program == "named-compilezone" {
        words.extend(["-o", "out"]);
    }
    words.extend(["ex.test", "zone"]);
    let theirs = outcome(program, &[], &words, folder);
    // Killed: named-compilezone does not survive a DOA record in the relative style.
    theirs.0?;
    let ours = outcome(nomd(), &[program], &words, folder);
    let is_same = match is_strict {
        true => ours == theirs,
        false => (ours.0, &ours.3) == (theirs.0, &theirs.3),
    };
    (!is_same).then_some((theirs, ours))
}

/// Leaves entries out as long as there is a difference.
pub(super) fn shrink(folder: &Path, entries: &mut Vec<String>, run: &str, is_strict: bool) {
    let mut size = entries.len();
    while size > 0 {
        let mut at = 0;
        while at < entries.len() {
            let mut fewer = entries.clone();
            fewer.drain(at..(at + size).min(entries.len()));
            match difference(folder, &fewer, run, is_strict) {
                Some(_) => *entries = fewer,
                None => at += size,
            }
        }
        size /= 2;
    }
}

pub(super) fn show(entries: &[String], run: &str, (theirs, ours): (Outcome, Outcome)) -> String {
    let mut text = format!("{run}\n");
    for line in entries.concat().lines() {
        let _ = writeln!(text, "{line:.200}");
    }
    let streams = [(&theirs.1, &ours.1), (&theirs.2, &ours.2)];
    let files = (theirs.3.unwrap_or_default(), ours.3.unwrap_or_default());
    for (theirs, ours) in streams.into_iter().chain([(&files.0, &files.1)]) {
        let only = |left: &str, right: &str, sign: char, text: &mut String| {
            for line in left.lines().filter(|line| !right.lines().any(|other| other == *line)) {
                let _ = writeln!(text, "  {sign} {line:.200}");
            }
        };
        only(theirs, ours, '-', &mut text);
        only(ours, theirs, '+', &mut text);
    }
    text
}

/// Whether all is compared.
fn is_strict() -> bool {
    std::env::var_os("NOMD_ZONES").is_some()
}

pub(super) fn setting(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn random_zones_get_binds_verdict_and_text() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("part"), PART).unwrap();
    fs::write(folder.path().join("broken"), BROKEN).unwrap();
    let material = Material::new();
    let mut differences = Vec::new();
    let seed = setting("NOMD_SEED", SEED);
    for seed in seed..seed + setting("NOMD_ZONES", ZONES) {
        let mut author = Author::new(&material, seed);
        let mut entries = author.zone();
        let run = author.pick(&RUNS);
        if difference(folder.path(), &entries, run, is_strict()).is_some() {
            shrink(folder.path(), &mut entries, run, is_strict());
            let difference = difference(folder.path(), &entries, run, is_strict()).unwrap_or_default();
            differences.push(format!("NOMD_SEED={seed} {}", show(&entries, run, difference)));
        }
        if differences.len() == MAX_DIFFERENCES {
            break;
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
