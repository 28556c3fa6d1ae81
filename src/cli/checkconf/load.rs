//! `-z`: loads the zones of a configuration one after the other, as named-checkzone loads one.

use std::io::Write;
use std::path::Path;

use super::super::directory;
use super::super::zone_file::ZoneFile;
use crate::conf::config::{MasterfileFormat, Zone};
use crate::conf::{Content, ZoneToLoad};
use crate::dns::Class;
use crate::server::load;
use crate::zone::check::Policy;
use crate::zone::{Limits, hints};

/// Loads the zones; says what there is to say of each. True: all could be loaded.
pub(super) fn all(zones: &[ZoneToLoad], place: Option<&Path>, with_journals: bool, out: &mut impl Write) -> bool {
    // Their paths are shown as they are written.
    if let Some(Err(why)) = place.map(directory::change_directory) {
        eprintln!("named-checkconf: {why}");
        return false;
    }
    let mut have_loaded = true;
    for zone in zones {
        have_loaded &= match &zone.content {
            Content::Zone { zone: contents, checks_siblings } => {
                let policy = Policy { sibling: *checks_siblings, ..load::policy(contents) };
                one(zone, contents, &policy, with_journals, out)
            }
            Content::Hints { file, class } => root_hints(file, *class, out),
        };
    }
    have_loaded
}

fn one(zone: &ZoneToLoad, contents: &Zone, policy: &Policy, with_journals: bool, out: &mut impl Write) -> bool {
    let Some(file) = contents.file() else { return true };
    let mut journal = file.as_os_str().to_owned();
    journal.push(".jnl");
    let judged = ZoneFile {
        path: &file,
        is_raw: contents.settings.masterfile_format == MasterfileFormat::Raw,
        journal: Some(Path::new(&journal)).filter(|_| with_journals),
        options: &load::options(contents),
        // Those of the configuration are for named alone.
        limits: Limits::default(),
        policy,
    }
    .judge();
    let _ = out.write_all(judged.lines.as_bytes());
    if let Err(why) = &judged.result {
        let _ = out.flush();
        eprintln!("{}/{}/{}: {why}", zone.view, zone.name, zone.class);
    }
    judged.result.is_ok()
}

fn root_hints(file: &Path, class: Class, out: &mut impl Write) -> bool {
    let found = hints::read(file, class);
    for message in &found.messages {
        let _ = writeln!(out, "{message}");
    }
    let file = file.display();
    if let Some(why) = &found.failure {
        let _ = writeln!(out, "could not configure root hints from '{file}': {why}");
    } else if found.has_extra {
        let _ = writeln!(out, "extra data in root hints '{file}'");
    }
    found.failure.is_none()
}
