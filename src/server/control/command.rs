//! The commands of the control channel: one table, and how a line becomes a [`Command`].
//!
//! What a command does is the server's business ([`Commands`]); what it is called, which arguments it takes, whether it
//! changes anything and what the parts that nomd does not have answer is settled here. BIND semantics 8.12 and the
//! table behind it.

use std::future::Future;
use std::net::SocketAddr;

use super::result::IscResult;
use crate::dns::name::NameError;
use crate::dns::{Class, Name};

/// What runs the commands.
pub trait Commands: Send + Sync + 'static {
    /// Runs one. Commands that the table answers by itself do not get here.
    fn run(&self, command: Command) -> impl Future<Output = Reply> + Send;

    /// The reply to a command has gone out. The time to act on `stop` and `halt`.
    fn replied(&self, verb: Verb) {
        let _ = verb;
    }
}

/// A command, read and checked.
#[derive(Debug, Clone)]
pub struct Command {
    /// Which.
    pub verb: Verb,
    /// Its words behind the first, quotes removed.
    pub arguments: Vec<String>,
    /// The zone among them, for the verbs that take one.
    pub zone: Option<ZoneSelector>,
    /// Who asked.
    pub peer: SocketAddr,
}

impl Command {
    /// Whether an option such as `-p` was given.
    pub fn has_option(&self, option: &str) -> bool {
        self.arguments.iter().any(|argument| argument.eq_ignore_ascii_case(option))
    }

    /// Whether files of the zone are to go, too.
    pub fn cleans(&self) -> bool {
        self.arguments.first().is_some_and(|word| is_cleaning(word))
    }
}

/// `zone [class [view]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneSelector {
    /// The name as it was written.
    pub text: String,
    /// Its apex.
    pub apex: Name,
    /// Its class; none was given: that of the view.
    pub class: Option<Class>,
    /// Its view; none was given: the one view that has it.
    pub view: Option<String>,
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The outcome.
    pub result: IscResult,
    /// What rndc prints; without a newline at the end.
    pub text: String,
}

impl Reply {
    /// Done, nothing to say.
    pub fn done() -> Self {
        Self::text("")
    }

    /// Done, with a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { result: IscResult::SUCCESS, text: text.into() }
    }

    /// Not done.
    pub fn failed(result: IscResult) -> Self {
        Self { result, text: String::new() }
    }

    /// Not done, and why.
    pub fn failed_with(result: IscResult, text: impl Into<String>) -> Self {
        Self { result, text: text.into() }
    }

    /// No view has the zone, or not the one that was named.
    pub fn no_such_zone(zone: &ZoneSelector) -> Self {
        let place = zone.view.as_ref().map_or("any view".to_owned(), |view| format!("view '{view}'"));
        Self::failed_with(IscResult::NOT_FOUND, format!("no matching zone '{}' in {place}", zone.text))
    }

    /// There is no view of that name.
    pub fn no_such_view(view: &str) -> Self {
        Self::failed_with(IscResult::NOT_FOUND, format!("no matching view '{view}'"))
    }

    /// Several views have the zone and none was named.
    pub fn ambiguous(zone: &ZoneSelector) -> Self {
        Self::failed_with(IscResult::MULTIPLE, format!("zone '{}' was found in multiple views", zone.text))
    }
}

/// The commands that the server itself runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the words of rndc
pub enum Verb {
    Null,
    Status,
    Reload,
    Reconfig,
    Refresh,
    Retransfer,
    Notify,
    ZoneStatus,
    ShowZone,
    QueryLog,
    Trace,
    NoTrace,
    Stop,
    Halt,
    Stats,
    DumpDb,
    TsigList,
    TcpTimeouts,
    Scan,
    Freeze,
    Thaw,
    Sync,
    /// `standing`: for `nomd sync`.
    Standing,
    Plan,
    AddZone,
    ModZone,
    DelZone,
}

