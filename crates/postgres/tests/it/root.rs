//! Pulse as root where user namespaces are refused. Only root can try it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use nix::unistd::Uid;
use pulse_postgres::{Cluster, ClusterOptions, Distribution, FetchOptions, RunAs};

use crate::servers::{ask, options, refusal};

fn as_nobody(folder: &Path) -> ClusterOptions {
    ClusterOptions { run_as: RunAs::User("nobody".to_owned()), ..options(folder) }
}

/// PostgreSQL's programs where everybody can reach them.
async fn open_distribution(place: &Path) -> anyhow::Result<Distribution> {
    fs::set_permissions(place, fs::Permissions::from_mode(0o755))?;
    let kept = Distribution::ensure(&FetchOptions::from_env()).await?;
    let open = place.join("programs");
    let status =
        std::process::Command::new("cp").arg("--recursive").arg(kept.folder()).arg(&open).status()?;
    anyhow::ensure!(status.success(), "cp: {status}");
    Ok(Distribution::in_folder(open))
}

#[tokio::test]
async fn dedicated_user_runs_the_server_and_owns_its_data() -> anyhow::Result<()> {
    if !Uid::effective().is_root() {
        return Ok(());
    }
    let place = tempfile::tempdir()?;
    let distribution = Some(open_distribution(place.path()).await?);
    let folder = place.path().join("cluster");
    for _ in ["made", "found"] {
        let options = ClusterOptions { distribution: distribution.clone(), ..as_nobody(&folder) };
        let cluster = Cluster::start(options).await?;
        assert_eq!(ask(&cluster, "SELECT 'answered'").await?, "answered");
        cluster.stop().await;
    }
    assert_ne!(fs::metadata(folder.join("data"))?.uid(), 0);
    Ok(())
}

#[tokio::test]
async fn data_folder_out_of_the_users_reach_is_named() -> anyhow::Result<()> {
    if !Uid::effective().is_root() {
        return Ok(());
    }
    let place = tempfile::tempdir()?;
    let distribution = Some(open_distribution(place.path()).await?);
    let closed = place.path().canonicalize()?.join("closed");
    fs::create_dir(&closed)?;
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700))?;
    let error = refusal(ClusterOptions { distribution, ..as_nobody(&closed.join("deeper/cluster")) }).await;
    assert_eq!(error.exit_code(), 14);
    let expected = format!(
        "PostgreSQL must not run as root, so it runs as the user nobody, who cannot enter the folder {}; give that \
         user the right, or choose another place with --data-dir (data) or XDG_CACHE_HOME (programs)",
        closed.display()
    );
    assert_eq!(error.to_string(), expected);
    Ok(())
}

#[tokio::test]
async fn missing_user_is_named() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let run_as = RunAs::User("no-such-user".to_owned());
    let error = refusal(ClusterOptions { run_as, ..options(place.path()) }).await;
    assert_eq!(error.exit_code(), 15);
    assert!(error.to_string().contains("there is no user no-such-user"), "{error}");
    Ok(())
}

#[tokio::test]
async fn files_stay_roots_in_a_user_namespace() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    Cluster::start(options(place.path())).await?.stop().await;
    assert_eq!(fs::metadata(place.path().join("data/base"))?.uid(), Uid::effective().as_raw());
    Ok(())
}
