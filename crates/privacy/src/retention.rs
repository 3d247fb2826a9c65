//! What is personal and old is forgotten, by its class.

use std::time::Duration;

use async_trait::async_trait;
use pulse_jobs::{Job, JobContext, JobError, JobHandler};
use serde::Deserialize;
use sqlx::AssertSqlSafe;

use crate::catalog::{self, Class, Column, Pii, Table};

/// The kind of the job that forgets.
pub(crate) const RETAIN: &str = "platform.privacy_retain";

/// Rows changed in one transaction.
const BATCH: i64 = 5_000;

/// How long what is personal is kept, by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Network addresses, from when they were last seen. Those of the audit are the audit's.
    #[serde(with = "humantime_serde")]
    pub address: Duration,
    /// What persons have said of what has ended, such as the user agent of a session.
    #[serde(with = "humantime_serde")]
    pub content: Duration,
    /// Credentials that have expired.
    #[serde(with = "humantime_serde")]
    pub credential: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: u64| Duration::from_hours(days * 24);
        Self { address: days(90), content: days(90), credential: days(30) }
    }
}

/// Forgets what is older than the rules allow.
pub(crate) struct Retain(pub(crate) Retention);

#[async_trait]
impl JobHandler for Retain {
    fn kind(&self) -> &'static str {
        RETAIN
    }

    async fn run(&self, _: &Job, context: &JobContext) -> Result<(), JobError> {
        let store = context.store();
        let tables = catalog::tables(&mut store.privacy().await?, None).await?;
        for (class, statement) in tables.iter().flat_map(forgetting) {
            let keep = match class {
                Pii::Address => self.0.address,
                Pii::Credential => self.0.credential,
                _ => self.0.content,
            };
            let before = store.clock().now() - keep;
            loop {
                if context.stopping().is_cancelled() || context.cancelled().is_cancelled() {
                    return Ok(());
                }
                let mut connection = store.privacy().await?;
                let forget = sqlx::query(AssertSqlSafe(statement.as_str())).bind(before).bind(BATCH);
                let forgotten = connection.execute("privacy.retain", forget).await?;
                connection.commit().await?;
                if forgotten == 0 {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Statements that forget what was of use before `$1`, up to `$2` rows at a time, each with its class.
fn forgetting(table: &Table) -> Vec<(Pii, String)> {
    let name = &table.name;
    let has = |column: &&str| table.columns.iter().any(|other| other.name == *column);
    let mut statements = Vec::new();
    // What is proven to be as it was is not changed by age.
    if has(&"sealed") {
        return statements;
    }
    let some = |condition: String| {
        format!("(tableoid, ctid) IN (SELECT tableoid, ctid FROM {name} WHERE {condition} LIMIT $2)")
    };
    let expires = table.class == Class::Person && has(&"expires_at");
    if expires && table.columns.iter().any(|column| column.pii == Pii::Credential) {
        let old = some("expires_at < $1".to_owned());
        statements.push((Pii::Credential, format!("DELETE FROM {name} WHERE {old}")));
    }
    let seen = ["last_used_at", "ended_at", "at", "created_at"].into_iter().find(has);
    for Column { name: column, pii, not_null, .. } in &table.columns {
        let since = match pii {
            Pii::Address => seen,
            Pii::Content if table.class == Class::Person => Some("ended_at").filter(has),
            _ => None,
        };
        if let Some(since) = since.filter(|_| !not_null) {
            let old = some(format!("{since} < $1 AND {column} IS NOT NULL"));
            statements.push((*pii, format!("UPDATE {name} SET {column} = NULL WHERE {old}")));
        }
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Kind;

    fn table(columns: &[(&str, Pii)]) -> Table {
        let column = |(name, pii): &(&str, Pii)| Column {
            name: (*name).to_owned(),
            pii: *pii,
            description: String::new(),
            about: false,
            kind: Kind::Other,
            not_null: false,
            in_key: false,
        };
        Table {
            owner: "a".to_owned(),
            name: "a.t".to_owned(),
            class: Class::Person,
            description: String::new(),
            columns: columns.iter().map(column).collect(),
        }
    }

    #[test]
    fn an_address_goes_by_when_it_was_seen_and_an_agent_by_when_it_ended() {
        let sessions = [
            ("address", Pii::Address),
            ("user_agent", Pii::Content),
            ("last_used_at", Pii::None),
            ("ended_at", Pii::None),
        ];
        let old = |condition: &str| {
            format!("WHERE (tableoid, ctid) IN (SELECT tableoid, ctid FROM a.t WHERE {condition} LIMIT $2)")
        };
        assert_eq!(
            forgetting(&table(&sessions)),
            [
                (
                    Pii::Address,
                    format!(
                        "UPDATE a.t SET address = NULL {}",
                        old("last_used_at < $1 AND address IS NOT NULL")
                    )
                ),
                (
                    Pii::Content,
                    format!(
                        "UPDATE a.t SET user_agent = NULL {}",
                        old("ended_at < $1 AND user_agent IS NOT NULL")
                    )
                ),
            ]
        );
        let tokens = [("hash", Pii::Credential), ("expires_at", Pii::None)];
        assert_eq!(
            forgetting(&table(&tokens)),
            [(Pii::Credential, format!("DELETE FROM a.t {}", old("expires_at < $1")))]
        );
        let proven = [("address", Pii::Address), ("at", Pii::None), ("sealed", Pii::None)];
        assert!(forgetting(&table(&proven)).is_empty());
    }
}
