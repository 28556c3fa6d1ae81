//! Secondary zones among events that come at the wrong time.

use std::io::Read;
use std::net::TcpListener;

use tokio::sync::mpsc::UnboundedReceiver;

use super::*;
use crate::server::reconfiguring::Demand;
use crate::server::worker::MAX_OPEN_NOTIFIES;
use crate::transfer::message::SoaReply;

const ZONE: &str = "$TTL 300\n@ SOA ns.example.com. h 5 3600 900 604800 300\n@ NS ns.example.com.\n";

fn secondary(port: u16, more: &str) -> String {
    format!("zone example.test {{ type secondary; primaries {{ 127.0.0.1 port {port}; }}; {more} }};")
}

fn only_zone(core: &Core) -> ZoneId {
    core.zones.iter().next().unwrap().0
}

async fn finish_loads(core: &mut Core, inbox: &mut UnboundedReceiver<core::Event>) {
    while core.loads_open > 0 {
        let event = inbox.recv().await.unwrap();
        core.handle(event);
    }
}

/// A version is served that is in the journal.
fn journaled() -> saving::Event {
    saving::Event::Published { durability: Durability::Journal, kept_s: unix_now_s() }
}

fn notify(core: &Core) -> core::Event {
    core.shared.notifies_open.fetch_add(1, Ordering::Relaxed);
    let zone = Arc::clone(&core.zones.get(only_zone(core)).unwrap().served);
    core::Event::Notified(Notified { zone, from: "127.0.0.1:5300".parse().unwrap(), serial: Some(6) })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notify_that_comes_while_the_file_is_read_is_acted_on_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("zone"), ZONE).unwrap();
    let zones = secondary(1, "file \"FOLDER/zone\"; masterfile-format text;");
    let (mut quiet, mut inbox) = Core::of_zones(folder.path(), &zones);
    finish_loads(&mut quiet, &mut inbox).await;
    assert_eq!(quiet.refreshing.queries(), 0, "a fresh copy is not checked at once");
    let (mut core, mut inbox) = Core::of_zones(folder.path(), &zones);
    core.handle(notify(&core));
    assert_eq!(core.refreshing.queries(), 0);
    finish_loads(&mut core, &mut inbox).await;
    assert_eq!(core.refreshing.queries(), 1);
    assert!(core.refreshing.early.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_comes_while_the_file_is_read_nothing_hides_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("zone"), ZONE).unwrap();
    let notify = |serial| Event::Notify { from: "127.0.0.1:5300".parse().unwrap(), serial: Some(Serial(serial)) };
    for late in [notify(5), Event::Timer] {
        let (mut core, mut inbox) =
            Core::of_zones(folder.path(), &secondary(1, "file \"FOLDER/zone\"; masterfile-format text;"));
        let id = only_zone(&core);
        core.step(id, notify(6), true);
        core.step(id, late, true);
        finish_loads(&mut core, &mut inbox).await;
        assert_eq!(core.refreshing.queries(), 1, "the file has serial 5");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_new_settings_make_due_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, _inbox) = Core::of_zones(folder.path(), &secondary(1, "dialup passive;"));
    assert_eq!(core.refreshing.queries(), 0, "only a NOTIFY leads to one");
    core.adopt(Core::configuration(folder.path(), &secondary(1, "")));
    assert_eq!(core.refreshing.queries(), 1);
}

