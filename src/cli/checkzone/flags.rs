//! The command line of `named-checkzone` and `named-compilezone`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::super::directory;
use super::super::getopt::{self, Flag, Flags};
use super::super::keygen::{Fault, text};
use super::Tool;
use crate::dns::{Class, Serial};
use crate::net::resolver::{self, ResolveError};
use crate::zone::Limits;
use crate::zone::check::{Policy, Resolved};
use crate::zone::master::Options;
use crate::zone::message::Strictness;
use crate::zone::print::Style;
use crate::zone::raw::Form;
use crate::zone::zonemd::Hash;

/// What a zone file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Raw(Form),
}

/// What is to be done about the ZONEMD records of the zone, which is nothing of BIND's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Zonemd {
    /// The zone must be what one of them says.
    Verify,
    /// What is written gets one for each of these.
    Compute(Vec<Hash>),
}

/// What a command line asks for.
pub(super) struct Request {
    pub(super) tool: Tool,
    pub(super) wants_version: bool,
    pub(super) is_quiet: bool,
    pub(super) is_verbose: bool,
    pub(super) file: PathBuf,
    pub(super) input: Format,
    pub(super) options: Options,
    pub(super) policy: Policy,
    pub(super) limits: Limits,
    pub(super) journal: Option<PathBuf>,
    pub(super) writes: bool,
    /// Where the zone is written to; none: standard output.
    pub(super) output: Option<PathBuf>,
    pub(super) output_format: Format,
    pub(super) style: Style,
    pub(super) serial: Option<Serial>,
    pub(super) zonemd: Option<Zonemd>,
}

/// What is wrong with a command line, said as BIND says it; gives the exit code.
pub(super) fn tell(tool: Tool, fault: &Fault) -> u8 {
    let usage = usage(tool);
    match fault {
        // Without the name of the program, and nothing at all for a wrong zone name or class.
        Fault::Fatal(text) if text.is_empty() => 1,
        Fault::Fatal(text) => {
            eprintln!("{text}");
            1
        }
        other => other.tell(tool.name(), &usage),
    }
}

/// The words of flags that are judged when all have been read.
struct Late {
    class: String,
    input: String,
    output: String,
    /// The directory to work in, entered when the root is what it is to be.
    directory: Option<OsString>,
    has_journal: bool,
}

impl Request {
    pub(super) fn parse(tool: Tool, words: &[OsString]) -> Result<Self, Fault> {
        let mut request = Self::of(tool);
        let raw_text = || "text".to_owned();
        let mut late =
            Late { class: "IN".into(), input: raw_text(), output: raw_text(), directory: None, has_journal: false };
        let mut flags = Flags::new("c:df:hi:jJ:k:L:l:m:n:qr:s:t:o:vw:DF:M:S:T:W:", words).with_long("--zonemd");
        for flag in flags.by_ref() {
            request.flag(flag, &mut late)?;
            // BIND prints it at once, whatever comes behind.
            if request.wants_version {
                return Ok(request);
            }
        }
        request.finish(&late, flags.rest())?;
        Ok(request)
    }

    /// The defaults of the program.
    fn of(tool: Tool) -> Self {
        let strictness = if tool == Tool::Compile { Strictness::Fail } else { Strictness::Warn };
        let options = Options {
            apex: crate::dns::NameRef::ROOT.to_name(),
            class: Class::IN,
            check_names: strictness,
            check_mx: Strictness::Warn,
            check_ns: strictness,
            check_wildcard: true,
            max_zone_ttl_s: None,
        };
        Self {
            tool,
            wants_version: false,
            is_quiet: false,
            is_verbose: false,
            file: PathBuf::new(),
            input: Format::Text,
            options,
            policy: Policy { resolver: Some(resolve), ..Policy::default() },
            limits: Limits::default(),
            journal: None,
            writes: tool == Tool::Compile,
            output: None,
            output_format: Format::Text,
            style: Style::FullWithResign,
            serial: None,
            zonemd: None,
        }
    }

    fn flag(&mut self, flag: Flag<'_>, late: &mut Late) -> Result<(), Fault> {
        match flag {
            Flag::Plain('d') => self.is_verbose = true,
            Flag::Plain('q') => self.is_quiet = true,
            Flag::Plain('v') => self.wants_version = true,
            Flag::Plain('D') => self.writes = true,
            Flag::Plain('j') => late.has_journal = true,
            Flag::With(letter, value) => self.with(letter, value, late)?,
            Flag::Plain(_) => return Err(Fault::Usage(1)),
            Flag::Wrong('?') => return Err(Fault::Usage(1)),
            Flag::Wrong(letter) => return Err(Fault::Flag(letter)),
        }
        Ok(())
    }

