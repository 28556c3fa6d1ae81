//! nomd in the place of named on a Debian host: its files, its service, its privileges, its addresses.

mod cut;
mod flags;
mod logs;
mod report;
mod views;
mod wild;

use super::peers::host::{Host, kill};
use super::peers::{Kind, Output};

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];

/// What an operator sees of the stock service.
#[derive(Debug, PartialEq, Eq)]
struct Stock {
    answers: Vec<Option<(String, Vec<String>)>>,
    privileges: Vec<String>,
    pid_file: String,
    end: (i32, Output, String),
}

#[test]
fn the_stock_configuration_of_debian_is_served_alike() {
    let [bind, nomd] = BOTH.map(|kind| {
        let host = Host::new();
        let mut service = host.start(kind, &[]);
        let questions = ["localhost SOA", "127.in-addr.arpa NS", "0.in-addr.arpa SOA", "255.in-addr.arpa SOA"];
        let more = ["localhost A", "localhost AAAA", "1.0.0.127.in-addr.arpa PTR", "x.localhost A"];
        let all = questions.iter().chain(&more).flat_map(|question| {
            let (name, rtype) = question.split_once(' ').unwrap();
            ["@127.0.0.1", "@::1"].map(|server| host.ask(&[server, name, rtype, "+norec"]))
        });
        let answers = all.collect();
        let pid = host.pid();
        let stock = Stock {
            answers,
            privileges: privileges(&pid),
            pid_file: host.done(&["stat", "-c", "%U %G %a", "/run/named/named.pid"]),
            end: (0, host.run(&["rndc", "stop"]), String::new()),
        };
        let (code, log) = (service.wait_for_end(), host.log());
        if kind == Kind::Nomd {
            assert_eq!(log.matches("clients that resolve through this host need another resolver").count(), 1, "{log}");
        }
        for line in ["loading configuration from '/etc/bind/named.conf'", "all zones loaded", "running", "exiting"] {
            assert!(log.contains(&format!(": {line}\n")), "{kind:?} says {line:?}:\n{log}");
        }
        Stock { end: (code, stock.end.1, host.done(&["ls", "/run/named"])), ..stock }
    });
    assert_eq!(nomd, bind);
}

/// The accounts and capabilities of all threads, each set once.
fn privileges(pid: &str) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    // A thread may end meanwhile.
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path.join("status")).ok();
    let of = |status: String| {
        let is_told = |line: &&str| {
            ["Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapInh"].iter().any(|word| line.starts_with(word))
        };
        status.lines().filter(is_told).collect::<Vec<_>>().join("; ")
    };
    let mut all: Vec<String> = tasks.filter_map(|task| read(task.unwrap().path())).map(of).collect();
    all.sort();
    all.dedup();
    all
}

/// The usual pair of servers, as people write them.
struct Pair {
    kinds: [Kind; 2],
    /// named.conf.local of the primary and of the secondary.
    conf: [&'static str; 2],
    /// The NS records.
    servers: &'static str,
}

const OLD_WORDS: [&str; 2] = [
    r#"zone "example.com" {
    type master;
    file "/etc/bind/zones/example.com.zone";
    allow-transfer { 10.0.0.2; };
    also-notify { 10.0.0.2; };
};"#,
    r#"zone "example.com" {
    type slave;
    file "/var/cache/bind/example.com.zone";
    masters { 10.0.0.1; };
    allow-transfer { none; };
};"#,
];

const KEY: &str = r#"key "transfer-key" {
    algorithm hmac-sha256;
    secret "bm9tZC1ob3N0LXRlc3RzLXNlY3JldC0wMTIzNDU2Nzg=";
};
"#;

impl Pair {
    fn zone(&self, serial: u32) -> String {
        let servers = self.servers;
        format!(
            "$TTL 300\n@ SOA ns1 hostmaster {serial} 3600 600 604800 300\n{servers}ns1 A 10.0.0.1\nns2 A 10.0.0.2\n"
        )
    }

