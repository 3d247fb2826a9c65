//! Judging changes by who uses what they concern.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::NaiveTime;
use pulse_schema::Change;
use pulse_types::SchemaOperationId;

use super::{CheckResult, JudgedChange, Surface, User, Verdict};
use crate::composer::{Criticality, Finding, MOST_KEPT, Severity};
use crate::overrides::OverrideRow;
use crate::rules::Rules;
use crate::usage::UseRow;

/// So many of those who notice a change are named.
const MOST_NAMED: usize = 20;

/// What is known of those who use the schema.
#[derive(Debug, Default)]
pub(crate) struct InUse {
    /// The operations that use each coordinate.
    pub(crate) coordinates: HashMap<String, HashSet<SchemaOperationId>>,
    /// Who sends each operation.
    pub(crate) uses: HashMap<SchemaOperationId, Vec<UseRow>>,
    /// All requests within the time that counts.
    pub(crate) total: i64,
    /// What the other faces of the API use.
    pub(crate) surfaces: Vec<(Surface, BTreeSet<String>)>,
    /// What is let through.
    pub(crate) overrides: Vec<OverrideRow>,
}

impl InUse {
    /// Files what the database said.
    pub(crate) fn file(&mut self, users: Vec<(String, SchemaOperationId)>, senders: Vec<UseRow>) {
        for row in senders {
            self.uses.entry(row.operation_id).or_default().push(row);
        }
        for (coordinate, operation) in users {
            self.coordinates.entry(coordinate).or_default().insert(operation);
        }
    }

    /// Whether somebody sends it, often enough.
    fn counts(&self, operation: SchemaOperationId, rules: &Rules) -> bool {
        let Some(uses) = self.uses.get(&operation) else { return false };
        let requests: i64 = uses.iter().map(|one| one.requests).sum();
        #[expect(clippy::cast_precision_loss, reason = "a share in per cent needs no more")]
        let share = if self.total == 0 { 0.0 } else { requests as f64 * 100.0 / self.total as f64 };
        uses.iter().any(|one| one.is_declared) || requests >= rules.min_requests && share >= rules.min_share
    }

    /// The operations that use all of these coordinates, of those that count.
    fn operations_with(&self, coordinates: &[String], rules: &Rules) -> Vec<SchemaOperationId> {
        let Some((first, others)) = coordinates.split_first() else { return Vec::new() };
        let has = |coordinate: &String, operation: &SchemaOperationId| {
            self.coordinates.get(coordinate).is_some_and(|users| users.contains(operation))
        };
        let users = self.coordinates.get(first).into_iter().flatten().copied();
        users
            .filter(|operation| others.iter().all(|other| has(other, operation)))
            .filter(|operation| self.counts(*operation, rules))
            .collect()
    }

    fn surfaces_with(&self, coordinates: &[String]) -> Vec<Surface> {
        let notices =
            |used: &BTreeSet<String>| !coordinates.is_empty() && coordinates.iter().all(|c| used.contains(c));
        let those = self.surfaces.iter().filter(|(_, used)| notices(used));
        those.map(|(surface, _)| surface.clone()).take(MOST_NAMED).collect()
    }
}

/// Judges the changes, and the whole by the worst of them.
pub(crate) fn judge(
    changes: Vec<Change>,
    findings: Vec<Finding>,
    in_use: &InUse,
    rules: &Rules,
) -> (Verdict, CheckResult) {
    let mut judged: Vec<JudgedChange> =
        changes.into_iter().map(|change| judge_one(change, in_use, rules)).collect();
    judged.sort_by(|a, b| {
        let key = |one: &JudgedChange| (one.criticality, one.override_id.is_some(), one.potential);
        (key(a), &a.coordinate, &a.code).cmp(&(key(b), &b.coordinate, &b.code))
    });
    let count = |which: Criticality| {
        let those = judged.iter().filter(|one| one.criticality == which).count();
        i32::try_from(those).unwrap_or(i32::MAX)
    };
    let (breaking, dangerous, safe) =
        (count(Criticality::Breaking), count(Criticality::Dangerous), count(Criticality::Safe));
    let breaks =
        judged.iter().any(|one| one.criticality == Criticality::Breaking && one.override_id.is_none());
    let verdict = if breaks {
        Verdict::Breaking
    } else if findings.iter().any(|finding| finding.severity == Severity::Error) {
        Verdict::Lint
    } else if dangerous > 0 || breaking > 0 {
        Verdict::Dangerous
    } else {
        Verdict::Safe
    };
    judged.truncate(MOST_KEPT);
    let window_days = rules.window_days;
    (verdict, CheckResult { changes: judged, findings, breaking, dangerous, safe, window_days })
}

fn judge_one(change: Change, in_use: &InUse, rules: &Rules) -> JudgedChange {
    let Change { code, criticality, coordinate, message, noticed_by } = change;
    let potential = Criticality::from(criticality);
    let operations = match potential {
        Criticality::Safe => Vec::new(),
        _ => in_use.operations_with(&noticed_by, rules),
    };
    let criticality = if operations.is_empty() { Criticality::Safe } else { potential };
    let senders = || operations.iter().filter_map(|operation| in_use.uses.get(operation)).flatten();
    let request_count = senders().map(|one| one.requests).sum();
    let mut users: Vec<User> = senders().map(User::from).collect();
    users.sort_by(|a, b| {
        (b.requests, &a.operation_name, &a.client_name, &a.client_version).cmp(&(
            a.requests,
            &b.operation_name,
            &b.client_name,
            &b.client_version,
        ))
    });
    users.truncate(MOST_NAMED);
    let surfaces = match potential {
        Criticality::Safe => Vec::new(),
        _ => in_use.surfaces_with(&noticed_by),
    };
    let lets = in_use.overrides.iter().find(|one| one.lets(code.as_str(), &coordinate));
    let lets = lets.filter(|_| criticality != Criticality::Safe);
    JudgedChange {
        code: code.as_str().to_owned(),
        criticality,
        potential,
        coordinate,
        message,
        override_id: lets.map(|one| one.id),
        override_reason: lets.map(|one| one.reason.clone()),
        operation_count: i32::try_from(operations.len()).unwrap_or(i32::MAX),
        request_count,
        users,
        surfaces,
    }
}

impl From<&UseRow> for User {
    fn from(row: &UseRow) -> Self {
        Self {
            operation_name: row.name.clone(),
            signature: row.signature.clone(),
            client_name: row.client_name.clone(),
            client_version: row.client_version.clone(),
            requests: row.requests,
            last_seen_at: row.last_seen_on.map(|day| day.and_time(NaiveTime::MIN).and_utc()),
            is_declared: row.is_declared,
        }
    }
}
