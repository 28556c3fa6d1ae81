//! `named`: its flags, its usage, its words when a flag is wrong, and its exit codes.
//!
//! clap reads the flags as getopt would (clustered, values attached or apart); every message is named's own, because
//! start scripts and people compare them. What has no meaning here is taken and forgotten.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Parser};

use crate::conf::Tolerance;
use crate::server::start::{DEFAULT_CONFIG, DEFAULT_PID_FILE, DEFAULT_SESSION_KEY, Family, StartOptions, VERSION};
use crate::transfer::guard::Guards;

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// Start a server.
    Start(Box<StartOptions>),
    /// Print this and end well.
    Print(String),
}

/// A command line that is wrong: what goes to standard error before exit code 1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

/// Reads the words behind the program's name.
pub fn parse(words: &[OsString]) -> Result<Request, UsageError> {
    let flags = Flags::try_parse_from(words).map_err(|error| usage_fault(&error))?;
    if !flags.extra.is_empty() {
        return Err(with_usage("extra command line arguments"));
    }
    let family = family(&flags)?;
    check_memory_flags(&flags)?;
    let port = port(&flags.port)?;
    let debug_level = number("debug level", flags.debug.as_deref())?.unwrap_or(0);
    let workers = number("number of cpus", flags.cpus.as_deref())?;
    if flags.version {
        return Ok(Request::Print(VERSION.to_owned()));
    }
    if flags.build {
        return Ok(Request::Print(build_text()));
    }
    if flags.defaults {
        return Ok(Request::Print(DEFAULTS.to_owned()));
    }
    Ok(Request::Start(Box::new(StartOptions {
        config: flags.config.unwrap_or_else(|| DEFAULT_CONFIG.into()),
        foreground: flags.foreground || flags.stderr,
        log_to_stderr: flags.stderr,
        log_file: flags.log_file,
        debug_level,
        port,
        family,
        user: flags.user,
        chroot: flags.chroot,
        // 0 stands for as many as there are CPUs.
        workers: workers.filter(|&count| count > 0).and_then(|count| usize::try_from(count).ok()),
        watch: flags.watch,
        tolerance: tolerance(&flags.tolerate)?,
        guards: guards(&flags.guard)?,
        guard_file: guard_file(flags.guard_file)?,
        command_line: command_line(words),
    })))
}

/// named's flags.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true, disable_version_flag = true, args_override_self = true)]
struct Flags {
    #[arg(short = '4')]
    v4: bool,
    #[arg(short = '6')]
    v6: bool,
    #[arg(short = 'c', allow_hyphen_values = true)]
    config: Option<PathBuf>,
    #[arg(short = 'C')]
    defaults: bool,
    #[arg(short = 'd', allow_hyphen_values = true)]
    debug: Option<String>,
    #[arg(short = 'f')]
    foreground: bool,
    #[arg(short = 'g')]
    stderr: bool,
    #[arg(short = 'L', allow_hyphen_values = true)]
    log_file: Option<PathBuf>,
    #[arg(short = 'm', allow_hyphen_values = true)]
    memory_debug: Option<String>,
    #[arg(short = 'M', allow_hyphen_values = true)]
    memory_fill: Option<String>,
    #[arg(short = 'n', visible_short_alias = 'N', allow_hyphen_values = true)]
    cpus: Option<String>,
    #[arg(short = 'p', allow_hyphen_values = true, action = ArgAction::Append)]
    port: Vec<String>,
    #[arg(short = 't', allow_hyphen_values = true)]
    chroot: Option<PathBuf>,
    #[arg(short = 'u', allow_hyphen_values = true)]
    user: Option<String>,
    /// nomd's own: zones are loaded again when their files change.
    #[arg(long = "watch")]
    watch: bool,
    /// nomd's own: refused statements to do without.
    #[arg(long = "tolerate", allow_hyphen_values = true, action = ArgAction::Append)]
    tolerate: Vec<String>,
    /// nomd's own: guards over secondaries.
    #[arg(long = "guard", allow_hyphen_values = true, action = ArgAction::Append)]
    guard: Vec<String>,
    /// nomd's own: a file with guards over single zones.
    #[arg(long = "guard-file", allow_hyphen_values = true)]
    guard_file: Option<PathBuf>,
    #[arg(short = 'v')]
    version: bool,
    #[arg(short = 'V')]
    build: bool,
    /// Flags that change nothing here: a comment, an engine, statistics, sockets, tests, listeners, a lock file.
    #[arg(short = 'D', short_aliases = ['A', 'E', 'S', 'T', 'U', 'x', 'X'])]
    #[arg(allow_hyphen_values = true, action = ArgAction::Append)]
    ignored: Vec<String>,
    #[arg(short = 's', short_alias = 'F')]
    ignored_switch: bool,
    extra: Vec<String>,
}

