//! nomd beside the real servers: named, nsd and knotd of Debian's packages, on loopback.
//!
//! What nomd claims to share with named is tried with both, so that a test that fails for named as well shows a wrong
//! belief and not a fault of nomd.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod additional;
mod amiss;
mod announced;
mod answers;
mod asked;
mod catalogs;
mod checkers;
mod checkzone;
mod clauses;
mod clients;
mod clocks;
mod control;
mod defaults;
mod demands;
mod differential;
mod edns;
mod encrypted;
mod faults;
mod faulty;
mod floods;
mod forwarded;
mod generated;
mod gone;
mod handed;
mod histories;
mod host;
mod ixfr;
mod journal;
mod keygen;
mod killed;
mod limits;
mod logged;
mod misnamed;
mod mutated;
#[path = "mutation/mutator.rs"]
mod mutator;
mod needless;
mod notified;
mod notify;
mod order;
mod paced;
mod packets;
mod peers;
mod pipeline;
mod proxied;
mod rebuilt;
mod reload;
mod removed;
mod reused;
mod rules;
mod settings;
mod signed;
mod standing;
mod startup;
mod states;
mod statistics;
mod swap;
mod taken;
mod transfer;
mod trial;
mod unread;
mod updates;
mod waiting;
mod walks;
#[path = "mutation/words.rs"]
mod words;
mod xot;
mod zones;
