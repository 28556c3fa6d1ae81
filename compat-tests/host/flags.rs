//! The command line: what is refused, with which words and exit code, and what only starts.

use super::super::peers::Kind;
use super::super::peers::host::Host;
use super::BOTH;

/// A configuration that needs nothing but a port that is free.
const CONF: &str = r#"options {
    directory "/var/cache/bind"; pid-file "/var/cache/bind/pid"; session-keyfile none;
    listen-on port 5301 { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; dnssec-validation no;
};
controls { };
"#;

/// Names of files in /etc/bind, and what is in them.
fn write_files(host: &Host) {
    let with = |from: &str, to: &str| CONF.replace(from, to);
    for (name, text) in [
        ("ok", CONF.to_owned()),
        ("bad", "options { nonsense 1; };".to_owned()),
        ("open", "options { directory \"".to_owned()),
        ("read-only", with("directory \"/var/cache/bind\"", "directory \"/usr\"")),
        ("no-directory", with("directory \"/var/cache/bind\"", "directory \"/no/such\"")),
        ("pid", with("/var/cache/bind/pid", "/usr/pid")),
        ("category", with("controls", "logging { category nonsense { null; }; };\ncontrols")),
        ("channel", with("controls", "logging { category general { nonsense; }; };\ncontrols")),
        (
            "log",
            with("controls", "logging { channel a { file \"/no/such/a\"; }; category general { a; }; };\ncontrols"),
        ),
        ("zone", with("controls", "zone \"a.example\" { type primary; file \"no-such\"; };\ncontrols")),
    ] {
        host.write_conf(name, &text);
    }
    host.write_conf("secret", CONF);
    host.done(&["chmod", "600", "/etc/bind/secret"]);
}

/// The exit code, none where it has started and is ended again, and the last line.
fn outcome(host: &Host, kind: Kind, flags: &str) -> (Option<i32>, String) {
    let program = host.program(kind);
    let words: Vec<&str> = [program.as_str()].into_iter().chain(flags.split(' ')).collect();
    let (code, text) = host.try_start(&words);
    let last = text.lines().last().unwrap_or_default();
    // Lines of the log have a date and a time.
    let is_log = last.get(2..3) == Some("-");
    (code, if is_log { last.splitn(3, ' ').nth(2).unwrap_or_default() } else { last }.to_owned())
}

#[test]
fn faults_of_the_command_line_and_the_files_end_it_as_they_end_named() {
    let hosts = BOTH.map(|kind| (kind, Host::new()));
    hosts.iter().for_each(|(_, host)| write_files(host));
    for flags in [
        "-Z",
        "extra",
        "-p 0",
        "-p x",
        "-n x",
        "-d 3x",
        "-4 -6",
        "-m nonsense",
        "-g -c",
        "-g -u no-such-user",
        "-u no-such-user",
        "-g -t /no/such",
        "-g -u bind -c /etc/bind/no-such",
        "-u bind -c /etc/bind/no-such",
        "-f -u bind -c /etc/bind/bad",
        "-g -u bind -c /etc/bind/bad",
        "-g -u bind -c /etc/bind/open",
        "-g -u bind -c /etc/bind/secret",
        "-g -u bind -c /etc/bind/read-only",
        "-g -u bind -c /etc/bind/no-directory",
        "-g -u bind -c /etc/bind/category",
        "-g -u bind -c /etc/bind/channel",
        "-f -u bind -c /etc/bind/log",
        "-g -u bind -t /var/cache/bind -c /etc/bind/ok",
        // These start.
        "-g -u bind -c /etc/bind/pid",
        "-g -u bind -c /etc/bind/zone",
        "-f -u bind -c /etc/bind/ok -L /no/such/file",
        "-g -u 1 -c /etc/bind/ok -p 5302 -n 1 -4 -d 1 -s -S 4096 -U 1 -m usage -M fill -x none -X none -D comment",
    ] {
        let [bind, nomd] = hosts.each_ref().map(|(kind, host)| outcome(host, *kind, flags));
        assert_eq!(nomd, bind, "{flags}");
    }
}

#[test]
fn without_any_free_address_it_ends_and_with_one_it_goes_on() {
    let host = Host::new();
    host.done(&["ip", "addr", "add", "127.0.0.2", "dev", "lo"]);
    host.write_conf("one", CONF);
    host.write_conf("two", &CONF.replace("{ 127.0.0.1; }", "{ 127.0.0.1; 127.0.0.2; }"));
    host.write_conf("other", &CONF.replace("bind/pid", "bind/other.pid"));
    let _other = host.launch(Kind::Nomd, &["-f", "-u", "bind", "-c", "/etc/bind/other"]);
    host.wait_for_log(": running\n");
    let outcomes = ["one", "two"].map(|conf| outcome(&host, Kind::Nomd, &format!("-g -u bind -c /etc/bind/{conf}")));
    assert_eq!(outcomes.map(|(code, _)| code), [Some(1), None]);
}
