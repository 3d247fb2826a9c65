//! What is wrong with settings and a supergraph, or only suspicious, before a gateway serves with them.

mod online;
mod settings;

use std::fmt;

use pulse_types::Clock;
use serde::Serialize;

use crate::config::{GatewayConfig, spelled_alike};
use crate::ports::SupergraphSdl;
use crate::remote::subgraph_endpoints;
use crate::supergraph::{Loader, Subgraphs, SupergraphError};

pub use settings::{UnusableSettings, check_settings, check_standalone, check_usable};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A gateway serves, and perhaps not as it should.
    Warning,
    /// Requests will fail.
    Error,
}

/// Something that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The setting, subgraph or field that it is about.
    pub about: String,
    /// What it is, and what to do.
    pub message: String,
}

impl Finding {
    fn warning(about: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, about: about.into(), message: message.into() }
    }

    fn error(about: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, ..Self::warning(about, message) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{severity}: {}: {}", self.about, self.message)
    }
}

/// A supergraph that can be served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SupergraphReport {
    /// Its version.
    pub version: String,
    /// Its subgraphs.
    pub subgraphs: Vec<SubgraphReport>,
    /// How many root fields queries and mutations have.
    pub root_fields: usize,
    /// For how many of them an operation could be planned.
    pub planned: usize,
}

/// A subgraph of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubgraphReport {
    /// Its name.
    pub name: String,
    /// Where it is reached.
    pub url: String,
    /// Whether it answers; `None` when it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<bool>,
}

/// What came of looking at a supergraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The supergraph.
    pub supergraph: SupergraphReport,
    /// What is wrong or suspicious about it.
    pub findings: Vec<Finding>,
}

/// Loads a supergraph as a gateway would and plans an operation for each root field. With the time given, each subgraph is
/// asked whether it answers.
pub async fn check_supergraph(
    sdl: &SupergraphSdl,
    subgraphs: &Subgraphs,
    config: &GatewayConfig,
    online: Option<Clock>,
) -> Result<Check, SupergraphError> {
    let loader = Loader::new(subgraphs.clone(), config);
    let served = loader.load(sdl.clone()).await?;
    let probe = served.engine.probe().await;
    let endpoints =
        subgraph_endpoints(&sdl.sdl).map_err(|error| SupergraphError::Subgraphs(error.to_string()))?;
    let mut findings: Vec<_> = config
        .subgraph_urls
        .keys()
        .filter(|name| !endpoints.iter().any(|(known, _)| spelled_alike(known, name)))
        .map(|name| {
            let known: Vec<_> = endpoints.iter().map(|(known, _)| known.as_str()).collect();
            let text = format!("the supergraph has no such subgraph; it has {}", known.join(", "));
            Finding::warning(format!("gateway.subgraph_urls.{name}"), text)
        })
        .collect();
    findings.extend(probe.failed.iter().map(|(field, why)| {
        Finding::warning(field, format!("cannot be planned: {why}; compose the supergraph again"))
    }));
    let mut reports: Vec<_> = endpoints
        .into_iter()
        .map(|(name, url)| {
            let url = config.url_of(&name).map_or(url, str::to_owned);
            SubgraphReport { name, url, answers: None }
        })
        .collect();
    if let Some(clock) = online {
        findings.extend(online::ask(sdl, subgraphs, &mut reports, &clock).await);
    }
    let (root_fields, failed) = (probe.root_fields, probe.failed.len());
    let version = sdl.version.clone();
    let supergraph =
        SupergraphReport { version, subgraphs: reports, root_fields, planned: root_fields - failed };
    Ok(Check { supergraph, findings })
}
