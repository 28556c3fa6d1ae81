//! BIND's `$GENERATE range owner [ttl] [class] type rdata`: one record for each number of a range.
//!
//! A `$` in owner and rdata stands for the number, `$$` and `\$` for a dollar sign, and `${offset,width,base}` for the
//! number plus an offset, zero-padded to a width, in base d, o, x or X, or as nibbles with dots between (n and N, for
//! ip6.arpa).

use std::fmt::Write;

use super::directive::{end, field};
use super::entry::name_fault;
use super::fault::{Fault, Stop, Voice};
use super::scan::Scanner;
use super::{Context, Loader, Sink};
use crate::dns::text::Token;
use crate::dns::{NameBuf, rdata};

/// The numbers that a `$GENERATE` runs over.
struct Range {
    start: u32,
    stop: u32,
    step: u32,
}

/// How a number is written.
struct Modifier {
    offset: i64,
    width: usize,
    base: u8,
}

impl<S: Sink> Loader<'_, S> {
    /// Reads a `$GENERATE` entry whole and then makes its records.
    pub(super) fn generate(&mut self, scanner: &mut Scanner<'_>, context: &mut Context<'_>) -> Result<(), Stop> {
        let range_text = field(scanner)?.text;
        let owner_text = field(scanner)?.text;
        let heading = self.heading(scanner).map_err(Stop::said_by_generate)?;
        let Token { text: rdata_text, .. } = field(scanner)?;
        end(scanner)?;
        let range = Range::from_text(range_text).ok_or_else(|| {
            let text = format!("invalid range '{}'", String::from_utf8_lossy(range_text));
            Fault::worded(Voice::Generate, text, "syntax error")
        })?;
        let ttl = match heading.ttl.or(self.ttls.default_s).or(self.ttls.latest_s) {
            Some(ttl) => self.bounded_ttl(ttl, scanner, context.path),
            None => return Err(Fault::worded(Voice::Plain, "no TTL specified; zone rejected", "no ttl")),
        };
        let line = scanner.line();
        let mut number = range.start;
        while number <= range.stop && !self.sink.is_full() {
            let (Some(owner), Some(rdata)) = (expand(owner_text, number), expand(rdata_text, number)) else {
                return Err(generate_fault("syntax error".into()));
            };
            let owner = NameBuf::from_text(&owner, Some(context.origin.as_ref())).map_err(name_fault)?;
            self.placement(owner.as_ref(), heading.rtype)?;
            self.rdata.clear();
            let mut fields = Scanner::new(&rdata, true, line);
            rdata::from_text(heading.rtype, &mut fields, context.origin.as_ref(), &mut self.rdata)
                .map_err(|error| generate_fault(error.fault.to_string()))?;
            if owner.as_ref().is_at_or_below(self.options.apex.as_ref()) {
                self.sink.record(owner.as_ref(), heading.rtype, ttl, &self.rdata);
            } else {
                let text = format!("ignoring out-of-zone data ({})", crate::dns::name::NoDot(owner.as_ref()));
                self.warn(context.path, line, Voice::Plain, text);
            }
            let Some(next) = number.checked_add(range.step) else { break };
            number = next;
        }
        Ok(())
    }
}

fn generate_fault(reason: String) -> Stop {
    Fault::worded(Voice::Generate, reason.clone(), reason)
}

impl Range {
    /// Reads `start-stop` or `start-stop/step`.
    fn from_text(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (range, step) = text.split_once('/').unwrap_or((text, "1"));
        let (start, stop) = range.split_once('-')?;
        let range = Self { start: start.parse().ok()?, stop: stop.parse().ok()?, step: step.parse().ok()? };
        let is_sane = range.start <= range.stop && range.step > 0 && range.stop <= MAX_NUMBER;
        is_sane.then_some(range)
    }
}

impl Modifier {
    const PLAIN: Self = Self { offset: 0, width: 0, base: b'd' };

