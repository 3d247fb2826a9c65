//! `pulse keys`: the keys that access tokens are signed with.

use std::path::Path;

use pulse_accounts::{KeyState, ListedKey, Rotated, Rotation, SigningKeys};
use pulse_telemetry::init_logs;
use pulse_tokens::AccessTokens;

use crate::cli::{DatabaseArgs, KeysCommand};
use crate::platform::{Database, sealer};
use crate::settings::Settings;
use crate::terminal::say;

pub(super) async fn run(command: KeysCommand, mut settings: Settings) -> anyhow::Result<()> {
    init_logs(&settings.telemetry)?;
    let (KeysCommand::List(DatabaseArgs { data_dir })
    | KeysCommand::Rotate { database: DatabaseArgs { data_dir }, .. }) = &command;
    let database = Database::open_or_join(&settings.database, data_dir).await?;
    let done = work(&database, &command, &mut settings, data_dir).await;
    database.close().await;
    done
}

async fn work(
    database: &Database,
    command: &KeysCommand,
    settings: &mut Settings,
    data_dir: &Path,
) -> anyhow::Result<()> {
    if database.is_private() {
        let configured = settings.secrets.encryption_key.take();
        settings.secrets.encryption_key = Some(super::dev::kept_key(data_dir, "encryption-key", configured)?);
    }
    let store = database.store(settings);
    let (sealer, config) = (sealer(&settings.secrets)?, settings.accounts.signing_keys);
    let keys = SigningKeys::new(store.clone(), sealer, AccessTokens::none(), config);
    match command {
        KeysCommand::List(_) => list(&keys.list().await?),
        KeysCommand::Rotate { now, .. } => {
            let how = if *now { Rotation::AtOnce } else { Rotation::WithOverlap };
            let Rotated { kid, active_from, is_new } = keys.rotate(how).await?;
            let from = active_from.format("%Y-%m-%d %H:%M:%S UTC");
            say(&match (is_new, now) {
                (true, false) => format!("made the key {kid}; it signs from {from} on"),
                (true, true) => format!("made the key {kid}, which signs from now on; no other is accepted"),
                (false, _) => format!("another rotation has made the key {kid}; it signs from {from} on"),
            });
        }
    }
    store.close().await;
    Ok(())
}

fn list(keys: &[ListedKey]) {
    if keys.is_empty() {
        say("there are no keys yet; the first process that signs people in makes one");
    }
    for ListedKey { kid, active_from, state } in keys {
        let state = match state {
            KeyState::Next => "next",
            KeyState::Current => "current",
            KeyState::Retired => "retired",
            KeyState::Over => "over",
        };
        say(&format!("{kid}  {:<8} from {}", state, active_from.format("%Y-%m-%d %H:%M:%S UTC")));
    }
}
