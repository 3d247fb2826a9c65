//! Under whose rights PostgreSQL runs: it refuses to be root.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{Uid, User, chown};

use crate::ClusterError;

/// The id that root appears as inside the user namespace; any but 0 will do.
const MAPPED_ID: &str = "65534";

/// The users looked for where namespaces are refused.
const USERS: [&str; 2] = ["pulse", "postgres"];

/// Whom PostgreSQL runs as.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RunAs {
    /// As Pulse's own user; where that is root, in a user namespace, so that files stay root's; where that is
    /// refused, as the user `pulse` or `postgres`.
    #[default]
    Auto,
    /// As this user. Pulse has to be root.
    User(String),
}

/// How PostgreSQL's programs are started.
#[derive(Debug, Clone)]
pub(crate) struct Runner {
    identity: Identity,
    /// Whether a program can be told to end when Pulse does (util-linux on Linux).
    ends_with_parent: bool,
}

#[derive(Debug, Clone)]
enum Identity {
    Own,
    Namespace,
    Other(Box<User>),
}

impl Runner {
    pub(crate) fn detect(run_as: &RunAs) -> Result<Self, ClusterError> {
        let identity = match run_as {
            RunAs::User(name) => Identity::Other(user(&[name])?),
            RunAs::Auto if !Uid::effective().is_root() => Identity::Own,
            RunAs::Auto if succeeds(&mut namespace("true")) => Identity::Namespace,
            RunAs::Auto => Identity::Other(user(&USERS)?),
        };
        let ends_with_parent = succeeds(Command::new("setpriv").args(["--pdeathsig", "keep", "true"]));
        Ok(Self { identity, ends_with_parent })
    }

    /// The command that starts `program` with nothing of Pulse's own environment, where passwords may be.
    /// With a signal's name it gets that signal when the starting thread ends.
    pub(crate) fn command(&self, program: &Path, parent_death_signal: Option<&str>) -> Command {
        let signal = parent_death_signal.filter(|_| self.ends_with_parent);
        let mut words = Vec::new();
        match &self.identity {
            Identity::Own => {}
            Identity::Namespace => words.extend(namespace_words()),
            Identity::Other(user) => {
                words.push("setpriv".to_owned());
                words.push(format!("--reuid={}", user.uid));
                words.push(format!("--regid={}", user.gid));
                words.push("--clear-groups".to_owned());
            }
        }
        if let Some(signal) = signal {
            // Entering the namespace would clear the signal, so this comes after it.
            if !matches!(self.identity, Identity::Other(_)) {
                words.push("setpriv".to_owned());
            }
            words.push(format!("--pdeathsig={signal}"));
        }
        let mut command = match words.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg("--").arg(program);
                command
            }
        };
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/sbin:/usr/bin:/sbin:/bin".into());
        command.env_clear().env("PATH", path).env("LC_ALL", "C").env("TZ", "UTC").stdin(Stdio::null());
        command
    }

    /// Whether root's own cache is likely out of reach.
    pub(crate) fn is_other_user(&self) -> bool {
        matches!(self.identity, Identity::Other(_))
    }

    /// Hands a file or folder to the user that PostgreSQL runs as.
    pub(crate) fn give(&self, path: &Path) -> Result<(), ClusterError> {
        let Identity::Other(user) = &self.identity else { return Ok(()) };
        chown(path, Some(user.uid), Some(user.gid))
            .map_err(|errno| ClusterError::Io { path: path.to_owned(), source: errno.into() })
    }

    /// Names the first folder on the way to `folder` that PostgreSQL could not enter, or `folder` itself if it
    /// could not write there.
    pub(crate) fn require_writable(&self, folder: &Path) -> Result<(), ClusterError> {
        self.require_reachable(folder)?;
        if matches!(self.identity, Identity::Own) || self.test("-w", folder) {
            Ok(())
        } else {
            Err(self.unreachable("write to", folder))
        }
    }

    /// Names the first folder on the way to `path` that PostgreSQL could not enter.
    pub(crate) fn require_reachable(&self, path: &Path) -> Result<(), ClusterError> {
        if matches!(self.identity, Identity::Own) || self.test("-x", path) {
            return Ok(());
        }
        let mut ancestors: Vec<_> = path.ancestors().collect();
        ancestors.reverse();
        let barred = ancestors.into_iter().find(|folder| !self.test("-x", folder)).unwrap_or(path);
        Err(self.unreachable("enter", barred))
    }

    fn test(&self, what: &str, path: &Path) -> bool {
        succeeds(self.command(Path::new("test"), None).arg(what).arg(path))
    }

    fn unreachable(&self, what: &'static str, folder: &Path) -> ClusterError {
        let user = match &self.identity {
            Identity::Own | Identity::Namespace => "root without its privileges".to_owned(),
            Identity::Other(user) => format!("the user {}", user.name),
        };
        ClusterError::Unreachable { user, what, folder: PathBuf::from(folder) }
    }
}

fn user(names: &[&str]) -> Result<Box<User>, ClusterError> {
    names
        .iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .map(Box::new)
        .ok_or_else(|| ClusterError::NoUser { wanted: names.join(" or ") })
}

fn namespace_words() -> [String; 4] {
    let map_user = format!("--map-user={MAPPED_ID}");
    let map_group = format!("--map-group={MAPPED_ID}");
    ["unshare".to_owned(), "--user".to_owned(), map_user, map_group]
}

fn namespace(program: &str) -> Command {
    let [first, rest @ ..] = namespace_words();
    let mut command = Command::new(first);
    command.args(rest).arg("--").arg(program);
    command
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