/// What becomes of a command.
#[derive(Debug, Clone, Copy)]
enum Handling {
    /// The server runs it.
    Run(Verb),
    /// It concerns a resolver's state, of which there is none here: done, with this text.
    Nothing(&'static str),
    /// It concerns what nomd does not have.
    Refused(IscResult, &'static str),
    /// Answers with so many bytes, for tests of rndc.
    TestGen,
}

/// Whether a command takes a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ZoneArgument {
    None,
    Optional,
    Required,
}

/// A row of the table.
struct Row {
    name: &'static str,
    usage: &'static str,
    summary: &'static str,
    handling: Handling,
    zone: ZoneArgument,
    /// Whether `-clean` may precede the zone.
    cleans: bool,
    read_only: bool,
}

/// What a line asks for.
#[derive(Debug)]
pub enum Action {
    /// The server is to run it.
    Run(Command),
    /// The answer is known.
    Answer(Reply),
}

/// Reads a command line. `read_only`: the listener takes only commands that change nothing.
pub fn read(line: &str, peer: SocketAddr, read_only: bool) -> Action {
    let mut words = split(line).into_iter();
    let name = words.next().unwrap_or_default();
    let arguments: Vec<String> = words.collect();
    let Some(row) = row(&name) else { return Action::Answer(Reply::failed(IscResult::UNKNOWN_COMMAND)) };
    if read_only && !row.read_only {
        return Action::Answer(Reply::failed(IscResult::FAILURE));
    }
    match row.handling {
        Nothing(text) => Action::Answer(Reply::text(text)),
        Refused(result, text) => Action::Answer(Reply::failed_with(result, text)),
        Handling::TestGen => Action::Answer(testgen(&arguments)),
        Run(verb) => match zone(row, &arguments) {
            Ok(zone) => Action::Run(Command { verb, arguments, zone, peer }),
            Err(result) => Action::Answer(Reply::failed(result)),
        },
    }
}

/// Whether named has such a command at all; if not, that is worth a warning in the log.
pub fn is_known(line: &str) -> bool {
    split(line).first().is_some_and(|name| row(name).is_some())
}

/// Whether a listener that is read-only lets the command through.
pub fn is_read_only(line: &str) -> bool {
    split(line).first().and_then(|name| row(name)).is_some_and(|row| row.read_only)
}

/// Whether a command is so frequent that it is logged for debugging only.
pub fn is_quiet(line: &str) -> bool {
    split(line).first().is_some_and(|name| name.eq_ignore_ascii_case("null") || name.eq_ignore_ascii_case("status"))
}

/// Usage and summary of each command, in order of name.
pub fn usages() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.iter().filter(|row| !row.summary.is_empty()).map(|row| (row.usage, row.summary))
}

fn row(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name.eq_ignore_ascii_case(name))
}

