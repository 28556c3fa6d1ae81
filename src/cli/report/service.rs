//! The service that starts named: its flags, its account, and what systemd and AppArmor allow it.
//!
//! Read from the unit, its drop-ins and /etc/default/named, as far as files tell; systemd is not asked.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Scene;
use super::finding::{Finding, Level};
use super::host::Host;
use crate::cli::named::{self, Request, TOLERATE_VARIABLE};
use crate::server::start::StartOptions;

/// What starts named on a host.
#[derive(Debug, Default)]
pub(super) struct Service {
    /// Where the command line stands.
    pub(super) place: String,
    /// The words behind the program's name.
    pub(super) words: Vec<String>,
    /// What they mean, or what is wrong with them.
    pub(super) options: Option<Result<Box<StartOptions>, String>>,
    /// The file that its variables come from, if it is to have any.
    pub(super) environment: String,
    /// NOMD_TOLERATE of the service's environment.
    pub(super) tolerate: String,
    /// The settings that matter here, drop-ins behind the unit.
    settings: Vec<Setting>,
}

/// `Name=value` of a unit.
#[derive(Debug)]
struct Setting {
    name: String,
    value: String,
    place: String,
}

impl Service {
    /// The service of a host.
    pub(super) fn of(host: &Host) -> Self {
        let settings = settings(host);
        let environment = environment(host, &settings);
        let variable = |name: &str| environment.iter().rfind(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let start = settings.iter().rfind(|setting| setting.name == "ExecStart" && !setting.value.is_empty());
        let (place, line) = match start {
            Some(setting) => (setting.place.clone(), setting.value.clone()),
            None => (DEFAULTS[0].to_owned(), format!("named {}", variable("OPTIONS").unwrap_or_default())),
        };
        let line = substitute(&line, &variable);
        let words: Vec<String> = line.split_whitespace().skip(1).map(str::to_owned).collect();
        let options = (!words.is_empty()).then(|| read_flags(&words));
        let tolerate = variable(TOLERATE_VARIABLE).unwrap_or_default().to_owned();
        let file = environment_files(&settings).into_iter().find(|path| host.has(path));
        let environment = file.map_or_else(|| NO_FILE.to_owned(), |path| path.display().to_string());
        Self { place, words, options: options.flatten(), environment, tolerate, settings }
    }

    /// Its flags, if they can be used.
    pub(super) fn flags(&self) -> Option<&StartOptions> {
        self.options.as_ref()?.as_deref().ok()
    }

    /// The account of its `-u`, or that of the unit.
    pub(super) fn user(&self) -> Option<&str> {
        let of_unit = || self.last("User").map(|setting| setting.value.as_str());
        self.flags().and_then(|flags| flags.user.as_deref()).or_else(of_unit)
    }

    fn last(&self, name: &str) -> Option<&Setting> {
        self.settings.iter().rfind(|setting| setting.name == name && !setting.value.is_empty())
    }
}

/// `$OPTIONS` and `${OPTIONS}` replaced by what the environment files say.
fn substitute<'v>(line: &str, variable: &impl Fn(&str) -> Option<&'v str>) -> String {
    let word = |word: &str| {
        let name = word.strip_prefix('$').map(|name| name.trim_start_matches('{').trim_end_matches('}'));
        name.map_or_else(|| word.to_owned(), |name| variable(name).unwrap_or_default().to_owned())
    };
    line.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

fn read_flags(words: &[String]) -> Option<Result<Box<StartOptions>, String>> {
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    match named::parse(&words) {
        Ok(Request::Start(options)) => Some(Ok(options)),
        Ok(Request::Print(_)) => None,
        Err(fault) => Some(Err(fault.to_string().lines().last().unwrap_or_default().to_owned())),
    }
}

/// The variables of the service, later ones over earlier ones.
fn environment(host: &Host, settings: &[Setting]) -> Vec<(String, String)> {
    let of_files = environment_files(settings).into_iter().filter_map(|path| host.text(&path));
    let of_units = settings.iter().filter(|setting| setting.name == "Environment");
    let words = of_units.flat_map(|setting| setting.value.split_whitespace().map(str::to_owned));
    let files: Vec<String> = of_files.collect();
    let lines = files.iter().flat_map(|text| text.lines()).filter(|line| !line.trim_start().starts_with('#'));
    words.chain(lines.map(str::to_owned)).filter_map(|line| variable(&line)).collect()
}

/// `NAME="value"`, in quotes as a whole too.
fn variable(line: &str) -> Option<(String, String)> {
    let quotes = ['"', '\''];
    let (name, value) = line.trim().trim_matches(quotes).split_once('=')?;
    Some((name.trim().to_owned(), value.trim().trim_matches(quotes).to_owned()))
}

/// The files that a unit takes variables from; where it names none, the usual ones.
fn environment_files(settings: &[Setting]) -> Vec<PathBuf> {
    let named = settings.iter().filter(|setting| setting.name == "EnvironmentFile" && !setting.value.is_empty());
    let named: Vec<PathBuf> = named.map(|setting| setting.value.trim_start_matches('-').into()).collect();
    if named.is_empty() { DEFAULTS.iter().map(PathBuf::from).collect() } else { named }
}

/// The settings of the first unit that is there, and of its drop-ins.
fn settings(host: &Host) -> Vec<Setting> {
    let units = UNIT_PLACES.iter().flat_map(|place| NAMES.iter().map(move |name| Path::new(place).join(name)));
    let unit = units.into_iter().find(|path| host.text(path).is_some());
    let drop_ins = NAMES.iter().flat_map(|name| host.entries(&Path::new(UNIT_PLACES[0]).join(format!("{name}.d"))));
    let files: Vec<PathBuf> = unit.into_iter().chain(drop_ins).collect();
    files.iter().flat_map(|path| settings_of(host, path)).collect()
}

fn settings_of(host: &Host, path: &Path) -> Vec<Setting> {
    let text = host.text(path).unwrap_or_default();
    let setting = |(at, line): (usize, &str)| {
        let (name, value) = line.trim().split_once('=')?;
        let place = format!("{}:{}", path.display(), at + 1);
        (!name.starts_with(['#', ';'])).then(|| Setting {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
            place,
        })
    };
    text.lines().enumerate().filter_map(setting).collect()
}

/// What stands in the way of nomd as this service.
pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(wrong_flags(scene.service));
    findings.extend(read_only_system(scene));
    findings.extend(capabilities(scene.service));
    findings.extend(armor(scene));
    findings
}

