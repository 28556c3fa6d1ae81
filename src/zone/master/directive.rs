//! Entries that start with a dollar sign: `$ORIGIN` and `$INCLUDE` (RFC 1035 section 5.1), `$TTL` (RFC 2308 section 4)
//! and BIND's `$GENERATE`.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::entry::name_fault;
use super::fault::{Fault, Stop, Voice};
use super::scan::Scanner;
use super::signatures::now_s;
use super::ttl::ttl_from_text;
use super::window::Opened;
use super::{Context, Loader, MAX_INCLUDE_DEPTH, Sink, read_fault_text};
use crate::dns::text::{Token, Tokens};
use crate::dns::{NameBuf, rdata};

impl<S: Sink> Loader<'_, S> {
    /// Carries out the directive whose first field, `word`, has been read.
    #[cold]
    pub(super) fn directive(
        &mut self,
        word: &[u8],
        scanner: &mut Scanner<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Stop> {
        match word.to_ascii_uppercase().as_slice() {
            b"$ORIGIN" => self.origin(scanner, context),
            b"$TTL" => self.default_ttl(scanner, context),
            b"$INCLUDE" => self.include(scanner, context),
            b"$GENERATE" => self.generate(scanner, context),
            b"$DATE" => self.date(scanner),
            _ => {
                let text = format!("unknown $ directive '{}'", String::from_utf8_lossy(word));
                self.note(&Fault::worded(Voice::Load, text, "syntax error"), scanner, context.path);
                self.owner(word, context)?;
                // The same word is a directive the next time as well.
                context.owner.forget_text();
                self.record(scanner, false, context)
            }
        }
    }

    fn origin(&mut self, scanner: &mut Scanner<'_>, context: &mut Context<'_>) -> Result<(), Stop> {
        let token = field(scanner)?;
        context.unfinished = Some(Unfinished::Origin);
        context.owner.forget_text();
        self.finish(token.text, scanner, context)
    }

    /// Ends a directive with the name that it wants. When that is wrong, BIND takes the next owner for it.
    pub(super) fn finish(
        &mut self,
        text: &[u8],
        scanner: &mut Scanner<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), Stop> {
        let name = NameBuf::from_text(text, Some(context.origin.as_ref())).map_err(name_fault)?;
        let behind_name = scanner.clone();
        self.sink.capitals(text);
        let ended = end(scanner);
        if matches!(ended, Err(Stop::Starved)) || !behind_name.has_whole_record() {
            return Err(Stop::Starved);
        }
        match context.unfinished.take() {
            Some(Unfinished::Include(path)) => {
                if let Err(stop) = ended {
                    self.extra_words(stop, behind_name, scanner, context)?;
                }
                self.enter(&path, (name, true), scanner, context);
                Ok(())
            }
            _ => {
                context.origin = name;
                context.owner.forget_text();
                context.is_new_origin = true;
                ended
            }
        }
    }

    /// Something stands behind the origin of an `$INCLUDE`. BIND leaves out the first line of the file in its place,
    /// and takes it for an entry of its own.
    fn extra_words<'a>(
        &mut self,
        stop: Stop,
        behind_origin: Scanner<'a>,
        scanner: &mut Scanner<'a>,
        context: &Context<'_>,
    ) -> Result<(), Stop> {
        if scanner.fault().is_some() {
            return Err(stop);
        }
        self.note(&stop, scanner, context.path);
        *scanner = behind_origin;
        scanner.go_on_with_entry();
        self.skips_line = true;
        Ok(())
    }

    fn default_ttl(&mut self, scanner: &mut Scanner<'_>, context: &Context<'_>) -> Result<(), Stop> {
        let token = field(scanner).inspect_err(|stop| {
            if !matches!(stop, Stop::Starved) {
                // BIND goes on as if 0 had been there.
                self.ttls.default_s.get_or_insert(0);
            }
        })?;
        let ended = end(scanner);
        if matches!(ended, Err(Stop::Starved)) {
            return ended;
        }
        let ttl = ttl_from_text(token.text).unwrap_or_else(|| {
            self.note(&Fault::silent("bad ttl"), scanner, context.path);
            0
        });
        let ttl = self.bounded_ttl(ttl, scanner, context.path);
        (self.ttls.default_s, self.ttls.latest_s) = (Some(ttl), Some(ttl));
        ended
    }

    /// The time at which the file was written. It matters to caches only, but BIND includes nothing behind one that is
    /// in the past.
    fn date(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        let text = field(scanner)?.text;
        self.has_date = true;
        let seconds = rdata::date_from_text(text).map_err(|fault| Fault::load(fault.to_string()))?;
        let Ok(seconds) = u32::try_from(seconds) else {
            return Err(Fault::fatal(Fault::silent("unexpected error")));
        };
        self.has_date = seconds < now_s();
        end(scanner)
    }

    /// Reads another file in place of the entry. Its path is relative to the working directory, as BIND has it; origin
    /// and owner are afterwards what they were before.
    fn include(&mut self, scanner: &mut Scanner<'_>, context: &mut Context<'_>) -> Result<(), Stop> {
        self.commit();
        if self.has_date {
            let text = "$INCLUDE may not be used with $DATE";
            return Err(Fault::fatal(Fault::worded(Voice::Load, text, "syntax error")));
        }
        let path = Path::new(OsStr::from_bytes(any_field(scanner)?.text));
        match scanner.next_token() {
            None => {
                whole(scanner)?;
                if scanner.is_at_end_of_file() {
                    self.warn_of_end(context.path);
                }
                self.enter(path, (context.origin.clone(), context.is_new_origin), scanner, context);
                Ok(())
            }
            Some(token) if token.quoted => Err(Fault::quotes(scanner)),
            Some(token) => {
                context.unfinished = Some(Unfinished::Include(path.to_owned()));
                context.owner.forget_text();
                self.finish(token.text, scanner, context)
            }
        }
    }

    /// Reads an included file, and then what is left of the directive.
    fn enter(&mut self, path: &Path, origin: (NameBuf, bool), scanner: &mut Scanner<'_>, context: &mut Context<'_>) {
        let is_behind_line = !self.skips_line;
        if let Err(stop) = self.included(path, origin, context) {
            self.note(&stop, scanner, context.path);
        }
        if is_behind_line {
            scanner.finish_record();
        }
        self.leave_line_behind_include(scanner, context.path);
    }

    fn included(
        &mut self,
        path: &Path,
        (origin, is_new_origin): (NameBuf, bool),
        context: &mut Context<'_>,
    ) -> Result<(), Stop> {
        if self.depth >= MAX_INCLUDE_DEPTH {
            let text = format!("{}: too many nested files", path.display());
            return Err(Fault::worded(Voice::Load, text, "quota reached"));
        }
        self.depth += 1;
        self.commit();
        let outcome = self.file(path, Opened::new(path), origin, context.owner.for_include(), is_new_origin);
        self.depth -= 1;
        self.commit();
        outcome.map_err(|fault| {
            if fault.kind() == io::ErrorKind::IsADirectory {
                return self.no_file(path);
            }
            let reason = read_fault_text(&fault);
            Fault::worded(Voice::Load, format!("{}: {reason}", path.display()), reason)
        })
    }
}

