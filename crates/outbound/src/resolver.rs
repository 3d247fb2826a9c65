//! What names stand for.

use std::io;
use std::net::IpAddr;

use async_trait::async_trait;

/// Looks up the addresses of a host.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// The addresses that `host`, a name, stands for now.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Asks the system.
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}