    fn with(&mut self, letter: char, value: &OsStr, late: &mut Late) -> Result<(), Fault> {
        let word = text(value);
        let mode = || mode(letter, &word);
        match letter {
            'c' => late.class = word,
            'f' => late.input = word,
            'F' => late.output = word,
            's' => self.style = style(&word)?,
            'i' => self.integrity(&word)?,
            'J' => self.journal = Some(value.into()),
            'k' => self.options.check_names = mode()?,
            'L' => self.serial = Some(Serial(c_number(&word, "source serial number must be numeric")?)),
            'l' => {
                self.options.max_zone_ttl_s =
                    Some(c_number(&word, "maximum TTL must be numeric")?).filter(|&ttl| ttl > 0)
            }
            'm' => self.options.check_mx = mode()?,
            'n' => self.options.check_ns = mode()?,
            'r' => self.policy.duplicates = mode()?,
            'M' => self.policy.mx_cname = mode()?,
            'S' => self.policy.srv_cname = mode()?,
            'T' => self.policy.spf = spf(&word)?,
            '-' => self.zonemd = Some(zonemd(&word)?),
            't' => enter("isc_dir_chroot", value, directory::change_root)?,
            'w' => late.directory = Some(value.into()),
            'o' => {
                self.writes = true;
                self.output = Some(PathBuf::from(value));
            }
            // Any other word is passed over, as BIND does.
            _ if word == "ignore" => self.options.check_wildcard = false,
            _ if word == "warn" => self.options.check_wildcard = true,
            _ => {}
        }
        self.policy.mx = self.options.check_mx;
        Ok(())
    }

    fn integrity(&mut self, word: &str) -> Result<(), Fault> {
        (self.policy.integrity, self.policy.sibling) = match word {
            "full" | "local" => (true, true),
            "full-sibling" | "local-sibling" => (true, false),
            "none" => (false, false),
            _ => return Err(invalid('i', word)),
        };
        self.policy.resolver = word.starts_with("full").then_some(resolve);
        Ok(())
    }

    fn finish(&mut self, late: &Late, rest: &[OsString]) -> Result<(), Fault> {
        if let Some(directory) = &late.directory {
            enter("isc_dir_chdir", directory, directory::change_directory)?;
        }
        self.input = match raw_form(&late.input) {
            Some(_) => {
                eprintln!("WARNING: input format raw, version ignored");
                Format::Raw(Form::V1)
            }
            None => format(&late.input)?,
        };
        self.output_format = format(&late.output)?;
        if self.tool == Tool::Compile && self.output.is_none() {
            eprintln!("output file required, but not specified");
            return Err(Fault::Usage(1));
        }
        if !self.writes && matches!(self.zonemd, Some(Zonemd::Compute(_))) {
            return Err(Fault::Fatal("--zonemd compute needs -D or -o".to_owned()));
        }
        let is_stdout = |path: &Path| path == Path::new("-") || path == Path::new("/dev/stdout");
        self.output = self.output.take().filter(|path| !is_stdout(path));
        let (zone, file) = match rest {
            [zone] => (zone, None),
            [zone, file] => (zone, Some(file)),
            _ => return Err(Fault::Usage(1)),
        };
        let silent = || Fault::Fatal(String::new());
        self.options.apex = text(zone).parse().map_err(|_| silent())?;
        self.options.class = late.class.parse().map_err(|_| silent())?;
        let file = file.filter(|file| *file != "-");
        if file.is_none() {
            // Whatever comes by standard input is text, says BIND.
            self.input = Format::Text;
        }
        if let (true, Some(file), None) = (late.has_journal, file, &self.journal) {
            let mut journal = file.clone();
            journal.push(".jnl");
            self.journal = Some(journal.into());
        }
        self.file = file.map_or_else(|| PathBuf::from("/dev/stdin"), PathBuf::from);
        Ok(())
    }
}

/// What the host's resolver says of a name of another zone.
fn resolve(name: &str) -> Resolved {
    match resolver::resolve(name) {
        Ok(found) => Resolved::Found { canonical: found.canonical, addresses: found.addresses },
        Err(ResolveError::NoAddresses) => Resolved::NoAddresses,
        Err(ResolveError::Failed(words)) => Resolved::Failed(words),
    }
}

