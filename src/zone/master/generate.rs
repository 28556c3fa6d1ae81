//! BIND's `$GENERATE range owner [ttl] [class] type rdata`: one record for each number of a range.
//!
//! A `$` in owner and rdata stands for the number, `$$` and `\$` for a dollar sign, and `${offset,width,base}` for the
//! number plus an offset, zero-padded to a width, in base d, o, x or X, or as nibbles with dots between (n and N, for
//! ip6.arpa).

use std::path::Path;

use super::directive::{any_field, end, field};
use super::fault::{Fault, Lines, Stop, Voice};
use super::heading::Words;
use super::scan::Scanner;
use super::{Context, Loader, Sink};
use crate::dns::name::NoDot;
use crate::dns::{NameBuf, Rtype, rdata};

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
    /// Reads a `$GENERATE` entry and makes its records. A fault in what it says does not keep BIND from looking at how
    /// the entry ends.
    pub(super) fn generate(&mut self, scanner: &mut Scanner<'_>, context: &mut Context<'_>) -> Result<(), Stop> {
        let range = field(scanner)?.text;
        let owner = field(scanner)?.text;
        let words = Words::read(scanner, &mut None)?;
        let rdata = any_field(scanner)?.text;
        let line = scanner.line();
        let template = Template { range, owner, rdata };
        // Nothing is made of an entry that the piece at hand does not hold to its end.
        let mut probe = scanner.clone();
        if matches!(end(&mut probe), Err(Stop::Starved)) || probe.is_starved() {
            return Err(Stop::Starved);
        }
        self.expect_class(words.class)?;
        let made = self.generate_all(&template, &words, scanner, context);
        self.sink.end_generated();
        if let Err(stop) = made {
            self.stopped(&stop, context.path, Lines { start: scanner.start_line(), ..Lines::all(line) });
        }
        end(scanner)
    }

    fn generate_all(
        &mut self,
        template: &Template<'_>,
        words: &Words<'_>,
        scanner: &mut Scanner<'_>,
        context: &Context<'_>,
    ) -> Result<(), Stop> {
        let ttl = match words.ttl.map(|ttl| self.bounded_ttl(ttl, scanner, context.path)) {
            Some(ttl) => {
                self.ttls.latest_s = Some(ttl);
                ttl
            }
            None => match self.ttls.default_s.or(self.ttls.latest_s) {
                Some(ttl) => ttl,
                None => return Err(Fault::worded(Voice::Load, "no TTL specified; zone rejected", "no ttl")),
            },
        };
        let range = Range::from_text(template.range).ok_or_else(|| {
            let text = format!("invalid range '{}'", String::from_utf8_lossy(template.range));
            Fault::worded(Voice::Generate, text, "syntax error")
        })?;
        let about_type = |what, reason| {
            let text = format!("{what} RR type '{}'", String::from_utf8_lossy(words.rtype));
            Fault::worded(Voice::Generate, text, reason)
        };
        let rtype = Rtype::from_text(words.rtype).map_err(|_| about_type("unknown", "unknown class/type"))?;
        if rtype.is_meta() {
            return Err(about_type("meta", META_TYPE));
        }
        let mut number = range.start;
        while number <= range.stop && !self.sink.is_full() {
            self.generate_one(template, number, (rtype, ttl), scanner, context)?;
            let Some(next) = number.checked_add(range.step) else { break };
            number = next;
        }
        Ok(())
    }

    fn generate_one(
        &mut self,
        template: &Template<'_>,
        number: u32,
        (rtype, ttl): (Rtype, u32),
        scanner: &mut Scanner<'_>,
        context: &Context<'_>,
    ) -> Result<(), Stop> {
        let line = scanner.start_line();
        let expanded = |text| expand(text, number).map_err(|fault| generate_fault(fault.to_string()));
        let (owner, rdata) = (expanded(template.owner)?, expanded(template.rdata)?);
        let origin = context.origin.as_ref();
        self.sink.capitals(&owner);
        let owner = NameBuf::from_text(&owner, Some(origin)).map_err(|fault| generate_fault(fault.to_string()))?;
        if !owner.as_ref().is_at_or_below(self.options.apex.as_ref()) {
            let text = format!("ignoring out-of-zone data ({})", NoDot(owner.as_ref()));
            self.warn(context.path, line, Voice::Plain, text);
            return Ok(());
        }
        self.rdata.clear();
        // Parentheses around the template are open in each record, which is a fault.
        let mut fields = scanner.inner(&rdata);
        let read = rdata::from_text(rtype, &mut fields, origin, &mut self.rdata)
            .map_err(|error| Fault::rdata(&error, &fields))
            .and_then(|()| Fault::check_end(&fields));
        if let Err(stop) = read {
            return Err(self.generated_fault(&stop, &rdata));
        }
        self.check_owner(owner.as_ref(), rtype, context.path, line);
        if S::WANTS_PLACES {
            self.sink.place(context.path, line);
        }
        self.sink.generated(owner.as_ref(), rtype, ttl, &self.rdata);
        self.hear();
        Ok(())
    }

    /// Says what is wrong with generated data. BIND names the text by where it lies in memory.
    fn generated_fault(&mut self, stop: &Stop, text: &[u8]) -> Stop {
        let (Stop::Fault(fault) | Stop::Fatal(fault)) = stop else { return Fault::silent("unexpected end of input") };
        let buffer = format!("buffer-{:p}", text.as_ptr());
        self.fault(fault, Path::new(&buffer), Lines::all(1));
        generate_fault(fault.reason.clone())
    }
}

/// What records are generated from.
struct Template<'a> {
    range: &'a [u8],
    owner: &'a [u8],
    rdata: &'a [u8],
}

