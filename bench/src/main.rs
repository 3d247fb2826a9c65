//! Benches beside something real.

fn main() {}
