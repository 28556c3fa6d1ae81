//! The stream of a transfer, each message behind its length.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nomd_fuzz::entries;

fuzz_target!(|data: &[u8]| {
    entries::transfer(data);
});
