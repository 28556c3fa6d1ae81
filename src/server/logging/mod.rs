//! Log lines on their way from the server to channels, with BIND's categories, severities and formats.
//!
//! [`log!`] checks an atomic threshold and emits a `tracing` event whose target is the category; our [`layer`] hands
//! the line to a bounded queue, and one thread writes it to its channels. Categories that speak per query never wait:
//! what does not fit is dropped and counted. Other lines wait for room. BIND semantics 9.

pub mod channel;
pub mod file;
pub mod layer;
pub mod line;
pub mod routing;
pub mod syslog;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

pub use layer::{configure, flush, init, without_waiting};
pub use routing::{Fault, Foreground, Routing};

/// Writes a line: `log!(Category::XferIn, Severity::Info, "zone {zone}: ...")`. Nothing is formatted unless some
/// channel takes it.
#[macro_export]
macro_rules! nomd_log {
    ($category:expr, $severity:expr, $($format:tt)+) => {{
        const CATEGORY: $crate::server::logging::Category = $category;
        let severity: $crate::server::logging::Severity = $severity;
        if $crate::server::logging::is_enabled(CATEGORY, severity) {
            ::tracing::event!(
                target: CATEGORY.name(),
                ::tracing::Level::ERROR,
                severity = severity.rank(),
                $($format)+
            );
        }
    }};
}
pub use nomd_log as log;

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words of named.conf
pub enum Severity {
    Critical,
    Error,
    Warning,
    Notice,
    Info,
    Debug(u32),
}

impl Severity {
    /// A number that grows with detail: -5 for critical up to -1 for info, then the debug level.
    pub const fn rank(self) -> i64 {
        match self {
            Self::Critical => -5,
            Self::Error => -4,
            Self::Warning => -3,
            Self::Notice => -2,
            Self::Info => -1,
            Self::Debug(level) => level as i64,
        }
    }

    /// The severity of a rank.
    pub fn from_rank(rank: i64) -> Self {
        match rank {
            ..=-5 => Self::Critical,
            -4 => Self::Error,
            -3 => Self::Warning,
            -2 => Self::Notice,
            -1 => Self::Info,
            level => Self::Debug(u32::try_from(level).unwrap_or(u32::MAX)),
        }
    }
}

impl std::fmt::Display for Severity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
            Self::Info => "info",
            Self::Debug(level) => return write!(f, "debug {level}"),
        })
    }
}

macro_rules! categories {
    ($($variant:ident $name:literal)+) => {
        /// What a line is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs)] // the words of named.conf
        pub enum Category { $($variant),+ }

        impl Category {
            /// Every category, in order of name.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word of named.conf.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

categories! {
    Client "client"
    Cname "cname"
    Config "config"
    Database "database"
    Default "default"
    DelegationOnly "delegation-only"
    Dispatch "dispatch"
    Dnssec "dnssec"
    Dnstap "dnstap"
    EdnsDisabled "edns-disabled"
    General "general"
    LameServers "lame-servers"
    Network "network"
    Notify "notify"
    Nsid "nsid"
    Queries "queries"
    QueryErrors "query-errors"
    RateLimit "rate-limit"
    Resolver "resolver"
    Responses "responses"
    Rpz "rpz"
    RpzPassthru "rpz-passthru"
    Security "security"
    ServeStale "serve-stale"
    Spill "spill"
    SslKeyLog "sslkeylog"
    TrustAnchorTelemetry "trust-anchor-telemetry"
    Unmatched "unmatched"
    Update "update"
    UpdateSecurity "update-security"
    XferIn "xfer-in"
    XferOut "xfer-out"
    ZoneLoad "zoneload"
}

impl Category {
    /// The category of a name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|category| category.name().eq_ignore_ascii_case(name))
    }

    /// Whether packets make its lines, as many as anybody cares to send: these never make a worker wait.
    pub const fn is_per_packet(self) -> bool {
        matches!(
            self,
            Self::Client | Self::Queries | Self::QueryErrors | Self::RateLimit | Self::Responses | Self::Security
        )
    }
}

const CATEGORIES: usize = Category::ALL.len();

/// The highest rank that some channel of each category takes, plus [`THRESHOLD_BASE`]; 0: none at all.
static THRESHOLDS: [AtomicU32; CATEGORIES] = [const { AtomicU32::new(0) }; CATEGORIES];
/// The rank of critical is the lowest, -5.
const THRESHOLD_BASE: i64 = 6;
/// The server's debug level, which `severity dynamic` follows.
static DEBUG_LEVEL: AtomicU32 = AtomicU32::new(0);
/// Lines that found the queue full.
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// Whether any channel takes lines of this category and severity.
pub fn is_enabled(category: Category, severity: Severity) -> bool {
    let threshold = THRESHOLDS.get(category as usize).map_or(0, |cell| cell.load(Ordering::Relaxed));
    severity.rank() + THRESHOLD_BASE <= i64::from(threshold)
}

/// The server's debug level.
pub fn debug_level() -> u32 {
    DEBUG_LEVEL.load(Ordering::Relaxed)
}

/// Sets the debug level: `-d`, `rndc trace`, `rndc notrace`.
pub fn set_debug_level(level: u32) {
    DEBUG_LEVEL.store(level, Ordering::Relaxed);
    layer::refresh_thresholds();
}

/// How many lines have been dropped so far because the queue was full.
pub fn dropped_lines() -> u64 {
    DROPPED.load(Ordering::Relaxed)
}
