//! `rndc-confgen`: a key for the control channel, with the statements around it, or written to rndc.key by `-a`.
//!
//! Flags, words and exit codes are those of BIND's program. A key file that is new can be read by its owner alone; one
//! that is there keeps its mode, and anything but a regular file is left alone.

use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::unistd::{User, fchown};

use super::getopt::{Flag, Flags, number};
use super::keygen::{Fault, NO_RANDOM_SOURCE, algorithm, key_statement, random_secret, text};
use super::output;
use super::rndc::DEFAULT_KEY;
use crate::conf::rndc::DEFAULT_PORT;
use crate::dns::Algorithm;
use crate::server::control::listener::io_text;

/// Runs the program on the words behind its name; gives the exit code.
pub fn run(words: &[OsString]) -> u8 {
    match Request::parse(words).and_then(|request| request.carry_out()) {
        Ok(()) => 0,
        Err(fault) => fault.tell("rndc-confgen", &usage()),
    }
}

/// What a command line asks for.
struct Request {
    writes_file: bool,
    algorithm: Algorithm,
    /// The length of the secret; none: that of the hash.
    bits: Option<usize>,
    key_file: PathBuf,
    key_name: String,
    port: u16,
    /// Where the server listens, as it was written.
    address: String,
    chroot: Option<OsString>,
    user: Option<String>,
    is_verbose: bool,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            writes_file: false,
            algorithm: Algorithm::Sha256,
            bits: None,
            key_file: DEFAULT_KEY.into(),
            key_name: "rndc-key".into(),
            port: DEFAULT_PORT,
            address: Ipv4Addr::LOCALHOST.to_string(),
            chroot: None,
            user: None,
            is_verbose: false,
        }
    }
}

impl Request {
    fn parse(words: &[OsString]) -> Result<Self, Fault> {
        let mut request = Self::default();
        let mut flags = Flags::new("aA:b:c:hk:Mmp:r:s:t:u:V", words);
        for flag in flags.by_ref() {
            request.flag(flag)?;
        }
        if flags.rest().is_empty() { Ok(request) } else { Err(Fault::Usage(1)) }
    }

    fn flag(&mut self, flag: Flag<'_>) -> Result<(), Fault> {
        match flag {
            Flag::Plain('a') => self.writes_file = true,
            Flag::With('A', name) => self.algorithm = algorithm(&text(name)).map_err(Fault::Fatal)?,
            Flag::With('b', bits) => self.bits = Some(key_bits(&text(bits))?),
            Flag::With('c', path) => self.key_file = path.into(),
            Flag::With('k', name) => self.key_name = text(name),
            Flag::With('p', port) => self.port = self::port(&text(port))?,
            Flag::With('s', address) => self.address = self::address(&text(address))?,
            Flag::With('t', directory) => self.chroot = Some(directory.to_owned()),
            Flag::With('u', user) => self.user = Some(text(user)),
            Flag::Plain('V') => self.is_verbose = true,
            Flag::With('r', _) => return Err(Fault::Fatal(NO_RANDOM_SOURCE.to_owned())),
            Flag::Plain('h') | Flag::Wrong('?') => return Err(Fault::Usage(0)),
            Flag::Wrong(letter) => return Err(Fault::Flag(letter)),
            // Memory debugging.
            Flag::Plain(_) | Flag::With(..) => {}
        }
        Ok(())
    }
}

impl Request {
    fn carry_out(&self) -> Result<(), Fault> {
        if self.algorithm == Algorithm::Md5 {
            eprintln!("warning: use of hmac-md5 for RNDC keys is deprecated; hmac-sha256 is now recommended.");
        }
        let key = self.key()?;
        if !self.writes_file {
            return say(self.configuration(&key));
        }
        // The server of a changed root gets a copy that is its own; rndc's stays with whoever runs this.
        let user = self.user.as_deref();
        self.write(&self.key_file, &key, user.filter(|_| self.chroot.is_none()))?;
        let copy = self.chroot.as_deref().map(|root| below(root, &self.key_file));
        copy.map_or(Ok(()), |path| self.write(&path, &key, user))
    }

    fn key(&self) -> Result<String, Fault> {
        let bits = self.bits.unwrap_or_else(|| self.algorithm.bits().into());
        if !(1..=MAX_BITS).contains(&bits) {
            return Err(Fault::Fatal(format!("keysize {bits} out of range (must be 1-{MAX_BITS})\n")));
        }
        self.step("initialize dst library");
        self.step("generate key");
        let secret = random_secret(bits).map_err(|fault| Fault::Fatal(format!("generate key: {}", io_text(&fault))))?;
        self.step("dump key to buffer");
        self.step("bsse64 encode secret");
        Ok(key_statement(&self.key_name, self.algorithm, &secret))
    }

    /// Tells a step to who asked for that; the words, one misspelt, are those of BIND's program.
    fn step(&self, words: &str) {
        if self.is_verbose {
            eprintln!("{words}");
        }
    }

    fn write(&self, path: &Path, key: &str, user: Option<&str>) -> Result<(), Fault> {
        self.step("create keyfile");
        let mut file = create(path).map_err(|why| Fault::Fatal(format!("create keyfile: {why}")))?;
        if user.is_some_and(|user| hand_over(&file, user).is_none()) {
            return Err(Fault::Fatal("unable to set file owner\n".to_owned()));
        }
        file.write_all(key.as_bytes()).map_err(|_| Fault::Fatal(format!("write to {} failed\n", path.display())))?;
        say(format_args!("wrote key file \"{}\"\n", path.display()))
    }

