//! `nomd plan`: prints what a reload would change, and changes nothing.
//!
//! The running server compares, since only it knows the configuration that is in force: it is asked over the control
//! channel, by a command that rndc does not have. With `--from` two files are compared here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Parser;

use super::output;
use super::{named, rndc};
use crate::conf::{self, Config, Tolerance};
use crate::server::plan::{NOTHING, Plan};

/// The configurations say the same.
const SAME: u8 = 0;
/// They do not.
const DIFFERENT: u8 = 1;
/// They could not be compared.
const TROUBLE: u8 = 2;

/// Runs the command: prints to standard output, and gives the exit code, as diff has it.
pub fn run(words: &[OsString]) -> u8 {
    let flags = match Flags::try_parse_from(words) {
        Ok(flags) => flags,
        Err(error) => {
            eprintln!("nomd plan: {}\n{USAGE}", error.kind());
            return TROUBLE;
        }
    };
    if flags.help {
        return output::answer("nomd plan", format_args!("{HELP}\n"), SAME, TROUBLE);
    }
    match plan(&flags) {
        Ok(text) => {
            let code = if text == NOTHING { SAME } else { DIFFERENT };
            output::answer("nomd plan", format_args!("{text}\n"), code, TROUBLE)
        }
        Err(fault) => {
            eprintln!("nomd plan: {fault}");
            TROUBLE
        }
    }
}

/// The flags of `nomd plan`.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true, disable_version_flag = true, args_override_self = true)]
struct Flags {
    #[arg(long)]
    from: Option<PathBuf>,
    #[arg(long)]
    tolerate: Vec<String>,
    #[arg(short = 'c')]
    config: Option<OsString>,
    #[arg(short = 'k')]
    key_file: Option<OsString>,
    #[arg(short = 's')]
    server: Option<OsString>,
    #[arg(short = 'p')]
    port: Option<OsString>,
    #[arg(short = 'y')]
    key: Option<OsString>,
    #[arg(short = 'h', long)]
    help: bool,
    file: Option<PathBuf>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("with --from, name the other file as well")]
    OneFile,
    #[error("{0}")]
    Flags(#[from] named::UsageError),
    #[error("{}: {source}", path.display())]
    Path { path: PathBuf, source: std::io::Error },
    #[error("{} cannot be used\n{}", path.display(), faults.shown_on(&std::io::stderr()))]
    Configuration { path: PathBuf, faults: conf::Diagnostics },
    #[error("{0}")]
    Server(String),
}

fn plan(flags: &Flags) -> Result<String, Fault> {
    let Some(old) = &flags.from else { return ask(flags) };
    let new = flags.file.as_deref().ok_or(Fault::OneFile)?;
    let tolerance = named::tolerance(&flags.tolerate)?;
    Ok(Plan::between(&load(old, &tolerance)?, &load(new, &tolerance)?).summary())
}

fn load(path: &Path, tolerance: &Tolerance) -> Result<Config, Fault> {
    let loaded = conf::load(path, tolerance).map(|(config, _)| config);
    loaded.map_err(|faults| Fault::Configuration { path: path.to_owned(), faults })
}

/// Has the running server compare.
fn ask(flags: &Flags) -> Result<String, Fault> {
    let given = [
        ("-c", &flags.config),
        ("-k", &flags.key_file),
        ("-s", &flags.server),
        ("-p", &flags.port),
        ("-y", &flags.key),
    ];
    let mut words = vec![];
    for (flag, value) in given {
        words.extend(value.iter().flat_map(|value| [OsString::from(flag), value.clone()]));
    }
    words.push("plan".into());
    if let Some(file) = &flags.file {
        // The server has a working directory of its own.
        let path = std::path::absolute(file).map_err(|source| Fault::Path { path: file.clone(), source })?;
        words.push(format!("\"{}\"", path.display()).into());
    }
    rndc::ask(&words).map_err(Fault::Server)
}

const USAGE: &str = "\
usage: nomd plan [-c config] [-k key-file] [-s server] [-p port] [-y key] [file]
       nomd plan [--tolerate names] --from old-file file";

const HELP: &str = "\
usage: nomd plan [-c config] [-k key-file] [-s server] [-p port] [-y key] [file]
       nomd plan [--tolerate names] --from old-file file

Prints what a reload would change, and changes nothing: the running server compares its configuration with the file,
by default its own as it is on disk. The flags are those of rndc. With --from, two files are compared, and no server
is asked. Exit code 0: nothing changes; 1: something does; 2: there was trouble. See nomd-plan(1).";

#[cfg(test)]
mod tests {
    use super::*;

    fn exit_code(words: &[&str]) -> u8 {
        run(&words.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn exit_codes_are_those_of_diff() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let (old, new) = (file("old", "options { };"), file("new", "options { transfers-in 3; };"));
        let broken = file("broken", "options {");
        assert_eq!(exit_code(&["--from", &old, &old]), SAME);
        assert_eq!(exit_code(&["--from", &old, &new]), DIFFERENT);
        assert_eq!(exit_code(&["--from", &old, &broken]), TROUBLE);
        assert_eq!(exit_code(&["--from", &old]), TROUBLE);
        assert_eq!(exit_code(&["--frobnicate"]), TROUBLE);
    }
}
