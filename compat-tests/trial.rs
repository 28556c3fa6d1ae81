//! `nomd try`, used as its own words tell a newcomer to use it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use super::peers::{PATIENCE, nomd, run, signal, within};

/// A run of it, and what it has printed.
struct Trial {
    child: Child,
    lines: Receiver<String>,
    seen: String,
    folder: tempfile::TempDir,
}

impl Trial {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(nomd());
        command.arg("try").env("TMPDIR", folder.path()).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok()));
        Self { child, lines, seen: String::new(), folder }
    }

    /// Waits until it has printed this.
    fn wait_for(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {text:?} in:\n{}", self.seen));
            self.seen += &(line + "\n");
        }
    }

    /// The lines that it says to type.
    fn commands(&self, program: &str) -> Vec<String> {
        let lines = self.seen.lines().map(str::trim);
        lines.filter(|line| line.starts_with(&format!("{program} "))).map(str::to_owned).collect()
    }

    fn zone_file(&self) -> PathBuf {
        let line = self.seen.lines().find_map(|line| line.trim().strip_prefix("zone file"));
        line.unwrap().trim().into()
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn typed(command: &str) -> String {
    let output = run("sh", &["-c", command]);
    assert_eq!(output.status, 0, "{command}: {output:?}");
    output.stdout
}

/// The processes that were started by this one.
fn children(pid: u32) -> Vec<String> {
    let listed = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    listed.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn what_it_says_to_type_works_and_nothing_is_left_behind() {
    for ending in ["INT", "TERM", "HUP"] {
        let mut trial = Trial::start();
        trial.wait_for("Ctrl-C ends");
        let (digs, rndcs) = (trial.commands("dig"), trial.commands("rndc"));
        assert_eq!((digs.len(), rndcs.len()), (2, 2), "{}", trial.seen);
        for dig in &digs {
            assert!(within(PATIENCE, || run("sh", &["-c", dig]).stdout.contains("192.0.2.80")), "{dig}");
        }
        rndcs.iter().for_each(|rndc| drop(typed(rndc)));
        let text = fs::read_to_string(trial.zone_file()).unwrap();
        let changed = text.replace("hostmaster 1 ", "hostmaster 2 ").replace("192.0.2.80", "192.0.2.81");
        fs::write(trial.zone_file(), changed).unwrap();
        for dig in &digs {
            assert!(within(PATIENCE, || typed(dig).contains("192.0.2.81")), "{dig}");
        }
        let servers = children(trial.child.id());
        assert_eq!(servers.len(), 2);
        signal(trial.child.id(), ending);
        assert!(within(PATIENCE, || trial.child.try_wait().unwrap().is_some()), "it does not end");
        assert!(trial.child.wait().unwrap().success());
        assert_eq!(fs::read_dir(trial.folder.path()).unwrap().count(), 0, "a folder is left behind");
        let left: Vec<_> = servers.iter().filter(|pid| PathBuf::from(format!("/proc/{pid}")).exists()).collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}