    /// The secondary gets the zone, hears of a new version, keeps a copy that is its own, and passes nothing on.
    fn check(&self) {
        let [primary, secondary] = Host::pair();
        let keyed = self.conf[0].contains("transfer-key");
        for (host, conf) in [&primary, &secondary].into_iter().zip(self.conf) {
            let key = if keyed { KEY } else { "" };
            host.write_conf("named.conf.local", &format!("{key}{conf}\n"));
        }
        primary.write_conf("zones/example.com.zone", &self.zone(1));
        let _primary = primary.start(self.kinds[0], &[]);
        let _secondary = secondary.start(self.kinds[1], &[]);
        secondary.wait_until("it has the zone", || secondary.has_serial("10.0.0.2", "example.com", 1));
        primary.write_conf("zones/example.com.zone", &self.zone(2));
        assert_eq!(primary.done(&["rndc", "reload", "example.com"]), "zone reload queued\n");
        secondary.wait_until("it has followed", || secondary.has_serial("10.0.0.2", "example.com", 2));
        secondary.wait_for_file("/var/cache/bind/example.com.zone");
        assert_eq!(secondary.done(&["stat", "-c", "%U", "/var/cache/bind/example.com.zone"]), "bind\n");
        for (client, server) in [(&primary, "@10.0.0.1"), (&primary, "@10.0.0.2"), (&secondary, "@10.0.0.2")] {
            let output = client.dig(&[server, "example.com", "AXFR"]);
            assert!(output.stdout.contains("Transfer failed"), "{server}: {output:?}");
        }
        assert!(!secondary.log().contains("refused"), "{}", secondary.log());
    }
}

/// Tries pairs side by side: most of the time they wait for NOTIFYs that are held back for a while.
fn check_all(kinds: &[[Kind; 2]], conf: [&'static str; 2], servers: &'static str) {
    std::thread::scope(|scope| {
        for &kinds in kinds {
            scope.spawn(move || Pair { kinds, conf, servers }.check());
        }
    });
}

const WITH_NAMED: [[Kind; 2]; 3] = [[Kind::Nomd, Kind::Nomd], [Kind::Bind, Kind::Nomd], [Kind::Nomd, Kind::Bind]];
const BOTH_NAMED: &str = "@ NS ns1\n@ NS ns2\n";

#[test]
fn the_usual_pair_works_as_it_is_written() {
    check_all(&WITH_NAMED, OLD_WORDS, BOTH_NAMED);
}

#[test]
fn the_pair_works_in_new_words_with_a_key() {
    let primary = r#"zone "example.com" {
    type primary;
    file "/etc/bind/zones/example.com.zone";
    allow-transfer { key "transfer-key"; };
};"#;
    let secondary = r#"primaries upstream { 10.0.0.1 key "transfer-key"; };
zone "example.com" {
    type secondary;
    file "/var/cache/bind/example.com.zone";
    primaries { upstream; };
    allow-transfer { none; };
};"#;
    check_all(&WITH_NAMED, [primary, secondary], BOTH_NAMED);
}

#[test]
fn a_hidden_primary_serves_secondaries_of_whole_networks() {
    let primary = r#"acl cloud { 198.51.100.0/24; 10.0.0.2/31; };
zone "example.com" {
    type primary;
    file "/etc/bind/zones/example.com.zone";
    notify explicit;
    also-notify { 10.0.0.2 port 53; };
    allow-transfer { !198.51.100.1; cloud; };
    allow-query { localhost; cloud; };
};"#;
    let servers = "@ NS ns.cloud.example.\n@ NS ns2\n";
    check_all(&[[Kind::Nomd; 2], [Kind::Bind; 2]], [primary, OLD_WORDS[1]], servers);
}

#[test]
fn the_service_manager_hears_of_reloads_and_the_end() {
    let [bind, nomd] = BOTH.map(|kind| {
        let host = Host::new();
        let mut service = host.start(kind, &[]);
        if kind == Kind::Nomd {
            // It would end named; log rotation that was written for another daemon sends it.
            service.signal("USR1");
        }
        let is_ready_again = |reloads| {
            let states = host.states();
            states.last().is_some_and(|state| state == "READY=1")
                && states.iter().filter(|state| *state == "RELOADING=1").count() == reloads
        };
        service.signal("HUP");
        host.wait_until("it is ready after HUP", || is_ready_again(1));
        let mut replies = vec![];
        for (done, command) in ["reload", "reconfig"].into_iter().enumerate() {
            replies.push(host.run(&["rndc", command]));
            host.wait_until(&format!("it is ready after {command}"), || is_ready_again(2 + done));
        }
        for (done, (file, text)) in
            [("named.conf.local", "nonsense;"), ("named.conf", "include \"/no/such\";")].into_iter().enumerate()
        {
            host.write_conf(file, text);
            replies.push(host.run(&["rndc", "reload"]));
            host.wait_until("it is ready after a reload in vain", || is_ready_again(4 + done));
            assert!(host.ask(&["@127.0.0.1", "localhost", "SOA"]).is_some_and(|(status, _)| status == "NOERROR"));
        }
        service.signal("INT");
        (service.wait_for_end(), host.states(), replies, host.run(&["cat", "/run/named/named.pid"]).status)
    });
    assert_eq!(nomd, bind);
}

