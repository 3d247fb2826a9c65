//! `cargo xtask soak fuzz supergraph`
#![no_main]

use std::panic;

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: let_planner_panic(), |data: &[u8]| pulse_fuzz::supergraph::run(data));

/// The loader catches a panic of the planner and refuses the supergraph. A panic anywhere else is a finding.
fn let_planner_panic() {
    let abort = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let is_planners = info.location().is_some_and(|place| {
            ["hive-router-query-planner", "graphql-tools"].iter().any(|name| place.file().contains(name))
        });
        if !is_planners {
            abort(info);
        }
    }));
}
