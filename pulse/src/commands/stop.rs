//! The signals that end a process.

use tokio::signal::unix::{SignalKind, signal};

/// Done when the process is told to stop, by Ctrl-C or by its supervisor, from this call on. A second signal ends it at once.
pub(super) fn requested() -> impl Future<Output = anyhow::Result<()>> + use<> {
    let signals = signal(SignalKind::terminate())
        .and_then(|terminate| Ok((terminate, signal(SignalKind::interrupt())?)));
    async move {
        let (mut terminate, mut interrupt) = signals?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            std::process::exit(130);
        });
        Ok(())
    }
}
