//! `pulse privacy`.

use std::fmt::Write as _;

use pulse_privacy::{Entry, inventory};
use pulse_telemetry::init_logs;
use serde_json::json;

use crate::cli::{Format, InventoryArgs, PrivacyCommand};
use crate::platform::Database;
use crate::settings::Settings;
use crate::terminal::say;

pub(super) async fn run(command: PrivacyCommand, settings: &Settings) -> anyhow::Result<()> {
    init_logs(&settings.telemetry)?;
    let PrivacyCommand::Inventory(InventoryArgs { format, database }) = command;
    let database = Database::open_or_join(&settings.database, &database.data_dir).await?;
    let store = database.store(settings);
    let found = inventory(&store).await;
    store.close().await;
    database.close().await;
    let found = found?;
    say(&match format {
        Format::Human => table(&found),
        Format::Json => serde_json::to_string_pretty(&found.iter().map(object).collect::<Vec<_>>())?,
    });
    Ok(())
}

fn table(entries: &[Entry]) -> String {
    let mut text = String::new();
    let mut last = "";
    for entry in entries {
        let Entry { table, class, column, pii, description, exported, erasing } = entry;
        if table != last {
            let _ = writeln!(text, "\n{table} ({class})");
            for statement in erasing {
                let _ = writeln!(text, "  when erased: {statement}");
            }
            last = table;
        }
        let exported = if *exported { "exported" } else { "" };
        let _ = writeln!(text, "  {column:<16} {pii:<10} {exported:<8} {description}");
    }
    text.trim().to_owned()
}

fn object(entry: &Entry) -> serde_json::Value {
    let Entry { table, class, column, pii, description, exported, erasing } = entry;
    json!({
        "table": table, "tableClass": class, "column": column, "class": pii, "description": description,
        "exported": exported, "erasing": erasing,
    })
}
