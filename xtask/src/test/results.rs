//! Adding up what test binaries and deployment checks report.

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

/// The line by which libtest ends, whatever the colours around it.
static RESULT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^test result: .*?(\d+) passed; (\d+) failed; (\d+) ignored;").expect("a valid pattern")
});

/// One of the lines by which node's test runner ends, whatever the colours around it.
static NODE_RESULT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\S+ (pass|fail|cancelled|skipped|todo) (\d+)\S*\s*$").expect("a valid pattern")
});

/// How many of all tests ended how; its text is the closing line of `cargo xtask test`.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
pub(crate) struct Totals {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl Totals {
    /// Adds what a line reports; says whether it was a result line.
    pub(crate) fn add_line(&mut self, line: &str) -> bool {
        let Some(counts) = RESULT.captures(line) else { return false };
        let count = |group: usize| counts[group].parse::<u64>().unwrap_or_default();
        self.passed += count(1);
        self.failed += count(2);
        self.skipped += count(3);
        true
    }

    /// Adds what a line of node's test runner reports.
    pub(crate) fn add_node_line(&mut self, line: &str) {
        let Some(counts) = NODE_RESULT.captures(line) else { return };
        let count = counts[2].parse::<u64>().unwrap_or_default();
        match &counts[1] {
            "pass" => self.passed += count,
            "fail" | "cancelled" => self.failed += count,
            _ => self.skipped += count,
        }
    }

    /// Adds one check.
    pub(crate) fn add(&mut self, passed: bool) {
        if passed { self.passed += 1 } else { self.failed += 1 }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_add_up_to_the_closing_line() {
        let mut totals = Totals::default();
        for line in [
            "running 3 tests",
            "test a ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.00s",
            "test result: \u{1b}[31mFAILED\u{1b}[m. 12 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
        ] {
            totals.add_line(line);
        }
        for line in [
            "✔ passes 3 (1ms)",
            "ℹ tests 9",
            "ℹ pass 4",
            "\u{1b}[34mℹ fail 2\u{1b}[39m",
            "# skipped 1",
            "ℹ todo 0",
        ] {
            totals.add_node_line(line);
        }
        totals.add(true);
        totals.add(false);
        assert_eq!(totals.to_string(), "20 passed, 5 failed, 2 skipped");
    }
}
