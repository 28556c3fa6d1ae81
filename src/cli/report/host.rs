//! A host's files as an account of it finds them: what it may read and write, decided from modes and owners.
//!
//! The host need not be this one: its root directory may be that of a chroot, a backup or an image, so symbolic links
//! are followed within it and accounts come from its own passwd and group. What a mode does not tell (ACLs, read-only
//! mounts) is not seen.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// How many symbolic links one path may lead through.
const MAX_LINKS: usize = 40;

/// A host by its root directory. Paths of it are absolute, as a process on it would name them.
#[derive(Debug, Clone)]
pub(super) struct Host {
    root: PathBuf,
    /// Modes and owners that hold instead of those on disk, so that a test needs no accounts and no root.
    pub(super) stated: HashMap<PathBuf, Attributes>,
}

/// Who owns a file, and who may do what with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attributes {
    /// Type and permission bits.
    pub(super) mode: u32,
    /// The owner.
    pub(super) uid: u32,
    /// The group.
    pub(super) gid: u32,
}

/// An account that a server runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    /// Its name.
    pub(super) name: String,
    /// Its number.
    pub(super) uid: u32,
    /// Its groups.
    pub(super) gids: Vec<u32>,
}

/// What is wanted of a file or directory: the permission bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// To read it.
    Read,
    /// To write it.
    Write,
    /// To make, rename and remove files in it.
    Fill,
}

/// Why an account does not get at a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Obstacle {
    /// Nothing is there.
    Missing(PathBuf),
    /// Mode and owner are against it.
    Forbidden {
        /// The file or directory that stands in the way.
        path: PathBuf,
        /// What would have to be allowed.
        verb: &'static str,
        /// Who may: `owner:group mode`.
        owner: String,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "{} is missing", path.display()),
            Self::Forbidden { path, verb, owner } => write!(f, "no right to {verb} {} ({owner})", path.display()),
        }
    }
}

impl Obstacle {
    /// What clears it away for an account.
    pub(super) fn remedy(&self, user: &str) -> String {
        match self {
            Self::Missing(path) => format!("make {} for {user}", path.display()),
            Self::Forbidden { path, verb, .. } => {
                let right = match *verb {
                    "read" => "r",
                    "enter" => "x",
                    _ => "w",
                };
                let path = path.display();
                format!("'chgrp {user} {path}' and 'chmod g+{right} {path}'")
            }
        }
    }
}

impl Host {
    /// The host whose root directory this is.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), stated: HashMap::new() }
    }

    /// Its root directory.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// A path as given on a command line: on this host relative to where we are, on another to its root.
    pub(super) fn absolute(&self, path: &Path) -> PathBuf {
        match self.is_this() {
            true => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            false => Path::new("/").join(path),
        }
    }

    /// Whether it is the host that this program runs on.
    pub(super) fn is_this(&self) -> bool {
        self.root == Path::new("/")
    }

    /// The host as one sees it whose root directory is `directory`.
    pub(super) fn within(&self, directory: &Path) -> Self {
        let base = self.resolve(directory);
        let stated = self.stated.iter();
        let inside = stated.filter_map(|(path, attributes)| {
            let rest = path.strip_prefix(&base).ok()?;
            Some((Path::new("/").join(rest), *attributes))
        });
        Self { root: self.under_root(&base), stated: inside.collect() }
    }

    /// Where a file of the host is for this program; symbolic links are followed.
    pub(super) fn on_disk(&self, path: &Path) -> PathBuf {
        self.under_root(&self.resolve(path))
    }

    /// A path without symbolic links, as far as it exists.
    pub(super) fn resolve(&self, path: &Path) -> PathBuf {
        let mut rest: VecDeque<OsString> = names(path).collect();
        let (mut done, mut links) = (PathBuf::from("/"), 0);
        while let Some(name) = rest.pop_front() {
            if name == ".." {
                done.pop();
                continue;
            }
            let next = done.join(&name);
            match fs::read_link(self.under_root(&next)) {
                Ok(target) if links < MAX_LINKS => {
                    links += 1;
                    if target.is_absolute() {
                        done = PathBuf::from("/");
                    }
                    names(&target).rev().for_each(|name| rest.push_front(name));
                }
                _ => done = next,
            }
        }
        done
    }

    fn under_root(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// A text file's contents, if it can be had.
    pub(super) fn text(&self, path: &Path) -> Option<String> {
        let bytes = fs::read(self.on_disk(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The paths of what is in a directory, in order.
    pub(super) fn entries(&self, directory: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.on_disk(directory)).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| directory.join(entry.file_name())).collect();
        paths.sort();
        paths
    }

    /// Whether there is something at a path.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.attributes(&self.resolve(path)).is_some()
    }

    /// Of a path without symbolic links.
    fn attributes(&self, path: &Path) -> Option<Attributes> {
        if let Some(stated) = self.stated.get(path) {
            return Some(*stated);
        }
        let found = fs::symlink_metadata(self.under_root(path)).ok()?;
        Some(Attributes { mode: found.mode(), uid: found.uid(), gid: found.gid() })
    }

    /// Whether an account gets at a path.
    pub(super) fn check(&self, account: &Account, path: &Path, want: Want) -> Result<(), Obstacle> {
        let path = self.resolve(path);
        for directory in path.ancestors().skip(1).collect::<Vec<_>>().into_iter().rev() {
            self.check_one(account, directory, SEARCH, "enter")?;
        }
        match want {
            Want::Read => self.check_one(account, &path, READ, "read"),
            Want::Write => self.check_one(account, &path, WRITE, "write"),
            Want::Fill => self.check_one(account, &path, WRITE | SEARCH, "write into"),
        }
    }

    fn check_one(&self, account: &Account, path: &Path, bits: u32, verb: &'static str) -> Result<(), Obstacle> {
        let found = self.attributes(path).ok_or_else(|| Obstacle::Missing(path.to_owned()))?;
        if account.may(found, bits) {
            return Ok(());
        }
        Err(Obstacle::Forbidden { path: path.to_owned(), verb, owner: self.owner(found) })
    }

    /// `root:bind 2755`.
    fn owner(&self, found: Attributes) -> String {
        let name = |file: &str, id: u32| {
            let text = self.text(Path::new(file)).unwrap_or_default();
            let line = text.lines().find(|line| field(line, 2).and_then(|text| text.parse().ok()) == Some(id));
            line.and_then(|line| field(line, 0)).map_or_else(|| id.to_string(), str::to_owned)
        };
        let (user, group) = (name(PASSWD, found.uid), name(GROUP, found.gid));
        format!("{user}:{group} {:04o}", found.mode & PERMISSION_BITS)
    }

    /// An account of the host by name or number.
    pub(super) fn account(&self, name: &str) -> Option<Account> {
        let passwd = self.text(Path::new(PASSWD))?;
        let is_it = |line: &&str| field(line, 0) == Some(name) || field(line, 2) == Some(name);
        let line = passwd.lines().find(is_it)?;
        let (name, uid, gid) = (field(line, 0)?, field(line, 2)?.parse().ok()?, field(line, 3)?.parse().ok()?);
        let groups = self.text(Path::new(GROUP)).unwrap_or_default();
        let is_member = |line: &&str| field(line, 3).is_some_and(|members| members.split(',').any(|who| who == name));
        let more = groups.lines().filter(is_member).filter_map(|line| field(line, 2)?.parse().ok());
        Some(Account { name: name.to_owned(), uid, gids: [gid].into_iter().chain(more).collect() })
    }
}

