//! What a command says to the person who started it.

use std::io::Write;

/// A line of a command's result, on standard output. A reader that has gone away is no reason to fail.
pub(crate) fn say(line: &str) {
    let _gone = writeln!(std::io::stdout().lock(), "{line}");
}

/// A line about how it goes, on standard error.
pub(crate) fn complain(line: &str) {
    let _gone = writeln!(std::io::stderr().lock(), "{line}");
}
