//! Publishing and removing: what changes what a variant is made of.

use chrono::TimeDelta;
use pulse_graphql::Error;
use pulse_schema::SubgraphSdl;
use pulse_store::{Session, Write};
use pulse_types::{CompositionId, OrgId, Permission, SchemaVariantId, SchemaVersionId, UserId};

use super::standing::Standing;
use super::{VersionError, VersionRow, VersionState, fact, published, repo};
use crate::composer::{self, Composer};
use crate::composition::{self, CompositionCause, CompositionRow, CompositionState, NewComposition};
use crate::target::{Target, check_subgraph};
use crate::variant::repo::{MOST_ENVIRONMENTS, MOST_VARIANTS};
use crate::variant::{self, VariantRow};

/// A schema has at most so many bytes.
pub(crate) const LONGEST_SDL: usize = 1_000_000;

/// A variant is made of at most so many subgraphs.
const MOST_SUBGRAPHS: usize = 200;

/// A variant that goes by itself lives so long at most.
const LONGEST_LIFE: TimeDelta = TimeDelta::days(90);

/// So often it is tried again when others publish to the same variant at the same time.
const ATTEMPTS: usize = 5;

/// A schema that is to be published.
#[derive(Debug, Clone)]
pub(crate) struct NewVersion {
    pub(crate) target: Target,
    pub(crate) subgraph: String,
    /// As before, if it is left out.
    pub(crate) url: Option<String>,
    pub(crate) sdl: String,
    pub(crate) revision: Option<String>,
    pub(crate) message: Option<String>,
    /// The variant that a new one stands on.
    pub(crate) base: Option<String>,
    /// After which the variant goes by itself.
    pub(crate) lifetime: Option<TimeDelta>,
}

/// What came of publishing.
#[derive(Debug)]
pub(crate) struct Published {
    /// None where a subgraph was removed.
    pub(crate) version: Option<VersionRow>,
    pub(crate) composition: CompositionRow,
    pub(crate) variant: VariantRow,
    /// Whether it is what was published before.
    pub(crate) is_unchanged: bool,
}

/// Publishes a schema. One that does not compose with the others is kept as failed, and gateways go on with what they have.
pub(crate) async fn publish(
    session: &Session,
    composer: &Composer,
    mut new: NewVersion,
) -> Result<Published, Error<VersionError>> {
    let org = session.caller().require(&Permission::SCHEMA_PUBLISH)?;
    new.check()?;
    let url = new.url.take();
    for _ in 0..ATTEMPTS {
        session.forget().await;
        let standing = Standing::read(session, &new.target, new.base.as_deref()).await?;
        let before = standing.part(&new.subgraph);
        new.url = url.clone().or_else(|| before.and_then(|part| part.url.clone()));
        if let Some(published) = unchanged(session, &standing, &new).await? {
            return Ok(published);
        }
        if before.is_none() && standing.parts.len() >= MOST_SUBGRAPHS {
            return Err(VersionError::TooManySubgraphs(MOST_SUBGRAPHS).into());
        }
        let mut subgraphs = standing.others(&new.subgraph);
        let NewVersion { subgraph, url, sdl, .. } = new.clone();
        subgraphs.push(SubgraphSdl { name: subgraph, url, sdl });
        // Nothing is held while it is composed.
        session.forget().await;
        let outcome = composer.compose(subgraphs, standing.supergraph.clone()).await?;
        let Some((mut write, row)) = begin(session, org, &new, &standing).await? else { continue };
        let actor = session.caller().actor();
        let (target, subgraph) = (&new.target, Some(new.subgraph.as_str()));
        let cause = CompositionCause::Publish;
        let made = NewComposition { target, cause, subgraph, restored: None, composed: &outcome };
        let state = match made.state() {
            CompositionState::Composed => VersionState::Published,
            CompositionState::Failed => VersionState::Failed,
        };
        let id = SchemaVersionId::new(write.now());
        let version = repo::insert_in_tx(&mut write, (org, id), &new, (row.number + 1, state), actor).await?;
        let mut parts = standing.other_versions(&new.subgraph);
        parts.push((new.subgraph.clone(), id));
        let stored = Stored { org, actor, made, parts, lifetime: new.lifetime };
        let (composition, variant) = stored.in_tx(&mut write, &row).await?;
        write.event(published(&version));
        write.commit(fact("schema:publish", super::SUBJECT, id.uuid())).await?;
        return Ok(Published { version: Some(version), composition, variant, is_unchanged: false });
    }
    Err(VersionError::Busy.into())
}

