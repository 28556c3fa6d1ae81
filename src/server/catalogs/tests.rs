use std::path::Path;

use tokio::sync::mpsc::UnboundedReceiver;

use super::*;
use crate::server::control::IscResult;

type Inbox = UnboundedReceiver<Event>;

/// A view that follows catalogs, each a primary zone, with further zones.
fn view(catalogs: &[&str], zones: &str) -> String {
    let element = |name: &&str| {
        format!(
            "zone {name} default-primaries {{ 127.0.0.1 port 1; }} zone-directory \"FOLDER\" min-update-interval 0;"
        )
    };
    let zone = |name: &&str| format!("zone {name} {{ type primary; file \"FOLDER/{name}\"; }};\n");
    let followed: String = catalogs.iter().map(element).collect();
    let own: String = ["cat.test", "cat2.test"].iter().map(zone).collect();
    let statement = if catalogs.is_empty() { String::new() } else { format!("catalog-zones {{ {followed} }};") };
    format!("view v {{ {statement}\n{own}{zones} }};\n")
}

fn write_catalog(folder: &Path, name: &str, members: &str) {
    let text = format!("$TTL 0\n@ SOA . . 1 3600 600 86400 0\n@ NS invalid.\nversion TXT 2\n{members}\n");
    std::fs::write(folder.join(name), text).unwrap();
}

async fn settle(core: &mut Core, inbox: &mut Inbox) {
    while core.loads_open > 0 {
        core.handle(inbox.recv().await.unwrap());
    }
}

/// A control side that follows both catalogs, of which the second lists nothing.
async fn following(folder: &Path, members: &str) -> (Core, Inbox) {
    write_catalog(folder, "cat.test", members);
    write_catalog(folder, "cat2.test", "");
    let (mut core, mut inbox) = Core::of_zones(folder, &view(&["cat.test", "cat2.test"], ""));
    settle(&mut core, &mut inbox).await;
    (core, inbox)
}

fn id_of(core: &Core, name: &str) -> Option<ZoneId> {
    core.zones.id(&ZoneKey { view: "v".into(), apex: name.parse().unwrap(), class: crate::dns::Class::IN })
}

async fn change(core: &mut Core, inbox: &mut Inbox, folder: &Path, name: &str, members: &str) {
    write_catalog(folder, name, members);
    core.load(id_of(core, name).unwrap());
    settle(core, inbox).await;
}

/// The zones that workers see, catalogs left out, each with the catalog that has brought it.
fn served(core: &Core) -> Vec<String> {
    let snapshot = core.shared.snapshot.load();
    let zones = snapshot.views[0].zones.iter().map(|zone| zone.apex().to_string());
    let shown = |name: String| match id_of(core, &name).and_then(|id| core.catalogs.owners.get(&id)) {
        Some((owner, _)) => format!("{name} {}", owner.apex),
        None => name,
    };
    let mut zones: Vec<String> = zones.filter(|name| !name.starts_with("cat")).map(shown).collect();
    zones.sort();
    zones
}

#[tokio::test]
async fn members_come_and_go_with_their_catalog_and_files_go_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = following(folder.path(), "a.zones PTR a.test.\nb.zones PTR b.test.").await;
    assert_eq!(served(&core), ["a.test. cat.test.", "b.test. cat.test."]);
    let (kept, files) = (id_of(&core, "b.test"), ["", ".jnl"].map(|end| format!("__catz__v_cat.test_a.test.db{end}")));
    files.iter().for_each(|file| std::fs::write(folder.path().join(file), "").unwrap());
    change(&mut core, &mut inbox, folder.path(), "cat.test", "b.zones PTR b.test.\nc.zones PTR c.test.").await;
    assert_eq!(served(&core), ["b.test. cat.test.", "c.test. cat.test."]);
    assert_eq!(id_of(&core, "b.test"), kept);
    assert!(files.iter().all(|file| !folder.path().join(file).exists()));
}

