//! `pulse graph verify` and `pulse graph rebuild`: the graph's copy in Neo4j.

use std::error::Error;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use pulse_entities::{Difference, Progress, ProjectionError, Projector};
use pulse_events::{Sequencer, Tail};
use pulse_store::Store;
use pulse_types::OrgId;
use tokio_util::sync::CancellationToken;

use crate::commands::stop;
use crate::exit::Failure;
use crate::graph_args::CopyArgs;
use crate::platform::Database;
use crate::settings::Settings;
use crate::terminal::{complain, say};

/// Compares, and repairs if `repair` says so; or reads everything anew where it says nothing.
pub(super) async fn run(args: CopyArgs, repair: Option<bool>, settings: &Settings) -> anyhow::Result<()> {
    let neo4j = settings.entities.neo4j.open().map_err(Failure::Setting)?.ok_or_else(|| {
        let problem = "entities.neo4j.uri is not set, so that there is no copy of the graph: set NEO4J_URI and NEO4J_PASSWORD";
        Failure::Setting(problem.to_owned())
    })?;
    let database = Database::open_or_join(&settings.database, &args.database.data_dir).await?;
    let store = database.store(settings);
    // Without a worker nobody else moves to the log what was written.
    let done_with = CancellationToken::new();
    let sequencer = tokio::spawn(Sequencer::new(store.clone()).run(done_with.clone()));
    let projector = Projector::new(store.clone(), Tail::new(&store).0, neo4j);
    let done = tokio::select! {
        done = carry_out(&args, repair, &projector) => done,
        stopped = stop::requested() => match stopped {
            Ok(()) => Err(anyhow::anyhow!("stopped; a part that was not read to its end is read again by itself")),
            Err(error) => Err(error),
        },
    };
    done_with.cancel();
    sequencer.await.context("moving events to the log failed")?;
    store.close().await;
    database.close().await;
    done
}

async fn carry_out(args: &CopyArgs, repair: Option<bool>, projector: &Projector) -> anyhow::Result<()> {
    let (only, bar) = (only(projector.store(), args).await?, bar()?);
    if let Some(repair) = repair {
        return verify(projector, only, repair, &bar).await;
    }
    let rebuilt = projector.rebuild(only, |progress| draw(&bar, progress)).await.map_err(failure)?;
    bar.finish_and_clear();
    say(&format!("{rebuilt} organizations: read anew"));
    Ok(())
}

async fn verify(
    projector: &Projector,
    only: Option<OrgId>,
    repair: bool,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let verified = projector.verify(only, |progress| draw(bar, progress)).await.map_err(failure)?;
    bar.finish_and_clear();
    let (organizations, things) = (verified.tenants, verified.things);
    let mut differences = verified.differences;
    tell(&differences);
    if repair && !differences.is_empty() {
        let mut tenants: Vec<OrgId> = differences.iter().map(|difference| difference.tenant).collect();
        tenants.dedup();
        differences.clear();
        for tenant in &tenants {
            projector.rebuild(Some(*tenant), |progress| draw(bar, progress)).await.map_err(failure)?;
            let again = projector.verify(Some(*tenant), |_| {}).await.map_err(failure)?;
            differences.extend(again.differences);
        }
        bar.finish_and_clear();
        say(&format!("{} organizations: read anew", tenants.len()));
        tell(&differences);
    }
    if !differences.is_empty() {
        return Err(Failure::GraphDiffers(differences.len()).into());
    }
    say(&format!(
        "{organizations} organizations, {things} entities and relationships: the copy is the same as the graph"
    ));
    Ok(())
}

fn tell(differences: &[Difference]) {
    for difference in differences {
        complain(&difference.to_string());
    }
}

/// The organization that was asked for.
async fn only(store: &Store, args: &CopyArgs) -> anyhow::Result<Option<OrgId>> {
    let Some(slug) = &args.org else { return Ok(None) };
    let org = pulse_accounts::organization_by_slug(store, slug).await?;
    Ok(Some(org.ok_or_else(|| Failure::NoOrganization(slug.clone()))?))
}

/// What cannot be done for want of another part is told apart from what is broken.
fn failure(error: ProjectionError) -> anyhow::Error {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    match error {
        ProjectionError::Neo4j(_) | ProjectionError::LogStands(_) | ProjectionError::LogDropped(_) => {
            Failure::NotReady(text).into()
        }
        ProjectionError::Store(error) => error.into(),
    }
}

/// A bar on standard error; it hides itself where that is no terminal.
fn bar() -> anyhow::Result<ProgressBar> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} organizations {elapsed} {msg}")?;
    Ok(ProgressBar::new(0).with_style(style))
}

fn draw(bar: &ProgressBar, Progress { tenant, done, of }: Progress) {
    bar.set_length(of as u64);
    bar.set_position(done as u64);
    bar.set_message(tenant.to_string());
}
