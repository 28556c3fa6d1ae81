//! Just enough reading of Rust: code apart from comments, strings and tests.

/// One source file.
pub(crate) struct Source<'a> {
    /// Its path within the repository.
    pub(crate) name: &'a str,
    /// As it is.
    pub(crate) text: &'a str,
    /// Comments, contents of literals and test items turned into spaces; the same lines.
    code: String,
    test_lines: usize,
}

/// Where a function begins and how long it is.
pub(crate) struct Function {
    pub(crate) line: usize,
    pub(crate) lines: usize,
}

impl<'a> Source<'a> {
    pub(crate) fn new(name: &'a str, text: &'a str) -> Self {
        let mut code = blank(text).into_bytes();
        let mut test_lines = 0;
        if is_test_file(name) {
            code.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
            test_lines = text.lines().count();
        }
        while let Some(start) = find(&code, b"#[cfg(test)]", 0) {
            let end = item_end(&code, start);
            test_lines += newlines(&code[start..end]) + 1;
            code[start..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
        Self { name, text, code: String::from_utf8(code).unwrap(), test_lines }
    }

    pub(crate) fn is_test_file(&self) -> bool {
        is_test_file(self.name)
    }

    /// Lines of the file that are not tests.
    pub(crate) fn code_line_count(&self) -> usize {
        self.text.lines().count().saturating_sub(self.test_lines)
    }

    /// The code, line by line as in the file.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// The lines of code with their numbers.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.code.lines())
    }

    /// All functions with a body.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let code = self.code.as_bytes();
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(start) = find(code, b"fn ", at) {
            at = start + 3;
            let is_word = start == 0 || !(code[start - 1].is_ascii_alphanumeric() || code[start - 1] == b'_');
            let is_named = code.get(at).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
            if is_word && is_named {
                let lines = newlines(&code[start..item_end(code, start)]) + 1;
                found.push(Function { line: newlines(&code[..start]) + 1, lines });
            }
        }
        found
    }
}

/// The top modules named by paths from the root of the crate, each with its line. `depth` is how deep the module of
/// this code lies below the root: as many `super::` lead there as well.
pub(crate) fn crate_roots(code: &str, depth: usize) -> Vec<(usize, &str)> {
    let mut roots = Vec::new();
    let supers = "super::".repeat(depth.max(1));
    for prefix in ["crate::", &supers] {
        for (at, _) in code.match_indices(prefix) {
            let line = newlines(&code.as_bytes()[..at]) + 1;
            let is_whole = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            let path = &code[at + prefix.len()..];
            if is_whole && !path.starts_with("super::") {
                roots.extend(heads(path).into_iter().map(|head| (line, head)));
            }
        }
    }
    roots
}

/// The first word of a path, or of each path of a group.
fn heads(path: &str) -> Vec<&str> {
    let word = |text: &'_ str| text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let Some(group) = path.strip_prefix('{') else { return vec![&path[..word(path)]] };
    let (mut depth, mut starts, mut found) = (0_usize, true, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => starts = true,
            _ if starts && depth == 0 && !c.is_whitespace() => {
                found.push(&group[at..at + word(&group[at..])]);
                starts = false;
            }
            _ => {}
        }
    }
    found
}

/// Tests, and what several of them share.
fn is_test_file(name: &str) -> bool {
    name.ends_with("/tests.rs")
        || name.ends_with("/testing.rs")
        || name.ends_with("/simulation.rs")
        || name.contains("/simulation/")
        || name.contains("/tests/")
}

/// Where the item ends that begins at `start`: behind its braces, or at a semicolon if that comes first.
fn item_end(code: &[u8], start: usize) -> usize {
    let (mut braces, mut brackets) = (0_usize, 0_usize);
    for (at, byte) in code.iter().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets = brackets.saturating_sub(1),
            b'{' => braces += 1,
            b'}' if braces <= 1 => return at + 1,
            b'}' => braces -= 1,
            b';' if braces == 0 && brackets == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

/// The text with comments and the contents of literals turned into spaces, line by line the same.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    while let Some(rest) = bytes.get(out.len()..).filter(|rest| !rest.is_empty()) {
        let (open, length) = literal(rest);
        let keep = |at: usize| at < open || (open > 0 && at + 1 == length) || rest[at] == b'\n';
        out.extend((0..length).map(|at| if keep(at) { rest[at] } else { b' ' }));
    }
    String::from_utf8(out).unwrap()
}

/// What stands at the head of `rest`: how many of its bytes to keep at the front, and its whole length.
fn literal(rest: &[u8]) -> (usize, usize) {
    let to = |end: Option<usize>| end.unwrap_or(rest.len());
    match rest {
        [b'/', b'/', ..] => (0, to(find(rest, b"\n", 0))),
        [b'/', b'*', ..] => (0, comment(rest)),
        [b'r', b'"' | b'#', ..] => raw(rest),
        [b'"', ..] => (1, quoted(rest, b'"')),
        [b'\'', b'\\', ..] => (1, quoted(rest, b'\'')),
        // A character; a quote with no other behind the next character starts a lifetime.
        [b'\'', first, ..] => match rest.get(utf8_length(*first) + 1) {
            Some(b'\'') => (1, utf8_length(*first) + 2),
            _ => (1, 1),
        },
        // A word at once, so that an `r` at its end starts no raw string.
        [b'a'..=b'z' | b'A'..=b'Z' | b'_', ..] if !matches!(rest, [b'b' | b'c', b'"' | b'\'' | b'r', ..]) => {
            let length = to(rest.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_')));
            (length, length)
        }
        _ => (1, 1),
    }
}

fn utf8_length(first: u8) -> usize {
    match first {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    }
}

/// The length of a block comment; they nest.
fn comment(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (2, 1);
    while at < rest.len() && depth > 0 {
        match &rest[at..] {
            [b'*', b'/', ..] => (at, depth) = (at + 2, depth - 1),
            [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
            _ => at += 1,
        }
    }
    at.min(rest.len())
}

/// A raw string, or a raw name (`r#type`).
fn raw(rest: &[u8]) -> (usize, usize) {
    let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(hashes + 1) != Some(&b'"') {
        return (hashes + 1, hashes + 1);
    }
    let close = [&b"\""[..], &vec![b'#'; hashes]].concat();
    let end = find(rest, &close, hashes + 2).map_or(rest.len(), |at| at + close.len());
    (hashes + 2, end)
}

/// The length of a quoted literal, its escapes understood.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.windows(wanted.len()).position(|window| window == wanted).map(|at| at + from)
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}