impl Tool {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Check => "named-checkzone",
            Self::Compile => "named-compilezone",
        }
    }
}

fn invalid(letter: char, word: &str) -> Fault {
    Fault::Fatal(format!("invalid argument to -{letter}: {word}"))
}

fn mode(letter: char, word: &str) -> Result<Strictness, Fault> {
    match word {
        "ignore" => Ok(Strictness::Ignore),
        "warn" => Ok(Strictness::Warn),
        "fail" => Ok(Strictness::Fail),
        _ => Err(invalid(letter, word)),
    }
}

fn spf(word: &str) -> Result<bool, Fault> {
    match word {
        "warn" => Ok(true),
        "ignore" => Ok(false),
        _ => Err(invalid('T', word)),
    }
}

fn zonemd(word: &str) -> Result<Zonemd, Fault> {
    let hash = |word| match word {
        "sha384" => Some(Hash::Sha384),
        "sha512" => Some(Hash::Sha512),
        _ => None,
    };
    let hashes = match word.strip_prefix("compute=") {
        Some(words) => words.split(',').map(hash).collect(),
        None if word == "compute" => Some(vec![Hash::Sha384]),
        None if word == "verify" => return Ok(Zonemd::Verify),
        None => None,
    };
    let wrong = || Fault::Fatal(format!("invalid argument to --zonemd: {word}"));
    hashes.map(Zonemd::Compute).ok_or_else(wrong)
}

fn style(word: &str) -> Result<Style, Fault> {
    match word {
        "full" => Ok(Style::FullWithResign),
        "relative" => Ok(Style::Relative),
        _ => Err(Fault::Fatal(format!("unknown or unsupported style: {word}"))),
    }
}

fn format(word: &str) -> Result<Format, Fault> {
    match raw_form(word) {
        _ if word.eq_ignore_ascii_case("text") => Ok(Format::Text),
        _ if word.eq_ignore_ascii_case("raw") => Ok(Format::Raw(Form::V1)),
        None => Err(Fault::Fatal(format!("unknown file format: {word}"))),
        Some("") => Err(Fault::Fatal(NO_SUCH_FORM.to_owned())),
        Some(form) => match getopt::number(form).map(|form| form as u32) {
            Some(0) => Ok(Format::Raw(Form::V0)),
            Some(1) => Ok(Format::Raw(Form::V1)),
            _ => Err(Fault::Fatal(NO_SUCH_FORM.to_owned())),
        },
    }
}

const NO_SUCH_FORM: &str = "unknown raw format version";

/// What stands behind `raw=`.
fn raw_form(word: &str) -> Option<&str> {
    let (head, form) = word.split_at_checked("raw=".len())?;
    head.eq_ignore_ascii_case("raw=").then_some(form)
}

/// A number as C writes it, of which BIND keeps 32 bits.
fn c_number(word: &str, fault: &str) -> Result<u32, Fault> {
    let number = getopt::literal(word).map(|number| number as u32);
    number.ok_or_else(|| {
        // BIND ends this line as little.
        eprint!("{fault}");
        Fault::Fatal(String::new())
    })
}

/// Makes a directory the root or the current one.
fn enter(what: &str, directory: &OsStr, change: fn(&Path) -> Result<(), String>) -> Result<(), Fault> {
    let named = |why| Fault::Fatal(format!("{what}: {}: {why}", directory.to_string_lossy()));
    change(Path::new(directory)).map_err(named)
}

fn usage(tool: Tool) -> String {
    let (name, output) = match tool {
        Tool::Check => (tool.name(), "[-o filename]"),
        Tool::Compile => (tool.name(), "-o filename"),
    };
    format!(
        "usage: {name} [-djqvD] [-c class] [-f inputformat] [-F outputformat] [-J filename] [-s (full|relative)] \
         [-t directory] [-w directory] [-k (ignore|warn|fail)] [-m (ignore|warn|fail)] [-n (ignore|warn|fail)] \
         [-r (ignore|warn|fail)] [-i (full|full-sibling|local|local-sibling|none)] [-M (ignore|warn|fail)] \
         [-S (ignore|warn|fail)] [-W (ignore|warn)] {output} zonename [ (filename|-) ]\n"
    )
}
