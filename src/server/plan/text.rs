//! A plan as people read it: one line for each step.

use std::fmt;
use std::time::Duration;

use super::{Edit, Plan, Step, ZoneChange, ZoneKey};
use crate::conf::config::{Listen, Match, MatchElement, ProxyHeader, Role, Zone};
use crate::dns::Class;
use crate::dns::name::NoDot;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

impl Plan {
    /// The steps, or that there are none; of very many the first.
    pub fn summary(&self) -> String {
        if self.is_empty() {
            return NOTHING.to_owned();
        }
        let shown = self.steps.iter().take(MAX_STEPS_SHOWN).map(ToString::to_string);
        let more = self.steps.len().saturating_sub(MAX_STEPS_SHOWN);
        let rest = (more > 0).then(|| format!("and {more} more"));
        shown.chain(rest).collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { name, from, to } if from == to => write!(f, "change {name}"),
            Self::Setting { name, from, to } | Self::Listen { name, from, to } => {
                write!(f, "change {name} from {from} to {to}")
            }
            Self::PidFile { from, to } => write!(f, "change pid-file from {from} to {to}"),
            Self::Key(edit, name) => write!(f, "{edit} key {}", NoDot(name.as_ref())),
            Self::Acl(edit, name) => write!(f, "{edit} acl {name}"),
            Self::View(edit, name, statements) => write!(f, "{edit} view {name}{}", Statements(statements)),
            Self::DropZone(key) => write!(f, "drop zone {key}"),
            Self::ChangeZone(key, _, ZoneChange { statements, .. }) => {
                write!(f, "change zone {key}{}", Statements(statements))
            }
            Self::AddZone(key, zone) => write!(f, "add zone {key} ({})", role(zone)),
            Self::Logging => f.write_str("change logging"),
            Self::Control(edit, Some(address)) => {
                write!(f, "{edit} control channel {}#{}", address.ip(), address.port())
            }
            Self::Control(edit, None) => write!(f, "{edit} the default control channel"),
        }
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "add",
            Self::Drop => "drop",
            Self::Change => "change",
        })
    }
}

impl fmt::Display for ZoneKey {
    /// As log lines have it: class and view only where they are not the usual ones.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", NoDot(self.apex.as_ref()))?;
        if self.class != Class::IN {
            write!(f, "/{}", self.class)?;
        }
        if &*self.view != DEFAULT_VIEW {
            write!(f, " in view {}", self.view)?;
        }
        Ok(())
    }
}

/// The statements that differ, behind a colon.
struct Statements<'a>(&'a [&'static str]);

impl fmt::Display for Statements<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ": {}", self.0.join(", ")) }
    }
}

fn role(zone: &Zone) -> String {
    let file = zone.file().map(|file| file.display().to_string());
    let place = file.map_or_else(|| "in memory only".to_owned(), |file| format!("file \"{file}\""));
    match &zone.role {
        Role::Primary => format!("primary, {place}"),
        Role::Secondary { .. } => format!("secondary, {place}"),
        Role::Hint => "hint".to_owned(),
        Role::InView(view) => format!("in-view {view}"),
    }
}

/// A time span in seconds.
pub(super) fn duration(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// `listen-on` clauses.
pub(super) fn listen(clauses: &[Listen]) -> String {
    let clause = |clause: &Listen| {
        let proxy = match clause.proxy {
            None => "",
            Some(ProxyHeader::Plain) => "proxy plain ",
            Some(ProxyHeader::Encrypted) => "proxy encrypted ",
        };
        let tls = clause.tls.as_ref().map(|tls| format!("tls {} ", tls.name)).unwrap_or_default();
        let http = clause.http.as_ref().map(|http| format!("http {} ", http.name)).unwrap_or_default();
        format!("port {} {proxy}{tls}{http}{}", clause.port, match_list(&clause.addresses))
    };
    clauses.iter().map(clause).collect::<Vec<_>>().join(" and ")
}

/// An address match list as named.conf has it, named lists resolved.
pub(super) fn match_list(list: &[MatchElement]) -> String {
    let elements: String = list.iter().map(|element| format!("{}; ", match_element(element))).collect();
    format!("{{ {elements}}}")
}

fn match_element(element: &MatchElement) -> String {
    let what = match &element.what {
        Match::Any if element.negated => return "none".to_owned(),
        Match::Any => "any".to_owned(),
        Match::Localhost => "localhost".to_owned(),
        Match::Localnets => "localnets".to_owned(),
        Match::Prefix(prefix) if prefix.prefix_len() == prefix.max_prefix_len() => prefix.addr().to_string(),
        Match::Prefix(prefix) => prefix.to_string(),
        Match::Key(name) => format!("key {}", NoDot(name.as_ref())),
        Match::List(list) => match_list(list),
    };
    format!("{}{what}", if element.negated { "!" } else { "" })
}

/// What is said of a plan without steps.
pub const NOTHING: &str = "nothing changes";
/// So many steps fit into a reply on the control channel, whatever their names.
const MAX_STEPS_SHOWN: usize = 10_000;
/// The view of a configuration without views.
const DEFAULT_VIEW: &str = "_default";
