//! `rndc`: finds the server, the key and the source address, sends one command, prints the reply.
//!
//! rndc.conf is read if it is there, else rndc.key; output and exit codes are those of BIND's rndc. BIND semantics 8.9
//! and 8.11.

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::output;
use crate::conf::rndc::{self, DEFAULT_PORT, RndcConf, RndcServer};
use crate::dns::{Key, Name};
use crate::server::control::client::{self, Answer, ClientError};
use crate::server::control::command;

/// The configuration of Debian's rndc.
pub const DEFAULT_CONFIG: &str = "/etc/bind/rndc.conf";
/// The key file of Debian's rndc.
pub const DEFAULT_KEY: &str = "/etc/bind/rndc.key";
/// The server that is asked where neither flag nor configuration names one.
const DEFAULT_SERVER: &str = "127.0.0.1";

/// What went wrong, as it is printed behind `rndc: `.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{0}")]
    Said(String),
    #[error("couldn't get address for '{0}': not found")]
    NoAddress(String),
    #[error("connect failed: {}#{}: {why}", server.ip(), server.port())]
    Connect { server: SocketAddr, why: String },
    #[error("{0}")]
    Client(ClientError),
}

/// Runs rndc on the words behind its name; gives the exit code.
pub fn run(words: &[OsString]) -> u8 {
    let flags = match Flags::try_parse_from(words) {
        Ok(flags) if !flags.help && !flags.command.is_empty() => flags,
        Ok(flags) => {
            print_usage();
            return u8::from(!flags.help);
        }
        Err(error) => {
            eprintln!("rndc: {}", wrong_flag(&error));
            print_usage();
            return 1;
        }
    };
    match execute(&flags) {
        Ok(answer) => report(&flags, &answer),
        Err(Fault::Client(ClientError::Closed)) => {
            eprintln!("rndc: {CLOSED}");
            1
        }
        Err(fault) => {
            eprintln!("rndc: {fault}");
            1
        }
    }
}

/// Runs one command, given with rndc's flags in front; its text, or what went wrong.
pub(super) fn ask(words: &[OsString]) -> Result<String, String> {
    let flags = Flags::try_parse_from(words).map_err(|error| wrong_flag(&error))?;
    let answer = execute(&flags).map_err(|fault| fault.to_string())?;
    match answer.error {
        None => Ok(answer.text),
        Some(error) if answer.text.is_empty() => Err(error),
        Some(error) => Err(format!("{error}\n{}", answer.text)),
    }
}