/// Splits at blanks. Quotes and braces keep what they enclose together, as in a zone statement.
fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut depth) = (false, 0_u32);
    for c in line.chars() {
        match c {
            '"' if depth == 0 => quoted = !quoted,
            c if c.is_ascii_whitespace() && !quoted && depth == 0 => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            _ => word.push(c),
        }
        match c {
            '{' if !quoted => depth = depth.saturating_add(1),
            '}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The zone among the arguments. BIND: an option that the command has not got is a name, too.
fn zone(row: &Row, arguments: &[String]) -> Result<Option<ZoneSelector>, IscResult> {
    if row.zone == ZoneArgument::None {
        return Ok(None);
    }
    let has_option = row.cleans && arguments.first().is_some_and(|word| is_cleaning(word));
    let mut words = arguments.iter().skip(usize::from(has_option));
    let Some(text) = words.next() else {
        return if row.zone == Required { Err(IscResult::UNEXPECTED_END) } else { Ok(None) };
    };
    let apex = Name::from_text(text.as_bytes()).map_err(name_fault)?;
    let class = words.next().map(|word| word.parse().map_err(|_| IscResult::UNKNOWN_CLASS)).transpose()?;
    Ok(Some(ZoneSelector { text: text.clone(), apex, class, view: words.next().cloned() }))
}

fn is_cleaning(word: &str) -> bool {
    ["-clean", "-clear"].contains(&word)
}

fn name_fault(error: NameError) -> IscResult {
    match error {
        NameError::EmptyLabel => IscResult::EMPTY_LABEL,
        NameError::BadEscape => IscResult::BAD_ESCAPE,
        NameError::LabelTooLong => IscResult::LABEL_TOO_LONG,
        _ => IscResult::FAILURE,
    }
}

/// The alphabet over and over.
fn testgen(arguments: &[String]) -> Reply {
    let count = arguments.first().and_then(|count| count.parse().ok()).unwrap_or(0);
    if count > MAX_TESTGEN_BYTES {
        return Reply::failed(IscResult::RANGE);
    }
    Reply::text(('a'..='z').cycle().take(count).collect::<String>())
}

/// The longest text that `testgen` makes.
const MAX_TESTGEN_BYTES: usize = 1024 * 1024;

const NO_RESOLVER: &str = "";

const fn run(name: &'static str, verb: Verb, usage: &'static str, summary: &'static str) -> Row {
    Row { name, usage, summary, handling: Run(verb), zone: ZoneArgument::None, cleans: false, read_only: false }
}

const fn other(name: &'static str, handling: Handling) -> Row {
    Row { name, usage: "", summary: "", handling, zone: ZoneArgument::None, cleans: false, read_only: false }
}

impl Row {
    const fn zone(mut self, zone: ZoneArgument) -> Self {
        self.zone = zone;
        self
    }

    const fn cleaning(mut self) -> Self {
        self.cleans = true;
        self
    }

    const fn changes_nothing(mut self) -> Self {
        self.read_only = true;
        self
    }
}

use Handling::{Nothing, Refused, Run};
use ZoneArgument::{Optional, Required};

/// Every command: those of 9.18 and what nomd makes of them, and `plan` and `standing`, which BIND has not got.
static TABLE: [Row; 50] = [
    other("addzone", Refused(IscResult::NOT_IMPLEMENTED, "allow-new-zones is not supported")),
    run("delzone", Verb::DelZone, "delzone [-clean] zone [class [view]]", "Drop a zone that a catalog has brought.")
        .zone(Required)
        .cleaning(),
    other("dnssec", Refused(IscResult::NOT_IMPLEMENTED, "signing is not supported")),
    other("dnstap", Refused(IscResult::NOT_FOUND, "")),
    run("dumpdb", Verb::DumpDb, "dumpdb [-zones] [view ...]", "Write zones to the dump file (named_dump.db)."),
    other("fetchlimit", Nothing(NO_RESOLVER)),
    other("flush", Nothing(NO_RESOLVER)),
    other("flushname", Nothing(NO_RESOLVER)),
    other("flushtree", Nothing(NO_RESOLVER)),
    run("freeze", Verb::Freeze, "freeze [zone [class [view]]]", "Hold updates to a dynamic zone, or to all.")
        .zone(Optional),
    run("halt", Verb::Halt, "halt [-p]", "Stop the server at once; -p: report its process id."),
    other("loadkeys", Refused(IscResult::NO_PERMISSION, "")),
    other("managed-keys", Nothing(NO_RESOLVER)),
    other("modzone", Refused(IscResult::NOT_IMPLEMENTED, "allow-new-zones is not supported")),
    run("notify", Verb::Notify, "notify zone [class [view]]", "Send NOTIFY for a zone again.").zone(Required),
    run("notrace", Verb::NoTrace, "notrace", "Set the debug level to 0."),
    other("nta", Nothing(NO_RESOLVER)).changes_nothing(),
    run("null", Verb::Null, "null", "").changes_nothing(),
    run("plan", Verb::Plan, "plan [file]", "Tell what a reload would change, or would with this file."),
    run("querylog", Verb::QueryLog, "querylog [on|off]", "Log queries, or stop; without a word: the other way."),
    run("reconfig", Verb::Reconfig, "reconfig", "Read the configuration; load only zones that are new."),
    other("recursing", Nothing(NO_RESOLVER)),
    run("refresh", Verb::Refresh, "refresh zone [class [view]]", "Ask a zone's primaries for its serial now.")
        .zone(Required),
    run("reload", Verb::Reload, "reload [zone [class [view]]]", "Read configuration and zones, or one zone.")
        .zone(Optional),
    run("retransfer", Verb::Retransfer, "retransfer zone [class [view]]", "Transfer a zone whatever its serial.")
        .zone(Required),
    run("scan", Verb::Scan, "scan", "Look for addresses that came or went."),
    other("secroots", Nothing(NO_RESOLVER)),
    other("serve-stale", Nothing(NO_RESOLVER)),
    run("showzone", Verb::ShowZone, "showzone zone [class [view]]", "Print a zone's statement.")
        .zone(Required)
        .changes_nothing(),
    other("sign", Refused(IscResult::NO_PERMISSION, "")),
    other("signing", Refused(IscResult::NOT_IMPLEMENTED, "signing is not supported")),
    run(
        "standing",
        Verb::Standing,
        "standing [number | all [place]]",
        "Tell how the secondaries stand, as nomd sync shows it.",
    )
    .changes_nothing(),
    run("stats", Verb::Stats, "stats", "Append counters to the statistics file."),
    run("status", Verb::Status, "status", "Show how the server is.").changes_nothing(),
    run("stop", Verb::Stop, "stop [-p]", "Write what is pending and stop; -p: report the process id."),
    run("sync", Verb::Sync, "sync [-clean] [zone [class [view]]]", "Write changes of dynamic zones to their files.")
        .zone(Optional)
        .cleaning(),
    run(
        "tcp-timeouts",
        Verb::TcpTimeouts,
        "tcp-timeouts [initial idle keepalive advertised]",
        "Show or set the TCP timeouts.",
    ),
    other("testgen", Handling::TestGen).changes_nothing(),
    run("thaw", Verb::Thaw, "thaw [zone [class [view]]]", "Let updates to a dynamic zone go on, or to all.")
        .zone(Optional),
    other("timerpoke", Nothing("")),
    run("trace", Verb::Trace, "trace [level]", "Raise the debug level by one, or set it."),
    other("tsig-delete", Nothing("0 tsig keys deleted.")),
    run("tsig-list", Verb::TsigList, "tsig-list", "List the TSIG keys."),
    other("validation", Nothing(NO_RESOLVER)),
    run("zonestatus", Verb::ZoneStatus, "zonestatus zone [class [view]]", "Show how a zone is.")
        .zone(Required)
        .changes_nothing(),
    other("memprof", Nothing("")),
    other("reset-stats", Nothing("")),
    other("responselog", Nothing("")),
    other("closelogs", Nothing("")),
    other("skr", Refused(IscResult::NOT_IMPLEMENTED, "signing is not supported")),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> SocketAddr {
        "127.0.0.1:9".parse().unwrap()
    }

    fn answer(line: &str) -> IscResult {
        match read(line, peer(), false) {
            Action::Answer(reply) => reply.result,
            Action::Run(command) => panic!("{line} is run: {command:?}"),
        }
    }

    fn command(line: &str) -> Command {
        match read(line, peer(), false) {
            Action::Run(command) => command,
            Action::Answer(reply) => panic!("{line} is answered: {reply:?}"),
        }
    }

    #[test]
    fn faults_are_answered_as_named_answers_them() {
        assert_eq!(answer("frobnicate"), IscResult::UNKNOWN_COMMAND);
        assert_eq!(answer(""), IscResult::UNKNOWN_COMMAND);
        assert_eq!(answer("zonestatus"), IscResult::UNEXPECTED_END);
        assert_eq!(answer("zonestatus a..b"), IscResult::EMPTY_LABEL);
        assert_eq!(answer("zonestatus example.com XX"), IscResult::UNKNOWN_CLASS);
        assert_eq!(answer("sign example.com"), IscResult::NO_PERMISSION);
    }

    #[test]
    fn a_zone_may_have_a_class_and_a_view() {
        let zone = command("ZONESTATUS example.com IN inside").zone.unwrap();
        assert_eq!(zone.class, Some(Class::IN));
        assert_eq!(zone.view.as_deref(), Some("inside"));
        assert_eq!(command("reload").zone, None);
        assert_eq!(command("sync -clean example.com").zone.unwrap().text, "example.com");
    }

    #[test]
    fn read_only_listeners_refuse_what_changes_something() {
        for line in ["reload", "stop", "querylog on", "flush"] {
            assert!(matches!(read(line, peer(), true), Action::Answer(reply) if reply.result == IscResult::FAILURE));
        }
        for line in ["status", "null", "zonestatus example.com"] {
            assert!(matches!(read(line, peer(), true), Action::Run(_)));
        }
    }

    #[test]
    fn quotes_and_braces_keep_words_together() {
        assert_eq!(split(r#"zonestatus "my zone" in"#), ["zonestatus", "my zone", "in"]);
        assert_eq!(split("addzone a { type primary; }"), ["addzone", "a", "{ type primary; }"]);
    }
}
