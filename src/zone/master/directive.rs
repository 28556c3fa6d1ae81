//! Entries that start with a dollar sign: `$ORIGIN` and `$INCLUDE` (RFC 1035 section 5.1), `$TTL` (RFC 2308 section 4)
//! and BIND's `$GENERATE`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::entry::name_fault;
use super::fault::{Fault, Stop, Voice};
use super::scan::Scanner;
use super::ttl::ttl_from_text;
use super::{Context, Loader, MAX_INCLUDE_DEPTH, Sink, read_fault_text};
use crate::dns::NameBuf;
use crate::dns::text::{Token, Tokens};

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
            _ => {
                let text = format!("unknown $ directive '{}'", String::from_utf8_lossy(word));
                Err(Fault::worded(Voice::Load, text, "syntax error"))
            }
        }
    }

    fn origin(&mut self, scanner: &mut Scanner<'_>, context: &mut Context<'_>) -> Result<(), Stop> {
        let token = field(scanner)?;
        let origin = NameBuf::from_text(token.text, Some(context.origin.as_ref())).map_err(name_fault)?;
        end(scanner)?;
        context.origin = origin;
        context.owner.forget_text();
        context.is_new_origin = true;
        Ok(())
    }

    fn default_ttl(&mut self, scanner: &mut Scanner<'_>, context: &Context<'_>) -> Result<(), Stop> {
        let token = field(scanner)?;
        let ttl = ttl_from_text(token.text).ok_or_else(|| Fault::silent("bad ttl"))?;
        end(scanner)?;
        let ttl = self.bounded_ttl(ttl, scanner, context.path);
        self.ttls.default_s = Some(ttl);
        Ok(())
    }

    /// Reads another file in place of the entry. Its path is relative to the working directory, as BIND has it; origin
    /// and owner are afterwards what they were before.
    fn include(&mut self, scanner: &mut Scanner<'_>, context: &mut Context<'_>) -> Result<(), Stop> {
        let path = Path::new(OsStr::from_bytes(field(scanner)?.text));
        let origin = match scanner.next_token() {
            None => context.origin.clone(),
            Some(token) => {
                let origin = NameBuf::from_text(token.text, Some(context.origin.as_ref())).map_err(name_fault)?;
                end(scanner)?;
                origin
            }
        };
        whole(scanner)?;
        if self.depth >= MAX_INCLUDE_DEPTH {
            return Err(Fault::worded(
                Voice::Load,
                format!("{}: too many nested files", path.display()),
                "quota reached",
            ));
        }
        self.depth += 1;
        let outcome = self.file(path, origin, context.owner.for_include());
        self.depth -= 1;
        // The included file's last owner was another one.
        self.rrset_ttls.clear();
        context.is_new_origin = true;
        outcome.map_err(|fault| {
            let reason = read_fault_text(&fault);
            Fault::worded(Voice::Load, format!("{}: {reason}", path.display()), reason)
        })
    }
}

/// The next field of a directive.
pub(super) fn field<'a>(scanner: &mut Scanner<'a>) -> Result<Token<'a>, Stop> {
    scanner.next_token().ok_or_else(|| Fault::missing_field(scanner))
}

/// Makes sure that the directive ends here.
pub(super) fn end(scanner: &mut Scanner<'_>) -> Result<(), Stop> {
    match scanner.next_token() {
        Some(_) => Err(Fault::load("extra input text")),
        None => whole(scanner),
    }
}

/// Makes sure that the scanner's end of fields is the end of the entry.
pub(super) fn whole(scanner: &Scanner<'_>) -> Result<(), Stop> {
    if scanner.is_starved() || scanner.fault().is_some() { Err(Fault::missing_field(scanner)) } else { Ok(()) }
}