fn usage_fault(error: &clap::Error) -> UsageError {
    // clap shows an argument as `-c <CONFIG>` or, within a cluster, as `-Z`.
    let argument = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(text)) => text.split(' ').next().unwrap_or_default(),
        _ => "",
    };
    with_usage(&match error.kind() {
        ErrorKind::UnknownArgument => format!("unknown option '{argument}'"),
        ErrorKind::InvalidValue => format!("option '{argument}' requires an argument"),
        _ => "extra command line arguments".to_owned(),
    })
}

fn with_usage(message: &str) -> UsageError {
    UsageError(format!("{USAGE}\nnamed: {message}"))
}

fn fault(message: impl std::fmt::Display) -> UsageError {
    UsageError(format!("named: {message}"))
}

fn family(flags: &Flags) -> Result<Family, UsageError> {
    match (flags.v4, flags.v6) {
        (true, true) => Err(fault("cannot specify -4 and -6")),
        (true, false) => Ok(Family::V4Only),
        (false, true) => Ok(Family::V6Only),
        (false, false) => Ok(Family::Both),
    }
}

/// What `--tolerate` and NOMD_TOLERATE name. The variable may stand in /etc/default/named: named does not mind it.
pub(super) fn tolerance(flags: &[String]) -> Result<Tolerance, UsageError> {
    let mut tolerance = Tolerance::default();
    for names in flags {
        tolerance.add(names).map_err(|unknown| fault(format!("--tolerate: {unknown}")))?;
    }
    let variable = std::env::var(TOLERATE_VARIABLE).unwrap_or_default();
    tolerance.add(&variable).map_err(|unknown| fault(format!("{TOLERATE_VARIABLE}: {unknown}")))?;
    Ok(tolerance)
}

/// What `--guard` and NOMD_GUARD ask for; the flag goes before the variable.
fn guards(flags: &[String]) -> Result<Guards, UsageError> {
    let mut guards = Guards::default();
    let variable = std::env::var(GUARD_VARIABLE).unwrap_or_default();
    guards.add(&variable).map_err(|error| fault(format!("{GUARD_VARIABLE}: {error}")))?;
    flags.iter().try_for_each(|flag| guards.add(flag).map_err(|error| fault(format!("--guard: {error}"))))?;
    Ok(guards)
}

