//! Pulse killed with -9: nothing of it can clean up.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use pulse_postgres::{Cluster, ClusterOptions, Distribution, FetchOptions};

use crate::servers::{ask, execute, options};

const HOLD: &str = "PULSE_TEST_HOLD_CLUSTER";

/// Not a test by itself: the process that the next test starts, and kills.
#[tokio::test]
async fn process_that_holds_a_cluster() -> anyhow::Result<()> {
    let Some(folder) = std::env::var_os(HOLD) else { return Ok(()) };
    let cluster = Cluster::start(ClusterOptions { durable: true, ..options(folder.as_ref()) }).await?;
    execute(&cluster, "CREATE TABLE kept AS SELECT 'committed'::text AS word").await?;
    eprintln!("holding {}", cluster.pid().expect("it runs"));
    cluster.ended().await;
    Ok(())
}

/// A process with a running cluster that committed something, and the server's process id.
fn holder(folder: &Path) -> anyhow::Result<(Child, i32)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--exact", "killed::process_that_holds_a_cluster", "--nocapture"])
        .env(HOLD, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let output = BufReader::new(child.stderr.take().expect("it is piped"));
    for line in output.lines() {
        if let Some(pid) = line?.strip_prefix("holding ") {
            return Ok((child, pid.parse()?));
        }
    }
    anyhow::bail!("the process ended without a cluster: {}", child.wait()?)
}

#[tokio::test]
async fn cluster_of_a_killed_pulse_starts_again_with_what_was_committed() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let (mut child, _) = holder(place.path())?;
    child.kill()?;
    child.wait()?;
    let cluster = Cluster::start(options(place.path())).await?;
    assert_eq!(ask(&cluster, "SELECT word FROM kept").await?, "committed");
    cluster.stop().await;
    Ok(())
}

#[tokio::test]
async fn cluster_whose_server_was_killed_too_starts_again() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let (mut child, server) = holder(place.path())?;
    kill(Pid::from_raw(server), Signal::SIGKILL)?;
    child.kill()?;
    child.wait()?;
    let cluster = Cluster::start(options(place.path())).await?;
    assert_eq!(ask(&cluster, "SELECT word FROM kept").await?, "committed");
    cluster.stop().await;
    Ok(())
}

#[tokio::test]
async fn server_left_running_is_stopped_and_replaced() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    Cluster::start(options(place.path())).await?.stop().await;
    let distribution = Distribution::ensure(&FetchOptions::from_env()).await?;
    let data = place.path().canonicalize()?.join("data");
    // As on systems without a signal for a parent's death.
    let mut command = Command::new("env");
    if Uid::effective().is_root() {
        command.args(["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"]);
    }
    let mut left_behind = command
        .arg(distribution.program("postgres"))
        .arg("-D")
        .arg(&data)
        .args(["-c", "listen_addresses=", "-c"])
        .arg(format!("unix_socket_directories={}", place.path().join("run").display()))
        .stderr(Stdio::piped())
        .spawn()?;
    let mut log = BufReader::new(left_behind.stderr.take().expect("it is piped")).lines();
    let ready = log.find(|line| line.as_ref().is_ok_and(|line| line.contains("ready to accept connections")));
    assert!(ready.is_some());
    // It is our child, and would stay a zombie that looks alive until it is waited for.
    let waiter = std::thread::spawn(move || left_behind.wait());

    let cluster = Cluster::start(options(place.path())).await?;
    assert!(waiter.join().expect("waiting does not panic")?.success());
    assert_eq!(ask(&cluster, "SELECT 'answered'").await?, "answered");
    cluster.stop().await;
    Ok(())
}

#[tokio::test]
async fn stale_pid_file_with_another_programs_number_does_not_matter() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    Cluster::start(options(place.path())).await?.stop().await;
    let data = place.path().join("data");
    fs::write(data.join("postmaster.pid"), format!("1\n{}\n0\n5432\n\n\n\nready\n", data.display()))?;
    let cluster = Cluster::start(options(place.path())).await?;
    assert_eq!(ask(&cluster, "SELECT 'answered'").await?, "answered");
    cluster.stop().await;
    Ok(())
}