    /// Reads what stands between the braces.
    fn from_text(text: &[u8]) -> Option<Self> {
        let mut fields = std::str::from_utf8(text).ok()?.split(',');
        let offset = fields.next()?.parse().ok()?;
        let width = fields.next().map_or(Some(0), |width| width.parse().ok())?;
        let &[base @ (b'd' | b'o' | b'x' | b'X' | b'n' | b'N')] = fields.next().unwrap_or("d").as_bytes() else {
            return None;
        };
        (fields.next().is_none() && width <= MAX_WIDTH).then_some(Self { offset, width, base })
    }

    fn write(&self, number: u32, out: &mut String) -> Option<()> {
        let number = i64::from(number).checked_add(self.offset)?;
        let number = u32::try_from(number).ok()?;
        let width = self.width;
        match self.base {
            b'd' => write!(out, "{number:0width$}"),
            b'o' => write!(out, "{number:0width$o}"),
            b'x' => write!(out, "{number:0width$x}"),
            b'X' => write!(out, "{number:0width$X}"),
            base => nibbles(number, width, base == b'N', out),
        }
        .ok()
    }
}

/// The lowest nibble first, dots between; the width counts digits and dots.
fn nibbles(mut number: u32, width: usize, is_upper: bool, out: &mut String) -> std::fmt::Result {
    let start = out.len();
    loop {
        let digit = number & 0xf;
        if is_upper {
            write!(out, "{digit:X}")?
        } else {
            write!(out, "{digit:x}")?
        }
        number >>= 4;
        let written = out.len() - start;
        if number == 0 && written >= width {
            return Ok(());
        }
        out.push('.');
        if number == 0 && written + 1 >= width {
            return Ok(());
        }
    }
}

/// `template` with each `$` replaced. None if a modifier is wrong or the number gets out of range.
fn expand(template: &[u8], number: u32) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match (byte, tail) {
            (b'\\', [escaped, tail @ ..]) => {
                out.extend_from_slice(&[b'\\', *escaped]);
                tail
            }
            (b'$', [b'$', tail @ ..]) => {
                out.push(b'$');
                tail
            }
            (b'$', tail) => {
                let (modifier, tail) = modifier(tail)?;
                let mut text = String::new();
                modifier.write(number, &mut text)?;
                out.extend_from_slice(text.as_bytes());
                tail
            }
            _ => {
                out.push(byte);
                tail
            }
        };
    }
    Some(out)
}

/// The modifier that `text`, which stands behind a `$`, may start with, and what is behind it.
fn modifier(text: &[u8]) -> Option<(Modifier, &[u8])> {
    let Some(inner) = text.strip_prefix(b"{") else { return Some((Modifier::PLAIN, text)) };
    let length = memchr::memchr(b'}', inner)?;
    let (inside, tail) = inner.split_at_checked(length)?;
    Some((Modifier::from_text(inside)?, tail.get(1..)?))
}

/// The highest number of a range.
const MAX_NUMBER: u32 = i32::MAX as u32;
/// The widest padding: no name or address needs more.
const MAX_WIDTH: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(template: &str, number: u32) -> Option<String> {
        expand(template.as_bytes(), number).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn modifiers_shape_the_number() {
        let cases = [
            ("host-$", "host-10"),
            ("h${0,4}", "h0010"),
            ("h${-3}", "h7"),
            ("${0,3,x}.${6,0,X}", "00a.10"),
            ("${0,2,o}", "12"),
            ("${0,3,n}", "a.0"),
            ("${246,7,N}", "0.0.1.0"),
            ("$$ \\$", "$ \\$"),
        ];
        for (template, text) in cases {
            assert_eq!(expanded(template, 10).as_deref(), Some(text), "{template}");
        }
    }

    #[test]
    fn bad_modifiers_are_refused() {
        for template in ["${", "${a}", "${1,2,q}", "${1,2,d,4}", "${-11}", "${0,9999}"] {
            assert_eq!(expanded(template, 10), None, "{template}");
        }
    }

    #[test]
    fn ranges_go_upwards() {
        let read = |text: &str| Range::from_text(text.as_bytes()).map(|r| (r.start, r.stop, r.step));
        assert_eq!(read("1-9"), Some((1, 9, 1)));
        assert_eq!(read("0-100/10"), Some((0, 100, 10)));
        for text in ["9-1", "1", "a-2", "1-2/0", "1-4294967295"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
