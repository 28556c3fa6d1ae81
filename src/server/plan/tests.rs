use std::fmt::Write as _;

use super::*;
use crate::conf::{self, Tolerance};

fn config(text: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("named.conf");
    std::fs::write(&path, text).unwrap();
    conf::load(&path, &Tolerance::default()).unwrap().0
}

/// The lines of the plan that leads from one text to the other.
fn plan(old: &str, new: &str) -> String {
    Plan::between(&config(old), &config(new)).to_string()
}

fn primary(name: &str, more: &str) -> String {
    format!("zone \"{name}\" {{ type primary; file \"{name}.db\"; {more} }};\n")
}

const KEY: &str = "key k { algorithm hmac-sha256; secret \"c2VjcmV0\"; };\n";

#[test]
fn the_same_text_changes_nothing_wherever_its_statements_stand() {
    let zones = format!("{}\n\n{}", primary("a.test", "allow-query { localnets; };"), primary("b.test", ""));
    let old = format!("options {{ notify no; }};\n{KEY}{zones}");
    assert_eq!(plan(&old, &format!("\n\n// moved\n{KEY}options {{ notify no; }};\n{zones}")), "");
}

#[test]
fn zones_go_before_others_change_and_others_come() {
    let old = [primary("gone.test", ""), primary("same.test", ""), primary("other.test", "")].concat();
    let new = [primary("new.test", ""), primary("other.test", "allow-query { none; };"), primary("same.test", "")];
    let lines =
        "drop zone gone.test\nchange zone other.test: allow-query\nadd zone new.test (primary, file \"new.test.db\")\n";
    assert_eq!(plan(&old, &new.concat()), lines);
}

#[test]
fn one_zone_more_is_one_step_wherever_it_stands() {
    let zones = |count: usize| (0..count).map(|number| primary(&format!("z{number}.test"), "")).collect::<String>();
    for at in [0, 25, 50] {
        let (front, all) = (zones(at), zones(50));
        let rest = &all[front.len()..];
        let new = format!("{front}{}{rest}", primary("new.test", ""));
        assert_eq!(plan(&all, &new), "add zone new.test (primary, file \"new.test.db\")\n");
        assert_eq!(plan(&new, &all), "drop zone new.test\n");
    }
}

#[test]
fn file_format_and_type_decide_where_contents_come_from() {
    let source = |old: &str, new: &str| match &Plan::between(&config(old), &config(new)).steps[..] {
        [Step::ChangeZone(_, _, change)] => (change.source, change.statements.clone()),
        steps => panic!("{steps:?}"),
    };
    let zone = |rest: &str| format!("zone \"a.test\" {{ {rest} }};\n");
    let old = zone("type primary; file \"a\";");
    let secondary = |rest: &str| zone(&format!("type secondary; primaries {{ 192.0.2.1; }}; {rest}"));
    assert_eq!(source(&old, &zone("type primary; file \"b\";")), (Source::OtherFile, vec!["file"]));
    let raw = zone("type primary; file \"a\"; masterfile-format raw;");
    assert_eq!(source(&old, &raw), (Source::OtherFile, vec!["masterfile-format"]));
    assert_eq!(source(&secondary(""), &secondary("file \"a\";")), (Source::OtherFile, vec!["file"]));
    assert_eq!(source(&old, &secondary("file \"a\";")).0, Source::OtherRole);
    let other = secondary("").replace("192.0.2.1", "192.0.2.2");
    assert_eq!(source(&secondary(""), &other), (Source::Same, vec!["primaries"]));
}

#[test]
fn an_acl_changes_those_zones_that_use_it() {
    let conf = |net: &str| {
        let zones = [primary("a.test", "allow-transfer { friends; };"), primary("b.test", "allow-transfer { none; };")];
        format!("acl friends {{ {net}; }};\n{}", zones.concat())
    };
    assert_eq!(
        plan(&conf("192.0.2.0/24"), &conf("198.51.100.1")),
        "change acl friends\nchange zone a.test: allow-transfer\n"
    );
}

#[test]
fn keys_are_told_apart_by_name_and_never_shown() {
    let other = KEY.replace("c2VjcmV0", "b3RoZXI=");
    let text = plan(KEY, &other);
    // The key counts in the view as well, where requests are verified.
    assert_eq!(text, "change key k\nchange view _default: key\n");
    assert!(plan("", KEY).starts_with("add key k\n") && plan(KEY, "").starts_with("drop key k\n"));
}

#[test]
fn views_come_go_change_and_keep_their_order() {
    let view = |name: &str, clients: &str| {
        format!("view {name} {{ match-clients {{ {clients}; }}; {} }};\n", primary("a.test", ""))
    };
    let (one, two) = (view("one", "192.0.2.1"), view("two", "any"));
    let both = format!("{one}{two}");
    assert_eq!(plan(&both, &one), "drop view two\ndrop zone a.test in view two\n");
    let added = "add view two\nadd zone a.test in view two (primary, file \"a.test.db\")\n";
    assert_eq!(plan(&one, &both), added);
    assert_eq!(plan(&one, &view("one", "192.0.2.2")), "change view one: match-clients\n");
    assert_eq!(plan(&both, &format!("{two}{one}")), "change order of views from one two to two one\n");
}

#[test]
fn zones_of_other_views_count_as_the_view_s_own_statement() {
    let view = |inner: &str| format!("view one {{ {} }};\nview two {{ {inner} }};\n", primary("a.test", ""));
    assert_eq!(plan(&view(""), &view("zone a.test { in-view one; };")), "change view two: in-view\n");
}

#[test]
fn settings_show_what_they_were_and_will_be() {
    let options = |inner: &str| format!("options {{ {inner} }};\n");
    let text = plan(&options("transfers-in 5; version none;"), &options("transfers-in 7; version \"x\";"));
    assert_eq!(text, "change version from none to \"x\"\nchange transfers-in from 5 to 7\n");
    let text = plan("", &options("listen-on port 54 { 127.0.0.1; !10/8; };"));
    assert_eq!(text, "change listen-on from port 53 { any; } to port 54 { 127.0.0.1; !10.0.0.0/8; }\n");
    assert_eq!(plan(&options("pid-file \"a\";"), &options("pid-file none;")), "change pid-file from \"a\" to none\n");
}

#[test]
fn log_and_control_channels_come_last_but_for_listeners() {
    let inet = |port: u16| format!("controls {{ inet 127.0.0.1 port {port} allow {{ any; }} keys {{ k; }}; }};\n");
    let old = format!("{KEY}{}", inet(953));
    let new = format!(
        "{KEY}{}logging {{ category queries {{ null; }}; }};\noptions {{ port 54; querylog no; }};\n",
        inet(954)
    );
    let mut lines =
        "change logging\ndrop control channel 127.0.0.1#953\nadd control channel 127.0.0.1#954\n".to_owned();
    lines.push_str("change port from 53 to 54\n");
    for name in ["listen-on", "listen-on-v6"] {
        let _ = writeln!(lines, "change {name} from port 53 {{ any; }} to port 54 {{ any; }}");
    }
    assert_eq!(plan(&old, &new), lines);
    assert_eq!(plan(KEY, &old), "drop the default control channel\nadd control channel 127.0.0.1#953\n");
}
