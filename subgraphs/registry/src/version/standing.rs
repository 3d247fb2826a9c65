//! What a variant is made of before something changes.

use pulse_graphql::Error;
use pulse_schema::SubgraphSdl;
use pulse_store::Session;
use pulse_types::SchemaVersionId;

use super::{PartSdl, VersionError, repo};
use crate::composition;
use crate::target::Target;
use crate::variant::{self, VariantRow};

/// What a variant has: its own schemas, those of its base, and the supergraph of both.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    /// None before the first schema is published to it.
    pub(crate) variant: Option<VariantRow>,
    pub(crate) parts: Vec<PartSdl>,
    /// What gateways serve, or would serve of its base.
    pub(crate) supergraph: Option<String>,
}

impl Standing {
    /// Reads it. `base` is that of a variant which is not there yet.
    pub(crate) async fn read(
        session: &Session,
        target: &Target,
        base: Option<&str>,
    ) -> Result<Self, Error<VersionError>> {
        let variant = variant::repo::find(session, target).await?;
        let current = variant.as_ref().and_then(|row| row.current);
        let mut parts = match current {
            Some(current) => repo::parts(session, current).await?,
            None => Vec::new(),
        };
        let mut shown = current;
        let base = variant.as_ref().map_or(base, |row| row.base.as_deref());
        if let Some(base) = base {
            // What it has of its base is taken from there again.
            parts.retain(|part| part.variant == target.variant);
            let below = Target { variant: base.to_owned(), ..target.clone() };
            let below_current = variant::repo::find(session, &below).await?.and_then(|row| row.current);
            let below_current = below_current.ok_or_else(|| no_variant("base", &below))?;
            let others = repo::parts(session, below_current).await?;
            let is_own = |part: &PartSdl| parts.iter().any(|own| own.subgraph == part.subgraph);
            let others: Vec<_> = others.into_iter().filter(|part| !is_own(part)).collect();
            parts.extend(others);
            shown = shown.or(Some(below_current));
        }
        let supergraph = match shown {
            Some(shown) => composition::repo::supergraphs(session, &[shown]).await?.remove(&shown),
            None => None,
        };
        Ok(Self { variant, parts, supergraph })
    }

    /// The number of its latest composition.
    pub(crate) fn number(&self) -> i64 {
        self.variant.as_ref().map_or(0, |row| row.number)
    }

    /// What it has of a subgraph.
    pub(crate) fn part(&self, subgraph: &str) -> Option<&PartSdl> {
        self.parts.iter().find(|part| part.subgraph == subgraph)
    }

    /// The other subgraphs, to be composed.
    pub(crate) fn others(&self, subgraph: &str) -> Vec<SubgraphSdl> {
        let others = self.parts.iter().filter(|part| part.subgraph != subgraph);
        others
            .map(|part| SubgraphSdl {
                name: part.subgraph.clone(),
                url: part.url.clone(),
                sdl: part.sdl.clone(),
            })
            .collect()
    }

    /// The other subgraphs, by their versions.
    pub(crate) fn other_versions(&self, subgraph: &str) -> Vec<(String, SchemaVersionId)> {
        let others = self.parts.iter().filter(|part| part.subgraph != subgraph);
        others.map(|part| (part.subgraph.clone(), part.id)).collect()
    }
}

pub(super) fn no_variant(argument: &'static str, target: &Target) -> VersionError {
    let Target { environment, variant } = target.clone();
    VersionError::NoVariant { argument, environment, variant }
}
