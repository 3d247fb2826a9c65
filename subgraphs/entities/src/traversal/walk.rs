//! Which engine a walk goes through.

use pulse_store::{Session, StoreError};
use pulse_types::EntityId;

use super::{Budget, CutOff, Edges, Following, Met, Stored};
use crate::neo4j::{IS_TOLD, Neo4j, Neo4jError, Projected, SUBJECTS};

/// A walk of one caller: through Neo4j where its copy is the same as what the caller's snapshot of PostgreSQL has, and that is known
/// to have been so until the walk was over; else through PostgreSQL. Whoever walks cannot tell which it was.
///
/// ```text
/// loop { let walked = reach(&walk, …).await; if let Some(found) = walk.settle(walked, &budget).await? { break found } }
/// ```
pub(crate) struct Walk<'s> {
    session: &'s Session,
    /// The copy that may be asked for, before the walk begins.
    neo4j: Option<&'s Neo4j>,
    projected: Option<Projected>,
}

/// Why a hop could not be read.
#[derive(Debug)]
pub(crate) enum WalkError {
    Stored(StoreError),
    Projected(Neo4jError),
}

impl<'s> Walk<'s> {
    /// A walk that has not begun. Callers who do not see all of the tenant walk through PostgreSQL, which leaves out for them what
    /// they may not see (ADR 39).
    pub(crate) fn new(session: &'s Session, neo4j: Option<&'s Neo4j>) -> Self {
        let sees_all = !session.caller().is_narrowed();
        Self { session, neo4j: neo4j.filter(|_| sees_all), projected: None }
    }

    /// Chooses the engine. To be called once, before the first hop.
    pub(crate) async fn choose(mut self) -> Result<Self, StoreError> {
        let (Some(neo4j), Some(tenant)) = (self.neo4j, self.session.caller().org) else { return Ok(self) };
        if !neo4j.is_worth_asking() {
            fell_back("left_alone");
            return Ok(self);
        }
        let log = neo4j.log_of(self.session.store()).await?;
        match Projected::begin(neo4j, log, tenant).await {
            Ok(Some(projected)) if self.is_told(&projected).await? => self.projected = Some(projected),
            Ok(_) => fell_back("behind"),
            Err(error) => self.failed(&error),
        }
        Ok(self)
    }

    /// Whether it goes through Neo4j.
    #[cfg(test)]
    pub(crate) const fn is_projected(&self) -> bool {
        self.projected.is_some()
    }

    /// Whether the copy is of the very state that the session's snapshot has.
    async fn is_told(&self, projected: &Projected) -> Result<bool, StoreError> {
        let standing = projected.standing();
        let told = sqlx::query_as::<_, (bool,)>(IS_TOLD)
            .bind(SUBJECTS.map(str::to_owned).to_vec())
            .bind(standing.applied)
            .bind(standing.seen);
        let (told,) = self.session.fetch_one("traversal.is_told", told).await?;
        Ok(told)
    }

    /// What was found, if the engine could be relied on until now. `None` when it could not: then the walk is to be made again,
    /// and goes through PostgreSQL.
    pub(crate) async fn settle<T>(
        &mut self,
        walked: Result<T, WalkError>,
        budget: &Budget,
    ) -> Result<Option<T>, StoreError> {
        let Some(projected) = self.projected.take() else {
            return match walked {
                Ok(found) => {
                    metrics::counter!("pulse_graph_walks_total", "engine" => "postgresql").increment(1);
                    Ok(Some(found))
                }
                Err(WalkError::Stored(error)) => Err(error),
                Err(WalkError::Projected(error)) => {
                    self.failed(&error);
                    Ok(None)
                }
            };
        };
        let found = match walked {
            Ok(found) => found,
            Err(WalkError::Stored(error)) => return Err(error),
            Err(WalkError::Projected(Neo4jError::TimedOut(_))) => {
                fell_back("slow");
                return Ok(None);
            }
            Err(WalkError::Projected(error)) => {
                self.failed(&error);
                return Ok(None);
            }
        };
        if budget.cut_off() == Some(CutOff::Time) {
            fell_back("slow");
            return Ok(None);
        }
        match projected.is_unchanged().await {
            Ok(true) => {
                metrics::counter!("pulse_graph_walks_total", "engine" => "neo4j").increment(1);
                Ok(Some(found))
            }
            Ok(false) => {
                fell_back("changed");
                Ok(None)
            }
            Err(error) => {
                self.failed(&error);
                Ok(None)
            }
        }
    }

    fn failed(&self, error: &Neo4jError) {
        fell_back("failed");
        if let Some(neo4j) = self.neo4j {
            neo4j.leave_alone();
        }
        let error = error as &dyn std::error::Error;
        tracing::warn!(error, "walks go through PostgreSQL for a while");
    }
}

/// Counts a walk that could not go through Neo4j, by why.
fn fell_back(why: &'static str) {
    metrics::counter!("pulse_graph_walks_not_in_neo4j_total", "why" => why).increment(1);
}

impl Edges for Walk<'_> {
    type Error = WalkError;

    async fn of(
        &self,
        entities: &[EntityId],
        following: &Following,
        limit: usize,
    ) -> Result<Vec<Met>, WalkError> {
        match &self.projected {
            Some(projected) => projected.of(entities, following, limit).await.map_err(WalkError::Projected),
            None => Stored::of(self.session).of(entities, following, limit).await.map_err(WalkError::Stored),
        }
    }
}
