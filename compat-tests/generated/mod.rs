//! Generated configurations, judged by nomd and by the installed named-checkconf: the exit code, the messages and the
//! canonical form must be the same.
//!
//! `NOMD_SEED` gives the seed of what is left to chance.

mod random;
pub(crate) mod statements;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::peers::nomd;

/// The seed where none is given.
const SEED: u64 = 3;
/// How many configurations are judged at a time.
const THREADS: usize = 4;

/// A named configuration.
struct Case {
    name: String,
    text: String,
}

/// Numbers that look like chance and are the same for the same seed.
struct Chance(u64);

impl Chance {
    /// With the seed that was asked for.
    fn new() -> Self {
        let seed = std::env::var("NOMD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
        println!("seed {seed}");
        Self(seed)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) % bound as u64) as usize
    }
}

/// The exit code of a program, and all that it prints.
type Judgement = (Option<i32>, String);

fn judgement(program: &str, first: &[&str], last: &[&str], folder: &Path) -> Judgement {
    let output = Command::new(program).args(first).args(last).arg("f.conf").current_dir(folder).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// A case that the two do not agree on.
struct Difference {
    /// Whether one refuses what the other accepts.
    is_of_verdict: bool,
    text: String,
}

fn difference(case: &Case, flags: &[&str], folder: &Path) -> Option<Difference> {
    fs::write(folder.join("f.conf"), &case.text).unwrap();
    let theirs = judgement("named-checkconf", &[], flags, folder);
    let ours = judgement(nomd(), &["named-checkconf", "--strict", "9.18"], flags, folder);
    let text = || format!("=== {}\n{}named {theirs:?}\nnomd  {ours:?}", case.name, case.text);
    (ours != theirs).then(|| Difference { is_of_verdict: ours.0 != theirs.0, text: text() })
}

/// Judges all cases, several at a time, and fails where the two do not agree. Files that cases name are in `files`.
fn judge(cases: &[Case], files: &[(&str, &str)], flags: &[&str]) {
    let next = AtomicUsize::new(0);
    let differences: Vec<Difference> = std::thread::scope(|scope| {
        let judges: Vec<_> = (0..THREADS).map(|_| scope.spawn(|| judge_some(cases, &next, files, flags))).collect();
        judges.into_iter().flat_map(|judge| judge.join().unwrap()).collect()
    });
    let of_verdict = differences.iter().filter(|difference| difference.is_of_verdict).count();
    let (count, differing) = (cases.len(), differences.len());
    println!("{count} compared: {of_verdict} verdicts differ, {} only in what is printed", differing - of_verdict);
    let texts: Vec<&str> = differences.iter().map(|difference| difference.text.as_str()).collect();
    assert!(texts.is_empty(), "{}", texts.join("\n"));
}

fn judge_some(cases: &[Case], next: &AtomicUsize, files: &[(&str, &str)], flags: &[&str]) -> Vec<Difference> {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
    let left = || cases.get(next.fetch_add(1, Ordering::Relaxed));
    std::iter::from_fn(left).filter_map(|case| difference(case, flags, folder.path())).collect()
}
