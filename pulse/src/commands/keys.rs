//! `pulse keys`: the keys that access tokens are signed with.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use pulse_accounts::{KeyState, ListedKey, Resealed, Rotated, Rotation, SigningKeys};
use pulse_audit::resign;
use pulse_sealing::Sealer;
use pulse_store::Store;
use pulse_telemetry::init_logs;
use pulse_tokens::AccessTokens;

use crate::cli::{DatabaseArgs, KeysCommand};
use crate::exit::Failure;
use crate::platform::{Database, sealer};
use crate::settings::Settings;
use crate::terminal::say;

pub(super) async fn run(command: KeysCommand, mut settings: Settings) -> anyhow::Result<()> {
    init_logs(&settings.telemetry)?;
    let (KeysCommand::List(DatabaseArgs { data_dir })
    | KeysCommand::Reseal(DatabaseArgs { data_dir })
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
    let keys = SigningKeys::new(store.clone(), sealer.clone(), AccessTokens::none(), config);
    match command {
        KeysCommand::Reseal(_) => reseal(&store, &sealer).await?,
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

async fn reseal(store: &Store, sealer: &Sealer) -> anyhow::Result<()> {
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {msg}")?);
    let shown = |Resealed { sealed, .. }| {
        bar.set_message(format!("{sealed} secrets sealed anew"));
        bar.tick();
    };
    let secrets = pulse_accounts::Resealer::new(store.clone(), sealer.clone()).reseal(shown).await?;
    let webhooks = pulse_operations::Resealer::new(store.clone(), sealer.clone()).reseal().await?;
    let ends = resign(store, sealer).await?;
    bar.finish_and_clear();
    let failed = secrets.failed + ends.failed + u64::try_from(webhooks).unwrap_or(u64::MAX);
    say(&format!("{} secrets sealed anew, {} ends of the audit signed anew", secrets.sealed, ends.signed));
    if failed > 0 {
        return Err(Failure::Unsealed(failed).into());
    }
    say(
        "nothing needs a key of before: take it out of secrets.old_encryption_keys when every process has the new one",
    );
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
