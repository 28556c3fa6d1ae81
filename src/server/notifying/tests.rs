//! Who is told of what, and how urgently.

use super::*;

const ZONE: &str = "$TTL 300\n@ SOA ns.example.com. h 5 3600 900 604800 300\n@ NS ns.invalid.\n@ NS other.invalid.\n";

async fn loaded(zones: &str) -> (Core, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("zone"), ZONE).unwrap();
    let (mut core, mut inbox) = Core::of_zones(folder.path(), zones);
    while core.loads_open > 0 {
        let event = inbox.recv().await.unwrap();
        if matches!(event, Event::Loaded) {
            core.handle(event);
        }
    }
    (core, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_load_of_a_zone_is_told_at_the_rate_of_the_start_and_a_change_before_it() {
    let zones =
        "zone a.test { type primary; file \"FOLDER/zone\"; notify explicit; also-notify { 127.0.0.1 port 1; }; };";
    let (mut core, _folder) = loaded(zones).await;
    assert_eq!((core.notifying.at_start.len(), core.notifying.changes.len()), (1, 0));
    let id = core.zones.iter().next().unwrap().0;
    core.tell(id, Occasion::Change);
    assert_eq!((core.notifying.at_start.len(), core.notifying.changes.len()), (0, 1));
    core.tell(id, Occasion::Start);
    assert_eq!((core.notifying.at_start.len(), core.notifying.changes.len()), (0, 1));
    core.notifying.forget(id);
    assert_eq!((core.notifying.changes.len(), core.notifying.open.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_server_of_many_zones_is_looked_up_once_and_tells_them_all() {
    let zone = |name: &str| format!("zone {name} {{ type primary; file \"FOLDER/zone\"; notify yes; }};");
    let (mut core, _folder) = loaded(&[zone("a.test"), zone("b.test")].concat()).await;
    let waiting: Vec<usize> = core.notifying.resolving.values().map(|waiting| waiting.len()).collect();
    assert_eq!(waiting, [2, 2]);
    let ids: Vec<ZoneId> = core.zones.iter().map(|(id, _)| id).collect();
    ids.iter().for_each(|id| core.tell(*id, Occasion::Change));
    let waiting: Vec<usize> = core.notifying.resolving.values().map(|waiting| waiting.len()).collect();
    assert_eq!(waiting, [2, 2], "one that waits does not wait twice");
    let name: Name = "NS.invalid".parse().unwrap();
    core.handle(Event::Notify(Brought::Addresses(name, vec!["127.0.0.9".parse().unwrap()])));
    assert_eq!(core.notifying.resolving.len(), 1);
    assert_eq!(core.notifying.open.len(), 2);
    assert_eq!(core.notifying.at_start.len(), 0, "a change is more urgent than a start");
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_does_not_answer_is_waited_for_ten_seconds_and_holds_its_place() {
    let (lookups, began) = (Arc::new(Semaphore::new(2)), tokio::time::Instant::now());
    assert!(look_up(Arc::clone(&lookups), std::future::pending()).await.is_empty());
    assert_eq!((began.elapsed(), lookups.available_permits()), (LOOKUP_TIMEOUT, 1));
    let address: IpAddr = "192.0.2.1".parse().unwrap();
    assert_eq!(look_up(Arc::clone(&lookups), async move { Ok(vec![address]) }).await, [address]);
    assert_eq!(lookups.available_permits(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stays_of_an_announcement_once_the_next_may_follow() {
    let zones = "zone a.test { type primary; file \"FOLDER/zone\"; notify no; };";
    let (mut core, _folder) = loaded(zones).await;
    let id = core.zones.iter().next().unwrap().0;
    let notifying = &mut core.notifying;
    notifying.forget(id);
    for (changed_s, announced_s) in [(10, 10), (12, 15), (16, 20)] {
        let due_s = notifying.delays.entry(id).or_default().changed(5, 0, changed_s);
        assert_eq!(due_s, announced_s);
        assert!(!notifying.take_due(id, 5, announced_s - 1) && notifying.take_due(id, 5, announced_s));
    }
    assert_eq!(notifying.due.next_deadline(), Some(25));
    assert!(!notifying.take_due(id, 5, 25));
    assert!(notifying.delays.is_empty());
}
