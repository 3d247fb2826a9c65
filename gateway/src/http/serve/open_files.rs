//! How many connections fit into what the process may have open.

/// The share of the open files, in a hundred, that clients' connections may take. The rest is for subgraphs and files.
const SHARE: usize = 75;

/// The limit on connections, lowered to what the system allows the process.
pub(super) fn fitting(connection_limit: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let Some(open_files) = soft_limit(&limits) else { return connection_limit };
    let fitting = open_files / 100 * SHARE;
    if fitting >= connection_limit {
        return connection_limit;
    }
    tracing::warn!(
        connection_limit,
        fitting,
        open_files,
        "the process may not open as many files as connection_limit needs; raise it with `ulimit -n`"
    );
    fitting
}

/// The soft limit on open files out of what Linux says of a process. `None` where there is none, or nobody says.
fn soft_limit(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_counts() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max open files            1024                 1048576              files     \n";
        assert_eq!(soft_limit(limits), Some(1024));
        assert_eq!(
            soft_limit("Max open files            unlimited            unlimited            files"),
            None
        );
        assert_eq!(soft_limit(""), None);
    }
}
