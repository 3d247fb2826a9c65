//! What a developer and CI run: test, schema, tidy, bench.

fn main() {}
