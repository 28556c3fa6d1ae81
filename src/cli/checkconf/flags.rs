//! The command line of `named-checkconf`. Wrong flags end it well: so they do with BIND, and scripts may count on it.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::super::directory;
use super::super::getopt::{Flag, Flags};
use crate::conf::{Dialect, Manner, Secrets, Wanted};
use crate::server::start::DEFAULT_CONFIG;

/// What a command line asks for.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) file: PathBuf,
    pub(super) with_journals: bool,
    dialect: Dialect,
    is_core_only: bool,
    without_deprecated: bool,
    lists: bool,
    prints: bool,
    hides: bool,
    loads: bool,
}

/// The end before anything is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nothing but the version is asked for.
    Version,
    /// There is something to say, with this exit code.
    Told { text: String, code: u8 },
}

impl Request {
    pub(super) fn parse(words: &[OsString]) -> Result<Self, Ending> {
        let (dialect, words) = split_strict(words)?;
        let mut request = Self {
            file: PathBuf::from(DEFAULT_CONFIG),
            with_journals: false,
            dialect,
            is_core_only: false,
            without_deprecated: false,
            lists: false,
            prints: false,
            hides: false,
            loads: false,
        };
        let mut flags = Flags::new("cdhijlm:t:pvxz", words);
        for flag in flags.by_ref() {
            request.flag(flag)?;
        }
        request.finish(flags.rest())?;
        Ok(request)
    }

    fn flag(&mut self, flag: Flag<'_>) -> Result<(), Ending> {
        match flag {
            Flag::Plain('c') => self.is_core_only = true,
            Flag::Plain('i') => self.without_deprecated = true,
            Flag::Plain('j') => self.with_journals = true,
            Flag::Plain('l') => self.lists = true,
            Flag::Plain('p') => self.prints = true,
            Flag::Plain('x') => self.hides = true,
            Flag::Plain('z') => self.loads = true,
            Flag::Plain('v') => return Err(Ending::Version),
            Flag::Plain('h') | Flag::Wrong('?') => return Err(told(USAGE, 0)),
            Flag::With('t', root) => {
                let fault = |why| told(&format!("isc_dir_chroot: {why}"), 1);
                directory::change_root(root.as_ref()).map_err(fault)?;
            }
            // For BIND's own debugging: -d and -m.
            Flag::Plain(_) | Flag::With(..) => {}
            Flag::Wrong(letter) => return Err(wrong(&format!("-{letter}"), 0)),
        }
        Ok(())
    }

    fn finish(&mut self, rest: &[OsString]) -> Result<(), Ending> {
        if self.hides && !self.prints {
            return Err(told("named-checkconf: -x cannot be used without -p", 1));
        }
        if self.lists && self.prints {
            return Err(told("named-checkconf: -l cannot be used with -p", 1));
        }
        match rest {
            [] => {}
            [file] if file.is_empty() => {}
            [file] => self.file = PathBuf::from(file),
            _ => return Err(told(USAGE, 0)),
        }
        Ok(())
    }

    /// How the configuration is to be judged.
    pub(super) fn manner(&self) -> Manner {
        let wanted = match (self.lists, self.prints, self.hides) {
            (true, ..) => Wanted::Zones,
            (_, true, false) => Wanted::Canonical(Secrets::Shown),
            (_, true, true) => Wanted::Canonical(Secrets::Hidden),
            _ => Wanted::Verdict,
        };
        Manner {
            dialect: self.dialect,
            with_deprecated: !self.without_deprecated,
            with_plugins: !self.is_core_only,
            with_zones: self.loads && !self.lists,
            wanted,
        }
    }
}

/// Takes nomd's own flag off the front: whose strictness to judge by.
fn split_strict(words: &[OsString]) -> Result<(Dialect, &[OsString]), Ending> {
    let is_strict = |word: &OsString| word == "--strict";
    match words {
        [first, version, rest @ ..] if is_strict(first) => Ok((dialect(version)?, rest)),
        [first] if is_strict(first) => Err(wrong("--strict", 1)),
        _ => Ok((Dialect::Bind918, words)),
    }
}

fn dialect(version: &OsStr) -> Result<Dialect, Ending> {
    match version.to_str() {
        Some("9.18") => Ok(Dialect::Bind918),
        Some("9.20") => Ok(Dialect::Bind920),
        _ => Err(wrong("--strict", 1)),
    }
}

fn wrong(flag: &str, code: u8) -> Ending {
    told(&format!("named-checkconf: invalid argument {flag}\n{USAGE}"), code)
}

fn told(text: &str, code: u8) -> Ending {
    Ending::Told { text: text.to_owned(), code }
}

const USAGE: &str = "usage: named-checkconf [-chijlvz] [-p [-x]] [-t directory] [named.conf]";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Request, Ending> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Request::parse(&words)
    }

    fn ending(line: &str) -> Option<Ending> {
        parse(line).err()
    }

    #[test]
    fn the_first_flag_that_is_wrong_or_ends_the_program_is_told() {
        assert_eq!(ending("-q -v"), Some(wrong("-q", 0)));
        assert_eq!(ending("-vq"), Some(Ending::Version));
        assert_eq!(ending("-zt"), Some(wrong("-t", 0)));
        assert_eq!(ending("-h -q"), Some(told(USAGE, 0)));
        assert_eq!(ending("-t /no/such/directory -v"), Some(told("isc_dir_chroot: file not found", 1)));
        assert_eq!(ending("a b"), Some(told(USAGE, 0)));
        assert_eq!(ending("-x a b"), Some(told("named-checkconf: -x cannot be used without -p", 1)));
        assert_eq!(ending("-lp"), Some(told("named-checkconf: -l cannot be used with -p", 1)));
    }

    #[test]
    fn strictness_is_that_of_9_18_unless_named() {
        let manner = |line: &str| parse(line).map(|request| request.manner().dialect);
        assert_eq!(manner("-c x.conf"), Ok(Dialect::Bind918));
        assert_eq!(manner("--strict 9.20 x.conf"), Ok(Dialect::Bind920));
        assert_eq!(manner("--strict 8.4 x.conf"), Err(wrong("--strict", 1)));
        assert_eq!(manner("--strict"), Err(wrong("--strict", 1)));
    }

    #[test]
    fn listing_zones_is_not_loading_them() {
        let manner = |line: &str| parse(line).unwrap().manner();
        assert!(manner("-z").with_zones);
        assert!(!manner("-lz").with_zones);
        assert_eq!(manner("-lz").wanted, Wanted::Zones);
    }
}
