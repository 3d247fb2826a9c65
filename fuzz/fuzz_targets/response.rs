//! `cargo xtask soak fuzz response`
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| pulse_fuzz::response::run(data));
