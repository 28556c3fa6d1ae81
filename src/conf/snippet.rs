//! Faults for a reader at a terminal: under each error its line of the file, the place marked, and the nearest word
//! that would have been right.
//!
//! The place is found from the message: what it quotes last is looked for in the line. Output that a program may read
//! never goes through here.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::path::Path;

use super::diagnostics::{Diagnostic, Diagnostics, Severity};
use super::table;

/// The most that is read of a file to find a line.
const MAX_FILE_BYTES: u64 = 1 << 30;
/// The most characters that are shown of a line.
const MAX_SHOWN: usize = 100;
/// How many of them may stand before the mark.
const MAX_BEFORE: usize = 60;

/// Diagnostics as they are shown at a terminal.
#[derive(Debug)]
pub struct Explained<'a> {
    diagnostics: &'a Diagnostics,
    /// The root directory of the host whose files they are about; none: nothing is explained.
    root: Option<&'a Path>,
}

impl Diagnostics {
    /// With the source of each error if `stream` is a terminal, and one a line as ever if not.
    pub fn shown_on(&self, stream: &impl IsTerminal) -> Explained<'_> {
        self.shown_on_for(stream, Path::new("/"))
    }

    /// The same for a host whose root directory is `root`.
    pub fn shown_on_for<'a>(&'a self, stream: &impl IsTerminal, root: &'a Path) -> Explained<'a> {
        Explained { diagnostics: self, root: stream.is_terminal().then_some(root) }
    }
}

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in self.diagnostics {
            writeln!(f, "{fault}")?;
            if let Some(excerpt) = self.root.and_then(|root| excerpt(fault, root)) {
                f.write_str(&excerpt)?;
            }
        }
        Ok(())
    }
}

/// The line that an error is about, and what could have stood there.
fn excerpt(fault: &Diagnostic, root: &Path) -> Option<String> {
    if fault.severity != Severity::Error {
        return None;
    }
    let path = Path::new(&*fault.file);
    let on_disk = path.strip_prefix("/").map_or(path.to_owned(), |inside| root.join(inside));
    marked(&line_of(&on_disk, fault.line)?, fault)
}

/// One line of a plain file.
fn line_of(path: &Path, number: u32) -> Option<String> {
    let before = usize::try_from(number).ok()?.checked_sub(1)?;
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let lines = BufReader::new(File::open(path).ok()?.take(MAX_FILE_BYTES)).split(b'\n');
    let line = lines.map_while(Result::ok).nth(before)?;
    Some(String::from_utf8_lossy(&line).into_owned())
}

/// A line with a mark below it. What could do something to a terminal is shown as a blank.
fn marked(line: &str, fault: &Diagnostic) -> Option<String> {
    let (start, end) = place(line, &fault.message)?;
    let letters = |part: &str| part.chars().count();
    let (before, length) = (letters(line.get(..start)?), letters(line.get(start..end)?));
    let skipped = before.saturating_sub(MAX_BEFORE);
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    let shown: String = line.chars().skip(skipped).take(MAX_SHOWN).map(plain).collect();
    let number = fault.line.to_string();
    let (gap, blank) = (" ".repeat(number.len()), " ".repeat(before - skipped));
    let mark = "^".repeat(length.clamp(1, MAX_SHOWN - (before - skipped)));
    let hint = nearest(&fault.message).map(|word| format!(" did you mean '{word}'?")).unwrap_or_default();
    Some(format!("  {number} | {}\n  {gap} | {blank}{mark}{hint}\n", shown.trim_end()))
}

/// Where in a line that lies which a message quotes; else where its first word does.
fn place(line: &str, message: &str) -> Option<(usize, usize)> {
    if let Some(found) = quoted(message).rev().find_map(|word| find(line, word)) {
        return Some(found);
    }
    let start = line.find(|letter: char| !letter.is_whitespace())?;
    let rest = line.get(start..)?;
    let length = rest.find(|letter: char| letter.is_whitespace() || ";{}".contains(letter)).unwrap_or(rest.len());
    Some((start, start + length.max(1)))
}

/// What stands in quotes in a message.
fn quoted(message: &str) -> impl DoubleEndedIterator<Item = &str> {
    let parts: Vec<&str> = message.split('\'').collect();
    let inside: Vec<&str> = parts.into_iter().skip(1).step_by(2).collect();
    // The messages end long words so.
    inside.into_iter().map(|word| word.strip_suffix("...").unwrap_or(word)).filter(|word| !word.is_empty())
}

