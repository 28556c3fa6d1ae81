//! The substitution of NAPTR (RFC 3402 section 3.2): a POSIX extended regular expression, what to put in its place, and
//! a flag, each behind a delimiter. Only whether it is well formed is looked at, as BIND does.

/// Whether `text` is a substitution or empty.
pub(super) fn is_valid(text: &[u8]) -> bool {
    let Some((&delimiter, rest)) = text.split_first() else { return true };
    let is_fit = !(delimiter.is_ascii_digit() || matches!(delimiter, b'\\' | b'i' | 0));
    let Some((expression, rest)) = part(rest, delimiter).filter(|_| is_fit && !text.contains(&0)) else { return false };
    let Some((replacement, flags)) = part(rest, delimiter) else { return false };
    let Some(groups) = Expression::count_groups(expression) else { return false };
    flags.iter().all(|&flag| flag == b'i') && highest_reference(replacement).is_some_and(|highest| highest <= groups)
}

/// What stands in front of the next delimiter that has no backslash, and what behind.
fn part(text: &[u8], delimiter: u8) -> Option<(&[u8], &[u8])> {
    let mut at = 0;
    loop {
        match text.get(at)? {
            byte if *byte == delimiter => return Some((text.get(..at)?, text.get(at + 1..)?)),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// The highest group that a replacement refers to; there is no group 0.
fn highest_reference(mut text: &[u8]) -> Option<usize> {
    let mut highest = 0;
    while let Some((&byte, rest)) = text.split_first() {
        text = rest;
        if byte == b'\\' {
            let (&digit, rest) = rest.split_first()?;
            text = rest;
            match digit {
                b'0' => return None,
                b'1'..=b'9' => highest = highest.max(usize::from(digit - b'0')),
                _ => {}
            }
        }
    }
    Some(highest)
}

/// Reads an expression from the left.
struct Expression<'a> {
    rest: &'a [u8],
    groups: usize,
    open: usize,
    /// Whether there is something that `*` could repeat.
    has_atom: bool,
    /// Whether that is repeated already.
    is_repeated: bool,
    /// Whether a group may end here with nothing in it.
    may_be_empty: bool,
}

impl<'a> Expression<'a> {
    /// How many groups an expression has; none if it is not well formed.
    fn count_groups(text: &'a [u8]) -> Option<usize> {
        let (has_atom, is_repeated, may_be_empty) = (false, false, false);
        let mut expression = Expression { rest: text, groups: 0, open: 0, has_atom, is_repeated, may_be_empty };
        while let Some(byte) = expression.next() {
            expression.item(byte)?;
        }
        (expression.open == 0 && expression.has_atom).then_some(expression.groups)
    }

    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn atom(&mut self) -> Option<()> {
        (self.has_atom, self.is_repeated) = (true, false);
        Some(())
    }

    fn item(&mut self, byte: u8) -> Option<()> {
        match byte {
            b'\\' => {
                let escaped = self.next()?;
                let is_known = !matches!(escaped, b'1'..=b'9') || usize::from(escaped - b'0') <= self.groups;
                is_known.then(|| self.atom())?
            }
            b'[' => {
                self.bracket()?;
                self.atom()
            }
            b'{' if self.rest.first().is_some_and(u8::is_ascii_digit) => {
                self.repeat()?;
                self.bound()
            }
            b'(' => {
                (self.has_atom, self.is_repeated, self.may_be_empty) = (false, false, true);
                self.open += 1;
                self.groups += 1;
                Some(())
            }
            b')' => {
                let is_empty = self.open > 0 && !self.has_atom && !self.may_be_empty;
                self.open = self.open.saturating_sub(1);
                if is_empty { None } else { self.atom() }
            }
            b'|' => {
                let had_atom = self.has_atom;
                (self.has_atom, self.is_repeated, self.may_be_empty) = (false, false, false);
                had_atom.then_some(())
            }
            b'^' | b'$' => {
                (self.has_atom, self.is_repeated) = (true, true);
                Some(())
            }
            b'+' | b'*' | b'?' => self.repeat(),
            _ => self.atom(),
        }
    }

    fn repeat(&mut self) -> Option<()> {
        let may_be = self.has_atom && !self.is_repeated;
        self.is_repeated = true;
        may_be.then_some(())
    }

    /// Numbers of repetitions behind the brace: `3}`, `3,}` or `3,5}`.
    fn bound(&mut self) -> Option<()> {
        let end = self.rest.iter().position(|&byte| byte == b'}')?;
        let (inside, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.get(1..)?;
        let mut numbers = inside.split(|&byte| byte == b',');
        let number = |text: &[u8]| match text {
            [] => Some(0),
            _ => super::cursor::number(text, MAX_REPETITIONS).ok(),
        };
        let low = number(numbers.next()?)?;
        let high = numbers.next().filter(|text| !text.is_empty()).map(number);
        let is_ordered = high.is_none_or(|high| high.is_some_and(|high| low <= high));
        (is_ordered && numbers.next().is_none()).then_some(())
    }

    /// The characters of a bracket, to its end.
    fn bracket(&mut self) -> Option<()> {
        if self.rest.first() == Some(&b'^') {
            self.next();
        }
        let (mut is_first, mut start, mut is_range) = (true, None, false);
        loop {
            let byte = self.next()?;
            match byte {
                b']' if !is_first => return Some(()),
                b'-' if !is_first && !is_range => {
                    start?;
                    is_range = true;
                }
                b'[' if matches!(self.rest.first(), Some(b'.' | b'=' | b':')) => {
                    let is_class = self.rest.first() != Some(&b'.');
                    self.class()?;
                    if is_range && is_class {
                        return None;
                    }
                    (start, is_range) = (Some(0), false);
                }
                _ if is_range && start.is_some_and(|start| byte < start) => return None,
                _ => (start, is_range) = (if is_range { None } else { Some(byte) }, false),
            }
            is_first = false;
        }
    }

    /// `[:alpha:]`, `[=a=]` or `[.a.]`, behind the first bracket.
    fn class(&mut self) -> Option<()> {
        let sign = self.next()?;
        let end = self.rest.windows(2).position(|pair| pair == [sign, b']'])?;
        let (name, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.get(2..)?;
        let is_known = sign != b':' || CLASSES.iter().any(|class| class.as_bytes() == name);
        (is_known && !name.is_empty()).then_some(())
    }
}

const MAX_REPETITIONS: u32 = 255;
const CLASSES: [&str; 12] =
    ["alnum", "digit", "punct", "alpha", "graph", "space", "blank", "lower", "upper", "cntrl", "print", "xdigit"];

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn substitutions_have_an_expression_a_replacement_and_a_flag() {
        for text in
            ["", "!a!b!", "/^(.*)$/\\1.example/i", "!a{1,3}[^]a-z[:digit:]]!!", "#(a|b)c#\\1#", "!{!x!", "!\\!!x!"]
        {
            assert!(is_valid(text.as_bytes()), "{text}");
        }
        for text in [
            "!", "!a", "!a!b", "ia!b!", "!!b!", "!a!b!x", "!(a!b!", "!a!\\1!", "!*!b!", "!a**!b!", "!a|!b!", "!(|a)!b!",
        ] {
            assert!(!is_valid(text.as_bytes()), "{text}");
        }
        for text in
            ["![z-a]!b!", "![a!b!", "![[:foo:]]!b!", "!a{3,1}!b!", "!a{1x}!b!", "!a{256}!b!", "!\\1(a)!b!", "!a!\\0!"]
        {
            assert!(!is_valid(text.as_bytes()), "{text}");
        }
    }
}