fn wrong_flags(service: &Service) -> Option<Finding> {
    let fault = service.options.as_ref()?.as_ref().err()?;
    let message = format!("the service starts 'named {}', which ends with: {fault}", service.words.join(" "));
    Some(Finding::new(Level::Stop, "flags", message).at([service.place.clone()]).advise("correct the flags there"))
}

/// `ProtectSystem=strict` leaves writable only what is named; `full` closes /usr, /boot and /etc.
fn read_only_system(scene: &Scene<'_>) -> Option<Finding> {
    let protect = scene.service.last("ProtectSystem")?;
    let is_closed = |path: &Path| match protect.value.as_str() {
        "strict" => true,
        "full" => ["/usr", "/boot", "/etc"].iter().any(|top| path.starts_with(top)),
        _ => false,
    };
    let allowed: Vec<PathBuf> = scene.service.settings.iter().flat_map(opened).collect();
    let is_shut = |path: &PathBuf| is_closed(path) && !allowed.iter().any(|open| path.starts_with(open));
    let shut = joined(scene, is_shut)?;
    let message = format!("ProtectSystem={} keeps the server from writing into {shut}", protect.value);
    let advice = format!("'systemctl edit named', and there under [Service]: ReadWritePaths={shut}");
    Some(Finding::new(Level::Warning, "systemd-read-only", message).at([protect.place.clone()]).advise(advice))
}

/// The directories that the server writes and of which something is so.
fn joined(scene: &Scene<'_>, is_so: impl Fn(&PathBuf) -> bool) -> Option<String> {
    let directories = scene.written_directories();
    let chosen = directories.iter().filter(|path| is_so(path));
    let shown: Vec<String> = chosen.map(|path| path.display().to_string()).collect();
    (!shown.is_empty()).then(|| shown.join(" "))
}

/// The directories that a setting opens for writing.
fn opened(setting: &Setting) -> Vec<PathBuf> {
    let top = match setting.name.as_str() {
        "ReadWritePaths" | "BindPaths" => "/",
        "StateDirectory" => "/var/lib",
        "CacheDirectory" => "/var/cache",
        "LogsDirectory" => "/var/log",
        "RuntimeDirectory" => "/run",
        _ => return Vec::new(),
    };
    setting.value.split_whitespace().map(|path| Path::new(top).join(path.trim_start_matches(['-', '+']))).collect()
}

fn capabilities(service: &Service) -> Option<Finding> {
    let bounds = service.last("CapabilityBoundingSet")?;
    let missing: Vec<&str> = CAPABILITIES.iter().filter(|name| !bounds.value.contains(**name)).copied().collect();
    let is_inverted = bounds.value.starts_with('~');
    let message = format!("the unit takes away {}, which port 53 and -u need", missing.join(", "));
    (!missing.is_empty() && !is_inverted).then(|| {
        Finding::new(Level::Warning, "systemd-capabilities", message)
            .at([bounds.place.clone()])
            .advise(format!("add {} to CapabilityBoundingSet", missing.join(" ")))
    })
}

/// The profile is for the path /usr/sbin/named: it binds nomd in that place and no other.
fn armor(scene: &Scene<'_>) -> Option<Finding> {
    if !scene.host.has(Path::new(PROFILE)) || scene.host.has(Path::new(DISABLED_PROFILE)) {
        return None;
    }
    let local = scene.host.text(Path::new(LOCAL_PROFILE)).unwrap_or_default();
    let rules: Vec<&str> = local.lines().map(str::trim).filter(|line| line.starts_with('/')).collect();
    let is_shut = |path: &PathBuf| {
        let stock = ARMOR_WRITABLE.iter().any(|open| path.starts_with(open));
        let own = rules.iter().any(|rule| path.starts_with(rule.split(['*', ' ']).next().unwrap_or(rule)));
        !stock && !own
    };
    let Some(shut) = joined(scene, is_shut) else {
        let message = "AppArmor confines /usr/sbin/named: nomd in that place, and nowhere else";
        return Some(Finding::new(Level::Note, "apparmor", message).at([PROFILE.to_owned()]));
    };
    let message = format!("AppArmor confines /usr/sbin/named: in that place nomd could not write into {shut}");
    let advice = format!("run nomd from another path, or allow 'DIRECTORY/** rw,' in {LOCAL_PROFILE}");
    Some(Finding::new(Level::Warning, "apparmor-write", message).at([PROFILE.to_owned()]).advise(advice))
}

