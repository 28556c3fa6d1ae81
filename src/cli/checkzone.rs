//! `named-checkzone` judges a zone file; `named-compilezone` also writes it out as text or in the raw format.
//!
//! Flags, words, order and exit codes are those of BIND's programs, which are one program of two names as well; the
//! second is stricter by default. `--zonemd` is nomd's own.

mod flags;

use std::ffi::OsString;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::output;
use super::zone_file::ZoneFile;
use crate::dns::name::NoDot;
use crate::server::start::VERSION;
use crate::zone::zonemd::{self, Hash};
use crate::zone::{ZoneVersion, print, raw};
use flags::{Format, Request, Zonemd};

/// Which of the two programs runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `named-checkzone`.
    Check,
    /// `named-compilezone`.
    Compile,
}

/// Runs the program on the words behind its name; gives the exit code.
pub fn run(tool: Tool, words: &[OsString]) -> u8 {
    let request = match Request::parse(tool, words) {
        Ok(request) => request,
        Err(fault) => return flags::tell(tool, &fault),
    };
    if request.wants_version {
        return output::answer(tool.name(), format_args!("{VERSION}\n"), 0, 1);
    }
    u8::from(request.carry_out().is_none())
}

impl Request {
    /// Loads the zone, and writes it where that is asked for. None: something is wrong, and has been told.
    fn carry_out(&self) -> Option<()> {
        let (apex, file) = (NoDot(self.options.apex.as_ref()), self.file.display());
        self.trace(format_args!("loading \"{apex}\" from \"{file}\" class \"{}\"", self.options.class));
        let version = self.load()?;
        let version = match &self.zonemd {
            None => version,
            Some(Zonemd::Verify) => self.verify(version)?,
            Some(Zonemd::Compute(hashes)) => self.compute(version, hashes)?,
        };
        if self.writes {
            self.write(&version)?;
        }
        self.say("OK");
        Some(())
    }

    fn load(&self) -> Option<ZoneVersion> {
        let file = ZoneFile {
            path: &self.file,
            is_raw: matches!(self.input, Format::Raw(_)),
            journal: self.journal.as_deref(),
            options: &self.options,
            limits: self.limits,
            policy: &self.policy,
        };
        let judged = file.judge();
        self.say(judged.lines.trim_end());
        judged.result.ok()
    }

    /// Holds the zone against its ZONEMD records, and gives it back if it is what one of them says.
    fn verify(&self, version: ZoneVersion) -> Option<ZoneVersion> {
        match zonemd::verify(&version) {
            Ok(hash) => self.say_of_zone(format_args!("ZONEMD verified: {hash}, serial {}", version.serial())),
            Err(faults) => {
                faults.iter().for_each(|fault| self.say_of_zone(format_args!("ZONEMD not verified: {fault}")));
                return None;
            }
        }
        Some(version)
    }

    /// Gives the zone ZONEMD records that are true.
    fn compute(&self, version: ZoneVersion, hashes: &[Hash]) -> Option<ZoneVersion> {
        match zonemd::renew(&version, hashes) {
            Ok(None) => {
                self.say_of_zone("ZONEMD unchanged");
                Some(version)
            }
            Ok(Some(renewed)) => {
                self.say_of_zone(format_args!("ZONEMD computed, serial {}", version.serial()));
                if renewed.lacks_signature {
                    self.say_of_zone(
                        "warning: the ZONEMD record has no signature now; sign it, and nothing else, again",
                    );
                }
                Some(renewed.version)
            }
            Err(fault) => {
                self.say_of_zone(format_args!("ZONEMD not computed: {fault}"));
                None
            }
        }
    }

    fn write(&self, version: &ZoneVersion) -> Option<()> {
        let apex = NoDot(self.options.apex.as_ref());
        match &self.output {
            None => self.trace(format_args!("dumping \"{apex}\"")),
            Some(path) => self.trace(format_args!("dumping \"{apex}\" to \"{}\"", path.display())),
        }
        let announces = self.tool == Tool::Compile && self.output.is_some();
        let begin = |path: &Path| format!("dump zone to {}...", path.display());
        let announced = self.output.as_deref().filter(|_| announces).map(begin);
        let written = match &self.output {
            None => self.dump(version, io::stdout().lock()),
            Some(path) => match File::create(path) {
                Ok(file) => self.dump(version, file),
                Err(fault) => {
                    eprintln!("could not open output file \"{}\" for writing", path.display());
                    Err(fault)
                }
            },
        };
        if let Some(announced) = announced {
            self.say(format_args!("{announced}done"));
        }
        written.ok()
    }

    fn dump(&self, version: &ZoneVersion, out: impl Write) -> io::Result<()> {
        let mut out = BufWriter::new(out);
        match self.output_format {
            Format::Text => print::dump(version, self.style, &mut out)?,
            Format::Raw(form) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let dumped_at_s = now.as_secs() as u32;
                let header = raw::Header { form, dumped_at_s, source_serial: self.serial, last_transfer_s: None };
                raw::dump(version, &header, &mut out)?;
            }
        }
        out.flush()
    }

    /// Prints lines where it does not mix with the zone. Nobody may be reading any more, which is no fault.
    fn say(&self, text: impl Display) {
        let _ = match (self.is_quiet, self.writes && self.output.is_none()) {
            (true, _) => Ok(()),
            (_, true) => writeln!(io::stderr(), "{text}"),
            _ => writeln!(io::stdout(), "{text}"),
        };
    }

    fn say_of_zone(&self, text: impl Display) {
        self.say(format_args!("zone {}/{}: {text}", NoDot(self.options.apex.as_ref()), self.options.class));
    }

    /// Tells a step to who asked for that.
    fn trace(&self, text: impl Display) {
        if self.is_verbose {
            eprintln!("{text}");
        }
    }
}
