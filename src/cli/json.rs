//! JSON as commands print it for scripts.

use std::fmt::{self, Write as _};

/// A JSON value, as far as is needed.
pub(super) enum Json<'a> {
    /// A string.
    Text(&'a str),
    /// A count or a time.
    Number(u64),
    /// `[...]`.
    List(Vec<Self>),
    /// `{...}`.
    Object(Vec<(&'static str, Self)>),
}

/// On indented lines, the last one ended.
impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.write(0, &mut out);
        writeln!(f, "{out}")
    }
}

impl Json<'_> {
    fn write(&self, depth: usize, out: &mut String) {
        match self {
            Self::Text(text) => write_text(text, out),
            Self::Number(number) => {
                let _ = write!(out, "{number}");
            }
            Self::List(list) => write_block(['[', ']'], list, depth, out, |value, out| value.write(depth + 1, out)),
            Self::Object(pairs) => write_block(['{', '}'], pairs, depth, out, |(key, value), out| {
                write_text(key, out);
                out.push_str(": ");
                value.write(depth + 1, out);
            }),
        }
    }
}

/// Elements on lines of their own; none at all on one.
fn write_block<T>(marks: [char; 2], list: &[T], depth: usize, out: &mut String, write: impl Fn(&T, &mut String)) {
    out.push(marks[0]);
    for (at, element) in list.iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        out.push_str(&STEP.repeat(depth + 1));
        write(element, out);
    }
    if !list.is_empty() {
        out.push('\n');
        out.push_str(&STEP.repeat(depth));
    }
    out.push(marks[1]);
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

const STEP: &str = "  ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let out = Json::Object(vec![("a", Json::List(vec![])), ("b", Json::Text("\"\\\n\u{e9}"))]).to_string();
        assert_eq!(out, "{\n  \"a\": [],\n  \"b\": \"\\\"\\\\\\u000a\u{e9}\"\n}\n");
    }
}