    /// An rndc.conf, and behind comment signs what named.conf needs.
    fn configuration(&self, key: &str) -> String {
        let Self { key_name, address, port, .. } = self;
        let controls = format!(
            "{key}\ncontrols {{\n\tinet {address} port {port}\n\
             \t\tallow {{ {address}; }} keys {{ \"{key_name}\"; }};\n}};\n"
        );
        let commented: String = controls.lines().map(|line| format!("# {line}\n")).collect();
        format!(
            "# Start of rndc.conf\n{key}\n\
             options {{\n\tdefault-key \"{key_name}\";\n\tdefault-server {address};\n\tdefault-port {port};\n}};\n\
             # End of rndc.conf\n\n\
             # Use with the following in named.conf, adjusting the allow list as needed:\n\
             {commented}# End of named.conf\n"
        )
    }
}

/// Opens a key file to be written anew; gives what is said if that cannot be.
fn say(text: impl Display) -> Result<(), Fault> {
    let unwritten = |fault| Fault::Fatal(format!("cannot write to standard output: {}", io_text(&fault)));
    output::print(text).map_err(unwritten)
}

fn create(path: &Path) -> Result<File, String> {
    let mut options = OpenOptions::new();
    options.write(true).mode(KEY_FILE_MODE);
    match fs::metadata(path) {
        Ok(found) if found.is_file() => options.truncate(true),
        Ok(_) => return Err("invalid file".to_owned()),
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => options.create_new(true),
        Err(fault) => return Err(create_fault(&fault)),
    };
    options.open(path).map_err(|fault| create_fault(&fault))
}

fn create_fault(fault: &io::Error) -> String {
    match fault.kind() {
        io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => "invalid file".to_owned(),
        _ => io_text(fault),
    }
}

/// Gives a file to an account. None: there is no such account, or it cannot be done.
fn hand_over(file: &File, user: &str) -> Option<()> {
    let account = User::from_name(user).ok()??;
    fchown(file, Some(account.uid), None).ok()
}

/// Where `path` lies for who sees the directory `root` as its root.
fn below(root: &OsStr, path: &Path) -> PathBuf {
    let mut whole = root.to_owned();
    if !path.has_root() {
        whole.push("/");
    }
    whole.push(path);
    whole.into()
}

fn key_bits(text: &str) -> Result<usize, Fault> {
    // BIND narrows the number to an int, and so do we: scripts may not notice.
    let bits = number(text).and_then(|bits| usize::try_from(bits as i32).ok());
    bits.ok_or_else(|| Fault::Fatal("-b requires a non-negative number".to_owned()))
}

fn port(text: &str) -> Result<u16, Fault> {
    let port = number(text).and_then(|port| u16::try_from(port).ok());
    port.ok_or_else(|| Fault::Fatal(format!("port '{text}' out of range")))
}

fn address(text: &str) -> Result<String, Fault> {
    let is_address = text.parse::<IpAddr>().is_ok();
    let fault = || Fault::Fatal("-s should be an IPv4 or IPv6 address".to_owned());
    is_address.then(|| text.to_owned()).ok_or_else(fault)
}

fn usage() -> String {
    format!(
        "\
Usage:
 rndc-confgen [-a] [-b bits] [-c keyfile] [-k keyname] [-p port] [-s addr] [-t chrootdir] [-u user]
  -a:\t\t generate just the key clause and write it to keyfile ({DEFAULT_KEY})
  -A alg:\t algorithm (default hmac-sha256)
  -b bits:\t from 1 through {MAX_BITS}, default 256; total length of the secret
  -c keyfile:\t specify an alternate key file (requires -a)
  -k keyname:\t the name as it will be used  in named.conf and rndc.conf
  -p port:\t the port named will listen on and rndc will connect to
  -q:\t\t suppress printing written key path
  -s addr:\t the address to which rndc should connect
  -t chrootdir:\t write a keyfile in chrootdir as well (requires -a)
  -u user:\t set the keyfile owner to \"user\" (requires -a)
"
    )
}

const MAX_BITS: usize = 512;
const KEY_FILE_MODE: u32 = 0o600;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conf::rndc;

    fn request(line: &str) -> Result<Request, Fault> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Request::parse(&words)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rndc.key");
        let request = request(&format!("-a -A sha384 -k k.test -c {}", file.display())).unwrap();
        request.carry_out().unwrap();
        let key = rndc::load_key_file(&file).unwrap();
        assert_eq!(
            (key.name.to_string().as_str(), key.algorithm, key.secret.len()),
            ("k.test.", Algorithm::Sha384, 48)
        );
        fs::write(&file, request.configuration(&request.key().unwrap())).unwrap();
        let conf = rndc::load(&file).unwrap();
        assert_eq!((conf.default_key.as_deref(), conf.default_port), (Some("k.test"), Some(DEFAULT_PORT)));
    }

    #[test]
    fn a_new_key_file_is_private_and_an_old_one_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rndc.key");
        let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        create(&file).unwrap();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        create(&file).unwrap();
        assert_eq!(mode(), 0o640);
        assert_eq!(create(folder.path()).unwrap_err(), "invalid file");
    }

    #[test]
    fn the_first_fault_of_a_command_line_is_told() {
        let fault = |line| request(line).err().map(|fault| fault.to_string());
        assert_eq!(fault("-A foo -b x").as_deref(), Some("Unsupported algorithm 'foo'"));
        assert_eq!(fault("-p 65536 -A foo").as_deref(), Some("port '65536' out of range"));
        assert_eq!(fault("-s localhost").as_deref(), Some("-s should be an IPv4 or IPv6 address"));
        assert_eq!(fault("-q").as_deref(), Some("invalid argument -q"));
        assert_eq!(fault("-p 0 -b 1"), None);
    }
}
