//! `pulse dev`: the whole platform on this machine.

use std::io;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pulse_gateway::{PlanExposure, ServerConfig, serve};
use pulse_postgres::ClusterError;
use pulse_telemetry::{Metrics, init_logs};
use pulse_tokens::AccessTokens;
use pulse_types::Secret;
use rand::RngCore;

use super::{serve as roles, stop};
use crate::cli::DevArgs;
use crate::exit::Failure;
use crate::platform::{Database, Platform, demo, signing_tokens, write_private};
use crate::settings::Settings;
use crate::terminal::{complain, say};

pub(super) async fn run(args: DevArgs, mut settings: Settings) -> anyhow::Result<()> {
    if args.demo && !args.listen.ip().is_loopback() {
        let problem = "--demo makes a login that everybody knows, so it needs a loopback address: leave out --listen, or --demo";
        return Err(Failure::Setting(problem.to_owned()).into());
    }
    // On one's own machine the plan is for everybody who asks.
    settings.gateway.expose_plan = PlanExposure::All;
    init_logs(&settings.telemetry)?;
    let started = Instant::now();
    let listener = roles::listen(args.listen).await?;
    if args.reset {
        reset(&args.data_dir, &settings)?;
    }
    let mail = &mut settings.accounts.mail;
    if mail.folder.as_os_str().is_empty() {
        mail.folder = args.data_dir.join("mail");
    }
    if settings.files.folder.as_os_str().is_empty() {
        settings.files.folder = args.data_dir.join("files");
    }
    let database = Database::open(&settings.database, &args.data_dir).await?;
    let unusable = |source| ClusterError::Io { path: args.data_dir.clone(), source };
    database.publish(&args.data_dir).map_err(unusable)?;
    let key = kept_key(&args.data_dir, "encryption-key", settings.secrets.encryption_key.take())?;
    settings.secrets.encryption_key = Some(key);
    let served = tokio::select! {
        served = serve_on(&database, listener, &args, &settings, started) => served,
        () = database.lost() => Err(anyhow::anyhow!("the private PostgreSQL ended; its log is in {}", args.data_dir.join("postgres").display())),
    };
    database.close().await;
    served
}

async fn serve_on(
    database: &Database,
    listener: tokio::net::TcpListener,
    args: &DevArgs,
    settings: &Settings,
    started: Instant,
) -> anyhow::Result<()> {
    let metrics = Metrics::install()?;
    let prepare = async {
        database.migrate().await?;
        let tokens = tokens(&args.data_dir, settings)?;
        let platform = Platform::start(database, &tokens, settings, Some(metrics)).await?;
        if args.demo {
            complain("loading the demo data …");
        }
        let login = if args.demo {
            Some(demo::load(&platform, &tokens, settings).await.context("the demo data cannot be loaded")?)
        } else {
            None
        };
        anyhow::Ok((platform, login))
    };
    let (platform, login) = tokio::select! {
        prepared = prepare => prepared?,
        stopped = stop::requested() => return stopped,
    };
    let url = format!("http://{}/graphql", listener.local_addr()?);
    announce(&url, login.as_ref(), started);
    let stopped = async {
        if let Err(error) = stop::requested().await {
            tracing::error!(%error, "signals cannot be waited for");
        }
        platform.gateway.begin_to_stop();
        complain("stopping …");
    };
    serve(listener, platform.router, ServerConfig::from(&settings.gateway), stopped).await?;
    platform.background.stop().await;
    Ok(())
}

/// Deletes the private cluster's data. A server that was named is not ours to empty.
fn reset(data_dir: &Path, settings: &Settings) -> anyhow::Result<()> {
    if !settings.database.url.expose().is_empty() {
        let problem = "--reset deletes the private PostgreSQL's data, and DATABASE_URL names another server: empty that one with `pulse migrate down`";
        return Err(Failure::Setting(problem.to_owned()).into());
    }
    pulse_postgres::Cluster::remove_data(&data_dir.join("postgres"))?;
    let files = data_dir.join("files");
    match std::fs::remove_dir_all(&files) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(ClusterError::Io { path: files, source }.into())
        }
        _ => Ok(()),
    }
}

/// The configured signing key, or the one of the data folder.
fn tokens(data_dir: &Path, settings: &Settings) -> anyhow::Result<AccessTokens> {
    signing_tokens(Some(&kept_key(data_dir, "signing-key", settings.secrets.signing_key.clone())?))
}

/// Takes the encryption key that a `pulse dev` keeps in its data folder, if none is configured and there is one.
pub(super) fn find_key(data_dir: &Path, settings: &mut Settings) -> anyhow::Result<()> {
    if settings.secrets.encryption_key.is_none() && data_dir.join("encryption-key").is_file() {
        settings.secrets.encryption_key = Some(kept_key(data_dir, "encryption-key", None)?);
    }
    Ok(())
}

/// The configured key, or the one kept in this file of the data folder, made there at the first start.
pub(super) fn kept_key(
    data_dir: &Path,
    file: &str,
    configured: Option<Secret>,
) -> Result<Secret, ClusterError> {
    if let Some(key) = configured {
        return Ok(key);
    }
    let path = data_dir.join(file);
    let unusable = |source: io::Error| ClusterError::Io { path: path.clone(), source };
    match std::fs::read_to_string(&path) {
        Ok(key) => Ok(Secret::new(key)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut key = [0; 32];
            rand::rng().fill_bytes(&mut key);
            let key = STANDARD.encode(key);
            std::fs::create_dir_all(data_dir).map_err(unusable)?;
            write_private(&path, &key).map_err(unusable)?;
            Ok(Secret::new(key))
        }
        Err(error) => Err(unusable(error)),
    }
}

fn announce(url: &str, login: Option<&demo::Login>, started: Instant) {
    say(&format!("\nPulse is ready at {url} ({:.1} s)", started.elapsed().as_secs_f64()));
    match login {
        None => say(
            "Open it in a browser, or register with the mutation `register`. `--demo` brings data and a login.",
        ),
        Some(login) => say(&format!(
            "\nDemo login     {} / {}\nOrganization   {}\n\nTry it:\n\n{}\n",
            login.email,
            login.password,
            login.organization,
            demo::example(url, login)
        )),
    }
    say("Ctrl-C stops it.");
}
