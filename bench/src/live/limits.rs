//! How many sockets a process may have.

use anyhow::ensure;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use pulse_bench_harness::table::say;

/// What a process needs beside a socket for each subscriber; a server of Pulse keeps a quarter for other files.
const BESIDE: u64 = 500;

/// Raises the limit on open files as far as the system lets this process; returns it.
pub(crate) fn raise() -> anyhow::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
    }
    Ok(hard)
}

/// Fails when the system does not let a process have as many sockets as subscribers need.
pub(crate) fn check(subscribers: usize) -> anyhow::Result<()> {
    let limit = raise()?;
    let needed = u64::try_from(subscribers)?.div_ceil(3) * 4 + BESIDE;
    ensure!(
        limit >= needed,
        "{subscribers} subscribers need {needed} open files in a process, and the system allows {limit}: raise the hard \
         limit (`ulimit -Hn {needed}`), or ask for fewer by --subscribers"
    );
    say(&format!("{subscribers} subscribers; a process may open {limit} files"));
    Ok(())
}
