//! `rndc stats`: what all workers have counted, added up and appended to the statistics file as named writes it.
//!
//! Sections about what nomd does not do (asking other servers, a cache) stand there without numbers, so that whatever
//! reads named's file finds them.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::control::{IscResult, Reply};
use super::core::Core;
use super::logging::{Category, Severity, log};
use super::worker::unix_now_s;
use crate::answer::counters::{COUNTERS, Counter, Counters, FIRST_OF_ZONES, OPCODES, QTYPES, RCODES};
use crate::dns::{Opcode, Rcode, Rtype};

impl Core {
    /// Appends to the statistics file.
    pub(super) fn write_statistics(&self) -> Reply {
        let path = &self.config.options.statistics_file;
        let append = || -> io::Result<()> {
            let mut file = OpenOptions::new().create(true).append(true).open(path)?;
            file.write_all(self.statistics().to_string().as_bytes())
        };
        match append() {
            Ok(()) => {
                log!(Category::General, Severity::Info, "dumpstats complete");
                Reply::done()
            }
            Err(error) => Reply::failed_with(IscResult::FAILURE, format!("{}: {error}", path.display())),
        }
    }

    fn statistics(&self) -> Statistics {
        let mut total = Total::default();
        self.shared.all_counters().iter().for_each(|counters| total.add(counters));
        total.set(Counter::XfrReqDone, self.shared.transfers_sent.load(Ordering::Relaxed));
        total.set(Counter::TCPConnHighWater, self.listening.limits().quota.high_water() as u64);
        let views = self.shared.snapshot.load().views.iter().map(|view| view.name.clone()).collect();
        Statistics { total, views, now_s: unix_now_s() }
    }
}

/// What all workers have counted.
#[derive(Default)]
struct Total(Counters);

impl Total {
    fn add(&mut self, counters: &Arc<Counters>) {
        for (counter, ..) in COUNTERS {
            let sum = self.0.value(*counter) + counters.value(*counter);
            self.set(*counter, sum);
        }
        add_rows(&mut self.0.opcodes, &counters.opcodes);
        add_rows(&mut self.0.rcodes, &counters.rcodes);
        add_rows(&mut self.0.qtypes, &counters.qtypes);
    }

    fn set(&mut self, counter: Counter, value: u64) {
        self.0.set(counter, value);
    }
}

fn add_rows(sums: &mut [AtomicU64], others: &[AtomicU64]) {
    sums.iter_mut().zip(others).for_each(|(sum, other)| *sum.get_mut() += other.load(Ordering::Relaxed));
}

/// A dump of the statistics.
struct Statistics {
    total: Total,
    views: Vec<Box<str>>,
    now_s: u64,
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Total(total) = &self.total;
        writeln!(f, "+++ Statistics Dump +++ ({})", self.now_s)?;
        f.write_str("++ Incoming Requests ++\n")?;
        rows(f, &total.opcodes, (0..OPCODES).map(|opcode| Opcode(opcode as u8).to_string()))?;
        f.write_str("++ Incoming Queries ++\n")?;
        // named keeps the others in the place of type 0, which nobody asks for.
        let [types @ .., others] = &total.qtypes;
        rows(f, std::slice::from_ref(others), ["Others".to_owned()])?;
        rows(f, types, (0..QTYPES).map(|rtype| Rtype(rtype as u16).to_string()))?;
        f.write_str("++ Outgoing Rcodes ++\n")?;
        rows(f, &total.rcodes, (0..RCODES).map(|rcode| Rcode(rcode as u16).to_string()))?;
        self.views(f, "Outgoing Queries")?;
        let (answers, zones) = COUNTERS.split_at(FIRST_OF_ZONES as usize);
        f.write_str("++ Name Server Statistics ++\n")?;
        counters(f, total, answers)?;
        f.write_str("++ Zone Maintenance Statistics ++\n")?;
        counters(f, total, zones)?;
        for section in ["Resolver Statistics", "Cache Statistics", "Cache DB RRsets", "ADB stats"] {
            self.views(f, section)?;
        }
        f.write_str("++ Socket I/O Statistics ++\n++ Per Zone Query Statistics ++\n")?;
        writeln!(f, "--- Statistics Dump --- ({})", self.now_s)
    }
}

impl Statistics {
    /// A section that has nothing to say of any view.
    fn views(&self, f: &mut fmt::Formatter<'_>, section: &str) -> fmt::Result {
        writeln!(f, "++ {section} ++")?;
        if section.starts_with("Resolver") {
            f.write_str("[Common]\n")?;
        }
        self.views
            .iter()
            .try_for_each(|view| writeln!(f, "[View: {}]", if **view == *"_default" { "default" } else { view }))
    }
}

fn rows(f: &mut fmt::Formatter<'_>, row: &[AtomicU64], names: impl IntoIterator<Item = String>) -> fmt::Result {
    row.iter().zip(names).try_for_each(|(count, name)| line(f, count.load(Ordering::Relaxed), &name))
}

fn counters(f: &mut fmt::Formatter<'_>, total: &Counters, table: &[(Counter, &str, &str)]) -> fmt::Result {
    table.iter().try_for_each(|(counter, _, text)| line(f, total.value(*counter), text))
}

/// What was never counted is not shown.
fn line(f: &mut fmt::Formatter<'_>, count: u64, text: &str) -> fmt::Result {
    if count == 0 { Ok(()) } else { writeln!(f, "{count:>20} {text}") }
}