const DEFAULTS: [&str; 3] = ["/etc/default/named", "/etc/default/bind9", "/etc/sysconfig/named"];
/// Where variables go that no file is for.
const NO_FILE: &str = "the environment of the server";
const UNIT_PLACES: [&str; 3] = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
const NAMES: [&str; 2] = ["named.service", "bind9.service"];
const CAPABILITIES: [&str; 3] = ["CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID"];
const PROFILE: &str = "/etc/apparmor.d/usr.sbin.named";
const LOCAL_PROFILE: &str = "/etc/apparmor.d/local/usr.sbin.named";
const DISABLED_PROFILE: &str = "/etc/apparmor.d/disable/usr.sbin.named";
/// What Debian's profile lets named write.
const ARMOR_WRITABLE: [&str; 4] = ["/var/lib/bind", "/var/cache/bind", "/var/log/named", "/run/named"];

#[cfg(test)]
mod tests {
    use super::*;

    /// A service of these files, with the unit of Debian where none is among them.
    fn service(files: &[(&str, &str)]) -> Service {
        let folder = tempfile::tempdir().unwrap();
        let unit = [("usr/lib/systemd/system/named.service", "[Service]\nExecStart=/usr/sbin/named -f $OPTIONS\n")];
        for (path, text) in unit.iter().chain(files) {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Service::of(&Host::new(folder.path()))
    }

    #[test]
    fn flags_come_from_the_unit_with_its_variables() {
        let service = service(&[("etc/default/named", "# OPTIONS=\"-u root\"\nOPTIONS=\"-u bind -t /jail\"\n")]);
        assert_eq!(service.words, ["-f", "-u", "bind", "-t", "/jail"]);
        let flags = service.flags().unwrap();
        assert_eq!((flags.user.as_deref(), flags.chroot.as_deref()), (Some("bind"), Some(Path::new("/jail"))));
        assert_eq!(service.environment, "/etc/default/named");
    }

    #[test]
    fn a_drop_in_replaces_the_command_line() {
        let text = "[Service]\nExecStart=\nExecStart=/usr/sbin/named -f -4 -u named ${OPTIONS}\n";
        let service = service(&[("etc/systemd/system/named.service.d/override.conf", text)]);
        assert_eq!(service.words, ["-f", "-4", "-u", "named"]);
        assert!(service.place.ends_with("override.conf:3"), "{}", service.place);
    }

    #[test]
    fn flags_that_nomd_does_not_take_stop() {
        let service = service(&[("etc/default/named", "OPTIONS=\"-u bind --frobnicate\"\n")]);
        let finding = wrong_flags(&service).unwrap();
        assert_eq!(finding.level, Level::Stop);
        assert!(finding.message.contains("'named -f -u bind --frobnicate'"), "{}", finding.message);
    }

    #[test]
    fn what_is_tolerated_may_stand_in_the_environment_of_the_service() {
        let service = service(&[("etc/sysconfig/named", "OPTIONS=\"-u named\"\nNOMD_TOLERATE=rate-limit,geoip\n")]);
        assert_eq!(
            (service.tolerate.as_str(), service.environment.as_str()),
            ("rate-limit,geoip", "/etc/sysconfig/named")
        );
    }

    #[test]
    fn variables_may_stand_in_the_unit_and_in_files_that_it_names() {
        let text = "[Service]\nEnvironmentFile=-/etc/dns.env\nEnvironment=\"NOMD_TOLERATE=geoip\" OTHER=1\n";
        let drop_in = ("etc/systemd/system/named.service.d/env.conf", text);
        let service = service(&[drop_in, ("etc/dns.env", "OPTIONS='-u dns'\n"), ("etc/default/named", "OPTIONS=-4\n")]);
        assert_eq!((service.words[2].as_str(), service.tolerate.as_str()), ("dns", "geoip"));
        assert_eq!(service.environment, "/etc/dns.env");
    }

    #[test]
    fn directories_that_a_unit_opens_are_absolute() {
        let setting = |name: &str, value: &str| {
            opened(&Setting { name: name.to_owned(), value: value.to_owned(), place: String::new() })
        };
        assert_eq!(setting("ReadWritePaths", "-/srv/dns /run/x"), [Path::new("/srv/dns"), Path::new("/run/x")]);
        assert_eq!(setting("CacheDirectory", "bind"), [Path::new("/var/cache/bind")]);
        assert!(setting("ReadOnlyPaths", "/srv").is_empty());
    }
}
