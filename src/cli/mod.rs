//! Floor 7: which program was asked for, its flags and its exit codes.
//!
//! One binary has many names: a link called `named` or `rndc` behaves as that program does, and so does the first word
//! behind `nomd`.

pub mod checkconf;
pub mod checkzone;
pub mod confgen;
mod directory;
mod getopt;
pub mod journalprint;
mod json;
pub mod keygen;
pub mod named;
mod output;
pub mod plan;
pub mod report;
pub mod rndc;
pub mod sync;
pub mod trial;
mod zone_file;

use std::ffi::{OsStr, OsString};
use std::path::Path;

pub use output::answer;

/// A program that this binary is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The server, as BIND's named.
    Named,
    /// The control client, as BIND's rndc.
    Rndc,
    /// The checker of configurations, as BIND's named-checkconf.
    CheckConf,
    /// The checkers of zone files, as BIND's named-checkzone and named-compilezone.
    CheckZone(checkzone::Tool),
    /// What shows a zone's journal, as BIND's named-journalprint.
    JournalPrint,
    /// What makes the keys of the control channel, as BIND's rndc-confgen.
    RndcConfgen,
    /// What makes TSIG keys, as BIND's tsig-keygen and ddns-confgen.
    Keygen(keygen::Tool),
    /// A primary and a secondary to look at.
    Try,
    /// What a host should know before it switches.
    Report,
    /// What a reload would change.
    Plan,
    /// How the secondaries stand.
    Sync,
    /// What there is.
    Help,
}

impl Program {
    /// The program of a name.
    pub fn from_name(name: &OsStr) -> Option<Self> {
        match name.to_str()? {
            "named" => Some(Self::Named),
            "rndc" => Some(Self::Rndc),
            "named-checkconf" => Some(Self::CheckConf),
            "named-checkzone" => Some(Self::CheckZone(checkzone::Tool::Check)),
            "named-compilezone" => Some(Self::CheckZone(checkzone::Tool::Compile)),
            "named-journalprint" => Some(Self::JournalPrint),
            "rndc-confgen" => Some(Self::RndcConfgen),
            "tsig-keygen" => Some(Self::Keygen(keygen::Tool::Tsig)),
            "ddns-confgen" => Some(Self::Keygen(keygen::Tool::Ddns)),
            "try" => Some(Self::Try),
            "report" => Some(Self::Report),
            "plan" => Some(Self::Plan),
            "sync" => Some(Self::Sync),
            "help" | "-h" | "--help" => Some(Self::Help),
            _ => None,
        }
    }

    /// Whether a link to nomd that is called so is this program.
    fn may_be_linked(self) -> bool {
        !matches!(self, Self::Try | Self::Report | Self::Plan | Self::Sync | Self::Help)
    }
}

/// Splits a command line into the program and the words that are for it. None: no program is called so.
pub fn choose(words: impl IntoIterator<Item = OsString>) -> Option<(Program, Vec<OsString>)> {
    let mut words = words.into_iter();
    let called = words.next().unwrap_or_default();
    let by_link = Path::new(&called).file_name().and_then(Program::from_name);
    let program = match by_link {
        Some(program) if program.may_be_linked() => program,
        _ => words.next().map_or(Some(Program::Help), |word| Program::from_name(&word))?,
    };
    Some((program, words.collect()))
}

/// What `nomd help` prints.
pub const HELP: &str = "\
usage: nomd named [flags of named]   serve zones as BIND 9's named does
       nomd rndc [flags] command     control a running server as rndc does
       nomd rndc-confgen [flags]     make a key for rndc, and what the configurations need
       nomd tsig-keygen [flags]      make a TSIG key; ddns-confgen does too, with advice on updates
       nomd report [flags] [file]    tell what nomd makes of a host's named.conf
       nomd plan [flags] [file]      tell what a reload would change
       nomd sync [flags]             tell how the secondary zones stand, the worst first
       nomd named-checkconf [flags] [file]
                                     check a named.conf as named-checkconf does
       nomd named-checkzone [flags] zone file
                                     check a zone file; named-compilezone writes it in another form
       nomd named-journalprint [flags] journal
                                     show the changes in a zone's journal, or write it in another form
       nomd try                      run a primary and a secondary on loopback, to look at
       nomd help                     print this

A link to nomd that is called as one of BIND's programs needs no first word. See nomd(8).";

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(line: &str) -> Option<(Program, Vec<OsString>)> {
        choose(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn links_and_first_words_choose_the_program() {
        assert_eq!(chosen("/usr/sbin/named -g"), Some((Program::Named, vec!["-g".into()])));
        assert_eq!(chosen("./nomd named -g"), Some((Program::Named, vec!["-g".into()])));
        assert_eq!(chosen("rndc status"), Some((Program::Rndc, vec!["status".into()])));
        assert_eq!(chosen("/usr/sbin/ddns-confgen"), Some((Program::Keygen(keygen::Tool::Ddns), vec![])));
        assert_eq!(chosen("/tmp/try"), Some((Program::Help, vec![])));
        assert_eq!(chosen("nomd"), Some((Program::Help, vec![])));
        assert_eq!(chosen("nomd frobnicate"), None);
    }
}
