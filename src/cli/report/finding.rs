//! What a check has to say, in the one form from which both text and JSON are made.

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Good to know.
    Note,
    /// Somebody will miss something, or something breaks.
    Warning,
    /// nomd does not start.
    Stop,
}

impl Level {
    /// Its word in JSON.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Stop => "stop",
        }
    }
}

/// One thing to know before the switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// How much it weighs.
    pub(super) level: Level,
    /// What kind it is, for scripts: never changes its meaning.
    pub(super) code: &'static str,
    /// What is so.
    pub(super) message: String,
    /// What to do. Empty: nothing.
    pub(super) advice: String,
    /// How many statements or files it is about.
    pub(super) count: usize,
    /// Where, `file:line` or a path; the first few.
    pub(super) places: Vec<String>,
    /// Which zones it hits, all of them.
    pub(super) zones: Vec<String>,
}

impl Finding {
    /// One that is about a single thing and hits no zones.
    pub(super) fn new(level: Level, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { level, code, message, advice: String::new(), count: 1, places: Vec::new(), zones: Vec::new() }
    }

    /// With what to do about it.
    pub(super) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }

    /// With where it is.
    pub(super) fn at(mut self, places: impl IntoIterator<Item = String>) -> Self {
        self.places.extend(places);
        self.count = self.count.max(self.places.len());
        self.places.truncate(MAX_PLACES);
        self
    }

    /// With how often it is so.
    pub(super) fn times(mut self, count: usize) -> Self {
        self.count = count;
        self
    }

    /// With the zones that it hits.
    pub(super) fn hits(mut self, zones: impl IntoIterator<Item = String>) -> Self {
        self.zones.extend(zones);
        self
    }
}

/// The findings of one subject.
#[derive(Debug)]
pub(super) struct Section {
    /// Its key in JSON.
    pub(super) key: &'static str,
    /// Its heading.
    pub(super) title: &'static str,
    /// What was found.
    pub(super) findings: Vec<Finding>,
}

/// `1 zone`, `2 zones`.
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// How many places a finding keeps.
const MAX_PLACES: usize = 5;
