//! Disks that are full, closed or in disorder: the new version is served all the same, the fault is named, the old file
//! stays as it was, and what could not be written is written as soon as it can be.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::copies::{give_to_bind, owned_by_bind};
use super::primary::Primary;
use super::{first_copy, strays};
use crate::peers::{Kind, Server, Spec, free_port, run};

/// A file system of a few blocks; gone with its handle.
pub(crate) struct Small(PathBuf);

impl Small {
    pub(crate) fn mount(path: &Path) -> Self {
        fs::create_dir(path).unwrap();
        let words = ["-t", "tmpfs", "-o", "size=16k", "tmpfs", &path.display().to_string()];
        assert_eq!(run("mount", &words).status, 0, "root may mount");
        give_to_bind(path);
        Self(path.to_owned())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn fill(&self) {
        let _ = fs::write(self.0.join("filling"), vec![1; 1 << 20]);
    }

    /// Lets nothing be written any more, or all again.
    pub(crate) fn remount(&self, how: &str) {
        let output = run("mount", &["-o", &format!("remount,{how}"), &self.0.display().to_string()]);
        assert_eq!(output.status, 0, "{output:?}");
    }

    pub(crate) fn clear(&self) {
        fs::remove_file(self.0.join("filling")).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        run("umount", &["--lazy", &self.0.display().to_string()]);
    }
}

const ZONES: [&str; 5] = ["sound.example", "shut.example", "small.example", "sealed.example", "replaced.example"];

fn file(zone: &str) -> String {
    match zone.split('.').next() {
        Some(folder @ ("shut" | "small" | "sealed")) => format!("{folder}/{zone}.db"),
        _ => format!("{zone}.db"),
    }
}

fn spec(port: u16) -> Spec {
    let zone = |zone| {
        let file = file(zone);
        format!("zone \"{zone}\" {{ type secondary; file \"{file}\"; primaries {{ 127.0.0.1 port {port}; }}; }};\n")
    };
    let statements = ZONES.map(zone).concat();
    Spec { statements, options: "request-ixfr no;".into(), flags: &["-u", "bind"], ..Spec::default() }
}

fn chmod(path: &Path, owner: &str) {
    assert_eq!(run("chown", &[owner, &path.display().to_string()]).status, 0);
}

fn disk_faults(kind: Kind) {
    let primary = Primary::start(HashMap::new(), None);
    let folder = owned_by_bind();
    let here = folder.path().to_owned();
    let [shut, small, sealed] = ["shut", "small", "sealed"].map(|folder| here.join(folder));
    fs::create_dir(&shut).unwrap();
    give_to_bind(&shut);
    let [small, sealed] = [&small, &sealed].map(|folder| Small::mount(folder));
    let server = Server::start_in(kind, &spec(primary.port), free_port(), folder);
    let copies = ZONES.map(|zone| first_copy(&server, zone, &file(zone)));

    small.fill();
    sealed.remount("ro");
    chmod(&shut, "root");
    fs::remove_file(here.join("replaced.example.db")).unwrap();
    fs::create_dir(here.join("replaced.example.db")).unwrap();
    primary.announce(5);
    ZONES.iter().for_each(|zone| server.refresh(zone));
    ZONES.iter().for_each(|zone| server.wait_for_serial(zone, 5));
    server.wait_until("the sound copy is on disk", || fs::read(here.join("sound.example.db")).unwrap() != copies[0]);
    let faults = [
        ("permission denied", "shut/"),
        ("disc full", "small/"),
        ("permission denied", "sealed/"),
        ("not a file", "replaced.example.db"),
    ];
    for (fault, name) in faults {
        let is_told = |line: &str| {
            let text = line.split_once(" master file: ").map(|(_, text)| text);
            text.is_some_and(|text| text.contains(fault) && text.contains(name))
        };
        server.wait_until(&format!("it says {fault} of {name}"), || server.log().lines().any(is_told));
    }
    for (zone, copy) in ZONES.iter().zip(&copies).skip(1).take(3) {
        assert_eq!(&fs::read(here.join(file(zone))).unwrap(), copy, "{kind:?} {zone}: the old file");
    }
    // named leaves the file that it could not rename.
    if kind == Kind::Nomd {
        let is_clean = |folder: &&str| strays(&here.join(folder)).is_empty();
        server.wait_until("it leaves no files behind", || ["", "shut", "small", "sealed"].iter().all(is_clean));
    }

    small.clear();
    sealed.remount("rw");
    chmod(&shut, "bind");
    fs::remove_dir(here.join("replaced.example.db")).unwrap();
    drop(primary);
    // named, told to end by a signal, forgets what it could not write.
    if kind == Kind::Nomd {
        let server = Server::start_in(kind, &spec(1), free_port(), server.stop());
        ZONES.iter().for_each(|zone| server.wait_for_serial(zone, 5));
    }
}

#[test]
fn a_version_that_cannot_be_written_is_served_and_written_later() {
    [Kind::Bind, Kind::Nomd].into_iter().for_each(disk_faults);
}
