use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use super::*;
use crate::dns::Serial;
use crate::dns::name::NoDot;
use crate::server::load::Loader;
use crate::server::saving::Turns;
use crate::zone::copy::{self, Durability};
use crate::zone::diff::diff;
use crate::zone::disk::Host;
use crate::zone::testing::read;

type Inbox = UnboundedReceiver<Event>;

fn write_zone(folder: &Path, name: &str, serial: u32) {
    let text = format!("$TTL 300\n@ SOA ns h {serial} 3600 900 604800 300\n@ NS ns\nns A 192.0.2.1\n");
    std::fs::write(folder.join(name), text).unwrap();
}

fn zone(file: &str) -> String {
    format!("zone \"a.test\" {{ type primary; file \"FOLDER/{file}\"; }};\n")
}

/// A control side whose zone has been loaded with serial 1.
async fn running(folder: &Path) -> (Core, Inbox) {
    write_zone(folder, "one", 1);
    let (mut core, mut inbox) = Core::of_zones(folder, &zone("one"));
    settle(&mut core, &mut inbox).await;
    assert_eq!(serial(&core), Some(Serial(1)));
    (core, inbox)
}

/// Handles events until every file has been read and every configuration taken over.
async fn settle(core: &mut Core, inbox: &mut Inbox) {
    while core.loads_open > 0 || core.reconfiguring.is_reading() {
        core.handle(inbox.recv().await.unwrap());
    }
}

/// What workers see.
fn serial(core: &Core) -> Option<Serial> {
    let snapshot = core.shared.snapshot.load();
    let zone = snapshot.views[0].zones.get("a.test".parse::<crate::dns::Name>().unwrap().as_ref())?.clone();
    zone.version().map(|version| version.serial())
}

#[tokio::test]
async fn a_zone_that_moves_to_another_file_serves_the_old_contents_until_the_new_are_in() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = running(folder.path()).await;
    write_zone(folder.path(), "two", 2);
    core.adopt(Core::configuration(folder.path(), &zone("two")));
    assert_eq!(serial(&core), Some(Serial(1)));
    settle(&mut core, &mut inbox).await;
    assert_eq!(serial(&core), Some(Serial(2)));
}

/// The job of a zone that is gone would find that the new zone's file is no copy, and move it out of the way.
#[tokio::test]
async fn a_file_is_not_read_any_more_for_a_zone_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, _inbox) = Core::of_zones(folder.path(), "");
    core.loader = Loader::idle();
    let secondary = "zone \"a.test\" { type secondary; file \"FOLDER/one\"; primaries { 127.0.0.1 port 1; }; };\n";
    for is_asked_for in [false, true] {
        core.adopt(Core::configuration(folder.path(), secondary));
        if is_asked_for {
            let id = core.zones.iter().next().unwrap().0;
            core.loader.hurry(id);
        }
        write_zone(folder.path(), "one", 1);
        core.adopt(Core::configuration(folder.path(), &zone("one")));
        core.loader.work();
        core.handle(Event::Loaded);
        assert_eq!((serial(&core), core.loads_open), (Some(Serial(1)), 0));
        core.adopt(Core::configuration(folder.path(), ""));
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_leaves_the_old_contents_until_a_reload_finds_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = running(folder.path()).await;
    core.adopt(Core::configuration(folder.path(), &zone("two")));
    settle(&mut core, &mut inbox).await;
    assert_eq!(serial(&core), Some(Serial(1)));
    assert!(core.status().ends_with("\nnot in force: zone a.test/IN: file not found"), "{}", core.status());
    write_zone(folder.path(), "two", 2);
    core.reconfigure(Demand::Reload, None);
    settle(&mut core, &mut inbox).await;
    assert_eq!(serial(&core), Some(Serial(2)));
    assert!(core.status().ends_with("server is up and running"), "{}", core.status());
}