/// rndc's flags.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true, disable_version_flag = true, args_override_self = true)]
struct Flags {
    #[arg(short = '4')]
    v4: bool,
    #[arg(short = '6')]
    v6: bool,
    #[arg(short = 'b')]
    source: Option<String>,
    #[arg(short = 'c')]
    config: Option<PathBuf>,
    #[arg(short = 'k')]
    key_file: Option<PathBuf>,
    #[arg(short = 's')]
    server: Option<String>,
    #[arg(short = 'p')]
    port: Option<String>,
    #[arg(short = 'y')]
    key: Option<String>,
    #[arg(short = 'q')]
    quiet: bool,
    #[arg(short = 'r')]
    result: bool,
    #[arg(short = 'V')]
    verbose: bool,
    #[arg(short = 'h')]
    help: bool,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

fn execute(flags: &Flags) -> Result<Answer, Fault> {
    let port = flags.port.as_deref().map(port).transpose()?;
    let conf = configuration(flags)?;
    let server = flags.server.clone().or_else(|| conf.default_server.clone()).unwrap_or_else(|| DEFAULT_SERVER.into());
    let entry = conf.servers.iter().find(|entry| entry.name.eq_ignore_ascii_case(&server));
    let key = find_key(flags, &conf, entry)?;
    let default_port = entry.and_then(|entry| entry.port).or(conf.default_port).unwrap_or(DEFAULT_PORT);
    let targets = targets(flags, &server, entry, port, default_port)?;
    let line = flags.command.join(" ");
    if flags.verbose {
        eprintln!("{line}");
    }
    let mut last = Fault::NoAddress(server.clone());
    for target in targets {
        if flags.verbose {
            eprintln!("using server {server} ({}#{})", target.ip(), target.port());
        }
        match client::run(target, source(flags, &conf, entry, target)?, &key, &line) {
            Ok(answer) => return Ok(answer),
            Err(ClientError::Connect(error)) => {
                last = Fault::Connect { server: target, why: crate::server::control::listener::io_text(&error) };
            }
            Err(error) => return Err(Fault::Client(error)),
        }
    }
    Err(last)
}

fn port(text: &str) -> Result<u16, Fault> {
    let port = text.parse().ok().filter(|&port: &u16| port != 0);
    port.ok_or_else(|| Fault::Said(format!("port '{text}' out of range")))
}

/// rndc.conf, or the key file as if it were one with a single key.
fn configuration(flags: &Flags) -> Result<RndcConf, Fault> {
    let config = flags.config.as_deref().unwrap_or(Path::new(DEFAULT_CONFIG));
    let key_file = flags.key_file.as_deref().unwrap_or(Path::new(DEFAULT_KEY));
    let said = |diagnostics: crate::conf::Diagnostics| Fault::Said(diagnostics.to_string().trim_end().to_owned());
    if flags.config.is_some() && !config.exists() {
        return Err(Fault::Said(format!("{} does not exist", config.display())));
    }
    if flags.config.is_some() || (config.exists() && flags.key_file.is_none()) {
        if flags.config.is_none() && key_file.exists() {
            let (config, key_file) = (config.display(), key_file.display());
            eprintln!("WARNING: key file ({key_file}) exists, but using default configuration file ({config})");
        }
        return rndc::load(config).map_err(said);
    }
    if !key_file.exists() {
        let (config, key_file) = (config.display(), key_file.display());
        return Err(Fault::Said(format!("neither {config} nor {key_file} was found")));
    }
    let key = rndc::load_key_file(key_file).map_err(said)?;
    Ok(RndcConf { default_key: Some(key.name.to_string()), keys: vec![Arc::new(key)], ..RndcConf::default() })
}

fn find_key(flags: &Flags, conf: &RndcConf, entry: Option<&RndcServer>) -> Result<Arc<Key>, Fault> {
    let configured = entry.and_then(|entry| entry.key.as_ref()).or(conf.default_key.as_ref());
    let Some(text) = flags.key.as_ref().or(configured) else {
        // A configuration with one key leaves no doubt.
        return match conf.keys.as_slice() {
            [key] => Ok(Arc::clone(key)),
            _ => Err(Fault::Said("no key for server and no default".to_owned())),
        };
    };
    let name: Option<Name> = text.parse().ok();
    let key = conf.keys.iter().find(|key| Some(&key.name) == name.as_ref());
    key.cloned().ok_or_else(|| Fault::Said(format!("no key definition for name {text}")))
}

/// The addresses to try, in order. A port on the command line goes over every configured one.
fn targets(
    flags: &Flags,
    server: &str,
    entry: Option<&RndcServer>,
    port: Option<u16>,
    default_port: u16,
) -> Result<Vec<SocketAddr>, Fault> {
    let named = [(server.to_owned(), None)];
    let hosts = entry.map(|entry| entry.addresses.as_slice()).filter(|hosts| !hosts.is_empty()).unwrap_or(&named);
    let mut targets = Vec::new();
    for (host, own_port) in hosts {
        let port = port.or(*own_port).unwrap_or(default_port);
        let found = (host.as_str(), port).to_socket_addrs().map_err(|_| Fault::NoAddress(host.clone()))?;
        targets.extend(found.filter(|address| if address.is_ipv4() { !flags.v6 } else { !flags.v4 }));
    }
    if targets.is_empty() { Err(Fault::NoAddress(server.to_owned())) } else { Ok(targets) }
}

fn source(
    flags: &Flags,
    conf: &RndcConf,
    entry: Option<&RndcServer>,
    target: SocketAddr,
) -> Result<Option<SocketAddr>, Fault> {
    if let Some(text) = &flags.source {
        let address: IpAddr = text.parse().map_err(|_| Fault::Said(format!("bad source address '{text}'")))?;
        return Ok(Some(SocketAddr::new(address, 0)));
    }
    let sources = entry.map(|entry| &entry.sources).into_iter().flatten().chain(&conf.default_sources);
    Ok(sources.copied().find(|source| source.is_ipv4() == target.is_ipv4()))
}

fn report(flags: &Flags, answer: &Answer) -> u8 {
    let mut text = String::new();
    if let Some(error) = &answer.error {
        eprintln!("rndc: '{}' failed: {error}", flags.command.first().map(String::as_str).unwrap_or_default());
        if !answer.text.is_empty() {
            eprintln!("{}", answer.text);
        }
    } else if !flags.quiet && !answer.text.is_empty() {
        text = format!("{}\n", answer.text);
    }
    if flags.result {
        text += &format!("{} {}\n", answer.result.id(), answer.result.code());
    }
    output::answer("rndc", text, u8::from(answer.error.is_some()), 1)
}

fn wrong_flag(error: &clap::Error) -> String {
    let argument = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(text)) => text.split(' ').next().unwrap_or_default(),
        _ => "",
    };
    match error.kind() {
        ErrorKind::UnknownArgument | ErrorKind::InvalidValue => format!("invalid argument {argument}"),
        _ => "wrong arguments".to_owned(),
    }
}

