//! Paths of zones' files. Most are made of the zone's name, so of many zones in one directory only what stands around
//! their names is kept, once for all of them.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use hashbrown::{Equivalent, HashSet};

use super::NameRef;
use super::name::NoDot;

/// A path that is whole only with the name of its zone. Copies share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ZonePath(Arc<Parts<Box<str>>>);

/// What stands around the zone's name.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Parts<T> {
    before: T,
    name: Spelling,
    after: T,
}

/// How the zone's name stands in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Spelling {
    Absent,
    AsItIs,
    InLowerCase,
}

impl ZonePath {
    /// The path as it is for a zone.
    pub fn of(&self, apex: NameRef<'_>) -> PathBuf {
        let Parts { before, name, after } = &*self.0;
        let mut path = String::with_capacity(before.len() + apex.len() + after.len());
        path.push_str(before);
        let start = path.len();
        if *name != Spelling::Absent {
            // Writing to a string cannot fail.
            let _ = write!(path, "{}", NoDot(apex));
        }
        if *name == Spelling::InLowerCase
            && let Some(name) = path.get_mut(start..)
        {
            name.make_ascii_lowercase();
        }
        path.push_str(after);
        path.into()
    }

    /// Where it is kept, which tells it apart from others of the same [`ZonePaths`].
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl From<&Parts<&str>> for ZonePath {
    fn from(parts: &Parts<&str>) -> Self {
        Self(Arc::new(Parts { before: parts.before.into(), name: parts.name, after: parts.after.into() }))
    }
}

impl Equivalent<ZonePath> for Parts<&str> {
    fn equivalent(&self, path: &ZonePath) -> bool {
        (self.before, self.name, self.after) == (&*path.0.before, path.0.name, &*path.0.after)
    }
}

/// The paths so far, to be shared.
#[derive(Debug, Default)]
pub struct ZonePaths {
    paths: HashSet<ZonePath>,
    /// The name of the last zone: memory to use again.
    name: String,
}

impl ZonePaths {
    /// The path of a zone's file.
    pub fn share(&mut self, path: &str, apex: NameRef<'_>) -> ZonePath {
        let Self { paths, name } = self;
        name.clear();
        // Writing to a string cannot fail.
        let _ = write!(name, "{}", NoDot(apex));
        let mut parts = split(path, name, Spelling::AsItIs);
        if parts.is_none() {
            name.make_ascii_lowercase();
            parts = split(path, name, Spelling::InLowerCase);
        }
        let parts = parts.unwrap_or(Parts { before: path, name: Spelling::Absent, after: "" });
        paths.get_or_insert_with(&parts, |parts| parts.into()).clone()
    }
}

fn split<'p>(path: &'p str, name: &str, spelling: Spelling) -> Option<Parts<&'p str>> {
    let (before, after) = path.rsplit_once(name)?;
    Some(Parts { before, name: spelling, after })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn every_path_comes_back_as_it_was() {
        let mut paths = ZonePaths::default();
        let zones = ["a.test", "A.Test", ".", "b\\.c.test", "example.com"];
        let files =
            ["/etc/bind/a.test.zone", "db.a.test", "A.Test", "a.test/a.test", "zones/other", "", ".", "b\\.c.test"];
        for (zone, file) in zones.iter().flat_map(|zone| files.iter().map(move |file| (zone, file))) {
            let apex = name(zone);
            assert_eq!(paths.share(file, apex.as_ref()).of(apex.as_ref()), PathBuf::from(file), "{zone} {file}");
        }
    }

    #[test]
    fn zones_of_one_directory_share_a_path() {
        let mut paths = ZonePaths::default();
        let mut share = |file: &str, zone: &str| paths.share(file, name(zone).as_ref());
        let first = share("zones/a.test.db", "a.test");
        assert!(Arc::ptr_eq(&first.0, &share("zones/b.test.db", "b.test").0));
        assert_eq!(share("zones/c.test.db", "C.test"), share("zones/d.test.db", "D.TEST"));
        assert_ne!(first, share("zones/a.test", "a.test"));
        assert_ne!(share("zones/common", "a.test"), first);
        assert_eq!(share("zones/common", "a.test"), share("zones/common", "b.test"));
    }
}