#[tokio::test]
async fn a_secondary_that_becomes_primary_keeps_its_contents_until_the_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = running(folder.path()).await;
    let secondary = "zone \"a.test\" { type secondary; primaries { 127.0.0.1 port 1; }; };\n";
    let loaded_at = core.zones.iter().find_map(|(_, task)| task.origin.as_ref().map(|origin| origin.at));
    core.adopt(Core::configuration(folder.path(), secondary));
    assert_eq!(serial(&core), Some(Serial(1)), "until a transfer brings others");
    let (id, task) = core.zones.iter().next().unwrap();
    let refresh = task.refresh.as_ref().unwrap();
    assert!(refresh.is_busy() && refresh.expires_s().is_some(), "or until they expire");
    let loaded = core.zones.get(id).unwrap().origin.as_ref().map(|origin| origin.at);
    assert_eq!(loaded, loaded_at, "they are as old as they were");
    let status = core.zone_status(id, "").text;
    assert!(status.contains("\nexpires: "), "{status}");
    write_zone(folder.path(), "two", 2);
    core.adopt(Core::configuration(folder.path(), &zone("two")));
    assert_eq!(serial(&core), Some(Serial(1)));
    settle(&mut core, &mut inbox).await;
    assert_eq!(serial(&core), Some(Serial(2)));
}

/// A primary's may be those that its updates take turns by, and serve again.
#[tokio::test]
async fn only_a_secondary_that_is_given_other_files_has_the_copy_given_up_that_is_being_written() {
    let role = |role: &str| format!("zone \"a.test\" {{ {role} file \"FOLDER/one\"; masterfile-format text; }};\n");
    let secondary = role("type secondary; primaries { 127.0.0.1 port 1; };");
    let primary = role("type primary; allow-update { any; };");
    for (zone, is_given_up) in [(secondary, true), (primary, false)] {
        let folder = tempfile::tempdir().unwrap();
        write_zone(folder.path(), "one", 1);
        let (mut core, mut inbox) = Core::of_zones(folder.path(), &zone);
        settle(&mut core, &mut inbox).await;
        let id = core.zones.iter().next().unwrap().0;
        core.save_step(id, saving::Event::Published { durability: Durability::Journal, kept_s: unix_now_s() });
        let turns = Arc::new(Turns::default());
        core.refreshing.saving.insert(id, Arc::clone(&turns));
        let moved = zone.replace("masterfile", "journal \"FOLDER/other\"; masterfile");
        core.adopt(Core::configuration(folder.path(), &moved));
        assert_eq!(turns.leave.is_away(), is_given_up, "{zone}");
    }
}

#[tokio::test]
async fn who_asks_while_a_configuration_is_read_is_answered_by_the_next_reading() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = running(folder.path()).await;
    let (first, mut first_answer) = oneshot::channel();
    let (second, mut second_answer) = oneshot::channel();
    core.reconfigure(Demand::Reconfig, Some(first));
    core.reconfigure(Demand::Reload, Some(second));
    assert!(core.status().contains("reload/reconfig in progress\n"));
    let configured = loop {
        match inbox.recv().await.unwrap() {
            Event::Configured(read) => break read,
            event => core.handle(event),
        }
    };
    core.configured(*configured);
    assert_eq!(first_answer.try_recv().unwrap(), Reply::done());
    assert!(second_answer.try_recv().is_err() && core.reconfiguring.is_reading());
    settle(&mut core, &mut inbox).await;
    assert_eq!(second_answer.try_recv().unwrap(), Reply::text("server reload successful"));
}

#[tokio::test]
async fn what_cannot_be_read_changes_nothing_and_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = running(folder.path()).await;
    std::fs::write(folder.path().join("named.conf"), "zone {").unwrap();
    let (reply, mut answer) = oneshot::channel();
    core.reconfigure(Demand::Reconfig, Some(reply));
    settle(&mut core, &mut inbox).await;
    assert_ne!(answer.try_recv().unwrap().result, IscResult::SUCCESS);
    assert!(core.status().contains("reload/reconfig failed\n"));
    assert_eq!(serial(&core), Some(Serial(1)));
}

