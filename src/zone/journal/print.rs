//! A journal as text, as named-journalprint writes it.

use std::io::{self, Write};

use super::{Change, Entry, Form, Journal, JournalError};
use crate::dns::rdata;
use crate::zone::print::Line;

/// Why a journal could not be printed to its end.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The text cannot be written.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Writes all changes of a journal; `is_detailed` also what the file says of itself.
pub fn print(journal: &Journal, is_detailed: bool, out: &mut impl Write) -> Result<(), PrintError> {
    if is_detailed {
        header(journal, out)?;
    }
    if journal.is_empty() {
        return Ok(());
    }
    for entry in journal.entries(journal.first_serial())? {
        let entry = entry?;
        if is_detailed {
            head(&entry, out)?;
        }
        entry.transaction.changes().try_for_each(|change| record(&change, out))?;
    }
    Ok(())
}

fn header(journal: &Journal, out: &mut impl Write) -> io::Result<()> {
    let name = match journal.form() {
        Form::V1 => "BIND LOG V9",
        Form::V2 => "BIND LOG V9.2",
    };
    writeln!(out, "Journal format = {name}\nHeader version = {}", journal.form().number())?;
    writeln!(out, "Start serial = {}\nEnd serial = {}", journal.first_serial(), journal.last_serial())?;
    if let Some(serial) = journal.source_serial() {
        writeln!(out, "Source serial = {serial}")?;
    }
    let (size, offsets) = journal.index();
    writeln!(out, "Index (size = {size}):")?;
    let mut count = 0;
    for offset in offsets {
        count += 1;
        write!(out, "{offset}{}", if count % OFFSETS_A_LINE == 0 { "\n" } else { " " })?;
    }
    if count < size { writeln!(out) } else { Ok(()) }
}

fn head(entry: &Entry, out: &mut impl Write) -> io::Result<()> {
    let Entry { offset, form, stated_count, transaction, .. } = entry;
    let (size, before, after) = (transaction.as_bytes().len(), transaction.before, transaction.after);
    let version = form.number();
    writeln!(
        out,
        "Transaction: version {version} offset {offset} size {size} rrcount {stated_count} start {before} end {after}"
    )
}

fn record(change: &Change<'_>, out: &mut impl Write) -> io::Result<()> {
    out.write_all(if change.is_addition { b"add " } else { b"del " })?;
    let mut line = Line::default();
    let texts = [change.owner.to_string(), change.ttl.to_string(), change.class.to_string(), change.rtype.to_string()];
    for (text, next_column) in texts.iter().zip(COLUMNS) {
        line.push(text);
        line.go_to(next_column);
    }
    rdata::to_text(change.rtype, change.rdata, &mut line.text);
    line.write(out)
}

const OFFSETS_A_LINE: u32 = 8;
/// Where TTL, class, type and data stand.
const COLUMNS: [usize; 4] = [24, 32, 40, 48];