/// Takes a subgraph out of a variant, if what is left composes.
pub(crate) async fn remove(
    session: &Session,
    composer: &Composer,
    target: &Target,
    subgraph: &str,
) -> Result<Published, Error<VersionError>> {
    let org = session.caller().require(&Permission::SCHEMA_MANAGE)?;
    check_subgraph(subgraph).map_err(VersionError::from)?;
    for _ in 0..ATTEMPTS {
        session.forget().await;
        let mut standing = Standing::read(session, target, None).await?;
        let is_own = |part: &super::PartSdl| part.subgraph == subgraph && part.variant == target.variant;
        if !standing.parts.iter().any(is_own) {
            let Target { environment, variant } = target.clone();
            let subgraph = subgraph.to_owned();
            return Err(VersionError::NoSubgraph { environment, variant, subgraph }.into());
        }
        if let Some(base) = standing.variant.as_ref().and_then(|row| row.base.clone()) {
            // What the base has of it is shown again.
            let below = Standing::read(session, &Target { variant: base, ..target.clone() }, None).await?;
            standing.parts.retain(|part| part.subgraph != subgraph);
            standing.parts.extend(below.part(subgraph).cloned());
        } else {
            standing.parts.retain(|part| part.subgraph != subgraph);
        }
        session.forget().await;
        let outcome = composer.compose(standing.others(""), standing.supergraph.clone()).await?;
        let mut write = session.write().await?;
        let row = variant::repo::lock_in_tx(&mut write, target).await?;
        let Some(row) = row.filter(|row| row.number == standing.number()) else { continue };
        let cause = CompositionCause::Remove;
        let made =
            NewComposition { target, cause, subgraph: Some(subgraph), restored: None, composed: &outcome };
        let parts = standing.other_versions("");
        let stored = Stored { org, actor: session.caller().actor(), made, parts, lifetime: None };
        let (composition, variant) = stored.in_tx(&mut write, &row).await?;
        let key = composition.id.uuid();
        write.commit(fact("schema:remove_subgraph", composition::SUBJECT, key)).await?;
        return Ok(Published { version: None, composition, variant, is_unchanged: false });
    }
    Err(VersionError::Busy.into())
}

/// What was published before, if it is the same.
async fn unchanged(
    session: &Session,
    standing: &Standing,
    new: &NewVersion,
) -> Result<Option<Published>, Error<VersionError>> {
    let same = standing.part(&new.subgraph).filter(|part| {
        part.variant == new.target.variant && part.url == new.url && part.sdl_hash == composer::hash(&new.sdl)
    });
    let (Some(part), Some(variant)) = (same, &standing.variant) else { return Ok(None) };
    let Some(current) = variant.current else { return Ok(None) };
    let version = repo::find_many(session, &[part.id]).await?.pop();
    let composition = composition::repo::find_many(session, &[current]).await?.pop();
    Ok(composition.map(|composition| Published {
        version,
        composition,
        variant: variant.clone(),
        is_unchanged: true,
    }))
}