#[tokio::test]
async fn the_pid_file_moves_and_stays_where_it_was_if_it_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, _inbox) = running(folder.path()).await;
    let with_pid_file = |name: &str| {
        let mut config = Core::configuration(folder.path(), &zone("one"));
        config.options.pid_file = Some(folder.path().join(name));
        config
    };
    let exists = |name: &str| folder.path().join(name).exists();
    core.adopt(with_pid_file("a.pid"));
    core.follow_pid_file();
    core.adopt(with_pid_file("b.pid"));
    core.follow_pid_file();
    assert!(!exists("a.pid") && exists("b.pid"));
    core.adopt(with_pid_file("one/c.pid"));
    core.follow_pid_file();
    assert!(exists("b.pid") && core.status().contains("\nnot in force: pid-file: could not open file"));
    core.adopt(with_pid_file("b.pid"));
    core.follow_pid_file();
    assert!(exists("b.pid") && core.status().ends_with("server is up and running"));
}

#[tokio::test]
async fn zones_that_are_the_same_are_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, _inbox) = running(folder.path()).await;
    let table = |core: &Core| Arc::clone(&core.shared.snapshot.load().views[0].zones);
    let before = table(&core);
    core.adopt(Core::configuration(folder.path(), &zone("one")));
    assert!(Arc::ptr_eq(&before, &table(&core)));
    core.adopt(Core::configuration(
        folder.path(),
        &format!("{}{}", zone("one"), zone("one").replace("a.test", "b.test")),
    ));
    let after = table(&core);
    assert_eq!((before.len(), after.len()), (1, 2));
    assert!(before.iter().all(|zone| after.iter().any(|same| Arc::ptr_eq(zone, same))));
}

#[tokio::test]
async fn new_addresses_change_only_lists_that_follow_them() {
    let folder = tempfile::tempdir().unwrap();
    let near = zone("one").replace("a.test", "near.test").replace("type", "allow-query { localnets; }; type");
    let (mut core, _inbox) = Core::of_zones(folder.path(), &format!("{}{near}", zone("one")));
    let policies = |core: &Core| {
        let table = Arc::clone(&core.shared.snapshot.load().views[0].zones);
        ["a.test", "near.test"]
            .map(|name| Arc::clone(table.get(name.parse::<crate::dns::Name>().unwrap().as_ref()).unwrap()))
    };
    let [far_before, near_before] = policies(&core);
    core.recompile_access();
    let [far, near] = policies(&core);
    assert!(Arc::ptr_eq(&far_before, &far) && !Arc::ptr_eq(&near_before, &near));
}

#[tokio::test]
async fn a_log_that_cannot_be_opened_fails_the_command_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = running(folder.path()).await;
    let channel = "channel c { file \"FOLDER/none/log\"; };";
    Core::configuration(
        folder.path(),
        &format!("logging {{ {channel} }};\n{}", zone("one").replace("a.test", "b.test")),
    );
    let (reply, mut answer) = oneshot::channel();
    core.reconfigure(Demand::Reconfig, Some(reply));
    settle(&mut core, &mut inbox).await;
    assert_ne!(answer.try_recv().unwrap().result, IscResult::SUCCESS);
    assert!(core.status().contains("\nnot in force: logging: logging channel 'c' file"), "{}", core.status());
    assert_eq!(
        core.zones.iter().map(|(_, task)| NoDot(task.conf.apex.as_ref()).to_string()).collect::<Vec<_>>(),
        ["b.test"]
    );
}

#[tokio::test]
async fn a_burst_of_new_addresses_leads_to_one_look_at_them() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, _inbox) = running(folder.path()).await;
    let before = std::time::Instant::now();
    core.handle(Event::Interfaces);
    let (planned, after) = (core.listening.next_scan(), std::time::Instant::now());
    assert!(planned.is_some_and(|at| at > before && at < after + Duration::from_secs(1)), "{planned:?}");
    core.handle(Event::Interfaces);
    assert_eq!(core.listening.next_scan(), planned, "what goes on for long must not put it off");
}

#[tokio::test]
async fn a_copy_that_belongs_in_another_file_is_written_there() {
    let folder = tempfile::tempdir().unwrap();
    write_zone(folder.path(), "one", 1);
    let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
    std::fs::File::options().append(true).open(folder.path().join("one")).unwrap().set_modified(an_hour_ago).unwrap();
    let zone = |file: &str| {
        let file = format!("file \"FOLDER/{file}\"; masterfile-format text;");
        format!("zone \"a.test\" {{ type secondary; primaries {{ 127.0.0.1 port 1; }}; {file} }};\n")
    };
    let (mut core, mut inbox) = Core::of_zones(folder.path(), &zone("one"));
    settle(&mut core, &mut inbox).await;
    core.adopt(Core::configuration(folder.path(), &zone("two")));
    core.run_saving();
    while core.zones.iter().any(|(_, task)| !task.saving.is_done()) {
        core.handle(inbox.recv().await.unwrap());
    }
    assert_eq!(serial(&core), Some(Serial(1)));
    let touched = load::modified(&folder.path().join("two")).map(whole_seconds);
    assert_eq!(touched, Some(whole_seconds(an_hour_ago)), "the age of a copy is its expiry clock");
}