/// A directive whose name was wrong, which waits for the next owner.
pub(super) enum Unfinished {
    /// `$ORIGIN`.
    Origin,
    /// `$INCLUDE` of this file.
    Include(PathBuf),
}

/// The next field of a directive, in quotes or not.
pub(super) fn any_field<'a>(scanner: &mut Scanner<'a>) -> Result<Token<'a>, Stop> {
    scanner.next_token().ok_or_else(|| match scanner.fault() {
        Some(fault) => Fault::unreadable(fault),
        None => Fault::missing_field(scanner),
    })
}

/// The next field of a directive, which must not be in quotes.
pub(super) fn field<'a>(scanner: &mut Scanner<'a>) -> Result<Token<'a>, Stop> {
    let token = scanner.next_token().ok_or_else(|| Fault::missing_field(scanner))?;
    if token.quoted { Err(Fault::quotes(scanner)) } else { Ok(token) }
}

/// Makes sure that the directive ends here, and with it a line.
pub(super) fn end(scanner: &mut Scanner<'_>) -> Result<(), Stop> {
    match scanner.next_token() {
        Some(_) => Err(Fault::load(EXTRA)),
        None => whole(scanner).and_then(|()| match scanner.is_at_end_of_file() {
            true => Err(Fault::skipping_next(Fault::load(EXTRA))),
            false => Ok(()),
        }),
    }
}

/// Makes sure that the scanner's end of fields is the end of the entry.
pub(super) fn whole(scanner: &mut Scanner<'_>) -> Result<(), Stop> {
    if scanner.is_starved() || scanner.fault().is_some() { Err(Fault::missing_field(scanner)) } else { Ok(()) }
}

const EXTRA: &str = "extra input text";
