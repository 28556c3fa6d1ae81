//! Which category goes to which channels.
//!
//! Built from the `logging` statement over BIND's built-in channels. A category without a statement of its own follows
//! `default`; `default` itself is default_syslog and default_debug, `unmatched` nothing. BIND semantics 9.1 and 9.2.

use std::path::{Path, PathBuf};

use super::channel::{Channel, Prefix, Sink, Threshold};
use super::file::LogFile;
use super::layer::{Line, Reach};
use super::syslog::Syslog;
use super::{CATEGORIES, Category, Severity, debug_level};
use crate::conf::config::{self, Destination, Logging};
use crate::server::control::listener::io_text;

/// What the command line says about logging.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreground {
    /// `-g`: everything to standard error, the `logging` statement set aside.
    pub stderr: bool,
    /// `-L`: the default channel is this file and not syslog.
    pub file: Option<PathBuf>,
}

/// A channel that cannot be had, or a name that is none.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Its file cannot be opened.
    #[error("logging channel '{channel}' file '{}': {}", path.display(), io_text(error))]
    File {
        /// The channel.
        channel: String,
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// `syslog` with a facility that is none.
    #[error("logging channel '{channel}': unknown syslog facility '{facility}'")]
    Facility {
        /// The channel.
        channel: String,
        /// The word.
        facility: String,
    },
    /// A category that names a channel that is none.
    #[error("logging channel '{0}' not found")]
    Channel(String),
    /// A category that is none.
    #[error("unknown logging category '{0}' ignored")]
    Category(String),
}

/// Channels, and for each category the channels that it goes to.
#[derive(Debug)]
pub struct Routing {
    channels: Vec<Channel>,
    routes: [Vec<usize>; CATEGORIES],
}

impl Routing {
    /// The channels before any configuration is read. A file of `-L` that cannot be had is no reason to fail, as with
    /// BIND, but lines go to syslog then; the fault comes back beside the routing.
    pub fn initial(foreground: &Foreground) -> (Self, Option<Fault>) {
        let mut routing = Self { channels: Vec::new(), routes: [const { Vec::new() }; CATEGORIES] };
        let fault = routing.add_built_in(foreground).err();
        let default = routing.default_route(foreground);
        routing.fill(&default);
        (routing, fault)
    }

    /// The channels of a `logging` statement. Files are relative to `directory`. Unknown categories and the file of
    /// `-L` are no reason to fail; they come back beside the routing.
    pub fn new(
        logging: &Logging,
        directory: Option<&Path>,
        foreground: &Foreground,
    ) -> Result<(Self, Vec<Fault>), Fault> {
        let (mut routing, fault) = Self::initial(foreground);
        let mut faults = Vec::from_iter(fault);
        if foreground.stderr {
            return Ok((routing, faults));
        }
        for channel in &logging.channels {
            let channel = open(channel, directory)?;
            routing.channels.push(channel);
        }
        faults.extend(routing.route(&logging.categories)?);
        Ok((routing, faults))
    }

    /// Writes a line to each channel of its category.
    pub fn write(&mut self, line: &Line) {
        let level = debug_level();
        let Some(route) = self.routes.get(line.category as usize) else { return };
        for &at in route {
            if let Some(channel) = self.channels.get_mut(at) {
                channel.write(line, level);
            }
        }
    }

    /// Nothing is buffered beyond the kernel; there for the day when something is.
    pub fn flush(&mut self) {
        use std::io::Write as _;
        let _ = std::io::stderr().flush();
    }

    /// How detailed the channels of each category are.
    pub(super) fn reach(&self) -> [Reach; CATEGORIES] {
        std::array::from_fn(|category| {
            let route = self.routes.get(category).map(Vec::as_slice).unwrap_or_default();
            let channels = route.iter().filter_map(|&at| self.channels.get(at));
            channels.filter(|channel| !matches!(channel.sink, Sink::Null)).fold(Reach::default(), |reach, channel| {
                match channel.threshold {
                    Threshold::Fixed(rank) => Reach { rank: reach.rank.max(Some(rank)), ..reach },
                    Threshold::Dynamic | Threshold::OnlyDebugging => Reach { dynamic: true, ..reach },
                }
            })
        })
    }

    fn add_built_in(&mut self, foreground: &Foreground) -> Result<(), Fault> {
        let info = Threshold::Fixed(Severity::Info.rank());
        let syslog = Syslog::new("daemon").map_or(Sink::Null, Sink::Syslog);
        // The file named.run would appear in whatever folder nomd was started in; debugging goes to stderr with -g.
        let debug = if foreground.stderr { Sink::Stderr } else { Sink::Null };
        let debug_threshold = if foreground.stderr { Threshold::Dynamic } else { Threshold::OnlyDebugging };
        self.add("default_syslog", info, Prefix::NONE, syslog);
        self.add("default_debug", debug_threshold, Prefix::TIME, debug);
        self.add("default_stderr", info, Prefix::TIME, Sink::Stderr);
        self.add("null", info, Prefix::NONE, Sink::Null);
        if let Some(path) = &foreground.file {
            let prefix = Prefix { time: config::PrintTime::Local, category: true, severity: true };
            let sink = Sink::File(open_file("default_logfile", path, (None, None, false))?);
            self.add("default_logfile", Threshold::Dynamic, prefix, sink);
        }
        Ok(())
    }

    fn add(&mut self, name: &str, threshold: Threshold, prefix: Prefix, sink: Sink) {
        self.channels.push(Channel { name: name.to_owned(), threshold, prefix, sink });
    }