/// Where a word lies in a line: on its own if it can be had.
fn find(line: &str, word: &str) -> Option<(usize, usize)> {
    let is_inside =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || "-_.".contains(letter));
    let alone = line.match_indices(word).find(|(at, _)| {
        let before = line.get(..*at).and_then(|part| part.chars().next_back());
        let behind = line.get(at + word.len()..).and_then(|part| part.chars().next());
        !is_inside(before) && !is_inside(behind)
    });
    let (at, _) = alone.or_else(|| line.match_indices(word).next())?;
    Some((at, at + word.len()))
}

/// The word that was meant, if a message complains of a word and one is close to it.
fn nearest(message: &str) -> Option<&'static str> {
    let word = quoted(message).next_back()?.to_ascii_lowercase();
    match message {
        _ if message.starts_with("unknown option") => closest(&word, table::names()),
        _ if message.starts_with("boolean expected") => closest(&word, ["yes", "no", "true", "false"].into_iter()),
        _ if message.ends_with(" unexpected") || message.starts_with("expected '") => closest(&word, table::words()),
        _ => None,
    }
}

/// The closest of the candidates, if no more than a third of the letters are wrong.
fn closest(word: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let close = candidates.map(|name| (strsim::damerau_levenshtein(word, name), name));
    let (distance, name) = close.min()?;
    (distance > 0 && distance <= word.chars().count().div_ceil(3)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, line: u32, message: &str) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("named.conf");
        std::fs::write(&path, text).unwrap();
        let file = path.to_str().unwrap().into();
        let fault = Diagnostic { severity: Severity::Error, file, line, message: message.to_owned() };
        excerpt(&fault, Path::new("/"))
    }

    #[test]
    fn an_unknown_option_is_marked_and_the_nearest_named() {
        let text = "options {\n\trecurson no;\n};\n";
        let expected = "  2 |  recurson no;\n    |  ^^^^^^^^ did you mean 'recursion'?\n";
        assert_eq!(shown(text, 2, "unknown option 'recurson'").as_deref(), Some(expected));
        assert_eq!(nearest("unknown option 'frobnicate'"), None);
    }

    #[test]
    fn the_token_that_the_message_names_is_marked() {
        let text = "zone \"no.example\" { notify no }\n";
        let expected = "  1 | zone \"no.example\" { notify no }\n    |                               ^\n";
        assert_eq!(shown(text, 1, "missing ';' before '}'").as_deref(), Some(expected));
        assert_eq!(find("snow no no.example", "no"), Some((5, 7)));
        assert_eq!(find("a bcd", "cd"), Some((3, 5)));
    }

    #[test]
    fn words_of_the_grammar_and_booleans_are_suggested() {
        assert_eq!(nearest("boolean expected near 'yse'"), Some("yes"));
        assert_eq!(nearest("'primry' unexpected"), Some("primary"));
        assert_eq!(nearest("undefined acl 'recurson'"), None);
    }

    #[test]
    fn without_a_token_the_first_word_is_marked() {
        let expected = "  1 | zone a {};\n    | ^^^^\n";
        assert_eq!(shown("zone a {};", 1, "something else").as_deref(), Some(expected));
    }

    #[test]
    fn a_long_line_is_shown_about_its_mark() {
        let text = format!("{} wrong {}", "x ".repeat(500), "y ".repeat(500));
        let excerpt = shown(&text, 1, "expected number near 'wrong'").unwrap();
        let (line, mark) = excerpt.split_once('\n').unwrap();
        assert_eq!(line.find("wrong"), mark.find('^'));
        assert!(line.len() <= MAX_SHOWN + "  1 | ".len());
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let excerpt = shown("\u{1b}[31m wrong;", 1, "expected number near 'wrong'").unwrap();
        assert!(!excerpt.contains('\u{1b}'));
    }

    #[test]
    fn what_cannot_be_read_has_no_excerpt() {
        assert_eq!(shown("a;\n", 7, "unknown option 'a'"), None);
        assert_eq!(shown("a;\n", 0, "unknown option 'a'"), None);
        assert_eq!(line_of(Path::new("/dev/zero"), 1), None);
    }

    /// Not a terminal: the lines that programs read, and nothing else.
    #[test]
    fn piped_output_stays_as_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "recurson no;\n").unwrap();
        let loaded = crate::conf::load(file.path(), &Default::default()).unwrap_err();
        assert_eq!(loaded.shown_on(file.as_file()).to_string(), loaded.to_string());
        let at_terminal = Explained { diagnostics: &loaded, root: Some(Path::new("/")) }.to_string();
        assert!(at_terminal.contains("did you mean 'recursion'?"), "{at_terminal}");
    }
}
