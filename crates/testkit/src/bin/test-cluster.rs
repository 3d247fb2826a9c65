//! The server that `cargo xtask test` shares among all test binaries: prints its URL and lives until its standard input
//! ends, so that it dies with whoever started it, however that ends.

use std::io::Write;

use tokio::io::AsyncReadExt;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = pulse_testkit::test_cluster().await?;
    writeln!(std::io::stdout(), "{}", server.url())?;
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    server.stop().await
}
