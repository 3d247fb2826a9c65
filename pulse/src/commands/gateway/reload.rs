//! New settings while the gateway serves: when their file changes, and on SIGHUP.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use pulse_gateway::{Gateway, Reconfigured, Subgraphs};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::settings::Settings;

/// Finds the subgraphs as settings say.
pub(crate) type Reach = dyn Fn(&Settings) -> Subgraphs + Send + Sync;

/// What is reloaded.
pub(super) struct Reloaded {
    pub(super) gateway: Gateway,
    /// Those that hold.
    pub(super) settings: Settings,
    pub(super) reach: Box<Reach>,
}

/// Takes in new settings for as long as the gateway serves. What cannot be used leaves everything as it is.
pub(super) async fn follow(mut reloaded: Reloaded, file: Option<PathBuf>) {
    let mut hangups = match signal(SignalKind::hangup()) {
        Ok(hangups) => hangups,
        Err(error) => {
            return tracing::error!(%error, "settings are not reloaded: SIGHUP cannot be waited for");
        }
    };
    let mut seen = file.as_deref().and_then(stamp);
    loop {
        let changed = next_change(file.as_deref(), &mut seen, reloaded.interval(), &mut hangups);
        let Some(why) = changed.await else { return };
        tracing::info!(why, "reading the settings again");
        reloaded.reload(file.as_deref()).await;
    }
}

/// Waits until there is a reason to read the settings again. `None` when there will never be one.
async fn next_change(
    file: Option<&Path>,
    seen: &mut Option<(SystemTime, u64)>,
    interval: Option<Duration>,
    hangups: &mut Signal,
) -> Option<&'static str> {
    loop {
        let pause = async {
            match (file, interval) {
                (Some(_), Some(interval)) => tokio::time::sleep(interval).await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            hangup = hangups.recv() => return hangup.map(|()| "SIGHUP"),
            () = pause => {
                let now = file.and_then(stamp);
                // A file that is gone for a moment is one that is being replaced.
                if now.is_some() && now != *seen {
                    *seen = now;
                    return Some("the file changed");
                }
            }
        }
    }
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

impl Reloaded {
    fn interval(&self) -> Option<Duration> {
        Some(self.settings.gateway.reload_interval).filter(|interval| *interval > Duration::ZERO)
    }

    async fn reload(&mut self, file: Option<&Path>) {
        let new = match Settings::load(file) {
            Ok(new) => new,
            Err(error) => return self.gateway.refuse_config(&format!("{error:#}")),
        };
        let subgraphs = (self.reach)(&new);
        match self.gateway.reconfigure(new.gateway.clone(), subgraphs).await {
            Ok(reconfigured) => {
                self.tell(&reconfigured, &new);
                self.settings = new;
            }
            Err(error) => self.gateway.refuse_config(&error.to_string()),
        }
    }

    fn tell(&self, reconfigured: &Reconfigured, new: &Settings) {
        let Reconfigured { changed, needs_restart } = reconfigured;
        let mut needs_restart = needs_restart.clone();
        if self.settings.telemetry != new.telemetry {
            needs_restart.push("telemetry".to_owned());
        }
        tracing::info!(changed = changed.join(", "), "the new settings hold");
        if !needs_restart.is_empty() {
            let settings = needs_restart.join(", ");
            tracing::warn!(settings, "these settings changed and hold only after a restart");
        }
    }
}