/// The guard file, whatever the working directory will be.
fn guard_file(flag: Option<PathBuf>) -> Result<Option<PathBuf>, UsageError> {
    let variable = || std::env::var_os(GUARD_FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    flag.or_else(variable).map(std::path::absolute).transpose().map_err(fault)
}

/// Guards beside those of the flags.
const GUARD_VARIABLE: &str = "NOMD_GUARD";
/// The guard file where no flag names one.
const GUARD_FILE_VARIABLE: &str = "NOMD_GUARD_FILE";

/// What is tolerated beside the flags.
pub const TOLERATE_VARIABLE: &str = "NOMD_TOLERATE";

/// `-m` and `-M` mean nothing here, but a wrong word is an error with named.
fn check_memory_flags(flags: &Flags) -> Result<(), UsageError> {
    let check = |given: Option<&str>, known: &[&str]| {
        let wrong = given.unwrap_or_default().split(',').find(|word| !word.is_empty() && !known.contains(word));
        wrong.map_or(Ok(()), |word| Err(fault(format!("unrecognized flag '{word}'"))))
    };
    check(flags.memory_debug.as_deref(), &["record", "trace", "usage"])?;
    check(flags.memory_fill.as_deref(), &["fill", "nofill"])
}

/// The last `-p 53` or `-p dns=53`. Other protocols are named's `tls=`, `https=` and `http=`.
fn port(given: &[String]) -> Result<Option<u16>, UsageError> {
    let mut port = None;
    for text in given {
        let other = ["tls=", "https=", "http="].iter().find_map(|prefix| text.strip_prefix(prefix));
        let digits = other.or_else(|| text.strip_prefix("dns=")).unwrap_or(text);
        let number = digits.parse::<u32>().map_err(|_| fault(format!("port '{text}' must be numeric")))?;
        let number = u16::try_from(number).ok().filter(|&number| number != 0);
        let number = number.ok_or_else(|| fault(format!("port '{text}' out of range")))?;
        if other.is_none() {
            port = Some(number);
        }
    }
    Ok(port)
}

fn number(what: &str, text: Option<&str>) -> Result<Option<u32>, UsageError> {
    let parse = |text: &str| text.parse().map_err(|_| fault(format!("{what} '{text}' must be numeric")));
    text.map(parse).transpose()
}

fn command_line(words: &[OsString]) -> String {
    words.iter().fold("named".to_owned(), |line, word| format!("{line} {}", word.to_string_lossy()))
}

fn build_text() -> String {
    format!(
        "{VERSION}\n\ndefault paths:\n  named configuration:  {DEFAULT_CONFIG}\n  rndc configuration:   {}\n  \
         nsupdate session key: {DEFAULT_SESSION_KEY}\n  named PID file:       {DEFAULT_PID_FILE}",
        super::rndc::DEFAULT_CONFIG
    )
}

const USAGE: &str = "\
usage: named [-4|-6] [-c conffile] [-d debuglevel] [-D comment] [-E engine]
             [-f|-g] [-L logfile] [-n number_of_cpus] [-p port] [-s]
             [-S sockets] [-t chrootdir] [-u username] [-U listeners]
             [-X lockfile] [-m {usage|trace|record}]
             [-M fill|nofill]
usage: named [-v|-V|-C]";

/// What holds where a configuration says nothing, as far as it differs from none at all.
const DEFAULTS: &str = "\
# Built-in default values. This is NOT the run-time configuration!
options {
\tedns-udp-size 1232;
\tinterface-interval 60m;
\tlisten-on {any;};
\tlisten-on-v6 {any;};
\tmax-udp-size 1232;
\tnotify-rate 20;
\tport 53;
\tserial-query-rate 20;
\ttcp-clients 150;
\ttcp-listen-queue 10;
\ttransfers-in 10;
\ttransfers-out 10;
\ttransfers-per-ns 2;
\tallow-query {any;};
\tallow-transfer {any;};
\tmax-refresh-time 2419200; /* 4 weeks */
\tmax-retry-time 1209600; /* 2 weeks */
\tmin-refresh-time 300;
\tmin-retry-time 500;
\tnotify yes;
};";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Request, UsageError> {
        parse(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    fn start(line: &str) -> StartOptions {
        match read(line) {
            Ok(Request::Start(options)) => *options,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn refused(line: &str) -> String {
        let text = read(line).unwrap_err().to_string();
        text.lines().last().unwrap_or_default().to_owned()
    }

    #[test]
    fn flags_may_be_clustered_and_values_attached() {
        let options = start("-4gp5300 -c /tmp/x.conf -n 2 -d3 -ubind");
        assert!(options.foreground && options.log_to_stderr);
        assert_eq!((options.port, options.family, options.workers), (Some(5300), Family::V4Only, Some(2)));
        assert_eq!((options.debug_level, options.user.as_deref()), (3, Some("bind")));
        assert_eq!(options.config, PathBuf::from("/tmp/x.conf"));
        assert_eq!(start("-f").config, PathBuf::from(DEFAULT_CONFIG));
        assert_eq!(start("-p dns=5301 -p tls=8853").port, Some(5301));
    }

    #[test]
    fn what_is_tolerated_comes_in_flags_and_lists() {
        let tolerance = start("-u bind --tolerate rate-limit --tolerate allow-update,geoip").tolerance;
        assert_eq!(tolerance.names().collect::<Vec<_>>(), ["allow-update", "geoip", "rate-limit"]);
        assert!(
            refused("--tolerate recursive").starts_with("named: --tolerate: nothing to tolerate is called 'recursive'")
        );
    }

    #[test]
    fn guards_come_in_flags_and_lists() {
        let guards = start("-u bind --guard shrink=50,grace=1d --guard lower=1h").guards;
        assert_eq!((guards.shrink_percent, guards.grace_s, guards.lower_s), (Some(50), 86_400, Some(3600)));
        assert_eq!(start("--guard-file /etc/bind/guards").guard_file, Some("/etc/bind/guards".into()));
        assert!(refused("--guard shrink=all").starts_with("named: --guard: 'all' is not from 1 to 99 percent"));
    }

    #[test]
    fn flags_without_meaning_are_taken() {
        let line = "-s -S 100 -U 2 -X lock -m usage -M fill -x 1 -E pkcs11 -N 3 -D comment -T clienttest -f -D other";
        assert_eq!(start(line).workers, Some(3));
    }

    #[test]
    fn wrong_flags_are_refused_in_named_s_words() {
        for (line, words) in [
            ("-Z", "named: unknown option '-Z'"),
            ("-h", "named: unknown option '-h'"),
            ("-gZ", "named: unknown option '-Z'"),
            ("-c", "named: option '-c' requires an argument"),
            ("-L", "named: option '-L' requires an argument"),
            ("-g extra", "named: extra command line arguments"),
            ("-p abc", "named: port 'abc' must be numeric"),
            ("-p 99999", "named: port '99999' out of range"),
            ("-p foo=53", "named: port 'foo=53' must be numeric"),
            ("-n x", "named: number of cpus 'x' must be numeric"),
            ("-d x", "named: debug level 'x' must be numeric"),
            ("-4 -6 -v", "named: cannot specify -4 and -6"),
            ("-m foo", "named: unrecognized flag 'foo'"),
            ("--tolerate", "named: option '--tolerate' requires an argument"),
        ] {
            assert_eq!(refused(line), words, "{line}");
        }
        assert!(read("-Z").unwrap_err().to_string().starts_with("usage: named [-4|-6]"));
        assert_eq!(read("-p abc").unwrap_err().to_string(), "named: port 'abc' must be numeric");
    }

    #[test]
    fn versions_are_printed_and_nothing_is_started() {
        assert!(matches!(read("-v"), Ok(Request::Print(text)) if text.contains("BIND 9.18")));
        assert!(matches!(read("-f -V"), Ok(Request::Print(text)) if text.contains("/etc/bind/named.conf")));
    }
}