/// What an only zone is told when the answer to its SOA query does not come.
fn unreachable(core: &mut Core) {
    let what = Arrival::Soa(1, Event::SoaFailed("connection refused".to_owned()));
    core.handle(core::Event::Refresh(Brought { id: only_zone(core), what }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_without_a_version_asks_at_once_when_its_primaries_change_and_at_each_reconfig() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = Core::of_zones(folder.path(), &secondary(1, ""));
    let is_checked = |core: &Core| core.zones.iter().any(|(_, task)| task.refresh.as_ref().unwrap().is_busy());
    unreachable(&mut core);
    assert!(!is_checked(&core));
    core.adopt(Core::configuration(folder.path(), &secondary(2, "")));
    assert!(is_checked(&core), "the new primary may have it");
    unreachable(&mut core);
    assert!(!is_checked(&core));
    std::fs::write(folder.path().join("named.conf"), secondary(2, "")).unwrap();
    core.reconfigure(Demand::Reconfig, None);
    while core.reconfiguring.is_reading() {
        core.handle(inbox.recv().await.unwrap());
    }
    assert!(is_checked(&core));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_is_dropped_ends_its_transfer_and_frees_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let primary = TcpListener::bind("127.0.0.1:0").unwrap();
    let zones = secondary(primary.local_addr().unwrap().port(), "");
    let (mut core, mut inbox) = Core::of_zones(folder.path(), &zones);
    let id = only_zone(&core);
    let answer = Event::SoaReply(SoaReply::Current { serial: Serial(1), expire_s: None });
    core.handle(core::Event::Refresh(Brought { id, what: Arrival::Soa(1, answer) }));
    assert_eq!(core.refreshing.running(), 1);
    let (mut connection, _) = tokio::task::block_in_place(|| primary.accept()).unwrap();
    core.adopt(Core::configuration(folder.path(), ""));
    assert_eq!((core.refreshing.running(), core.refreshing.running.len()), (0, 0));
    // The end of the connection is the end of the task.
    let mut request = vec![];
    tokio::task::block_in_place(|| connection.read_to_end(&mut request)).unwrap();
    while let Some(event) = inbox.recv().await {
        let is_transfer = matches!(event, core::Event::Refresh(Brought { what: Arrival::Transfer(_), .. }));
        core.handle(event);
        if is_transfer {
            break;
        }
    }
    assert_eq!(core.zones.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notify_finds_its_zone_after_the_policy_of_the_zone_was_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, _inbox) = Core::of_zones(folder.path(), &secondary(1, "allow-query { localnets; };"));
    let id = only_zone(&core);
    let before = Arc::clone(&core.zones.get(id).unwrap().served);
    core.recompile_access();
    assert!(!Arc::ptr_eq(&before, &core.zones.get(id).unwrap().served));
    assert_eq!(core.zones.holder(&before), Some(id));
    core.adopt(Core::configuration(folder.path(), ""));
    assert_eq!(core.zones.holder(&before), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notify_that_finds_no_room_is_not_taken_and_so_not_answered() {
    let folder = tempfile::tempdir().unwrap();
    let (core, mut inbox) = Core::of_zones(folder.path(), &secondary(1, ""));
    let post = || {
        let core::Event::Notified(notified) = notify(&core) else { unreachable!() };
        core.shared.notifies_open.fetch_sub(1, Ordering::Relaxed);
        core.shared.post_notify(notified)
    };
    core.shared.notifies_open.store(MAX_OPEN_NOTIFIES - 1, Ordering::Relaxed);
    assert_eq!([post(), post()], [true, false]);
    assert_eq!(core.shared.notifies_open.load(Ordering::Relaxed), MAX_OPEN_NOTIFIES);
    let taken = std::iter::from_fn(|| inbox.try_recv().ok());
    assert_eq!(taken.filter(|event| matches!(event, core::Event::Notified(_))).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_secondaries_look_at_the_clock_again_when_it_was_set_back() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("zone"), ZONE).unwrap();
    let zones = secondary(1, "file \"FOLDER/zone\"; masterfile-format text;");
    let (mut core, mut inbox) = Core::of_zones(folder.path(), &zones);
    finish_loads(&mut core, &mut inbox).await;
    let id = only_zone(&core);
    // What the zone's timer would be, had it been set by a clock that was a year ahead.
    core.refreshing.timers.set(id, unix_now_s() + 365 * 86_400);
    core.refreshing.looked_at_s = unix_now_s() + 365 * 86_400;
    core.run_refreshing();
    assert!(core.refreshing.timers.next_deadline().is_some_and(|at_s| at_s < unix_now_s() + 86_400));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_is_looked_at_once_a_minute_however_much_happens() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, _inbox) = Core::of_zones(folder.path(), &secondary(1, ""));
    core.refreshing.timers.set(only_zone(&core), unix_now_s() + 86_400);
    let (looked_at, minute) = (core.refreshing.looked_at, Duration::from_secs(60));
    for _ in 0..3 {
        core.refresh_now(only_zone(&core));
        assert!(core.refreshing.next_deadline().is_some_and(|at| at <= looked_at + minute));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_written_again_neither_while_a_transfer_runs_nor_beside_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("zone"), ZONE).unwrap();
    let primary = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = primary.local_addr().unwrap().port();
    let (mut core, mut inbox) =
        Core::of_zones(folder.path(), &secondary(port, "file \"FOLDER/zone\"; masterfile-format text;"));
    finish_loads(&mut core, &mut inbox).await;
    let id = only_zone(&core);
    core.save_step(id, journaled());
    core.sync(Some(id), false);
    assert!(core.refreshing.saving.contains_key(&id), "it is being written");
    while core.refreshing.saving.contains_key(&id) {
        let event = inbox.recv().await.unwrap();
        core.handle(event);
    }
    core.step(id, Event::Retransfer, true);
    let answer = Event::SoaReply(SoaReply::Current { serial: Serial(6), expire_s: None });
    core.handle(core::Event::Refresh(Brought { id, what: Arrival::Soa(1, answer) }));
    assert!(core.refreshing.is_running(id));
    core.save_step(id, journaled());
    core.sync(Some(id), false);
    assert!(core.refreshing.saving.is_empty() && core.refreshing.saves.is_set(id), "it has to wait");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_never_written_is_written_when_somebody_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("zone"), ZONE).unwrap();
    let zones = secondary(1, "file \"FOLDER/zone\"; masterfile-format text;");
    let (mut core, mut inbox) = Core::of_zones(folder.path(), &zones);
    finish_loads(&mut core, &mut inbox).await;
    let id = only_zone(&core);
    std::fs::remove_file(folder.path().join("zone")).unwrap();
    core.sync(Some(id), false);
    assert!(!core.refreshing.saving.contains_key(&id), "as far as is known it is there");
    core.save_step(id, saving::Event::Published { durability: Durability::None, kept_s: unix_now_s() });
    core.sync(Some(id), false);
    assert!(core.refreshing.saving.contains_key(&id));
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_out_are_not_among_those_that_status_counts() {
    let folder = tempfile::tempdir().unwrap();
    let (core, _inbox) = Core::of_zones(folder.path(), "");
    let _place = core.shared.transfers_out.take().unwrap();
    assert!(core.status().contains("\nxfers running: 0\n"), "{}", core.status());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_copies_a_few_are_written_at_a_time_and_all_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<_> = (0..3 * SAVERS).map(|number| format!("z{number}.test")).collect();
    let zone = |name: &String| {
        std::fs::write(folder.path().join(name), ZONE).unwrap();
        let file = format!("file \"FOLDER/{name}\"; masterfile-format text;");
        secondary(1, &file).replace("example.test", name)
    };
    let (mut core, mut inbox) = Core::of_zones(folder.path(), &names.iter().map(zone).collect::<String>());
    finish_loads(&mut core, &mut inbox).await;
    for id in core.refreshed() {
        core.save_step(id, journaled());
    }
    core.sync(None, false);
    let is_done = |core: &Core| core.zones.iter().all(|(_, task)| task.saving.is_done());
    while !is_done(&core) {
        assert!((1..=SAVERS).contains(&core.refreshing.saving.len()));
        let event = inbox.recv().await.unwrap();
        core.handle(event);
        core.run_saving();
    }
}
