//! Rows of `registry.operations`, `registry.coordinates`, `registry.usage` and `registry.declared`.

use chrono::NaiveDate;
use pulse_store::{Session, StoreError, Write};
use pulse_types::{OrgId, SchemaOperationId};

use super::{Reported, UseRow};
use crate::rules::Rules;

/// So many different operations of an environment are recorded; more are left out.
const MOST_OPERATIONS: i64 = 50_000;

/// Makes those operations that are not there yet, and says which id each of `reported` has; none where there are too many.
pub(crate) async fn operations_in_tx(
    write: &mut Write,
    org: OrgId,
    environment: &str,
    reported: &[Reported],
) -> Result<Vec<Option<SchemaOperationId>>, StoreError> {
    let now = write.now();
    let signatures: Vec<&str> = reported.iter().map(|one| one.signature.as_str()).collect();
    let names: Vec<&str> = reported.iter().map(|one| one.name.as_str()).collect();
    let query = sqlx::query(include_str!("../queries/record_operations.sql"))
        .bind(org)
        .bind(environment)
        .bind(now)
        .bind(reported.iter().map(|_| SchemaOperationId::new(now)).collect::<Vec<_>>())
        .bind(&signatures)
        .bind(&names)
        .bind(reported.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>())
        .bind(MOST_OPERATIONS);
    write.execute("operations.record", query).await?;
    let query = sqlx::query_as(
        "SELECT r.place, o.id FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS r (signature, name, place)
           JOIN registry.operations AS o
             ON o.environment = $1 AND o.signature = r.signature AND o.name = r.name",
    );
    let query = query.bind(environment).bind(signatures).bind(names);
    let found: Vec<(i64, SchemaOperationId)> = write.fetch_all("operations.find", query).await?;
    let mut ids = vec![None; reported.len()];
    for (place, id) in found {
        let slot = usize::try_from(place - 1).ok().and_then(|place| ids.get_mut(place));
        if let Some(slot) = slot {
            *slot = Some(id);
        }
    }
    Ok(ids)
}

/// Adds what was reported to what is there.
pub(crate) async fn record_in_tx(
    write: &mut Write,
    org: OrgId,
    environment: &str,
    recorded: &[(SchemaOperationId, &Reported)],
) -> Result<(), StoreError> {
    let usage = sqlx::query(include_str!("../queries/record_usage.sql"))
        .bind(org)
        .bind(environment)
        .bind(recorded.iter().map(|(_, one)| one.day).collect::<Vec<_>>())
        .bind(recorded.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind(recorded.iter().map(|(_, one)| one.client_name.as_str()).collect::<Vec<_>>())
        .bind(recorded.iter().map(|(_, one)| one.client_version.as_str()).collect::<Vec<_>>())
        .bind(recorded.iter().map(|(_, one)| one.requests).collect::<Vec<_>>())
        .bind(recorded.iter().map(|(_, one)| one.errors).collect::<Vec<_>>());
    write.execute("usage.record", usage).await?;
    record_coordinates_in_tx(write, org, environment, recorded).await
}

async fn record_coordinates_in_tx(
    write: &mut Write,
    org: OrgId,
    environment: &str,
    recorded: &[(SchemaOperationId, &Reported)],
) -> Result<(), StoreError> {
    let uses = || {
        let of_each = |(id, one): &(SchemaOperationId, &'_ Reported)| (*id, one.day, one.coordinates.len());
        recorded.iter().map(of_each).flat_map(|(id, day, count)| std::iter::repeat_n((id, day), count))
    };
    let names = recorded.iter().flat_map(|(_, one)| &one.coordinates);
    let coordinates = sqlx::query(include_str!("../queries/record_coordinates.sql"))
        .bind(org)
        .bind(environment)
        .bind(names.map(String::as_str).collect::<Vec<_>>())
        .bind(uses().map(|(id, _)| id).collect::<Vec<_>>())
        .bind(uses().map(|(_, day)| day).collect::<Vec<_>>());
    write.execute("coordinates.record", coordinates).await.map(drop)
}

/// Writes down what operations use that a manifest has, and that it has them.
pub(super) async fn declare_in_tx(
    write: &mut Write,
    org: OrgId,
    environment: &str,
    declared: &[(SchemaOperationId, &Reported)],
) -> Result<(), StoreError> {
    record_coordinates_in_tx(write, org, environment, declared).await?;
    let query = sqlx::query(
        "INSERT INTO registry.declared (org_id, environment, client_name, client_version, operation_id, declared_at)
         SELECT DISTINCT $1, $2, d.client, d.version, d.operation_id, $6
           FROM unnest($3::text[], $4::text[], $5::uuid[]) AS d (client, version, operation_id)
         ON CONFLICT DO NOTHING",
    );
    let query = query
        .bind(org)
        .bind(environment)
        .bind(declared.iter().map(|(_, one)| one.client_name.as_str()).collect::<Vec<_>>())
        .bind(declared.iter().map(|(_, one)| one.client_version.as_str()).collect::<Vec<_>>())
        .bind(declared.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind(write.now());
    write.execute("declared.insert", query).await.map(drop)
}

/// Forgets what a client's manifests have: that of one version, or all.
pub(crate) async fn undeclare_in_tx(
    write: &mut Write,
    client: &str,
    version: Option<&str>,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "DELETE FROM registry.declared WHERE client_name = $1 AND ($2::text IS NULL OR client_version = $2)",
    );
    write.execute("declared.delete", query.bind(client).bind(version)).await.map(drop)
}

/// Which operations used these coordinates since a day; those of manifests whenever they did.
pub(crate) async fn users_of(
    session: &Session,
    (environment, since): (&str, NaiveDate),
    coordinates: &[String],
) -> Result<Vec<(String, SchemaOperationId)>, StoreError> {
    let query = sqlx::query_as(
        "SELECT c.coordinate, c.operation_id FROM registry.coordinates AS c
          WHERE c.environment = $1 AND c.coordinate = ANY ($2)
            AND (c.last_used_on >= $3
                 OR c.operation_id IN (SELECT d.operation_id FROM registry.declared AS d WHERE d.environment = $1))",
    );
    let query = query.bind(environment).bind(coordinates).bind(since);
    session.fetch_all("coordinates.users", query).await
}

/// Who sent these operations since a day, but for those who do not count.
pub(crate) async fn uses(
    session: &Session,
    (environment, since): (&str, NaiveDate),
    operations: &[SchemaOperationId],
    rules: &Rules,
) -> Result<Vec<UseRow>, StoreError> {
    let query = sqlx::query_as(include_str!("../queries/users.sql"))
        .bind(environment)
        .bind(operations)
        .bind(since)
        .bind(&rules.excluded_clients)
        .bind(&rules.excluded_operations);
    session.fetch_all("usage.users", query).await
}

/// How many requests there were since a day.
pub(crate) async fn total(
    session: &Session,
    (environment, since): (&str, NaiveDate),
) -> Result<i64, StoreError> {
    let query = sqlx::query_as(
        "SELECT coalesce(sum(requests), 0)::bigint FROM registry.usage WHERE environment = $1 AND day >= $2",
    );
    let (total,): (i64,) = session.fetch_one("usage.total", query.bind(environment).bind(since)).await?;
    Ok(total)
}
