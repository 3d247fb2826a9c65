//! Going back to a former supergraph.

use pulse_graphql::Error;
use pulse_store::Session;
use pulse_types::Permission;

use super::publish::Stored;
use super::standing::no_variant;
use super::{Published, VersionError, fact, repo};
use crate::composer::{Changes, Composed, Composer, changes};
use crate::composition::{self, CompositionCause, CompositionState, NewComposition};
use crate::target::Target;
use crate::variant;

/// Has gateways serve a former supergraph again, with the schemas that it was made of. Nothing is composed: it was good.
pub(crate) async fn roll_back(
    session: &Session,
    composer: &Composer,
    target: &Target,
    number: Option<i64>,
) -> Result<Published, Error<VersionError>> {
    let org = session.caller().require(&Permission::SCHEMA_MANAGE)?;
    let row = variant::repo::find(session, target).await?;
    let current = row.and_then(|row| row.current).ok_or_else(|| no_variant("variant", target))?;
    let former = match number {
        Some(number) => composition::repo::find_number(session, target, number).await?,
        None => composition::repo::find_before(session, target, current).await?,
    };
    let former = former.filter(|row| row.state == CompositionState::Composed).ok_or_else(|| {
        let Target { environment, variant } = target.clone();
        VersionError::NoComposition { environment, variant, number: number.unwrap_or_default() }
    })?;
    let mut supergraphs = composition::repo::supergraphs(session, &[current, former.id]).await?;
    let supergraph = supergraphs.remove(&former.id);
    let changes = match (supergraphs.remove(&current), supergraph.clone()) {
        (Some(old), Some(new)) => composer.run(move || changes(&old, &new)).await?,
        _ => Changes::default(),
    };
    let parts = repo::parts(session, former.id).await?;
    let outcome = Composed { supergraph, diagnostics: Vec::new(), changes };
    let mut write = session.write().await?;
    let row =
        variant::repo::lock_in_tx(&mut write, target).await?.ok_or_else(|| no_variant("variant", target))?;
    let cause = CompositionCause::Rollback;
    let restored = Some(former.id);
    let made = NewComposition { target, cause, subgraph: None, restored, composed: &outcome };
    let parts = parts.into_iter().map(|part| (part.subgraph, part.id)).collect();
    let stored = Stored { org, actor: session.caller().actor(), made, parts, lifetime: None };
    let (composition, variant) = stored.in_tx(&mut write, &row).await?;
    let key = composition.id.uuid();
    write.commit(fact("schema:roll_back", composition::SUBJECT, key)).await?;
    Ok(Published { version: None, composition, variant, is_unchanged: false })
}
