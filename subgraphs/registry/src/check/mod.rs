//! Checks: what publishing a schema would do, and to whom.

mod entity;
mod judge;
pub(crate) mod repo;
mod surfaces;

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use pulse_graphql::Error;
use pulse_schema::{ApiSchema, Change, LintConfig, LintLevel, SubgraphSdl, compose, diff, lint};
use pulse_store::{AuditFact, Event, EventKind, Session};
use pulse_types::{Permission, SchemaCheckId};
use serde_json::json;

pub use entity::SurfaceKind;
pub(crate) use entity::{CheckResult, CheckRow, JudgedChange, Surface, User, Verdict};
pub use surfaces::{GraphqlAlone, SurfaceOperation, Surfaces};

use crate::clients;
use crate::composer::{self, Composer, Finding, MOST_KEPT, Severity};
use crate::rules::{self, Rules};
use crate::target::{Target, check_subgraph};
use crate::version::{LONGEST_SDL, Standing, VersionError};
use crate::{overrides, usage};
use judge::{InUse, judge};

/// What events of checks are about; `verdict` says what came of it, for webhooks.
pub(crate) const SUBJECT: &str = "registry.check";

/// A schema that is to be checked.
#[derive(Debug, Clone)]
pub(crate) struct NewCheck {
    pub(crate) target: Target,
    pub(crate) subgraph: String,
    pub(crate) sdl: String,
    pub(crate) revision: Option<String>,
    /// The variant that a new one would stand on.
    pub(crate) base: Option<String>,
}

/// What was found out without the database.
struct Examined {
    /// Whether the schemas compose.
    composes: bool,
    findings: Vec<Finding>,
    changes: Vec<Change>,
    surfaces: Vec<(Surface, BTreeSet<String>)>,
}

/// One check.
pub(crate) async fn get(session: &Session, id: SchemaCheckId) -> Result<Option<CheckRow>, Error> {
    session.caller().require(&Permission::SCHEMA_READ)?;
    Ok(repo::find(session, id).await?)
}

/// Says what publishing a schema would do, and to whom.
pub(crate) async fn check(
    session: &Session,
    composer: &Composer,
    surfaces: &Arc<dyn Surfaces>,
    new: NewCheck,
) -> Result<CheckRow, Error<VersionError>> {
    let org = session.caller().require(&Permission::SCHEMA_CHECK)?;
    new.check()?;
    let standing = Standing::read(session, &new.target, new.base.as_deref()).await?;
    let environment = new.target.environment.as_str();
    let rules = rules::repo::find(session, environment).await?.map(Rules::from).unwrap_or_default();
    let against = standing.variant.as_ref().and_then(|row| row.current);
    // What clients send to a variant of a pull request, they published for its base.
    let base = standing.variant.as_ref().and_then(|row| row.base.clone()).or_else(|| new.base.clone());
    let graph = Target { variant: base.unwrap_or_else(|| new.target.variant.clone()), ..new.target.clone() };
    let published = clients::faces_of(session, &graph).await?;
    // Nothing is held while it is composed.
    session.forget().await;
    let examined = {
        let (new, style, surfaces) = (new.clone(), rules.style.config(), Arc::clone(surfaces));
        composer.run(move || examine(&standing, new, &style, (&*surfaces, published))).await?
    };
    let Examined { composes, findings, changes, surfaces } = examined;
    let (verdict, result) = if composes {
        let mut in_use = in_use(session, environment, &changes, &rules).await?;
        in_use.surfaces = surfaces;
        judge(changes, findings, &in_use, &rules)
    } else {
        let result = CheckResult { findings, window_days: rules.window_days, ..CheckResult::default() };
        (Verdict::Broken, result)
    };
    let mut write = session.write().await?;
    let id = SchemaCheckId::new(write.now());
    let actor = session.caller().actor();
    let row = repo::insert_in_tx(&mut write, (org, id), &new, (against, verdict, &result), actor).await?;
    write.event(event(&row));
    let (action, key) = ("schema:check", Some(id.uuid()));
    write.commit(AuditFact { action, subject: SUBJECT, key, version: Some(1), items: 1 }).await?;
    Ok(row)
}

