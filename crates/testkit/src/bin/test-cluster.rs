//! The server that `cargo xtask test` shares among all test binaries: prints its URL and lives until its standard input
//! ends, so that it dies with whoever started it, however that ends. With `--programs` it prints the folder of
//! PostgreSQL's own programs instead.

use std::io::{Read, Write};

use pulse_postgres::{Distribution, FetchOptions};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if std::env::args().any(|argument| argument == "--programs") {
        let distribution = Distribution::ensure(&FetchOptions::from_env()).await?;
        writeln!(std::io::stdout(), "{}", distribution.program("").display())?;
        return Ok(());
    }
    let server = pulse_testkit::test_cluster().await?;
    writeln!(std::io::stdout(), "{}", server.url())?;
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await?;
    ended?;
    server.stop().await
}
