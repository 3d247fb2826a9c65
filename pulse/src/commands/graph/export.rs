//! `pulse graph export`.

use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use pulse_entities::export::{Exported, Output, Part, Sink, export};
use pulse_store::Store;
use pulse_types::{Caller, RequestId};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;

use crate::commands::stop;
use crate::exit::Failure;
use crate::graph_args::ExportArgs;
use crate::platform::Database;
use crate::settings::Settings;
use crate::terminal::complain;

pub(super) async fn run(args: ExportArgs, settings: &Settings) -> anyhow::Result<()> {
    let database = Database::open_or_join(&settings.database, &args.database.data_dir).await?;
    let exported = tokio::select! {
        exported = export_from(&database, &args, settings) => exported,
        stopped = stop::requested() => match stopped {
            Ok(()) => Err(anyhow::anyhow!("stopped; nothing is at the place of the export")),
            Err(error) => Err(error),
        },
    };
    database.close().await;
    let Exported { entities, relationships, bytes } = exported?;
    // Standard output may be the export itself.
    complain(&format!("{entities} entities and {relationships} relationships exported, {bytes} bytes"));
    Ok(())
}

async fn export_from(
    database: &Database,
    args: &ExportArgs,
    settings: &Settings,
) -> anyhow::Result<Exported> {
    let store: Store = database.store(settings);
    let org = pulse_accounts::organization_by_slug(&store, &args.org).await?;
    let org = org.ok_or_else(|| Failure::NoOrganization(args.org.clone()))?;
    let session = store.session(Arc::new(Caller::system(org, RequestId::new(store.clock().now()))));
    let mut place = Place::open(args).await?;
    let bar = ProgressBar::new_spinner();
    let bar = bar.with_style(ProgressStyle::with_template("{spinner} {elapsed} {msg}")?);
    let exported = export(&session, args.format.into(), &mut place, |exported| {
        bar.tick();
        bar.set_message(format!("{} entities, {} relationships", exported.entities, exported.relationships));
    });
    let exported = exported.await?;
    bar.finish_and_clear();
    session.forget().await;
    store.close().await;
    place.finish().await?;
    Ok(exported)
}

/// Where the export goes: beside its place until it is whole.
enum Place {
    Output(File),
    File(Beside),
    /// A table each.
    Folder(Beside, Beside),
}

struct Beside {
    file: File,
    partial: PathBuf,
    place: PathBuf,
}

impl Place {
    async fn open(args: &ExportArgs) -> anyhow::Result<Self> {
        let Some(path) = &args.file else {
            let output = io::stdout().as_fd().try_clone_to_owned()?;
            return Ok(Self::Output(File::from_std(std::fs::File::from(output))));
        };
        if Output::from(args.format) != Output::Csv {
            return Ok(Self::File(Beside::create(path.clone()).await?));
        }
        fs::create_dir_all(path).await.with_context(|| format!("cannot make {}", path.display()))?;
        let entities = Beside::create(path.join("entities.csv")).await?;
        let relationships = Beside::create(path.join("relationships.csv")).await?;
        Ok(Self::Folder(entities, relationships))
    }

    async fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Output(mut output) => Ok(output.flush().await?),
            Self::File(file) => file.finish().await,
            Self::Folder(entities, relationships) => {
                entities.finish().await?;
                relationships.finish().await
            }
        }
    }
}

impl Sink for Place {
    async fn write(&mut self, part: Part, bytes: &[u8]) -> io::Result<()> {
        let file = match (self, part) {
            (Self::Output(output), _) => output,
            (Self::File(file) | Self::Folder(file, _), Part::Entities) | (Self::File(file), _) => {
                &mut file.file
            }
            (Self::Folder(_, file), Part::Relationships) => &mut file.file,
        };
        file.write_all(bytes).await
    }
}

impl Beside {
    async fn create(place: PathBuf) -> anyhow::Result<Self> {
        let mut name = place.file_name().context("the place of an export is a file")?.to_owned();
        name.push(".partial");
        let partial = place.with_file_name(name);
        let file = File::create(&partial).await;
        let file = file.with_context(|| format!("cannot write {}", partial.display()))?;
        Ok(Self { file, partial, place })
    }

    async fn finish(mut self) -> anyhow::Result<()> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        let cannot = || format!("cannot write {}", self.place.display());
        fs::rename(&self.partial, &self.place).await.with_context(cannot)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // After it was finished there is none.
        let _gone = std::fs::remove_file(&self.partial);
    }
}