impl Account {
    fn may(&self, found: Attributes, bits: u32) -> bool {
        let shift = match () {
            () if self.uid == 0 => return true,
            () if found.uid == self.uid => 6,
            () if self.gids.contains(&found.gid) => 3,
            () => 0,
        };
        found.mode >> shift & bits == bits
    }
}

fn names(path: &Path) -> impl DoubleEndedIterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}

fn field(line: &str, number: usize) -> Option<&str> {
    line.split(':').nth(number)
}

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";
const PERMISSION_BITS: u32 = 0o7777;
const READ: u32 = 4;
const WRITE: u32 = 2;
const SEARCH: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn host(folder: &Path) -> Host {
        fs::create_dir_all(folder.join("etc")).unwrap();
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbind:x:110:115::/var/cache/bind:/usr/sbin/nologin\n";
        fs::write(folder.join("etc/passwd"), passwd).unwrap();
        fs::write(folder.join("etc/group"), "root:x:0:\nbind:x:115:\nssl-cert:x:120:www-data,bind\n").unwrap();
        let mut host = Host::new(folder);
        for (path, mode, uid, gid) in [("/", 0o755, 0, 0), ("/var", 0o755, 0, 0), ("/var/z", 0o2755, 0, 115)] {
            host.stated.insert(path.into(), Attributes { mode, uid, gid });
        }
        host
    }

    #[test]
    fn accounts_have_their_groups() {
        let folder = tempfile::tempdir().unwrap();
        let bind = host(folder.path()).account("bind").unwrap();
        assert_eq!((bind.uid, bind.gids.as_slice()), (110, &[115, 120][..]));
        assert_eq!(host(folder.path()).account("110"), Some(bind));
        assert_eq!(host(folder.path()).account("named"), None);
    }

    #[test]
    fn the_first_class_that_fits_decides() {
        let account = Account { name: "bind".to_owned(), uid: 110, gids: vec![115] };
        let may = |mode, uid, gid, bits| account.may(Attributes { mode, uid, gid }, bits);
        assert!(may(0o640, 110, 0, READ | WRITE) && may(0o640, 0, 115, READ));
        assert!(!may(0o640, 0, 115, WRITE) && !may(0o640, 0, 0, READ));
        // BIND's own group may be worse off than the rest of the world.
        assert!(!may(0o604, 0, 115, READ));
        let root = Account { name: "root".to_owned(), uid: 0, gids: vec![0] };
        assert!(root.may(Attributes { mode: 0, uid: 110, gid: 0 }, WRITE));
    }

    #[test]
    fn the_obstacle_is_the_file_or_directory_in_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let host = host(folder.path());
        let bind = host.account("bind").unwrap();
        assert_eq!(host.check(&bind, Path::new("/var/z"), Want::Read), Ok(()));
        let said = |path: &str, want| host.check(&bind, Path::new(path), want).unwrap_err().to_string();
        assert_eq!(said("/var/z", Want::Fill), "no right to write into /var/z (root:bind 2755)");
        assert_eq!(said("/var/z/a/b", Want::Read), "/var/z/a is missing");
    }

    #[test]
    fn links_stay_within_the_root_and_end() {
        let folder = tempfile::tempdir().unwrap();
        let host = host(folder.path());
        symlink("/etc/group", folder.path().join("etc/link")).unwrap();
        symlink("../../etc/link", folder.path().join("etc/twice")).unwrap();
        symlink("loop", folder.path().join("etc/loop")).unwrap();
        assert_eq!(host.resolve(Path::new("/etc/twice")), Path::new("/etc/group"));
        assert!(host.text(Path::new("/etc/twice")).unwrap().contains("ssl-cert"));
        assert!(!host.resolve(Path::new("/etc/loop")).as_os_str().is_empty());
    }
}
