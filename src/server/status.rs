//! What `rndc status` and `rndc zonestatus` say.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::control::secondary::Secondary;
use super::control::status::{Reload, Status, ZoneStatus, http_date};
use super::control::{IscResult, Reply};
use super::core::Core;
use super::zones::{ZoneId, ZoneTask};
use super::{logging, version};
use crate::conf::config::Identity;
use crate::zone::ZoneVersion;

impl Core {
    pub(super) fn status(&self) -> String {
        let version_text = match &self.config.options.version {
            Identity::Text(text) => Some(text.clone()),
            _ => None,
        };
        let quota = &self.listening.limits().quota;
        let status = Status {
            version: version::FULL.to_owned(),
            version_text,
            hostname: self.identity.hostname.as_deref().unwrap_or_default().to_owned(),
            system: version::system(),
            booted: self.booted,
            configured: self.last_configured,
            configuration_file: self.conf_path.display().to_string(),
            cpus: super::start::processors(),
            workers: self.listening.worker_count(),
            listeners: self.listening.worker_count(),
            // named has a zone of its own in each view, for trust anchors, and counts it.
            zones: self.zones.len() + self.config.views.len(),
            debug_level: logging::debug_level(),
            transfers_running: self.refreshing.running(),
            transfers_deferred: self.refreshing.deferred(),
            soa_queries: self.refreshing.queries(),
            query_log: self.shared.is_logging_queries.load(Ordering::Relaxed),
            tcp_clients: (quota.used(), self.config.options.tcp_clients),
            tcp_high_water: quota.high_water(),
            reload: self.reload_state(),
        };
        let secondaries = self.totals().map(|(state, count)| format!("\nsecondary zones {state}: {count}"));
        format!("{status}{}{}", secondaries.collect::<String>(), self.troubles)
    }

    fn reload_state(&self) -> Reload {
        if self.reconfiguring.is_reading() {
            Reload::Running
        } else if self.last_reload_failed {
            Reload::Failed
        } else {
            Reload::Idle
        }
    }

    /// A zone under the name that it was asked for by, as with named. A secondary that is not served has a standing all
    /// the same; rndc shows it behind what named says.
    pub(super) fn zone_status(&mut self, id: ZoneId, name: &str) -> Reply {
        let Some(task) = self.zones.get(id) else { return Reply::failed(IscResult::NOT_FOUND) };
        let refresh = task.refresh.as_deref();
        let standing = refresh.map(|refresh| format!("\n{}", Secondary(refresh))).unwrap_or_default();
        let Some(version) = task.served.version() else {
            let next = refresh.map(|refresh| format!("\nnext refresh: {}", http_date(at(refresh.next_check_s()))));
            let text = next.unwrap_or_default() + &standing;
            return Reply::failed_with(IscResult::NOT_LOADED, text.trim());
        };
        Reply::text(format!("{}{}", self.shown(id, name, task, &version), standing.trim_end()))
    }

    fn shown(&self, id: ZoneId, name: &str, task: &ZoneTask, version: &ZoneVersion) -> ZoneStatus {
        let mut files: Vec<String> = task.sources().iter().map(|source| source.path.display().to_string()).collect();
        if files.is_empty() {
            files.extend(task.file().map(|path| path.display().to_string()));
        }
        ZoneStatus {
            name: name.to_owned(),
            role: if task.is_secondary() { "secondary" } else { "primary" },
            files,
            serial: version.serial().0,
            nodes: version.node_count(),
            loaded: task.origin.as_ref().map(|origin| origin.at),
            next_refresh: task.refresh.as_ref().map(|refresh| at(refresh.next_check_s())),
            expires: task.served.expires_at_s().map(at),
            secure: version.is_signed(),
            dynamic: task.is_dynamic(),
            frozen: task.served.is_frozen(),
            is_added: self.catalogs.has(id),
        }
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}
