//! `pulse audit`.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use pulse_audit::{CheckedExport, Report, check_export, verify};
use pulse_store::Store;
use pulse_telemetry::init_logs;

use crate::cli::{AuditCommand, VerifyAuditArgs};
use crate::exit::Failure;
use crate::platform::{Database, sealer};
use crate::settings::Settings;
use crate::terminal::say;

pub(super) async fn run(command: AuditCommand, mut settings: Settings) -> anyhow::Result<()> {
    init_logs(&settings.telemetry)?;
    let AuditCommand::Verify(args) = command;
    let data_dir = &args.database.data_dir;
    super::dev::find_key(data_dir, &mut settings)?;
    if let Some(file) = &args.file {
        return verify_file(file, &settings);
    }
    let database = Database::open_or_join(&settings.database, data_dir).await?;
    let verified = verify_in(&database, &args, &settings).await;
    database.close().await;
    report(&verified?)
}

async fn verify_in(
    database: &Database,
    args: &VerifyAuditArgs,
    settings: &Settings,
) -> anyhow::Result<Report> {
    let (store, sealer): (Store, _) = (database.store(settings), sealer(&settings.secrets)?);
    let org = match &args.org {
        None => None,
        Some(slug) => {
            let org = pulse_accounts::organization_by_slug(&store, slug).await?;
            Some(org.ok_or_else(|| Failure::NoOrganization(slug.clone()))?)
        }
    };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} facts {eta}")?;
    let bar = ProgressBar::new(0).with_style(style);
    let verified = verify(&store, &sealer, org, |progress| {
        bar.set_length(progress.of);
        bar.set_position(progress.links);
    });
    let verified = verified.await;
    bar.finish_and_clear();
    store.close().await;
    Ok(verified?)
}

/// Needs no database: what is in the file proves itself, but for the key.
fn verify_file(path: &Path, settings: &Settings) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot be opened", path.display());
    let file = File::open(path).with_context(cannot)?;
    let checked = check_export(BufReader::new(file), &sealer(&settings.secrets)?);
    let CheckedExport { tenant, links: (first, last), facts, withheld } =
        checked.map_err(|fault| Failure::AuditBroken(fault.to_string()))?;
    say(&format!(
        "links {first} to {last} of the audit of {tenant} verified: {facts} facts, {withheld} without what they say"
    ));
    Ok(())
}

fn report(report: &Report) -> anyhow::Result<()> {
    let Report { chains, links, erased, older, broken } = report;
    say(&format!("{links} facts in {chains} chains verified"));
    if *erased > 0 {
        say(&format!(
            "{erased} of them without a person who was erased: who did it, or to whom, is not proven any more"
        ));
    }
    if *older > 0 {
        say(&format!("{older} facts are older than their chain: nothing is proven of them"));
    }
    match broken {
        None => Ok(()),
        Some(broken) => Err(Failure::AuditBroken(broken.to_string()).into()),
    }
}
