//! `tsig-keygen` prints a fresh key as a `key` statement; `ddns-confgen` adds what named.conf needs so that its holder
//! may update a zone.
//!
//! Flags, words and exit codes are those of BIND's programs, which are one program of two names as well. The key's name
//! is printed as it was given, without being looked at.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};

use super::getopt::{Flag, Flags};
use super::output;
use crate::dns::Algorithm;

/// Which of the two programs runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `tsig-keygen`.
    Tsig,
    /// `ddns-confgen`.
    Ddns,
}

/// Why there is no key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// Nothing but the usage is asked for, or fits; with the exit code.
    #[error("usage")]
    Usage(u8),
    /// A flag that is not known or lacks its value.
    #[error("invalid argument -{0}")]
    Flag(char),
    /// Anything else.
    #[error("{0}")]
    Fatal(String),
}

impl Fault {
    /// Says what is wrong, in the name of a program; gives the exit code.
    pub(super) fn tell(&self, program: &str, usage: &str) -> u8 {
        if !matches!(self, Self::Usage(_)) {
            eprintln!("{program}: {self}");
        }
        if !matches!(self, Self::Fatal(_)) {
            eprint!("{usage}");
        }
        if let Self::Usage(code) = self { *code } else { 1 }
    }
}

/// Runs the program on the words behind its name; gives the exit code.
pub fn run(tool: Tool, words: &[OsString]) -> u8 {
    match answer(tool, words) {
        Ok(text) => output::answer(tool.name(), text, 0, 1),
        Err(fault) => fault.tell(tool.name(), tool.usage()),
    }
}

fn answer(tool: Tool, words: &[OsString]) -> Result<String, Fault> {
    let request = Request::parse(tool, words)?;
    let algorithm = algorithm(&request.algorithm).map_err(Fault::Fatal)?;
    if request.has_too_many_words || (request.own_name.is_some() && request.zone.is_some()) {
        return Err(Fault::Usage(1));
    }
    let secret = random_secret(algorithm.bits().into()).map_err(|fault| Fault::Fatal(fault.to_string()))?;
    let name = request.key_name(tool);
    let key = key_statement(&name, algorithm, &secret);
    Ok(if tool == Tool::Tsig || request.is_quiet { key } else { request.explained(&name, &key) })
}

/// What a command line asks for.
#[derive(Debug, Default)]
struct Request {
    algorithm: String,
    name: Option<String>,
    is_quiet: bool,
    /// The one name that may be updated.
    own_name: Option<String>,
    zone: Option<String>,
    has_too_many_words: bool,
}

impl Request {
    fn parse(tool: Tool, words: &[OsString]) -> Result<Self, Fault> {
        let mut request = Self { algorithm: Algorithm::Sha256.text().to_owned(), ..Self::default() };
        let mut flags = Flags::new("a:hk:Mmqr:s:y:z:", words);
        for flag in flags.by_ref() {
            request.flag(tool, flag)?;
        }
        let rest = flags.rest();
        let names = usize::from(tool == Tool::Tsig);
        request.has_too_many_words = rest.len() > names;
        if let (Tool::Tsig, Some(name)) = (tool, rest.first()) {
            request.name = Some(text(name));
        }
        Ok(request)
    }

    fn flag(&mut self, tool: Tool, flag: Flag<'_>) -> Result<(), Fault> {
        match flag {
            Flag::With('a', name) => self.algorithm = text(name),
            Flag::Plain('h') | Flag::Wrong('?') => return Err(Fault::Usage(0)),
            // Memory debugging.
            Flag::Plain('M' | 'm') => {}
            Flag::With('r', _) => return Err(Fault::Fatal(NO_RANDOM_SOURCE.to_owned())),
            Flag::Wrong(letter) => return Err(Fault::Flag(letter)),
            _ if tool == Tool::Tsig => return Err(Fault::Usage(1)),
            Flag::With('k' | 'y', name) => self.name = Some(text(name)),
            Flag::With('s', name) => self.own_name = Some(text(name)),
            Flag::With('z', name) => self.zone = Some(text(name)),
            Flag::Plain(_) | Flag::With(..) => self.is_quiet = true,
        }
        Ok(())
    }

    fn key_name(&self, tool: Tool) -> String {
        let default = match tool {
            Tool::Tsig => "tsig-key",
            Tool::Ddns => "ddns-key",
        };
        let subject = self.own_name.as_ref().or(self.zone.as_ref());
        match (&self.name, subject) {
            (Some(name), _) => name.clone(),
            (None, Some(subject)) => format!("{default}.{subject}"),
            (None, None) => default.to_owned(),
        }
    }

