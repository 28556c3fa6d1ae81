//! From `tracing` events to the writer thread.
//!
//! The layer turns an event into a [`Line`] and queues it. The thread behind the queue owns the channels: it alone
//! opens versions, writes and rotates, so that no lock is held while a disk is slow.

use std::cell::Cell;
use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use super::routing::Routing;
use super::{CATEGORIES, Category, DROPPED, Severity, THRESHOLD_BASE, THRESHOLDS, debug_level};

/// How many lines may wait for the writer.
const QUEUE_LINES: usize = 16 * 1024;

static QUEUE: OnceLock<SyncSender<Job>> = OnceLock::new();
/// The most detailed channel of each category: its fixed rank, and whether one follows the debug level.
static REACH: Mutex<[Reach; CATEGORIES]> = Mutex::new([Reach { rank: None, dynamic: false }; CATEGORIES]);

/// How detailed the lines are that a category's channels take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// The highest rank of a channel with a fixed severity.
    pub rank: Option<i64>,
    /// Whether a channel follows the debug level.
    pub dynamic: bool,
}

/// One line.
#[derive(Debug, Clone)]
pub struct Line {
    /// When it was said.
    pub time: SystemTime,
    /// What it is about.
    pub category: Category,
    /// How grave it is.
    pub severity: Severity,
    /// The line itself.
    pub text: String,
}

enum Job {
    Write(Line),
    Install(Box<Routing>),
    Flush(SyncSender<()>),
}

/// Starts the writer thread with its first channels. Later calls only change the channels.
pub fn init(routing: Routing) -> std::io::Result<()> {
    if QUEUE.get().is_some() {
        configure(routing);
        return Ok(());
    }
    let (sender, receiver) = sync_channel(QUEUE_LINES);
    install_thresholds(&routing);
    std::thread::Builder::new().name("log".to_owned()).spawn(move || write_all(&receiver, routing))?;
    if QUEUE.set(sender).is_ok() {
        // Another subscriber that is set already (in a test) keeps its place.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(ChannelLayer));
    }
    Ok(())
}

/// Puts other channels in the place of the present ones; lines queued before still go to the old ones. Files are opened
/// anew, which is what log rotation by others waits for.
pub fn configure(routing: Routing) {
    install_thresholds(&routing);
    if let Some(queue) = QUEUE.get() {
        let _ = queue.send(Job::Install(Box::new(routing)));
    }
}

/// Waits until every line so far is written. Call before the process ends.
pub fn flush() {
    let (done, wait) = sync_channel(1);
    if QUEUE.get().is_some_and(|queue| queue.send(Job::Flush(done)).is_ok()) {
        let _ = wait.recv();
    }
}

fn install_thresholds(routing: &Routing) {
    *REACH.lock().unwrap_or_else(PoisonError::into_inner) = routing.reach();
    refresh_thresholds();
}

/// Recomputes what is worth formatting, after the channels or the debug level changed.
pub(super) fn refresh_thresholds() {
    let reach = REACH.lock().unwrap_or_else(PoisonError::into_inner);
    for (cell, reach) in THRESHOLDS.iter().zip(reach.iter()) {
        let dynamic = reach.dynamic.then(|| dynamic_rank(debug_level()));
        let rank = reach.rank.max(dynamic);
        let threshold = rank.map_or(0, |rank| u32::try_from(rank.saturating_add(THRESHOLD_BASE)).unwrap_or(0));
        cell.store(threshold, Ordering::Relaxed);
    }
}

/// The highest rank that `severity dynamic` takes: at level 0 that is info.
pub(super) fn dynamic_rank(level: u32) -> i64 {
    if level == 0 { Severity::Info.rank() } else { i64::from(level) }
}

fn write_all(jobs: &Receiver<Job>, mut routing: Routing) {
    let mut reported = 0;
    for job in jobs {
        match job {
            Job::Write(line) => routing.write(&line),
            Job::Install(next) => routing = *next,
            Job::Flush(done) => {
                routing.flush();
                let _ = done.send(());
            }
        }
        let dropped = DROPPED.load(Ordering::Relaxed);
        if dropped != reported {
            let text = format!("{} log lines were dropped: channels too slow", dropped.saturating_sub(reported));
            reported = dropped;
            let (category, severity) = (Category::General, Severity::Warning);
            routing.write(&Line { time: SystemTime::now(), category, severity, text });
        }
    }
}

/// The end of the `tracing` pipeline.
struct ChannelLayer;

impl<S: Subscriber> Layer<S> for ChannelLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // Events of other crates have other targets and are not ours to print.
        let Some(category) = Category::from_name(event.metadata().target()) else { return };
        let mut fields = Fields { rank: Severity::Info.rank(), text: String::new() };
        event.record(&mut fields);
        let severity = Severity::from_rank(fields.rank);
        submit(Line { time: SystemTime::now(), category, severity, text: fields.text });
    }
}

thread_local! {
    static MAY_WAIT: Cell<bool> = const { Cell::new(true) };
}

/// Says some lines without ever waiting for the writer: those that any packet can cause, whatever their category.
pub fn without_waiting<T>(say: impl FnOnce() -> T) -> T {
    let before = MAY_WAIT.replace(false);
    let said = say();
    MAY_WAIT.set(before);
    said
}

fn may_wait(category: Category) -> bool {
    MAY_WAIT.get() && !category.is_per_packet()
}

fn submit(line: Line) {
    let Some(queue) = QUEUE.get() else { return };
    if may_wait(line.category) {
        let _ = queue.send(Job::Write(line));
    } else if let Err(TrySendError::Full(_)) = queue.try_send(Job::Write(line)) {
        DROPPED.fetch_add(1, Ordering::Relaxed);
    }
}

struct Fields {
    rank: i64,
    text: String,
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        if field.name() == "severity" {
            self.rank = value;
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.text, "{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_about_packets_never_wait_whatever_their_category() {
        assert!(may_wait(Category::General) && !may_wait(Category::Queries));
        without_waiting(|| assert!(!may_wait(Category::General)));
        assert!(may_wait(Category::General));
    }
}