#[tokio::test]
async fn a_broken_catalog_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = following(folder.path(), "a.zones PTR a.test.").await;
    change(&mut core, &mut inbox, folder.path(), "cat.test", "b.zones PTR b.test.\nb.zones PTR c.test.").await;
    assert_eq!(served(&core), ["a.test. cat.test."]);
}

#[tokio::test]
async fn a_member_that_changes_keeps_its_zone_and_one_with_another_label_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = following(folder.path(), "a.zones PTR a.test.").await;
    let first = id_of(&core, "a.test").unwrap();
    let text = "a.zones PTR a.test.\nallow-query.ext.a.zones APL 1:192.0.2.0/24";
    change(&mut core, &mut inbox, folder.path(), "cat.test", text).await;
    assert_eq!(core.zones.get(first).map(|task| task.conf.settings.allow_query.len()), Some(1));
    change(&mut core, &mut inbox, folder.path(), "cat.test", "other.zones PTR a.test.").await;
    assert_eq!(served(&core), ["a.test. cat.test."]);
    assert_ne!(id_of(&core, "a.test"), Some(first));
}

#[tokio::test]
async fn a_name_that_is_listed_twice_is_served_as_long_as_it_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = following(folder.path(), "a.zones PTR a.test.\nb.zones PTR a.test.").await;
    for (text, expected) in [("b.zones PTR a.test.", &["a.test. cat.test."][..]), ("", &[])] {
        change(&mut core, &mut inbox, folder.path(), "cat.test", text).await;
        assert_eq!(served(&core), expected);
    }
}

#[tokio::test]
async fn a_member_whose_name_another_catalog_had_is_there_as_soon_as_that_drops_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = following(folder.path(), "a.zones PTR a.test.\nb.zones PTR b.test.").await;
    change(&mut core, &mut inbox, folder.path(), "cat2.test", "x.zones PTR a.test.").await;
    assert_eq!(served(&core), ["a.test. cat.test.", "b.test. cat.test."]);
    change(&mut core, &mut inbox, folder.path(), "cat.test", "").await;
    assert_eq!(served(&core), ["a.test. cat2.test."]);
}

#[tokio::test]
async fn a_member_changes_its_catalog_only_if_the_old_one_gives_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = following(folder.path(), "a.zones PTR a.test.").await;
    change(&mut core, &mut inbox, folder.path(), "cat2.test", "x.zones PTR a.test.").await;
    assert_eq!(served(&core), ["a.test. cat.test."]);
    let given = "a.zones PTR a.test.\ncoo.a.zones PTR Cat2.test.";
    change(&mut core, &mut inbox, folder.path(), "cat.test", given).await;
    change(&mut core, &mut inbox, folder.path(), "cat2.test", "x.zones PTR a.test.").await;
    assert_eq!(served(&core), ["a.test. cat2.test."]);
    change(&mut core, &mut inbox, folder.path(), "cat.test", "").await;
    assert_eq!(served(&core), ["a.test. cat2.test."]);
}

#[tokio::test]
async fn a_zone_of_the_configuration_wins_and_gives_back() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = following(folder.path(), "a.zones PTR a.test.\nc.zones PTR cat2.test.").await;
    assert_eq!(served(&core), ["a.test. cat.test."]);
    let own = "zone a.test { type secondary; file \"FOLDER/own\"; primaries { 127.0.0.1 port 1; }; };";
    for (zones, expected) in [(own, "a.test."), ("", "a.test. cat.test.")] {
        core.adopt(Core::configuration(folder.path(), &view(&["cat.test", "cat2.test"], zones)));
        settle(&mut core, &mut inbox).await;
        assert_eq!(served(&core), [expected]);
    }
}