/// Why a template cannot be expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum ExpandFault {
    #[error("syntax error")]
    Syntax,
    #[error("out of range")]
    OutOfRange,
    #[error("ran out of space")]
    NoSpace,
}

fn generate_fault(reason: String) -> Stop {
    Fault::worded(Voice::Generate, reason.clone(), reason)
}

impl Range {
    /// Reads `start-stop` or `start-stop/step`. As with C's `sscanf`, what follows numbers does not matter.
    fn from_text(text: &[u8]) -> Option<Self> {
        let (start, rest) = leading_number(text)?;
        let (stop, rest) = leading_number(rest.strip_prefix(b"-")?)?;
        let step = match rest.strip_prefix(b"/") {
            Some(rest) => leading_number(rest)?.0,
            None => 1,
        };
        let is_sane = start <= stop && step > 0 && step <= MAX_NUMBER && stop <= MAX_NUMBER;
        is_sane.then_some(Self { start, stop, step })
    }
}

/// A number with or without a sign in front of it, and what follows.
fn leading_number(text: &[u8]) -> Option<(u32, &[u8])> {
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = digits.split_at_checked(count)?;
    Some((std::str::from_utf8(number).ok()?.parse().ok()?, rest))
}

impl Modifier {
    const PLAIN: Self = Self { offset: 0, width: 0, base: b'd' };

    /// Reads what stands between the braces.
    fn from_text(text: &[u8]) -> Option<Self> {
        let mut fields = std::str::from_utf8(text).ok()?.split(',');
        let offset = fields.next()?.parse::<i32>().ok()?.into();
        let width = fields.next().map_or(Some(0), |width| width.parse().ok())?;
        let &[base @ (b'd' | b'o' | b'x' | b'X' | b'n' | b'N')] = fields.next().unwrap_or("d").as_bytes() else {
            return None;
        };
        fields.next().is_none().then_some(Self { offset, width, base })
    }

    /// Appends the number. Digits of negative ones are those of C.
    fn write(&self, number: u32, out: &mut Vec<u8>) -> Result<(), ExpandFault> {
        let number = i32::try_from(i64::from(number) + self.offset).map_err(|_| ExpandFault::OutOfRange)?;
        let width = self.width;
        if width > MAX_WIDTH {
            return Err(ExpandFault::NoSpace);
        }
        let text = match self.base {
            b'd' => format!("{number:0width$}"),
            b'o' => format!("{number:0width$o}"),
            b'x' => format!("{number:0width$x}"),
            b'X' => format!("{number:0width$X}"),
            base => nibbles(number as u32, width, base == b'N'),
        };
        if text.len() > MAX_WIDTH {
            return Err(ExpandFault::NoSpace);
        }
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// The lowest nibble first, dots between; the width counts digits and dots.
fn nibbles(mut number: u32, mut width: usize, is_upper: bool) -> String {
    let mut text = String::new();
    loop {
        let digit = char::from_digit(number & 0xf, 16).unwrap_or('0');
        text.push(if is_upper { digit.to_ascii_uppercase() } else { digit });
        number >>= 4;
        width = width.saturating_sub(1);
        if width > 0 || number != 0 {
            text.push('.');
            width = width.saturating_sub(1);
        }
        if width == 0 && number == 0 {
            return text;
        }
    }
}

/// `template` with each `$` replaced. BIND: an offset holds for the dollar signs behind it too.
fn expand(template: &[u8], number: u32) -> Result<Vec<u8>, ExpandFault> {
    let mut out = Vec::with_capacity(template.len() + 16);
    let mut rest = template;
    let mut offset = 0;
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
                let (modifier, tail) = modifier(tail, offset).ok_or(ExpandFault::Syntax)?;
                offset = modifier.offset;
                modifier.write(number, &mut out)?;
                tail
            }
            _ => {
                out.push(byte);
                tail
            }
        };
    }
    Ok(out)
}

/// The modifier that `text`, which stands behind a `$`, may start with, and what is behind it.
fn modifier(text: &[u8], offset: i64) -> Option<(Modifier, &[u8])> {
    let Some(inner) = text.strip_prefix(b"{") else { return Some((Modifier { offset, ..Modifier::PLAIN }, text)) };
    let length = memchr::memchr(b'}', inner)?;
    let (inside, tail) = inner.split_at_checked(length)?;
    Some((Modifier::from_text(inside)?, tail.get(1..)?))
}

/// The highest number of a range.
const MAX_NUMBER: u32 = i32::MAX as u32;
/// The most characters of one number.
const MAX_WIDTH: usize = 127;
const META_TYPE: &str = "invalid use of a meta type";

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(template: &str, number: u32) -> Option<String> {
        expand(template.as_bytes(), number).ok().map(|text| String::from_utf8(text).unwrap())
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
            ("${5}.$", "15.15"),
            ("${-12,4}", "-002"),
            ("${-11,0,x}", "ffffffff"),
        ];
        for (template, text) in cases {
            assert_eq!(expanded(template, 10).as_deref(), Some(text), "{template}");
        }
    }

    #[test]
    fn bad_modifiers_are_refused() {
        for template in ["${", "${a}", "${1,2,q}", "${1,2,d,4}", "${0,9999}"] {
            assert_eq!(expanded(template, 10), None, "{template}");
        }
    }

    #[test]
    fn ranges_go_upwards() {
        let read = |text: &str| Range::from_text(text.as_bytes()).map(|r| (r.start, r.stop, r.step));
        assert_eq!(read("1-9"), Some((1, 9, 1)));
        assert_eq!(read("0-100/10"), Some((0, 100, 10)));
        assert_eq!(read("1-2x"), Some((1, 2, 1)));
        for text in ["9-1", "1", "a-2", "1-2/0", "1-2/", "1-4294967295"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