    /// The key with what to do with it.
    fn explained(&self, name: &str, key: &str) -> String {
        let grant = match (&self.own_name, &self.zone) {
            (Some(own), _) => format!(
                "# Then, in the \"zone\" statement for the zone containing the\n\
                 # name \"{own}\", place an \"update-policy\" statement\n\
                 # like this one, adjusted as needed for your preferred permissions:\n\
                 update-policy {{\n\t  grant {name} name {own} ANY;\n}};\n"
            ),
            (None, Some(zone)) => format!(
                "# Then, in the \"zone\" definition statement for \"{zone}\",\n\
                 # place an \"update-policy\" statement like this one, adjusted as \n\
                 # needed for your preferred permissions:\n\
                 update-policy {{\n\t  grant {name} zonesub ANY;\n}};\n"
            ),
            (None, None) => format!("{GRANT_ANY_ZONE}update-policy {{\n\tgrant {name} zonesub ANY;\n}};\n"),
        };
        format!("{WHERE_THE_KEY_GOES}{key}\n{grant}{HOW_TO_UPDATE}")
    }
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::Tsig => "tsig-keygen",
            Self::Ddns => "ddns-confgen",
        }
    }

    fn usage(self) -> &'static str {
        match self {
            Self::Tsig => TSIG_USAGE,
            Self::Ddns => DDNS_USAGE,
        }
    }
}

/// A `key` statement.
pub(super) fn key_statement(name: &str, algorithm: Algorithm, secret: &str) -> String {
    format!("key \"{name}\" {{\n\talgorithm {};\n\tsecret \"{secret}\";\n}};\n", algorithm.text())
}

/// An algorithm by its name, which may lack its `hmac-`; or what is wrong with it.
pub(super) fn algorithm(text: &str) -> Result<Algorithm, String> {
    let lower = text.to_ascii_lowercase();
    let short = lower.strip_prefix("hmac-").unwrap_or(&lower);
    let is_bare = short.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let found = Algorithm::from_text(&format!("hmac-{short}")).filter(|_| is_bare);
    found.map(|(algorithm, _)| algorithm).ok_or_else(|| format!("Unsupported algorithm '{text}'"))
}

/// Fresh bytes, as many as `bits` need, in base64.
pub(super) fn random_secret(bits: usize) -> io::Result<String> {
    let mut secret = vec![0; bits.div_ceil(8)];
    File::open("/dev/urandom")?.read_exact(&mut secret)?;
    Ok(data_encoding::BASE64.encode(&secret))
}

/// A word of the command line.
pub(super) fn text(word: &OsStr) -> String {
    word.to_string_lossy().into_owned()
}

/// What is said to `-r`.
pub(super) const NO_RANDOM_SOURCE: &str = "The -r option has been deprecated.";

const WHERE_THE_KEY_GOES: &str = "\
# To activate this key, place the following in named.conf, and
# in a separate keyfile on the system or systems from which nsupdate
# will be run:
";
const GRANT_ANY_ZONE: &str = "\
# Then, in the \"zone\" statement for each zone you wish to dynamically
# update, place an \"update-policy\" statement granting update permission
# to this key.  For example, the following statement grants this key
# permission to update any name within the zone:
";
const HOW_TO_UPDATE: &str = "
# After the keyfile has been placed, the following command will
# execute nsupdate using this key:
nsupdate -k <keyfile>
";
const TSIG_USAGE: &str = "\
Usage:
 tsig-keygen [-a alg] [keyname]
  -a alg:        algorithm (default hmac-sha256)

";
const DDNS_USAGE: &str = "\
Usage:
 ddns-confgen [-a alg] [-k keyname] [-q] [-s name | -z zone]
  -a alg:        algorithm (default hmac-sha256)
  -k keyname:    name of the key as it will be used in named.conf
  -s name:       domain name to be updated using the created key
  -z zone:       name of the zone as it will be used in named.conf
  -q:            quiet mode: print the key, with no explanatory text
";

#[cfg(test)]
mod tests {
    use super::*;

    fn answer_to(tool: Tool, line: &str) -> Result<String, Fault> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        answer(tool, &words)
    }

    #[test]
    fn a_secret_is_as_long_as_the_hash_and_never_the_same() {
        let first = answer_to(Tool::Tsig, "-a SHA1 k").unwrap();
        let secret = first.lines().nth(2).and_then(|line| line.split('"').nth(1)).unwrap();
        assert_eq!(data_encoding::BASE64.decode(secret.as_bytes()).unwrap().len(), 20);
        assert_ne!(first, answer_to(Tool::Tsig, "-a sha1 k").unwrap());
    }

    #[test]
    fn a_key_is_called_after_what_it_may_update() {
        assert!(answer_to(Tool::Ddns, "-q -z ex.test").unwrap().starts_with("key \"ddns-key.ex.test\" {"));
        assert!(answer_to(Tool::Ddns, "-q -s a.test -k mine").unwrap().starts_with("key \"mine\" {"));
    }

    #[test]
    fn algorithms_are_known_with_and_without_prefix_but_not_cut() {
        assert_eq!(algorithm("HMAC-SHA512"), Ok(Algorithm::Sha512));
        assert_eq!(algorithm("md5"), Ok(Algorithm::Md5));
        for wrong in ["", "hmac-", "hmac-sha", "sha256-128", "hmac-md5.sig-alg.reg.int"] {
            assert_eq!(algorithm(wrong), Err(format!("Unsupported algorithm '{wrong}'")));
        }
    }

    #[test]
    fn flags_of_the_other_program_are_answered_by_the_usage() {
        assert_eq!(answer_to(Tool::Tsig, "-z ex.test"), Err(Fault::Usage(1)));
        assert_eq!(answer_to(Tool::Ddns, "-s a -z b"), Err(Fault::Usage(1)));
        assert_eq!(answer_to(Tool::Ddns, "-h"), Err(Fault::Usage(0)));
    }
}
