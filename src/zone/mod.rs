//! Floor 2: zones: their contents and versions, their files, and the checks on both.

use std::sync::LazyLock;
use std::thread;

mod ahead;
mod apex;
mod blocks;
pub mod builder;
pub mod catalog;
pub mod check;
mod chunks;
pub mod contents;
pub mod copy;
mod denial;
pub mod diff;
pub mod disk;
pub mod edit;
pub mod fetch;
pub mod file;
pub mod find;
pub mod hints;
pub mod hosts;
pub mod journal;
mod key;
mod keys;
pub mod listing;
pub mod load;
pub mod master;
pub mod message;
mod names;
pub mod node;
mod nsec3;
pub mod print;
pub mod raw;
mod records;
#[cfg(test)]
pub(crate) mod testing;
mod trie;
pub mod update;
pub mod zonemd;

pub use builder::{Builder, ContentsError, Limits, WideRrset, WildcardOwner};
pub use contents::{Cursor, Denial, Soa, ZoneVersion};
pub use edit::{Edit, EditError};
pub use fetch::{Fetch, LANES};
pub use find::{Find, Match, Way};
pub use node::{Node, Rrset};

/// How many threads can work on one large zone. Asking the system takes several files, too long for each zone.
fn processors() -> usize {
    static PROCESSORS: LazyLock<usize> = LazyLock::new(|| thread::available_parallelism().map_or(1, usize::from));
    *PROCESSORS
}