    fn default_route(&self, foreground: &Foreground) -> Vec<usize> {
        let has_file = self.find("default_logfile").is_some();
        let names: &[&str] = match (foreground.stderr, has_file) {
            (true, _) => &["default_debug"],
            (false, true) => &["default_logfile", "default_debug"],
            (false, false) => &["default_syslog", "default_debug"],
        };
        names.iter().filter_map(|name| self.find(name)).collect()
    }

    /// Gives every category but `unmatched` the same channels.
    fn fill(&mut self, channels: &[usize]) {
        for (category, route) in Category::ALL.iter().zip(self.routes.iter_mut()) {
            *route = if *category == Category::Unmatched { Vec::new() } else { channels.to_vec() };
        }
    }

    fn route(&mut self, categories: &[(String, Vec<String>)]) -> Result<Vec<Fault>, Fault> {
        let mut unknown = Vec::new();
        let mut own = Vec::new();
        for (name, channels) in categories {
            let found = channels.iter().map(|name| self.find(name).ok_or_else(|| Fault::Channel(name.clone())));
            let route = found.collect::<Result<Vec<usize>, Fault>>()?;
            match Category::from_name(name) {
                None => unknown.push(Fault::Category(name.clone())),
                Some(Category::Default) => self.fill(&route),
                Some(category) => own.push((category, route)),
            }
        }
        for (category, route) in own {
            if let Some(slot) = self.routes.get_mut(category as usize) {
                *slot = route;
            }
        }
        Ok(unknown)
    }

    /// The last of that name: a configured channel may take the place of a built-in one.
    fn find(&self, name: &str) -> Option<usize> {
        self.channels.iter().rposition(|channel| channel.name == name)
    }
}

fn open(channel: &config::Channel, directory: Option<&Path>) -> Result<Channel, Fault> {
    let sink = match &channel.to {
        Destination::Stderr => Sink::Stderr,
        Destination::Null => Sink::Null,
        Destination::Syslog(facility) => Sink::Syslog(
            Syslog::new(facility)
                .ok_or_else(|| Fault::Facility { channel: channel.name.clone(), facility: facility.clone() })?,
        ),
        Destination::File { path, versions, size, timestamp_suffix } => {
            let path = directory.map_or_else(|| path.clone(), |directory| directory.join(path));
            Sink::File(open_file(&channel.name, &path, (*versions, *size, *timestamp_suffix))?)
        }
    };
    let prefix =
        Prefix { time: channel.print_time, category: channel.print_category, severity: channel.print_severity };
    Ok(Channel { name: channel.name.clone(), threshold: Threshold::new(channel.severity), prefix, sink })
}

fn open_file(channel: &str, path: &Path, rolling: (Option<u32>, Option<u64>, bool)) -> Result<LogFile, Fault> {
    let (versions, size_bytes, stamps) = rolling;
    LogFile::open(path, versions, size_bytes, stamps).map_err(|error| Fault::File {
        channel: channel.to_owned(),
        path: path.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conf::config::PrintTime;
    use std::time::SystemTime;

    fn logging(categories: &[(&str, &[&str])]) -> Logging {
        let file = |name: &str| config::Channel {
            name: name.to_owned(),
            to: Destination::File { path: name.into(), versions: None, size: None, timestamp_suffix: false },
            severity: config::Severity::Info,
            print_time: PrintTime::No,
            print_category: true,
            print_severity: true,
            buffered: false,
        };
        let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Logging {
            channels: vec![file("a"), file("b")],
            categories: categories.iter().map(|(name, names)| ((*name).to_owned(), own(names))).collect(),
        }
    }

    fn say(routing: &mut Routing, category: Category, severity: Severity, text: &str) {
        routing.write(&Line { time: SystemTime::now(), category, severity, text: text.to_owned() });
    }

    #[test]
    fn categories_without_a_statement_follow_default() {
        let folder = tempfile::tempdir().unwrap();
        let logging = logging(&[("queries", &["b"]), ("default", &["a"]), ("nosuch", &["a"])]);
        let (mut routing, unknown) = Routing::new(&logging, Some(folder.path()), &Foreground::default()).unwrap();
        assert_eq!(unknown.len(), 1);
        say(&mut routing, Category::Queries, Severity::Info, "q");
        say(&mut routing, Category::Notify, Severity::Notice, "n");
        say(&mut routing, Category::Notify, Severity::Debug(1), "too detailed");
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!((read("a"), read("b")), ("notify: notice: n\n".to_owned(), "queries: info: q\n".to_owned()));
    }

    #[test]
    fn an_unknown_channel_or_a_bad_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let open = |logging: &Logging, folder: &Path| Routing::new(logging, Some(folder), &Foreground::default());
        assert!(matches!(open(&logging(&[("queries", &["c"])]), folder.path()), Err(Fault::Channel(_))));
        let fault = open(&logging(&[]), &folder.path().join("nosuch")).unwrap_err().to_string();
        assert!(
            fault.starts_with("logging channel 'a' file '") && fault.ends_with("/nosuch/a': file not found"),
            "{fault}"
        );
    }

    #[test]
    fn what_no_channel_takes_is_not_worth_formatting() {
        let (routing, _) = Routing::new(&Logging::default(), None, &Foreground { stderr: true, file: None }).unwrap();
        let reach = routing.reach();
        assert_eq!(reach[Category::Unmatched as usize], Reach::default());
        assert!(reach[Category::General as usize].dynamic);
    }
}
