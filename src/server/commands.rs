//! What the commands of `rndc` do.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::control::{Command, Commands, IscResult, Reply, Verb, ZoneSelector};
use super::core::{Core, Event};
use super::logging::{self, Category, Severity, log};
use super::reconfiguring::Demand;
use super::updating;
use super::zones::{ZoneId, is_stale};
use crate::conf::config::{Role, View};
use crate::dns::NameRef;

/// Hands commands to the control side and waits for its replies.
pub(super) struct Desk(pub(super) UnboundedSender<Event>);

impl Commands for Desk {
    async fn run(&self, command: Command) -> Reply {
        let (reply, answer) = oneshot::channel();
        if self.0.send(Event::Command(command, reply)).is_err() {
            return Reply::failed(IscResult::FAILURE);
        }
        answer.await.unwrap_or_else(|_| Reply::failed(IscResult::FAILURE))
    }

    fn replied(&self, verb: Verb) {
        if matches!(verb, Verb::Stop | Verb::Halt) {
            // Fails only when the server is going down already.
            let _ = self.0.send(Event::Terminate);
        }
    }
}

impl Core {
    /// Runs one command and answers it.
    pub(super) fn command(&mut self, command: &Command, reply: oneshot::Sender<Reply>) {
        match command.verb {
            Verb::Reload if command.zone.is_none() => return self.reconfigure(Demand::Reload, Some(reply)),
            Verb::Freeze => return self.freeze_command(command, reply),
            Verb::Sync => return self.sync_command(command, reply),
            Verb::Plan => return self.show_plan(command, reply),
            Verb::Reconfig => return self.reconfigure(Demand::Reconfig, Some(reply)),
            _ => {}
        }
        let answer = self.run_command(command);
        // Whoever asked may be gone.
        let _ = reply.send(answer);
    }

    fn run_command(&mut self, command: &Command) -> Reply {
        match command.verb {
            Verb::Null => Reply::done(),
            Verb::Status => Reply::text(self.status()),
            Verb::Reload => self.on_named_zone(command, Self::reload_zone),
            Verb::Refresh => self.on_named_zone(command, Self::refresh_zone),
            Verb::Retransfer => self.on_named_zone(command, Self::retransfer_zone),
            Verb::Notify => self.on_named_zone(command, Self::notify_zone),
            Verb::ZoneStatus => {
                let name = command.zone.as_ref().map(|zone| zone.text.as_str()).unwrap_or_default();
                self.on_named_zone(command, |core, id| core.zone_status(id, name))
            }
            Verb::QueryLog => self.query_log(command),
            Verb::Trace => self.trace(command),
            Verb::NoTrace => {
                logging::set_debug_level(0);
                Reply::done()
            }
            Verb::Scan => {
                self.rescan_interfaces();
                Reply::done()
            }
            Verb::DelZone => self.on_named_zone(command, |core, id| core.delete_zone(id, command.cleans())),
            Verb::Standing => self.standing(command),
            Verb::Thaw => match &command.zone {
                Some(zone) => self.on_zone(zone, |core, id| core.thaw(Some(id))),
                None => self.thaw(None),
            },
            Verb::Stats => self.write_statistics(),
            Verb::TcpTimeouts => self.tcp_timeouts(),
            Verb::TsigList => self.tsig_list(),
            Verb::Stop | Verb::Halt if command.has_option("-p") => Reply::text(format!("pid: {}", std::process::id())),
            Verb::Stop | Verb::Halt => Reply::done(),
            _ => Reply::failed(IscResult::NOT_IMPLEMENTED),
        }
    }

    fn on_named_zone(&mut self, command: &Command, act: impl Fn(&mut Self, ZoneId) -> Reply) -> Reply {
        match &command.zone {
            Some(zone) => self.on_zone(zone, act),
            None => Reply::failed(IscResult::UNEXPECTED_END),
        }
    }

    fn on_zone(&mut self, zone: &ZoneSelector, act: impl Fn(&mut Self, ZoneId) -> Reply) -> Reply {
        self.meant(zone).map_or_else(|reply| reply, |id| act(self, id))
    }

    /// Finds the one zone that is meant. As with named one that is shown in another view is there for each.
    fn meant(&self, zone: &ZoneSelector) -> Result<ZoneId, Reply> {
        if let Some(view) = zone.view.as_deref().filter(|_| self.views_of(zone).next().is_none()) {
            return Err(Reply::no_such_view(view));
        }
        let ids = self.views_of(zone).filter_map(|view| self.zone_in(view, zone.apex.as_ref()));
        match ids.collect::<Vec<_>>()[..] {
            [] => Err(Reply::no_such_zone(zone)),
            [id] => Ok(id),
            _ => Err(Reply::ambiguous(zone)),
        }
    }

    fn views_of<'s>(&'s self, zone: &'s ZoneSelector) -> impl Iterator<Item = &'s View> {
        let is_meant = |view: &&View| {
            zone.view.as_ref().is_none_or(|named| *named == view.name)
                && zone.class.is_none_or(|class| class == view.class)
        };
        self.config.views.iter().filter(is_meant)
    }

    /// The zone of a view, or the one of another view that it shows (`in-view`).
    fn zone_in(&self, view: &View, apex: NameRef<'_>) -> Option<ZoneId> {
        self.zones.named(apex, view.class, &view.name).or_else(|| {
            let shown = view.zones.iter().find(|zone| zone.apex.as_ref() == apex)?;
            match &shown.role {
                Role::InView(other) => self.zones.named(apex, view.class, other),
                _ => None,
            }
        })
    }