#[tokio::test]
async fn members_follow_what_a_new_configuration_says_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = following(folder.path(), "a.zones PTR a.test.").await;
    let before = id_of(&core, "a.test").unwrap();
    let closed = view(&["cat.test"], "allow-transfer { none; };").replace("127.0.0.1 port 1", "127.0.0.2 port 1");
    core.adopt(Core::configuration(folder.path(), &closed));
    settle(&mut core, &mut inbox).await;
    let task = core.zones.get(before).unwrap();
    let crate::conf::config::Role::Secondary { primaries } = &task.conf.role else { panic!("a secondary") };
    assert_eq!(
        (primaries[0].address.to_string().as_str(), task.conf.settings.is_transfer_limited),
        ("127.0.0.2:1", true)
    );
}

#[tokio::test]
async fn members_of_a_catalog_that_is_followed_no_longer_go_and_leave_their_files() {
    for left in [&["cat2.test"][..], &[]] {
        let folder = tempfile::tempdir().unwrap();
        let (mut core, mut inbox) = following(folder.path(), "a.zones PTR a.test.").await;
        let file = folder.path().join("__catz__v_cat.test_a.test.db");
        std::fs::write(&file, "").unwrap();
        core.adopt(Core::configuration(folder.path(), &view(left, "")));
        settle(&mut core, &mut inbox).await;
        assert_eq!(served(&core), [""; 0]);
        assert!(file.exists() && core.catalogs.owners.is_empty());
    }
}

#[tokio::test]
async fn a_member_that_is_deleted_is_back_with_the_next_version() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = following(folder.path(), "a.zones PTR a.test.").await;
    let catalog = id_of(&core, "cat.test").unwrap();
    assert_eq!(core.delete_zone(catalog, false).result, IscResult::NOT_IMPLEMENTED);
    let member = id_of(&core, "a.test").unwrap();
    assert_eq!(core.delete_zone(member, false).text, "zone 'a.test' will be deleted.");
    assert_eq!(served(&core), [""; 0]);
    change(&mut core, &mut inbox, folder.path(), "cat.test", "a.zones PTR a.test.").await;
    assert_eq!(served(&core), ["a.test. cat.test."]);
}

#[tokio::test]
async fn a_catalog_that_is_dropped_and_new_again_while_it_is_read_brings_all_its_members() {
    let folder = tempfile::tempdir().unwrap();
    let (mut core, mut inbox) = following(folder.path(), "a.zones PTR a.test.").await;
    write_catalog(folder.path(), "cat.test", "a.zones PTR a.test.\nb.zones PTR b.test.");
    core.load(id_of(&core, "cat.test").unwrap());
    while !core.catalogs.consumers.values().any(|consumer| consumer.schedule.is_running()) {
        core.handle(inbox.recv().await.unwrap());
    }
    for catalogs in [&["cat2.test"][..], &["cat.test", "cat2.test"]] {
        core.adopt(Core::configuration(folder.path(), &view(catalogs, "")));
    }
    settle(&mut core, &mut inbox).await;
    assert_eq!(served(&core), ["a.test. cat.test.", "b.test. cat.test."]);
}

#[tokio::test]
async fn views_follow_their_catalogs_each_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    write_catalog(folder.path(), "cat.test", "a.zones PTR a.test.");
    write_catalog(folder.path(), "cat2.test", "");
    let both = view(&["cat.test"], "") + &view(&["cat.test"], "").replace("view v", "view w");
    let (mut core, mut inbox) = Core::of_zones(folder.path(), &both);
    settle(&mut core, &mut inbox).await;
    let files = core.zones.iter().filter_map(|(_, task)| task.file()?.file_name()?.to_str().map(str::to_owned));
    let mut files: Vec<String> = files.filter(|file| file.contains("a.test")).collect();
    files.sort();
    assert_eq!(files, ["__catz__v_cat.test_a.test.db", "__catz__w_cat.test_a.test.db"]);
    core.adopt(Core::configuration(folder.path(), &view(&["cat.test"], "")));
    settle(&mut core, &mut inbox).await;
    assert_eq!((served(&core), core.zones.len()), (vec!["a.test. cat.test.".to_owned()], 3));
}
