//! The fuzz targets over their seeds, among which is what they once found. `cargo xtask soak fuzz` runs them for long.

use std::fs;
use std::path::Path;

#[expect(unreachable_pub, reason = "a crate of its own needs what it gives to its programs public")]
#[path = "../../../fuzz/src/lib.rs"]
mod targets;

/// Runs a target on each file of its seeds.
fn over_seeds(name: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(name);
    let mut count = 0;
    for file in fs::read_dir(folder).unwrap() {
        run(&fs::read(file.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count > 0, "{name} has no seeds");
}

#[test]
fn no_document_breaks_its_way_to_a_plan() {
    over_seeds("operation", targets::operation::run);
}

#[test]
fn no_answer_of_a_subgraph_breaks_the_merge() {
    over_seeds("response", targets::response::run);
}

#[test]
fn no_supergraph_breaks_its_loader() {
    over_seeds("supergraph", targets::supergraph::run);
}
