//! The defaults of the grammar against those that named prints of itself with -C.

use std::process::Command;

use crate::generated::statements::{Entry, entries};

/// What the grammar says in words, and why.
const IN_WORDS: [(&str, &str); 1] = [("check-names", "it has one default for each kind of zone")];
/// How many defaults named prints at least.
const MIN_COMPARED: usize = 150;

/// The statements of named's own `options`, as names and values.
fn built_in() -> Vec<(String, String)> {
    let output = Command::new("named").arg("-C").output().expect("named is installed");
    let text = String::from_utf8(output.stdout).unwrap();
    let options =
        text.split_once("options {").and_then(|(_, rest)| rest.split_once("\n};")).expect("a block of options").0;
    let code: String = options.lines().map(without_comment).collect();
    statements(&code).into_iter().filter_map(|statement| split(&statement)).collect()
}

/// A line up to its comment, if it has one; those of C are within lines.
fn without_comment(line: &str) -> String {
    let line = line.split('#').next().unwrap_or_default();
    match line.split_once("/*") {
        Some((before, rest)) => before.to_owned() + rest.split_once("*/").map_or("", |(_, after)| after),
        None => line.to_owned(),
    }
}

/// Parts that end in a semicolon outside braces.
fn statements(code: &str) -> Vec<String> {
    let (mut depth, mut found, mut part) = (0, Vec::new(), String::new());
    for letter in code.chars() {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        match letter {
            ';' if depth == 0 => found.push(std::mem::take(&mut part)),
            _ => part.push(letter),
        }
    }
    found
}

fn split(statement: &str) -> Option<(String, String)> {
    let (name, value) = statement.trim().split_once(char::is_whitespace)?;
    Some((name.to_owned(), value.to_owned()))
}

/// A value in one spelling.
fn plain(value: &str) -> String {
    let spaced = value.replace('{', " { ").replace('}', " } ").replace('"', " ");
    let word = |word| match word {
        "true" => "yes",
        "false" => "no",
        word => word,
    };
    spaced.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// Whether it stands in options, or in what inherits from there.
fn is_general(entry: &Entry) -> bool {
    ["options", "view", "zone primary", "zone secondary"].iter().any(|place| entry.fits(place))
}

#[test]
fn defaults_are_those_that_named_prints() {
    let entries: Vec<Entry> = entries().into_iter().filter(is_general).collect();
    let (mut differing, mut compared) = (Vec::new(), 0);
    for (name, value) in built_in().into_iter().filter(|(name, _)| IN_WORDS.iter().all(|(other, _)| other != name)) {
        compared += 1;
        let known: Vec<&str> =
            entries.iter().filter(|entry| entry.name == name).map(|entry| entry.default.as_str()).collect();
        if !known.iter().any(|default| plain(default) == plain(&value)) {
            differing.push(format!("{name}: named {value:?}, here {known:?}"));
        }
    }
    println!("{compared} compared");
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert!(compared >= MIN_COMPARED, "{compared}");
}
