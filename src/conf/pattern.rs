//! File name patterns of `include`, as the shell has them: `*`, `?` and `[...]` within one component of a path.

use std::path::{Component, Path, PathBuf};

/// The files that match, in alphabetical order. A path without wildcards is its own match if it exists.
pub(crate) fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        found = match component {
            Component::Normal(part) if is_pattern(&part.to_string_lossy()) => {
                found.iter().flat_map(|folder| matches_in(folder, &part.to_string_lossy())).collect()
            }
            other => found.iter().map(|path| path.join(other)).collect(),
        };
    }
    found.retain(|path| path.symlink_metadata().is_ok());
    found
}

fn is_pattern(part: &str) -> bool {
    part.contains(['*', '?', '['])
}

fn matches_in(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(place) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names
        // A leading dot is matched by a dot alone.
        .filter(|name| {
            (!name.starts_with('.') || pattern.starts_with('.')) && fits(pattern.as_bytes(), name.as_bytes())
        })
        .collect();
    names.sort();
    names.iter().map(|name| folder.join(name)).collect()
}

/// Whether the whole name fits the pattern. Linear but for a `*`, which is tried from its last place on.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        let step = match (pattern.split_first(), name.split_first()) {
            (None, None) => return true,
            (Some((b'*', rest)), _) => {
                retry = Some((rest, name));
                Some((rest, name))
            }
            (Some((_, _)), Some((byte, tail))) => one(pattern, *byte).map(|rest| (rest, tail)),
            _ => None,
        };
        let Some(next) = step.or_else(|| again(&mut retry)) else { return false };
        (pattern, name) = next;
    }
}

/// Lets the last `*` swallow one more byte.
fn again<'a>(retry: &mut Option<(&'a [u8], &'a [u8])>) -> Option<(&'a [u8], &'a [u8])> {
    let (pattern, name) = (*retry)?;
    let (_, name) = name.split_first()?;
    *retry = Some((pattern, name));
    *retry
}

/// The pattern behind its first element if that fits `byte`.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern.split_first()? {
        (b'?', rest) => Some(rest),
        (b'\\', rest) if !rest.is_empty() => {
            rest.split_first().filter(|(first, _)| **first == byte).map(|(_, rest)| rest)
        }
        (b'[', set) => match memchr::memchr(b']', set.get(1..).unwrap_or_default()) {
            Some(end) => in_set(set.get(..=end)?, byte).then(|| set.get(end + 2..).unwrap_or_default()),
            None => (byte == b'[').then_some(set),
        },
        (first, rest) => (*first == byte).then_some(rest),
    }
}

fn in_set(set: &[u8], byte: u8) -> bool {
    let (negated, mut set) = match set.split_first() {
        Some((b'!' | b'^', rest)) => (true, rest),
        _ => (false, set),
    };
    let mut found = false;
    while let Some((low, rest)) = set.split_first() {
        (found, set) = match rest {
            [b'-', high, tail @ ..] => (found || (*low..=*high).contains(&byte), tail),
            _ => (found || *low == byte, rest),
        };
    }
    found != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_names() {
        for (pattern, name, fit) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf~", false),
            ("a*b*c", "aXbYbZc", true),
            ("?", "", false),
            ("[a-c]?", "bz", true),
            ("[!a-c]?", "bz", false),
            ("[ab", "[ab", true),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern.as_bytes(), name.as_bytes()), fit, "{pattern} {name}");
        }
    }

    #[test]
    fn matches_come_in_order_and_hidden_files_do_not() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.conf", "a.conf", ".c.conf", "d.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = expand(&folder.path().join("*.conf"));
        let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.conf", "b.conf"]);
        assert!(expand(&folder.path().join("none*")).is_empty());
    }
}
