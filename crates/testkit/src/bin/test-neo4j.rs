//! The Neo4j that `cargo xtask test` shares among all test binaries: prints its host and port while it still starts, and lives until
//! its standard input ends, so that it dies with whoever started it, however that ends.

use std::io::{Read, Write};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = pulse_testkit::Neo4jServer::starting().await?;
    writeln!(std::io::stdout(), "{}", server.address())?;
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await?;
    ended?;
    Ok(())
}
