//! One description, four configuration languages.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Key, Kind, Role, Spec, Zone, nomd};

const RNDC_SECRET: &str = "bm9tZC1jb21wYXQtdGVzdHMtcm5kYy1rZXktMDEyMzQ=";

/// Writes the configuration of a server and gives the command that starts it in the foreground.
pub(super) fn configure(kind: Kind, spec: &Spec, dir: &Path, port: u16, control_port: u16) -> Command {
    let here = dir.display().to_string();
    let write = |name: &str, text: String| {
        fs::write(dir.join(name), text).unwrap();
        dir.join(name)
    };
    match kind {
        Kind::Nomd | Kind::Bind => {
            write("rndc.conf", rndc_conf(control_port));
            let conf = write("named.conf", named_conf(spec, &here, port, control_port));
            let mut command = Command::new(if kind == Kind::Bind { "named" } else { nomd() });
            if kind == Kind::Nomd {
                command.arg("named");
            }
            command.args(["-g", "-n", "2", "-c"]).arg(conf).args(spec.flags);
            command
        }
        Kind::Nsd => {
            let mut command = Command::new("nsd");
            command.args(["-d", "-c"]).arg(write("nsd.conf", nsd_conf(spec, &here, port)));
            command
        }
        Kind::Knot => {
            let mut command = Command::new("knotd");
            command.arg("-c").arg(write("knot.conf", knot_conf(spec, &here, port)));
            command
        }
    }
}

fn rndc_key() -> String {
    format!("key \"rndc-key\" {{ algorithm hmac-sha256; secret \"{RNDC_SECRET}\"; }};\n")
}

fn rndc_conf(control_port: u16) -> String {
    rndc_key()
        + &format!("options {{ default-key \"rndc-key\"; default-server 127.0.0.1; default-port {control_port}; }};\n")
}

fn named_conf(spec: &Spec, here: &str, port: u16, control_port: u16) -> String {
    let recursion = if spec.options.contains("recursion yes;") { "" } else { "recursion no;" };
    let mut conf = rndc_key();
    if let Some(key) = &spec.key {
        let Key { algorithm, secret } = key;
        writeln!(conf, "key \"{}\" {{ algorithm {algorithm}; secret \"{secret}\"; }};", Key::NAME).unwrap();
    }
    write!(
        conf,
        r#"controls {{ inet 127.0.0.1 port {control_port} allow {{ 127.0.0.1; }} keys {{ "rndc-key"; }}; }};
options {{
  directory "{here}"; pid-file "{here}/named.pid"; session-keyfile none; lock-file none;
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  {recursion} dnssec-validation no; empty-zones-enable no; notify explicit; notify-delay 0;
  {}
}};
{}
"#,
        spec.options, spec.statements
    )
    .unwrap();
    for zone in &spec.zones {
        conf += &named_zone(zone, spec.key.is_some());
    }
    conf
}

fn named_zone(zone: &Zone, keyed: bool) -> String {
    let key = if keyed { format!(" key \"{}\"", Key::NAME) } else { String::new() };
    let mut clauses = match &zone.role {
        Role::Primary(_) => format!("type primary; file \"{}\";", zone.file()),
        Role::Secondary(port) => {
            format!("type secondary; file \"{}\"; primaries {{ 127.0.0.1 port {port}{key}; }};", zone.file())
        }
    };
    let allow = if keyed { format!("key \"{}\";", Key::NAME) } else { "any;".into() };
    write!(clauses, " allow-transfer {{ {allow} }};").unwrap();
    if !zone.notify.is_empty() {
        let targets: String = zone.notify.iter().map(|port| format!(" 127.0.0.1 port {port}{key};")).collect();
        write!(clauses, " also-notify {{{targets} }};").unwrap();
    }
    format!("zone \"{}\" {{ {clauses} {} }};\n", zone.name, zone.clauses)
}

