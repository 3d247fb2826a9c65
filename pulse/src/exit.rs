//! What went wrong, for people on the terminal and for scripts by number.

use std::fmt::Write as _;
use std::process::ExitCode;

use pulse_config::ConfigError;
use pulse_migrations::MigrateError;
use pulse_postgres::{ClusterError, FetchError};
use pulse_telemetry::LogsError;

/// Failures of commands that scripts may want to tell apart. The codes of the embedded PostgreSQL (10 to 29) and of
/// migrations (30 to 39) stand with their errors; 2 is a wrong command line, 3 a wrong setting, 1 anything else.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A setting that cannot be.
    #[error("{0}")]
    Setting(String),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {problem}; stop what listens there or choose another with --listen")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system says.
        problem: std::io::Error,
    },
    /// No supergraph that can be served.
    #[error("{0}")]
    Supergraph(String),
    /// No such organization.
    #[error(
        "there is no organization {0:?}; create it with the mutation createOrganization, or check the slug"
    )]
    NoOrganization(String),
    /// An import left lines out.
    #[error("{0} lines were not imported; the report above says which and why")]
    BadLines(u64),
    /// A file is not what the program would write.
    #[error("{0}")]
    Drift(String),
    /// A process is not ready, or does not answer.
    #[error("{0}")]
    NotReady(String),
    /// A check that was asked to be strict found something suspicious.
    #[error("{0} warnings; without --strict they are no failure")]
    Warnings(usize),
    /// A schema changes in a way that breaks clients.
    #[error("{0} changes break clients")]
    Breaking(usize),
    /// A registry that cannot be reached, or does not answer who asks.
    #[error("the registry cannot be asked: {0}")]
    Registry(String),
    /// The audit is not as it was written.
    #[error("the audit is broken: {0}")]
    AuditBroken(String),
    /// Secrets need a key that is not there.
    #[error(
        "{0} secrets cannot be sealed anew: the log says which and why; keep every key of before configured"
    )]
    Unsealed(u64),
    /// A file of a graph cannot be read to its end.
    #[error("{0}")]
    UnreadableGraph(String),
    /// Something is there already, and different.
    #[error("{0}")]
    Conflict(String),
    /// Operations that cannot be sent.
    #[error("{0}")]
    Operations(String),
    /// The graph's copy is not the same as the graph.
    #[error("{0} differences; `pulse graph verify --repair` reads the parts that have some anew")]
    GraphDiffers(usize),
    /// A schema breaks rules of style that are errors.
    #[error("{0} errors of style")]
    Style(usize),
}

impl Failure {
    const fn code(&self) -> u8 {
        match self {
            Self::Setting(_) => 3,
            Self::Listen { .. } => 40,
            Self::Supergraph(_) => 41,
            Self::NoOrganization(_) => 42,
            Self::BadLines(_) => 43,
            Self::Drift(_) => 44,
            Self::NotReady(_) => 45,
            Self::Warnings(_) => 46,
            Self::Breaking(_) => 47,
            Self::Registry(_) => 48,
            Self::Style(_) => 49,
            Self::AuditBroken(_) => 50,
            Self::Unsealed(_) => 51,
            Self::UnreadableGraph(_) => 52,
            Self::Conflict(_) => 53,
            Self::GraphDiffers(_) => 54,
            Self::Operations(_) => 55,
        }
    }
}

/// Says what went wrong on standard error, with its causes, and gives the code for it.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    let (problem, code) = problem_and_code(error);
    crate::terminal::complain(&format!("error: {problem}"));
    ExitCode::from(code)
}

/// What went wrong, with its causes, and the code for it.
pub(crate) fn problem_and_code(error: &anyhow::Error) -> (String, u8) {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            write!(text, "\n  because: {cause}").expect("writing to a String cannot fail");
        }
    }
    (text, error.chain().find_map(code_of).unwrap_or(1))
}

fn code_of(error: &(dyn std::error::Error + 'static)) -> Option<u8> {
    let cluster = error.downcast_ref::<ClusterError>().map(ClusterError::exit_code);
    cluster
        .or_else(|| error.downcast_ref::<FetchError>().map(FetchError::exit_code))
        .or_else(|| error.downcast_ref::<MigrateError>().map(MigrateError::exit_code))
        .or_else(|| error.downcast_ref::<Failure>().map(Failure::code))
        .or_else(|| (error.is::<ConfigError>() || error.is::<LogsError>()).then_some(3))
}