fn print_usage() {
    eprintln!("{USAGE}");
    for (usage, summary) in command::usages() {
        eprintln!("  {usage}\n\t\t{summary}");
    }
    eprintln!("\nVersion: {}", env!("CARGO_PKG_VERSION"));
}

const USAGE: &str = "\
Usage: rndc [-b address] [-c config] [-s server] [-p port]
\t[-k key-file ] [-y key] [-r] [-V] [-4 | -6] command

command is one of the following:
";

const CLOSED: &str = "\
connection to remote host closed.
* This may indicate that the
* remote server is using an older
* version of the command protocol,
* this host is not authorized to connect,
* the clocks are not synchronized,
* the key signing algorithm is incorrect
* or the key is invalid.";

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(line: &str) -> Flags {
        Flags::try_parse_from(line.split_whitespace()).unwrap()
    }

    #[test]
    fn options_of_the_command_are_not_rndc_s_own() {
        let flags = flags("-p 9953 -s 192.0.2.1 stop -p");
        assert_eq!(flags.port.as_deref(), Some("9953"));
        assert_eq!(flags.command, ["stop", "-p"]);
    }

    #[test]
    fn addresses_of_a_server_statement_are_tried_in_order() {
        let addresses = vec![("192.0.2.1".to_owned(), Some(1953)), ("192.0.2.2".to_owned(), None)];
        let entry = RndcServer { name: "a".to_owned(), addresses, ..RndcServer::default() };
        let found = targets(&flags("status"), "a", Some(&entry), None, 953).unwrap();
        assert_eq!(found, ["192.0.2.1:1953".parse().unwrap(), "192.0.2.2:953".parse().unwrap()]);
        let found = targets(&flags("status"), "a", Some(&entry), Some(5), 953).unwrap();
        assert!(found.iter().all(|address| address.port() == 5));
    }

    #[test]
    fn a_missing_configuration_is_said_as_rndc_says_it() {
        let text = configuration(&flags("-c /nonexistent status")).unwrap_err().to_string();
        assert_eq!(text, "/nonexistent does not exist");
    }
}