/// A write with the variant, which is as it was when it was read, or new.
async fn begin(
    session: &Session,
    org: OrgId,
    new: &NewVersion,
    standing: &Standing,
) -> Result<Option<(Write, VariantRow)>, Error<VersionError>> {
    let NewVersion { target, base, lifetime, .. } = new;
    let mut write = session.write().await?;
    if let Some(row) = variant::repo::lock_in_tx(&mut write, target).await? {
        return Ok((row.number == standing.number()).then_some((write, row)));
    }
    let (environments, variants) = variant::repo::count_in_tx(&mut write, &target.environment).await?;
    if environments >= MOST_ENVIRONMENTS {
        return Err(VersionError::TooMany { most: MOST_ENVIRONMENTS, what: "environments" }.into());
    }
    if variants >= MOST_VARIANTS {
        return Err(VersionError::TooMany { most: MOST_VARIANTS, what: "variants of an environment" }.into());
    }
    let id = SchemaVariantId::new(write.now());
    let expires_at = lifetime.map(|lifetime| write.now() + lifetime);
    let row = variant::repo::insert_in_tx(&mut write, (org, id), target, base.as_deref(), expires_at).await?;
    Ok(row.map(|row| (write, row)))
}

/// A composition with what it is made of.
pub(super) struct Stored<'a> {
    pub(super) org: OrgId,
    pub(super) actor: Option<UserId>,
    pub(super) made: NewComposition<'a>,
    pub(super) parts: Vec<(String, SchemaVersionId)>,
    pub(super) lifetime: Option<TimeDelta>,
}

impl Stored<'_> {
    /// Stores it, and has gateways serve it if there is a supergraph.
    pub(super) async fn in_tx(
        self,
        write: &mut Write,
        variant: &VariantRow,
    ) -> Result<(CompositionRow, VariantRow), Error<VersionError>> {
        let Self { org, actor, made, parts, lifetime } = self;
        let (id, number) = (CompositionId::new(write.now()), variant.number + 1);
        let row = composition::repo::insert_in_tx(write, (org, id), &made, number, actor).await?;
        repo::insert_parts_in_tx(write, (org, id), &parts).await?;
        let current = (row.state == CompositionState::Composed).then_some(id);
        // A variant that was made to stay stays.
        let expires_at = variant.expires_at.and(lifetime).map(|lifetime| write.now() + lifetime);
        let variant = variant::repo::advance_in_tx(write, variant.id, current, expires_at).await?;
        write.event(composition::made(&row));
        if current.is_some() {
            write.event(variant::moved(&variant));
        }
        Ok((row, variant))
    }
}

impl NewVersion {
    fn check(&self) -> Result<(), VersionError> {
        check_subgraph(&self.subgraph)?;
        if !(1..=LONGEST_SDL).contains(&self.sdl.len()) {
            return Err(VersionError::SdlLength { given: self.sdl.len(), max: LONGEST_SDL });
        }
        check_url(self.url.as_deref())?;
        check_text("revision", self.revision.as_deref(), 200)?;
        check_text("message", self.message.as_deref(), 1000)?;
        let longest = LONGEST_LIFE.num_hours();
        let is_short = |lifetime: TimeDelta| !(TimeDelta::hours(1)..=LONGEST_LIFE).contains(&lifetime);
        if self.lifetime.is_some_and(is_short) {
            return Err(VersionError::Lifetime(longest));
        }
        if self.base.as_ref() == Some(&self.target.variant) {
            return Err(VersionError::OwnBase);
        }
        Ok(())
    }
}

fn check_text(argument: &'static str, text: Option<&str>, max: usize) -> Result<(), VersionError> {
    match text.map_or(0, |text| text.chars().count()) {
        given if given > max => Err(VersionError::TextLength { argument, given, max }),
        _ => Ok(()),
    }
}

/// What gateways are told of: HTTP, no credentials.
fn check_url(url: Option<&str>) -> Result<(), VersionError> {
    let Some(url) = url else { return Ok(()) };
    let is_address = url.len() <= 2000
        && url::Url::parse(url).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
        });
    if is_address { Ok(()) } else { Err(VersionError::Url) }
}