/// A control side whose secondary's file has been read, and waits to be looked at.
fn found(folder: &Path, secondary: &str) -> Core {
    let (mut core, _inbox) = Core::of_zones(folder, "");
    core.loader = Loader::idle();
    write_zone(folder, "one", 1);
    core.adopt(Core::configuration(folder, secondary));
    core.loader.work();
    core
}

fn secondary(clauses: &str) -> String {
    let clauses = format!("file \"FOLDER/one\"; masterfile-format text; {clauses}");
    format!("zone \"a.test\" {{ type secondary; primaries {{ 127.0.0.1 port 1; }}; {clauses} }};\n")
}

/// A crash would not find what the old journal leads to.
#[tokio::test]
async fn a_copy_whose_journal_is_named_anew_while_it_is_read_is_read_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = [1, 2].map(|serial| {
        let text = format!("$TTL 300\n@ SOA ns h {serial} 3600 900 604800 300\n@ NS ns\nns A 192.0.2.1\n");
        read("a.test.", &text)
    });
    let steps = [diff(&old, &new).unwrap()];
    copy::append(&Host, &folder.path().join("old"), &steps).unwrap();
    let mut core = found(folder.path(), &secondary("journal \"FOLDER/old\";"));
    core.adopt(Core::configuration(folder.path(), &secondary("journal \"FOLDER/new\";")));
    core.loader.work();
    core.handle(Event::Loaded);
    assert_eq!(serial(&core), Some(Serial(1)));
    core.adopt(Core::configuration(folder.path(), ""));
    core.adopt(Core::configuration(folder.path(), &secondary("journal \"FOLDER/old\";")));
    core.loader.work();
    core.handle(Event::Loaded);
    assert_eq!(serial(&core), Some(Serial(2)), "the old one leads on");
}

#[tokio::test]
async fn a_copy_that_was_read_where_it_is_no_longer_is_read_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut core = found(folder.path(), &secondary(""));
    write_zone(folder.path(), "one", 3);
    let id = core.zones.iter().next().unwrap().0;
    core.load(id);
    core.handle(Event::Loaded);
    core.loader.work();
    core.handle(Event::Loaded);
    assert_eq!(serial(&core), Some(Serial(3)));
}

fn whole_seconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn a_view_that_shows_the_zone_of_another_shows_it_as_it_is_now() {
    let folder = tempfile::tempdir().unwrap();
    let views = |more: &str| {
        let zone = zone("one").replace("type", &format!("{more} type"));
        format!("view one {{ {zone} }};\nview two {{ zone a.test {{ in-view one; }}; }};\n")
    };
    let (mut core, _inbox) = Core::of_zones(folder.path(), &views(""));
    let apex: crate::dns::Name = "a.test".parse().unwrap();
    let shown = |core: &Core| {
        let snapshot = core.shared.snapshot.load_full();
        [0, 1].map(|view: usize| Arc::clone(snapshot.views[view].zones.get(apex.as_ref()).unwrap()))
    };
    let [before, _] = shown(&core);
    core.adopt(Core::configuration(folder.path(), &views("allow-query { none; };")));
    let [one, two] = shown(&core);
    assert!(Arc::ptr_eq(&one, &two) && !Arc::ptr_eq(&before, &one));
}

#[test]
fn a_directory_that_cannot_be_written_is_refused_with_the_result_of_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Core::configuration(folder.path(), "");
    config.options.directory = Some(folder.path().join("none"));
    let refused = start::enter_directory(&config.options).unwrap_err();
    assert_eq!(
        (refused.to_string().as_str(), refused.reason().as_str()),
        ("loading configuration: permission denied", "permission denied")
    );
}