#[test]
fn addresses_and_low_ports_are_followed_without_root() {
    let host = Host::new();
    host.write_conf("named.conf.options", r#"options { directory "/var/cache/bind"; recursion no; listen-on { !10.9.0.3; any; }; listen-on-v6 { any; }; };"#);
    let _service = host.start(Kind::Nomd, &[]);
    let answers = |server: &str, words: &[&str]| {
        let server = format!("@{server}");
        host.ask(&[&[server.as_str(), "localhost", "SOA"], words].concat())
            .is_some_and(|(status, _)| status == "NOERROR")
    };
    for (address, server) in [("10.9.0.1/24", "10.9.0.1"), ("fd09::1/64", "fd09::1")] {
        host.done(&["ip", "addr", "add", address, "dev", "lo"]);
        host.wait_until("UDP is answered on the new address", || answers(server, &[]));
        host.wait_until("TCP is answered there", || answers(server, &["+tcp"]));
        host.done(&["ip", "addr", "del", address, "dev", "lo"]);
        host.wait_for_log(&format!("no longer listening on {server}#53"));
        assert!(answers("127.0.0.1", &[]) && answers("::1", &["+tcp"]));
    }
    host.done(&["ip", "addr", "add", "10.9.0.3/24", "dev", "lo"]);
    host.done(&["ip", "addr", "add", "10.9.0.4/24", "dev", "lo"]);
    host.wait_until("the allowed address is answered", || answers("10.9.0.4", &[]));
    assert!(!answers("10.9.0.3", &[]), "an address that listen-on excludes");
    host.write_conf("named.conf.options", r#"options { directory "/var/cache/bind"; recursion no; listen-on port 99 { 127.0.0.1; }; listen-on port 5399 { 10.9.0.0/24; }; listen-on-v6 port 98 { ::1; }; };"#);
    host.done(&["rndc", "reconfig"]);
    for (server, words) in [
        ("127.0.0.1", &["-p", "99"][..]),
        ("10.9.0.3", &["-p", "5399"]),
        ("10.9.0.4", &["-p", "5399", "+tcp"]),
        ("::1", &["-p", "98", "+tcp"]),
    ] {
        host.wait_until(&format!("{server} is answered with {words:?}"), || answers(server, words));
    }
    host.wait_until("the old port is closed", || !answers("127.0.0.1", &[]) && !answers("10.9.0.4", &[]));
}

#[test]
fn in_the_background_the_starting_command_ends_once_it_serves() {
    let outcomes = BOTH.map(|kind| {
        let host = Host::new();
        // Its output is read to the end, so a server that kept it open would be noticed.
        let started = host.run(&[&host.program(kind), "-u", "bind"]);
        let answer = host.ask(&["@127.0.0.1", "localhost", "A"]);
        let pid = host.pid();
        let session = host.done(&["ps", "-o", "tty=,comm=", "-p", &pid]);
        let inputs = host.done(&["sh", "-c", "readlink /proc/$0/fd/[012] /proc/$0/cwd", &pid]);
        kill("TERM", &pid);
        host.wait_until("it has ended", || host.run(&["test", "-e", &format!("/proc/{pid}")]).status != 0);
        host.write_conf("named.conf.local", "nonsense;");
        let failed = [&["-u", "bind"][..], &["-u", "no-such-user"]]
            .map(|flags| host.run(&[&[host.program(kind).as_str()], flags].concat()));
        (started, answer, session, inputs, failed, host.run(&["cat", "/run/named/named.pid"]).status)
    });
    assert_eq!(outcomes[1], outcomes[0]);
    assert_eq!((outcomes[1].0.status, outcomes[1].4[0].status), (0, 1));
}

#[test]
fn a_change_of_root_keeps_the_log() {
    let setup = r#"
        mkdir -p $0/etc $0/var/cache/bind $0/run/named $0/dev $0/usr/share
        cp -a /etc/bind $0/etc; cp -a /usr/share/dns $0/usr/share; cp -a /dev/null /dev/urandom /dev/random $0/dev
        chown bind $0/var/cache/bind $0/run/named"#;
    for kind in BOTH {
        let host = Host::new();
        let root = host.path("dev/root").display().to_string();
        host.done(&["sh", "-c", setup, &root]);
        // The service manager's socket is out of reach in there.
        let mut service = host.launch(kind, &["-f", "-u", "bind", "-t", &root]);
        host.wait_for_log(": running\n");
        let answer = host.ask(&["@127.0.0.1", "localhost", "SOA"]);
        assert!(answer.is_some_and(|(status, _)| status == "NOERROR"), "{kind:?}");
        assert_eq!(host.done(&["rndc", "reload"]), "server reload successful\n");
        host.wait_for_log("reloading configuration succeeded");
        assert_eq!(host.done(&["stat", "-c", "%U", &format!("{root}/run/named/named.pid")]), "bind\n");
        service.signal("TERM");
        assert_eq!(service.wait_for_end(), 0);
        host.wait_for_log("exiting");
    }
}