fn nsd_conf(spec: &Spec, here: &str, port: u16) -> String {
    let mut conf = format!(
        r#"server:
  ip-address: 127.0.0.1@{port}
  username: ""
  zonesdir: "{here}"
  database: ""
  pidfile: "{here}/nsd.pid"
  xfrdfile: "{here}/xfrd.state"
  xfrdir: "{here}"
  zonelistfile: "{here}/zone.list"
  verbosity: 2
  rrl-ratelimit: 0
  xfrd-reload-timeout: 0
{}remote-control:
  control-enable: yes
  control-interface: "{here}/nsd.sock"
"#,
        spec.nsd
    );
    let tls = match spec.nsd_asks {
        Some(name) => {
            write!(conf, "tls-auth:\n  name: primaries\n  auth-domain-name: {name}\n").unwrap();
            " primaries"
        }
        None => "",
    };
    let key = match &spec.key {
        Some(Key { algorithm, secret }) => {
            write!(conf, "key:\n  name: {}\n  algorithm: {algorithm}\n  secret: \"{secret}\"\n", Key::NAME).unwrap();
            Key::NAME
        }
        None => "NOKEY",
    };
    for zone in &spec.zones {
        write!(conf, "zone:\n  name: {}\n  zonefile: {}\n  provide-xfr: 127.0.0.0/8 {key}\n", zone.name, zone.file())
            .unwrap();
        if let Role::Secondary(primary) = zone.role {
            let how = if spec.has_differences { "" } else { "AXFR " };
            write!(conf, "  request-xfr: {how}127.0.0.1@{primary} {key}{tls}\n  allow-notify: 127.0.0.0/8 {key}\n")
                .unwrap();
        }
        if spec.has_differences {
            conf += "  store-ixfr: yes\n  create-ixfr: yes\n";
        }
        for port in &zone.notify {
            writeln!(conf, "  notify: 127.0.0.1@{port} {key}").unwrap();
        }
    }
    conf
}

fn knot_conf(spec: &Spec, here: &str, port: u16) -> String {
    let mut conf = format!(
        r#"server:
  rundir: "{here}"
  user: root
  listen: 127.0.0.1@{port}
log:
  - target: stderr
    any: info
database:
  storage: "{here}"
"#
    );
    let key = match &spec.key {
        Some(Key { algorithm, secret }) => {
            writeln!(conf, "key:\n  - id: {}\n    algorithm: {algorithm}\n    secret: {secret}", Key::NAME).unwrap();
            format!("    key: {}\n", Key::NAME)
        }
        None => String::new(),
    };
    write!(conf, "acl:\n  - id: lo\n    address: 127.0.0.0/8\n    action: [transfer, notify]\n{key}").unwrap();
    let primaries = spec.zones.iter().filter_map(|zone| match zone.role {
        Role::Secondary(port) => Some(port),
        Role::Primary(_) => None,
    });
    let mut ports: Vec<u16> = primaries.chain(spec.zones.iter().flat_map(|zone| zone.notify.clone())).collect();
    ports.sort_unstable();
    ports.dedup();
    if !ports.is_empty() {
        conf += "remote:\n";
    }
    for port in ports {
        write!(conf, "  - id: p{port}\n    address: 127.0.0.1@{port}\n{key}").unwrap();
    }
    conf += "zone:\n";
    for zone in &spec.zones {
        write!(
            conf,
            "  - domain: {}\n    storage: \"{here}\"\n    file: {}\n    acl: lo\n    zonefile-load: {}\n",
            zone.name,
            zone.file(),
            if spec.has_differences { "difference" } else { "whole" },
        )
        .unwrap();
        match zone.role {
            Role::Primary(_) if spec.has_differences => conf += "    journal-content: changes\n    zonefile-sync: -1\n",
            Role::Primary(_) => conf += "    journal-content: none\n    zonefile-sync: -1\n",
            Role::Secondary(port) => writeln!(conf, "    master: p{port}").unwrap(),
        }
        if !zone.notify.is_empty() {
            let targets: Vec<String> = zone.notify.iter().map(|port| format!("p{port}")).collect();
            writeln!(conf, "    notify: [{}]", targets.join(", ")).unwrap();
        }
    }
    conf
}
