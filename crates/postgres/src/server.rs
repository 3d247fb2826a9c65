//! The running server: a child process and the thread that watches it.

use std::io;
use std::process::{Command, ExitStatus};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::watch;

use crate::folder::POLL;

/// How long a shutdown may take before the next, harder signal.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) struct Server {
    pid: i32,
    status: watch::Receiver<Option<ExitStatus>>,
    watcher: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts the command on a thread of its own: the signal for a parent's death comes when the starting
    /// *thread* ends, and this one lives as long as the server and Pulse both do.
    pub(crate) fn spawn(mut command: Command) -> io::Result<Self> {
        let (started, pid) = mpsc::sync_channel(1);
        let (ended, status) = watch::channel(None);
        let watcher = std::thread::Builder::new().name("postgres".to_owned()).spawn(move || {
            let mut child = match command.spawn() {
                Ok(child) => child,
                Err(error) => {
                    let _ = started.send(Err(error));
                    return;
                }
            };
            let _ = started.send(Ok(child.id()));
            if let Ok(status) = child.wait() {
                let _ = ended.send(Some(status));
            }
        })?;
        let pid = pid.recv().map_err(io::Error::other)??;
        let pid = i32::try_from(pid).map_err(io::Error::other)?;
        Ok(Self { pid, status, watcher: Some(watcher) })
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        *self.status.borrow()
    }

    /// Waits until it ends.
    pub(crate) async fn wait(&self) -> Option<ExitStatus> {
        let mut status = self.status.clone();
        let ended = status.wait_for(Option::is_some).await;
        ended.ok().and_then(|status| *status)
    }

    /// Ends it: politely with `first`, then without its taking leave, then by force.
    pub(crate) async fn stop(mut self, first: Signal) {
        for signal in [first, Signal::SIGQUIT, Signal::SIGKILL] {
            self.signal(signal);
            if tokio::time::timeout(PATIENCE, self.wait()).await.is_ok() {
                break;
            }
        }
        self.watcher.take();
    }

    /// The same, blocking, for `Drop`.
    pub(crate) fn stop_blocking(&mut self, first: Signal) {
        let Some(watcher) = self.watcher.take() else { return };
        for signal in [first, Signal::SIGQUIT, Signal::SIGKILL] {
            self.signal(signal);
            let since = Instant::now();
            while since.elapsed() < PATIENCE && !watcher.is_finished() {
                std::thread::sleep(POLL);
            }
            if watcher.is_finished() {
                break;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        if self.ended().is_none() {
            let _ = kill(Pid::from_raw(self.pid), signal);
        }
    }
}
