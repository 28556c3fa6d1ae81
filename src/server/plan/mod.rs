//! What a new configuration changes, as an ordered list of steps.
//!
//! Old configuration and new one in, steps out; nothing is touched here, so a plan can be made, shown
//! (`nomd plan`) and dropped. The order is that in which the steps are taken: settings, keys and acls, on which views
//! and zones rest; views; zones, those that go before those that come; and last what is seen from outside: the log, the
//! pid file, control channels, listeners. What workers see of them changes at once, by one snapshot. What stays the
//! same is in no step, and nothing is done about it.

mod settings;
mod text;
mod zones;

pub use text::NOTHING;

use std::net::SocketAddr;
use std::sync::Arc;

use crate::conf::config::{Config, Zone};
use crate::dns::{Class, Name};

/// The way from one configuration to another.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// In the order in which they are taken.
    pub steps: Vec<Step>,
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A statement of `options` has another value.
    Setting {
        /// Its name.
        name: &'static str,
        /// What it was.
        from: String,
        /// What it will be.
        to: String,
    },
    /// A key of the top level.
    Key(Edit, Name),
    /// A named address match list.
    Acl(Edit, String),
    /// A view, and which of its statements differ.
    View(Edit, String, Vec<&'static str>),
    /// A zone goes.
    DropZone(ZoneKey),
    /// A zone is to be another.
    ChangeZone(ZoneKey, Zone, ZoneChange),
    /// A zone comes.
    AddZone(ZoneKey, Zone),
    /// The `logging` statement.
    Logging,
    /// Where the process id is written.
    PidFile {
        /// What it was.
        from: String,
        /// What it will be.
        to: String,
    },
    /// A control channel; none: that of a configuration without `controls`.
    Control(Edit, Option<SocketAddr>),
    /// `listen-on`, `listen-on-v6` or another statement that sockets follow.
    Listen {
        /// Its name.
        name: &'static str,
        /// What it was.
        from: String,
        /// What it will be.
        to: String,
    },
}

/// What becomes of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words say it
pub enum Edit {
    Add,
    Drop,
    Change,
}

/// What tells zones apart: the same name may stand in several views and classes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ZoneKey {
    /// The view's name.
    pub view: Arc<str>,
    /// The apex.
    pub apex: Name,
    /// The class.
    pub class: Class,
}

/// How a zone differs from before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneChange {
    /// Where its contents come from.
    pub source: Source,
    /// The statements that differ.
    pub statements: Vec<&'static str>,
}

/// Where the contents of a changed zone come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From where they came before.
    Same,
    /// From another file, or one that is read in another way. A secondary writes its copy there.
    OtherFile,
    /// From elsewhere altogether: a primary has become a secondary, or the other way.
    OtherRole,
}

impl Plan {
    /// Compares two configurations.
    pub fn between(old: &Config, new: &Config) -> Self {
        let mut steps = settings::options(&old.options, &new.options);
        steps.extend(settings::keys(&old.keys, &new.keys));
        steps.extend(settings::acls(&old.acls, &new.acls));
        steps.extend(settings::views(&old.views, &new.views));
        steps.extend(zones::steps(&old.views, &new.views));
        if old.logging != new.logging {
            steps.push(Step::Logging);
        }
        steps.extend(settings::pid_file(&old.options, &new.options));
        steps.extend(settings::controls(old.controls.as_deref(), new.controls.as_deref()));
        steps.extend(settings::listeners(&old.options, &new.options));
        Self { steps }
    }

    /// The zones of the first configuration, when there is nothing yet.
    pub(super) fn of_start(new: &Config) -> Self {
        Self { steps: zones::steps(&[], &new.views) }
    }

    /// Whether other servers are asked in another way: with other keys, or as `server` statements say.
    pub(super) fn changes_peers(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Key(..) | Step::View(Edit::Change, ..)))
    }

    /// Whether the configurations say the same.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// How a zone differs from before, if it does.
pub(super) fn zone_change(old: &Zone, new: &Zone) -> Option<ZoneChange> {
    zones::change(old, new, old.settings == new.settings)
}

#[cfg(test)]
mod tests;
