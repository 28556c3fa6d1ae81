//! What named says of signatures while it reads them: once a file, that one has expired, and that there are records of
//! the first kind of DNSSEC (RFC 2535), which no resolver knows any more.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::fault::Voice;
use super::scan::Scanner;
use super::{Loader, Message, Sink};
use crate::dns::{Rtype, Serial, rdata};

/// Which of these has been said.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said {
    has_expired: bool,
    is_old_style: bool,
    /// The time when the first signature came, in seconds since 1970 modulo 2^32.
    now_s: Option<u32>,
}

impl Said {
    /// Whether this message is none of these, or the first. Pieces of a file do not know what others said.
    pub(super) fn is_new(&mut self, message: &Message) -> bool {
        let said = match &message.text {
            text if text.ends_with(EXPIRED) => &mut self.has_expired,
            text if text.ends_with(OLD_STYLE) => &mut self.is_old_style,
            _ => return true,
        };
        !std::mem::replace(said, true)
    }
}

impl<S: Sink> Loader<'_, S> {
    /// Looks at the signature that has been read.
    pub(super) fn remark_on_signature(&mut self, rtype: Rtype, path: &Path, scanner: &mut Scanner<'_>) {
        if rtype != Rtype::RRSIG {
            if !std::mem::replace(&mut self.said.is_old_style, true) {
                self.warn(path, scanner.start_line(), Voice::Plain, OLD_STYLE);
            }
            return;
        }
        let now_s = *self.said.now_s.get_or_insert_with(now_s);
        let has_expired = |end_s| Serial(now_s).is_newer_than(Serial(end_s));
        if !self.said.has_expired && rdata::signature_times(&self.rdata).is_some_and(|(end_s, _)| has_expired(end_s)) {
            self.said.has_expired = true;
            self.warn(path, scanner.start_line(), Voice::Plain, EXPIRED);
        }
    }
}

/// Seconds since 1970 modulo 2^32.
pub(super) fn now_s() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as u32
}

const EXPIRED: &str = "signature has expired";
/// With two blanks, as BIND has it.
const OLD_STYLE: &str = "old style DNSSEC  zone detected";
