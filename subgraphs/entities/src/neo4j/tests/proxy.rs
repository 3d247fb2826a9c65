//! A way to a server that can be cut.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes connections on, until it is cut.
pub(super) struct Proxy {
    pub(super) address: String,
    is_cut: watch::Sender<bool>,
}

impl Proxy {
    pub(super) async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (is_cut, told) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (server, mut told) = (server.clone(), told.clone());
                tokio::spawn(async move {
                    let pass_on = async {
                        if let Ok(mut server) = TcpStream::connect(server).await {
                            drop(copy_bidirectional(&mut client, &mut server).await);
                        }
                    };
                    tokio::select! {
                        () = pass_on => {}
                        // Also when the proxy is gone.
                        _ = told.wait_for(|is_cut| *is_cut) => {}
                    }
                });
            }
        });
        Self { address, is_cut }
    }

    /// Ends all connections, and every new one.
    pub(super) fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    pub(super) fn mend(&self) {
        self.is_cut.send_replace(false);
    }
}
