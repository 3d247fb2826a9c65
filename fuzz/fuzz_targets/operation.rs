//! `cargo xtask soak fuzz operation`
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| pulse_fuzz::operation::run(data));
