//! Recursion: for whom named resolves names elsewhere, and who on this host counts on it.
//!
//! nomd is no resolver. Stock Debian's named is one for its own host and networks, so this is what a switch breaks most
//! easily, and nothing in named.conf need say so.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::Scene;
use super::finding::{Finding, Level};
use super::host::Host;
use super::words::match_list;
use crate::conf::config::View;

/// What there is to know where recursion is in use.
pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let views = &scene.survey.config.views;
    let with_places = views.iter().zip(&scene.survey.recursion);
    let recursive = with_places.filter(|(view, _)| view.recursion);
    let mut findings: Vec<Finding> = recursive.map(|(view, places)| in_view(view, places, views.len() > 1)).collect();
    if findings.is_empty() {
        return findings;
    }
    let users = users(scene.host, scene.own_addresses);
    match users.is_empty() {
        true => findings.push(nobody_known()),
        false => findings.extend(users.into_iter().map(user)),
    }
    findings
}

fn in_view(view: &View, places: &[String], is_one_of_several: bool) -> Finding {
    let clients = match_list(&view.allow_recursion);
    let within = if is_one_of_several { format!(" in view {}", view.name) } else { String::new() };
    let source = if places.is_empty() { " (the default, as no statement says otherwise)" } else { "" };
    let message = format!(
        "named resolves names in other servers' zones{within} for {clients}{source}; nomd does not, and answers REFUSED"
    );
    Finding::new(Level::Warning, "recursion", message)
        .at(places.iter().cloned())
        .advise("give these clients another resolver, then write 'recursion no;' into options")
}

fn nobody_known() -> Finding {
    Finding::new(Level::Note, "resolver-users", "no file of this host names it as a resolver; other hosts still may")
        .advise("'rndc querylog on' with named: lines with a + behind the type come from those who do")
}

fn user(user: User) -> Finding {
    let message = format!("{} asks this server: {}", user.who, user.line);
    Finding::new(Level::Warning, "resolver-user", message)
        .at([user.place])
        .advise("name another resolver there before the switch")
}

/// Somebody who asks this server.
#[derive(Debug, PartialEq, Eq)]
struct User {
    who: &'static str,
    line: String,
    place: String,
}

fn users(host: &Host, own: &[IpAddr]) -> Vec<User> {
    let mut users = Vec::new();
    for source in &SOURCES {
        if source.path == RESOLV_CONF && !asks_dns(host) {
            continue;
        }
        for path in source.files(host) {
            let text = host.text(&path).unwrap_or_default();
            let lines = text.lines().map(str::trim).enumerate();
            users.extend(lines.filter(|(_, line)| source.names_us(line, own)).map(|(at, line)| User {
                who: source.who,
                line: line.to_owned(),
                place: format!("{}:{}", path.display(), at + 1),
            }));
        }
    }
    users
}

/// Whether programs ask DNS at all; without `dns` in nsswitch.conf, resolv.conf is for few.
fn asks_dns(host: &Host) -> bool {
    let text = host.text(Path::new(NSSWITCH)).unwrap_or_default();
    let hosts = text.lines().find_map(|line| line.trim().strip_prefix("hosts:"));
    hosts.is_none_or(|sources| sources.split_whitespace().any(|source| source == "dns"))
}

/// Where somebody's resolvers are configured.
struct Source {
    who: &'static str,
    /// A file, or with a final `/` all files of a directory.
    path: &'static str,
    /// What a line that names a resolver holds.
    keyword: &'static str,
}

impl Source {
    fn files(&self, host: &Host) -> Vec<PathBuf> {
        match self.path.ends_with('/') {
            true => host.entries(Path::new(self.path)),
            false => vec![PathBuf::from(self.path)],
        }
    }

    fn names_us(&self, line: &str, own: &[IpAddr]) -> bool {
        let is_comment = COMMENTS.iter().any(|mark| line.starts_with(mark));
        let Some((_, value)) = line.split_once(self.keyword).filter(|_| !is_comment) else { return false };
        if self.keyword == RESOLVCONF_SWITCH {
            return value.trim_matches('"').eq_ignore_ascii_case("yes");
        }
        let words = value.split(|letter: char| !letter.is_ascii_hexdigit() && letter != '.' && letter != ':');
        words.filter_map(|word| word.parse().ok()).any(|address| is_ours(address, own))
    }
}

/// Whether named would be asked there. systemd-resolved has loopback addresses of its own.
fn is_ours(address: IpAddr, own: &[IpAddr]) -> bool {
    let is_resolved = RESOLVED.iter().any(|other| other.parse() == Ok(address));
    (address.is_loopback() || own.contains(&address)) && !is_resolved
}

