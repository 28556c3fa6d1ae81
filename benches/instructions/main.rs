//! How many instructions an answer takes, from the packet in memory to the reply in memory, warm.
//!
//! `cargo bench --bench instructions` runs this program once more under valgrind's callgrind, which counts; the figures
//! do not depend on the machine's load, only on compiler and code. Each case is a few hundred different queries to one
//! zone; its figure is the mean. What it was when last recorded stands in `record.txt` beside this file with the mark
//! that it has to keep; `cargo bench --bench instructions -- --record` writes it anew. A case beyond its mark, or more
//! than a twentieth above its record, makes the run fail.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod cases;
mod zones;

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use cases::{Asker, Case};

/// Tells this program that it runs under callgrind.
const COUNTED: &str = "--counted";
/// Where the figures are.
const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions/record.txt");
/// A case may grow by one part in so many before it counts as a change.
const TOLERANCE: u64 = 20;

const HEADING: &str = "\
# Instructions of an answer, packet in memory to packet in memory, warm, and the mark for each case.
# Written by `cargo bench --bench instructions -- --record`.
";

fn main() -> ExitCode {
    let cases = cases::all();
    if std::env::args().any(|argument| argument == COUNTED) {
        return answer(&cases);
    }
    let figures = count(cases.len());
    let before = fs::read_to_string(RECORD).unwrap_or_default();
    if std::env::args().any(|argument| argument == "--record") {
        fs::write(RECORD, record(&cases, &figures)).unwrap();
    }
    compare(&cases, &figures, &before)
}

/// What callgrind runs: each case once to warm up and once to be counted, between two calls of [`mark`].
fn answer(cases: &[Case]) -> ExitCode {
    let mut asker = Asker::new();
    for case in cases {
        let queries = case.queries();
        asker.ask_all(case, &queries);
        mark();
        asker.ask_all(case, &queries);
        mark();
    }
    ExitCode::SUCCESS
}

/// Callgrind writes its counts, and begins anew, whenever this is called.
#[inline(never)]
fn mark() {
    black_box(());
}

/// The mean of each case.
fn count(cases: usize) -> Vec<u64> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("counts");
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--dump-before=*instructions::mark*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe().unwrap())
        .arg(COUNTED)
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "valgrind does not run");
    // The first dump of each pair is what came before the case.
    (1..=cases).map(|case| total(&dump(&out, 2 * case)) / cases::QUERIES as u64).collect()
}

fn dump(out: &Path, number: usize) -> PathBuf {
    out.with_extension(number.to_string())
}

/// The number behind `totals:`.
fn total(dump: &Path) -> u64 {
    let text = fs::read_to_string(dump).unwrap();
    text.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap().trim().parse().unwrap()
}

fn record(cases: &[Case], figures: &[u64]) -> String {
    let mut text = HEADING.to_owned();
    for (case, figure) in cases.iter().zip(figures) {
        writeln!(text, "{:24}{figure:>7}{:>7}", case.name, case.mark).unwrap();
    }
    text
}

/// Prints the figures beside those recorded before.
fn compare(cases: &[Case], figures: &[u64], before: &str) -> ExitCode {
    let mut is_good = true;
    println!("{:24}{:>7}{:>10}{:>7}", "case", "now", "recorded", "mark");
    for (case, &figure) in cases.iter().zip(figures) {
        let recorded = recorded(before, case.name);
        let has_grown = recorded.is_some_and(|recorded| figure > recorded + recorded / TOLERANCE);
        let verdict = match (figure > case.mark, has_grown) {
            (true, _) => "  beyond its mark",
            (_, true) => "  has grown",
            _ => "",
        };
        is_good &= verdict.is_empty();
        let recorded = recorded.map_or("-".to_owned(), |recorded| recorded.to_string());
        println!("{:24}{figure:>7}{recorded:>10}{:>7}{verdict}", case.name, case.mark);
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn recorded(text: &str, name: &str) -> Option<u64> {
    text.lines().map(str::split_whitespace).find_map(|mut words| {
        let is_it = words.next() == Some(name);
        words.next().filter(|_| is_it)?.parse().ok()
    })
}
