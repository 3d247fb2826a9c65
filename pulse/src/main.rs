//! The one binary: the command line and the wiring of roles.

fn main() {}