    /// SIGHUP.
    pub(super) fn hangup(&mut self) {
        log!(Category::General, Severity::Info, "received SIGHUP signal to reload zones");
        self.reconfigure(Demand::Reload, None);
    }

    fn reload_zone(&mut self, id: ZoneId) -> Reply {
        let Some(task) = self.zones.get(id) else { return Reply::failed(IscResult::NOT_FOUND) };
        if task.is_secondary() {
            return self.refresh_zone(id);
        }
        if !task.follows_its_file() {
            return Reply::failed(IscResult::DYNAMIC);
        }
        if !is_stale(&task.conf, task.origin.as_ref()) {
            return Reply::text("zone reload up-to-date");
        }
        self.load(id);
        Reply::text("zone reload queued")
    }

    fn refresh_zone(&mut self, id: ZoneId) -> Reply {
        if !self.zones.get(id).is_some_and(super::zones::ZoneTask::is_secondary) {
            return Reply::failed_with(IscResult::FAILURE, "not a secondary, mirror, or stub zone");
        }
        self.refresh_now(id);
        Reply::text("zone refresh queued")
    }

    fn retransfer_zone(&mut self, id: ZoneId) -> Reply {
        if !self.zones.get(id).is_some_and(super::zones::ZoneTask::is_secondary) {
            return Reply::failed_with(IscResult::FAILURE, "retransfer: inappropriate zone type: primary");
        }
        self.retransfer_now(id);
        Reply::done()
    }

    /// The zone that a command names, if it names one.
    fn named_zone(&self, command: &Command) -> Result<Option<ZoneId>, Reply> {
        command.zone.as_ref().map(|zone| self.meant(zone)).transpose()
    }

    fn freeze_command(&mut self, command: &Command, reply: oneshot::Sender<Reply>) {
        let (zones, answer) = match self.named_zone(command) {
            Ok(only) => self.freeze(only),
            Err(answer) => (vec![], answer),
        };
        self.answer_when_written(zones, true, answer, reply);
    }

    fn sync_command(&mut self, command: &Command, reply: oneshot::Sender<Reply>) {
        let only = match self.named_zone(command) {
            Ok(only) => only,
            Err(answer) => return drop(reply.send(answer)),
        };
        let drops_journal = command.cleans();
        let removing = |files| if drops_journal { format!(", removing journal {files}") } else { String::new() };
        self.sync(only, drops_journal);
        match only.and_then(|id| self.zones.get(id)) {
            Some(task) => {
                let (zone, removing) = (updating::named(task), removing("file"));
                log!(Category::General, Severity::Info, "sync: dumping zone {zone}{removing}: success");
            }
            None => log!(Category::General, Severity::Info, "dumping all zones{}: success", removing("files")),
        }
        let zones = only.map_or_else(|| self.dynamic_zones(), |id| vec![id]);
        self.answer_when_written(zones, false, Reply::done(), reply);
    }

    fn notify_zone(&mut self, id: ZoneId) -> Reply {
        self.announce_now(id);
        Reply::text("zone notify queued")
    }

    fn query_log(&mut self, command: &Command) -> Reply {
        let flag = &self.shared.is_logging_queries;
        let before = flag.load(Ordering::Relaxed);
        let now = match command.arguments.first().map(|word| word.to_ascii_lowercase()).as_deref() {
            None => !before,
            Some("on" | "yes" | "true" | "enable") => true,
            Some("off" | "no" | "false" | "disable") => false,
            Some(_) => return Reply::failed(IscResult::SYNTAX),
        };
        if now != before {
            flag.store(now, Ordering::Relaxed);
            log!(Category::General, Severity::Info, "query logging is now {}", if now { "on" } else { "off" });
        }
        Reply::done()
    }

    fn trace(&mut self, command: &Command) -> Reply {
        let level = match command.arguments.first() {
            None => logging::debug_level() + 1,
            Some(word) => match word.parse() {
                Ok(level) => level,
                Err(_) => return Reply::failed(IscResult::RANGE),
            },
        };
        logging::set_debug_level(level);
        Reply::done()
    }

    fn tcp_timeouts(&self) -> Reply {
        let options = &self.config.options;
        let lines = [
            ("tcp-initial-timeout", options.tcp_initial_timeout),
            ("tcp-idle-timeout", options.tcp_idle_timeout),
            ("tcp-keepalive-timeout", options.tcp_keepalive_timeout),
            ("tcp-advertised-timeout", options.tcp_advertised_timeout),
        ];
        let text = lines.map(|(name, timeout)| format!("{name}={}", timeout.as_millis() / 100));
        Reply::text(text.join("\n"))
    }

    fn tsig_list(&self) -> Reply {
        let keys = self.config.views.iter().flat_map(|view| view.keys.iter().map(move |key| (view, key)));
        let line = |name: &str, key: &Arc<crate::dns::Key>| {
            format!("view \"{name}\"; type \"static\"; key \"{}\";", crate::dns::name::NoDot(key.name.as_ref()))
        };
        let lines: Vec<String> = keys.map(|(view, key)| line(&view.name, key)).collect();
        Reply::text(if lines.is_empty() { "no tsig keys found.".to_owned() } else { lines.join("\n") })
    }

    /// The files of zones that are kept on this host and change only by hand.
    pub(super) fn primary_files(&self) -> impl Iterator<Item = Arc<Path>> {
        let primaries = self.zones.iter().filter(|(_, task)| !task.is_secondary());
        primaries.flat_map(|(_, task)| {
            let sources = task.sources().into_iter().map(|source| source.path);
            task.file().map(Arc::from).into_iter().chain(sources)
        })
    }
}