/// Who uses what the changes concern.
async fn in_use(
    session: &Session,
    environment: &str,
    changes: &[Change],
    rules: &Rules,
) -> Result<InUse, Error<VersionError>> {
    let concerned: BTreeSet<&String> = changes
        .iter()
        .filter(|change| change.criticality != pulse_schema::Criticality::Safe)
        .flat_map(|change| &change.noticed_by)
        .collect();
    let mut in_use = InUse::default();
    if concerned.is_empty() {
        return Ok(in_use);
    }
    let today = session.store().clock().now().date_naive();
    let scope = (environment, today - TimeDelta::days(rules.window_days.into()));
    let concerned: Vec<String> = concerned.into_iter().cloned().collect();
    let users = usage::repo::users_of(session, scope, &concerned).await?;
    let operations: BTreeSet<_> = users.iter().map(|(_, operation)| *operation).collect();
    let operations: Vec<_> = operations.into_iter().collect();
    let senders = usage::repo::uses(session, scope, &operations, rules).await?;
    if rules.min_share > 0.0 {
        in_use.total = usage::repo::total(session, scope).await?;
    }
    in_use.overrides = overrides::repo::active(session, environment).await?;
    in_use.file(users, senders);
    Ok(in_use)
}

fn examine(
    standing: &Standing,
    new: NewCheck,
    style: &LintConfig,
    (surfaces, published): (&dyn Surfaces, Vec<SurfaceOperation>),
) -> Examined {
    let NewCheck { subgraph, sdl, .. } = new;
    let before = standing.part(&subgraph);
    let mut subgraphs = standing.others(&subgraph);
    let url = before.and_then(|part| part.url.clone());
    let next = SubgraphSdl { name: subgraph, url, sdl };
    let mut findings = style_of(&next, before.map(|part| part.sdl.as_str()), style);
    subgraphs.push(next);
    let composition = match compose(&subgraphs) {
        Ok(composition) => composition,
        Err(diagnostics) => {
            let mut all = composer::findings(diagnostics);
            all.append(&mut findings);
            return Examined { composes: false, findings: all, changes: Vec::new(), surfaces: Vec::new() };
        }
    };
    findings.extend(composer::findings(composition.hints));
    findings.truncate(MOST_KEPT);
    let old = standing.supergraph.as_deref().map(|old| (old, ApiSchema::read(old)));
    let (changes, surfaces) = match (old, ApiSchema::read(&composition.supergraph)) {
        (Some((text, Ok(old))), Ok(new)) => {
            let changes = diff(&old, &new);
            let concerns = changes.iter().any(|change| change.criticality != pulse_schema::Criticality::Safe);
            let used = if concerns { surfaces::used_by(surfaces, published, text, &old) } else { Vec::new() };
            (changes, used)
        }
        _ => (Vec::new(), Vec::new()),
    };
    Examined { composes: true, findings, changes, surfaces }
}

/// What the rules of style say. What cannot be read, composition says better.
fn style_of(changed: &SubgraphSdl, previous: Option<&str>, style: &LintConfig) -> Vec<Finding> {
    let found = lint(changed, previous, style).unwrap_or_default();
    let finding = |found: pulse_schema::LintFinding| Finding {
        code: found.rule.as_str().to_owned(),
        severity: if found.level == LintLevel::Error { Severity::Error } else { Severity::Warning },
        coordinate: found.coordinate,
        message: found.message,
        help: found.help,
        places: found.place.into_iter().map(composer::Place::from).collect(),
    };
    found.into_iter().map(finding).collect()
}

impl NewCheck {
    fn check(&self) -> Result<(), VersionError> {
        check_subgraph(&self.subgraph)?;
        if !(1..=LONGEST_SDL).contains(&self.sdl.len()) {
            return Err(VersionError::SdlLength { given: self.sdl.len(), max: LONGEST_SDL });
        }
        let (given, max) = (self.revision.as_ref().map_or(0, |text| text.chars().count()), 200);
        if given > max {
            return Err(VersionError::TextLength { argument: "revision", given, max });
        }
        if self.base.as_ref() == Some(&self.target.variant) {
            return Err(VersionError::OwnBase);
        }
        Ok(())
    }
}

fn event(row: &CheckRow) -> Event {
    Event {
        kind: EventKind::Created,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: 1,
        changed: vec![],
        attributes: json!({
            "environment": row.environment,
            "variant": row.variant,
            "subgraph": row.subgraph,
            "verdict": row.verdict.as_str(),
        }),
        before: json!(null),
    }
}
