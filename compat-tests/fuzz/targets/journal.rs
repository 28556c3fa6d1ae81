//! Journals.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nomd_fuzz::entries;

fuzz_target!(|data: &[u8]| {
    entries::journal(data);
});
