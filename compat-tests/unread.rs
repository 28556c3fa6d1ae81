//! What programs print where nobody reads it, or there is no room for it.

use std::fs::File;
use std::io;
use std::process::{Command, Stdio};

use super::peers::nomd;

/// What prints, and its exit code where that cannot be written.
const PRINTING: [(&[&str], i32); 6] = [
    (&["tsig-keygen"], 1),
    (&["rndc-confgen"], 1),
    (&["help"], 1),
    (&["sync", "-h"], 3),
    (&["report", "-h"], 3),
    (&["named", "-v"], 1),
];

fn run(words: &[&str], out: impl Into<Stdio>) -> (Option<i32>, String) {
    let mut command = Command::new(nomd());
    command.args(words).stdin(Stdio::null()).stdout(out).stderr(Stdio::piped());
    let output = command.spawn().and_then(std::process::Child::wait_with_output).unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn that_nobody_reads_is_no_fault() {
    for (words, _) in PRINTING {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        assert_eq!(run(words, writer), (Some(0), String::new()), "{words:?}");
    }
}

#[test]
fn that_there_is_no_room_is_told() {
    for (words, code) in PRINTING {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let (ended, said) = run(words, full);
        assert!(said.contains("cannot write to standard output: "), "{words:?}: {said}");
        assert_eq!(ended, Some(code), "{words:?}");
    }
}
