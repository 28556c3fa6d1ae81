//! `named-checkconf`: its flags, its usage, its words when a flag is wrong, and its exit codes.
//!
//! What it finds goes to standard output, as with BIND's, and what is wrong with its flags to standard error. Bad flags
//! end it well: so does BIND's, and scripts may count on it.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Parser};

use crate::conf::{Dialect, Manner, Secrets, Wanted, judge};
use crate::server::start::{DEFAULT_CONFIG, VERSION};

/// Runs the command and gives its exit code.
pub fn run(words: &[OsString]) -> u8 {
    let flags = match read(words) {
        Ok(flags) => flags,
        Err(ending) => {
            eprintln!("{}", ending.text);
            return ending.code;
        }
    };
    if flags.version {
        println!("{VERSION}");
        return 0;
    }
    if let Some(directory) = &flags.chroot
        && let Err(fault) = change_root(directory)
    {
        eprintln!("isc_dir_chroot: {fault}");
        return 1;
    }
    let judgement = judge(flags.file.as_deref().unwrap_or(Path::new(DEFAULT_CONFIG)), flags.manner());
    // Nobody may be reading any more.
    let mut out = std::io::stdout().lock();
    let _ = write!(out, "{}{}", judgement.diagnostics.shown_on(&std::io::stdout()), judgement.text);
    u8::from(judgement.diagnostics.has_errors())
}

/// The flags of named-checkconf, and `--strict`.
#[derive(Debug, Default, Parser)]
#[command(no_binary_name = true, disable_help_flag = true, disable_version_flag = true, args_override_self = true)]
struct Flags {
    #[arg(short = 'h')]
    help: bool,
    #[arg(short = 'i')]
    without_deprecated: bool,
    #[arg(short = 'l')]
    list: bool,
    #[arg(short = 'p')]
    print: bool,
    #[arg(short = 'x')]
    hide: bool,
    #[arg(short = 't', allow_hyphen_values = true)]
    chroot: Option<PathBuf>,
    #[arg(short = 'v')]
    version: bool,
    #[arg(short = 'z')]
    load: bool,
    /// nomd's own: whose strictness to judge by.
    #[arg(long = "strict", value_parser = dialect)]
    strict: Option<Dialect>,
    /// Flags that change nothing here: core configuration only, debugging, journals, key names, plug-ins.
    #[arg(short = 'c', short_aliases = ['d', 'j', 'k', 'n'], action = ArgAction::Count)]
    ignored: u8,
    #[arg(short = 'm', allow_hyphen_values = true, action = ArgAction::Append)]
    memory_debug: Vec<String>,
    file: Option<PathBuf>,
    extra: Vec<PathBuf>,
}

impl Flags {
    fn manner(&self) -> Manner {
        let wanted = match (self.list, self.print, self.hide) {
            (true, ..) => Wanted::Zones,
            (_, true, false) => Wanted::Canonical(Secrets::Shown),
            (_, true, true) => Wanted::Canonical(Secrets::Hidden),
            _ => Wanted::Verdict,
        };
        let dialect = self.strict.unwrap_or(Dialect::Bind918);
        Manner { dialect, with_deprecated: !self.without_deprecated, wanted }
    }
}

/// The end before anything is read.
#[derive(Debug, PartialEq, Eq)]
struct Ending {
    text: String,
    code: u8,
}

fn read(words: &[OsString]) -> Result<Flags, Ending> {
    let flags = Flags::try_parse_from(words).map_err(|error| {
        let flag = wrong_flag(&error, words);
        Ending { text: format!("named-checkconf: invalid argument {flag}\n{USAGE}"), code: 0 }
    })?;
    if flags.version {
        return Ok(flags);
    }
    if flags.help || !flags.extra.is_empty() {
        return Err(Ending { text: USAGE.to_owned(), code: 0 });
    }
    let clash = match (flags.hide && !flags.print, flags.list && flags.print, flags.load) {
        (true, ..) => "-x cannot be used without -p",
        (_, true, _) => "-l cannot be used with -p",
        // A script must not take zones for checked that are not.
        (.., true) => "-z is not supported: zones are not loaded",
        _ => return Ok(flags),
    };
    Err(Ending { text: format!("named-checkconf: {clash}"), code: 1 })
}

/// The flag that clap complains of; it shows an argument as `-t <CHROOT>`.
fn wrong_flag(error: &clap::Error, words: &[OsString]) -> String {
    use clap::error::{ContextKind, ContextValue};
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(text)) => text.split(' ').next().unwrap_or_default().to_owned(),
        _ => words.last().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default(),
    }
}

fn dialect(text: &str) -> Result<Dialect, String> {
    match text {
        "9.18" => Ok(Dialect::Bind918),
        "9.20" => Ok(Dialect::Bind920),
        _ => Err("9.18 or 9.20".to_owned()),
    }
}

/// Makes `directory` the root directory.
fn change_root(directory: &Path) -> Result<(), String> {
    let changed = nix::unistd::chroot(directory).and_then(|()| nix::unistd::chdir("/"));
    changed.map_err(|fault| match fault {
        nix::errno::Errno::ENOENT => "file not found".to_owned(),
        nix::errno::Errno::EPERM | nix::errno::Errno::EACCES => "permission denied".to_owned(),
        other => other.desc().to_owned(),
    })
}

const USAGE: &str = "usage: named-checkconf [-chijlvz] [-p [-x]] [-t directory] [named.conf]";

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(line: &str) -> Option<(String, u8)> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        read(&words).err().map(|ending| (ending.text, ending.code))
    }

    #[test]
    fn bad_flags_are_answered_in_the_words_of_named_checkconf() {
        assert_eq!(ending("-q"), Some((format!("named-checkconf: invalid argument -q\n{USAGE}"), 0)));
        assert_eq!(ending("-t"), Some((format!("named-checkconf: invalid argument -t\n{USAGE}"), 0)));
        assert_eq!(ending("a b"), Some((USAGE.to_owned(), 0)));
        assert_eq!(ending("-x a"), Some(("named-checkconf: -x cannot be used without -p".to_owned(), 1)));
        assert_eq!(ending("-z").map(|(_, code)| code), Some(1));
        assert_eq!(ending("-lp"), Some(("named-checkconf: -l cannot be used with -p".to_owned(), 1)));
    }

    #[test]
    fn strictness_is_that_of_9_18_unless_named() {
        let manner = |line: &str| {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            read(&words).map(|flags| flags.manner().dialect)
        };
        assert_eq!(manner("-c x.conf"), Ok(Dialect::Bind918));
        assert_eq!(manner("--strict 9.20 x.conf"), Ok(Dialect::Bind920));
        assert!(manner("--strict 8.4 x.conf").is_err());
    }
}