const RESOLV_CONF: &str = "/etc/resolv.conf";
const NSSWITCH: &str = "/etc/nsswitch.conf";
const RESOLVCONF_SWITCH: &str = "RESOLVCONF=";
const RESOLVED: [&str; 2] = ["127.0.0.53", "127.0.0.54"];
const COMMENTS: [&str; 3] = ["#", ";", "//"];

const SOURCES: [Source; 21] = [
    source("this host", RESOLV_CONF, "nameserver"),
    source("systemd-resolved", "/etc/systemd/resolved.conf", "DNS="),
    source("systemd-resolved", "/etc/systemd/resolved.conf.d/", "DNS="),
    source("systemd-networkd", "/etc/systemd/network/", "DNS="),
    source("resolvconf", "/etc/resolvconf/resolv.conf.d/", "nameserver"),
    source("resolvconf", "/etc/resolvconf.conf", "name_servers"),
    source("resolvconf", "/etc/default/named", RESOLVCONF_SWITCH),
    source("resolvconf", "/etc/default/bind9", RESOLVCONF_SWITCH),
    source("resolvconf", "/etc/network/interfaces", "dns-nameservers"),
    source("resolvconf", "/etc/network/interfaces.d/", "dns-nameservers"),
    source("NetworkManager", "/etc/NetworkManager/system-connections/", "dns="),
    source("dnsmasq", "/etc/dnsmasq.conf", "server="),
    source("dnsmasq", "/etc/dnsmasq.d/", "server="),
    source("unbound", "/etc/unbound/unbound.conf", "-addr:"),
    source("unbound", "/etc/unbound/unbound.conf.d/", "-addr:"),
    source("dhclient", "/etc/dhcp/dhclient.conf", "domain-name-servers"),
    source("a client of this DHCP server", "/etc/dhcp/dhcpd.conf", "domain-name-servers"),
    source("a client of this DHCP server", "/etc/kea/kea-dhcp4.conf", "domain-name-servers"),
    source("a client of this router", "/etc/radvd.conf", "RDNSS"),
    source("a container", "/etc/docker/daemon.json", "\"dns\""),
    source("a client of this VPN", "/etc/openvpn/server.conf", "dhcp-option DNS"),
];

const fn source(who: &'static str, path: &'static str, keyword: &'static str) -> Source {
    Source { who, path, keyword }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(files: &[(&str, &str)]) -> (tempfile::TempDir, Host) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let host = Host::new(folder.path());
        (folder, host)
    }

    fn places(files: &[(&str, &str)]) -> Vec<String> {
        let (_folder, host) = host(files);
        let own = ["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
        users(&host, &own).into_iter().map(|user| format!("{} {}", user.who, user.place)).collect()
    }

    #[test]
    fn those_who_name_loopback_or_an_own_address_are_found() {
        let found = places(&[
            ("etc/resolv.conf", "# nameserver 127.0.0.1\nsearch example\nnameserver 192.0.2.1\nnameserver 9.9.9.9\n"),
            ("etc/systemd/resolved.conf.d/local.conf", "[Resolve]\nDNS=9.9.9.9 [2001:db8::1]:53\n"),
            ("etc/dnsmasq.d/a.conf", "server=/corp.example/127.0.0.1#5353\n"),
            ("etc/dhcp/dhclient.conf", "#prepend domain-name-servers 127.0.0.1;\n"),
            ("etc/default/named", "RESOLVCONF=yes\n"),
            ("etc/docker/daemon.json", "{ \"dns\": [\"192.0.2.1\"] }\n"),
        ]);
        assert_eq!(
            found,
            [
                "this host /etc/resolv.conf:3",
                "systemd-resolved /etc/systemd/resolved.conf.d/local.conf:2",
                "resolvconf /etc/default/named:1",
                "dnsmasq /etc/dnsmasq.d/a.conf:1",
                "a container /etc/docker/daemon.json:1",
            ]
        );
    }

    #[test]
    fn the_stub_of_systemd_resolved_is_not_named() {
        assert!(
            places(&[("etc/resolv.conf", "nameserver 127.0.0.53\n"), ("etc/default/named", "RESOLVCONF=no\n")])
                .is_empty()
        );
    }

    #[test]
    fn resolv_conf_does_not_matter_where_programs_do_not_ask_dns() {
        let resolv = ("etc/resolv.conf", "nameserver 127.0.0.1\n");
        assert!(places(&[resolv, ("etc/nsswitch.conf", "hosts: files resolve [!UNAVAIL=return]\n")]).is_empty());
        assert_eq!(places(&[resolv, ("etc/nsswitch.conf", "hosts: files dns\n")]).len(), 1);
    }
}
