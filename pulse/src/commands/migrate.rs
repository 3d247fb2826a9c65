//! `pulse migrate`.

use std::str::FromStr;

use pulse_migrations::{Applied, Owner, State};
use pulse_telemetry::init_logs;

use crate::cli::{DatabaseArgs, MigrateCommand};
use crate::platform::Database;
use crate::settings::Settings;
use crate::terminal::say;

pub(super) async fn run(command: MigrateCommand, settings: &Settings) -> anyhow::Result<()> {
    init_logs(&settings.telemetry)?;
    let (MigrateCommand::Up(DatabaseArgs { data_dir })
    | MigrateCommand::Down { database: DatabaseArgs { data_dir }, .. }
    | MigrateCommand::Status(DatabaseArgs { data_dir })) = &command;
    let database = Database::open_or_join(&settings.database, data_dir).await?;
    let done = migrate(&database, &command).await;
    database.close().await;
    done
}

async fn migrate(database: &Database, command: &MigrateCommand) -> anyhow::Result<()> {
    let migrator = database.migrator()?;
    match command {
        MigrateCommand::Up(_) => list("applied", &migrator.up(pulse_migrations::Target::Latest).await?),
        MigrateCommand::Down { owner, steps, .. } => {
            list("taken back", &migrator.down(Owner::from_str(owner)?, *steps).await?);
        }
        MigrateCommand::Status(_) => {
            for status in migrator.status().await? {
                let state = match status.state {
                    State::Applied(at) => format!("applied {}", at.format("%Y-%m-%d %H:%M:%S UTC")),
                    State::Pending => "missing".to_owned(),
                };
                say(&format!(
                    "{:<10} {:04} {:<24} {state}",
                    status.owner.as_str(),
                    status.version,
                    status.name
                ));
            }
        }
    }
    Ok(())
}

fn list(what: &str, migrations: &[Applied]) {
    if migrations.is_empty() {
        say("nothing to do");
    }
    for Applied { owner, version, name } in migrations {
        say(&format!("{what} {owner} {version:04} {name}"));
    }
}
