//! Statements about settings.

use chrono::{DateTime, Utc};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{OrgId, UnitId, UserId};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::logo::Picture;
use super::value::{Branding, Settings};

/// What is set at one place.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct SettingsRow {
    pub(crate) id: Uuid,
    pub(crate) settings: Json<Settings>,
    pub(crate) branding: Json<Branding>,
    pub(crate) version: i64,
    pub(crate) updated_at: DateTime<Utc>,
}

/// A place, and what is set there.
#[derive(FromRow)]
struct Standing {
    place: Uuid,
    settings: Option<Json<Settings>>,
    branding: Option<Json<Branding>>,
    version: Option<i64>,
    updated_at: Option<DateTime<Utc>>,
}

impl Standing {
    fn set(self) -> Option<SettingsRow> {
        let Self { place, settings, branding, version, updated_at } = self;
        Some(SettingsRow {
            id: place,
            settings: settings?,
            branding: branding?,
            version: version?,
            updated_at: updated_at?,
        })
    }
}

/// What is set at the unit, at those above it, and for the tenant, from the nearest on. Nothing when there is no such unit.
pub(super) async fn chain(
    session: &Session,
    org: OrgId,
    unit: Option<UnitId>,
) -> Result<Vec<(Uuid, Option<SettingsRow>)>, StoreError> {
    // Deeper than units can be nested, a circle would end.
    let sql = "WITH RECURSIVE up AS (
                   SELECT id, parent, 0 AS depth FROM accounts.units WHERE org_id = $1 AND id = $2
                   UNION ALL
                   SELECT u.id, u.parent, up.depth + 1
                     FROM up JOIN accounts.units u ON u.org_id = $1 AND u.id = up.parent
                    WHERE up.depth < 100
               ), places AS (
                   SELECT id, depth FROM up UNION ALL SELECT $1, 1000
               )
               SELECT p.id AS place, s.settings, s.branding, s.version, s.updated_at
                 FROM places p LEFT JOIN accounts.settings s ON s.org_id = $1 AND s.id = p.id
                ORDER BY p.depth";
    let find = sqlx::query_as(sql).bind(org).bind(unit);
    let rows: Vec<Standing> = session.fetch_all("settings.chain", find).await?;
    Ok(rows.into_iter().map(|place| (place.place, place.set())).collect())
}

/// Whether the tenant has this unit, which it keeps until the write ends.
pub(super) async fn unit_exists_in_tx(
    write: &mut Write,
    org: OrgId,
    unit: UnitId,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM accounts.units WHERE org_id = $1 AND id = $2 FOR KEY SHARE";
    let found: Option<(i32,)> =
        write.fetch_optional("units.exists", sqlx::query_as(sql).bind(org).bind(unit)).await?;
    Ok(found.is_some())
}

/// What is set at a place, which nobody else changes until this write ends; version 0 where nothing was set yet.
pub(super) async fn lock_in_tx(
    write: &mut Write,
    org: OrgId,
    place: Uuid,
) -> Result<SettingsRow, StoreError> {
    let now = write.now();
    let sql = "INSERT INTO accounts.settings (org_id, id, settings, branding, version, updated_at)
               VALUES ($1, $2, '{}', '{}', 0, $3) ON CONFLICT DO NOTHING";
    write.execute("settings.begin", sqlx::query(sql).bind(org).bind(place).bind(now)).await?;
    let sql = "SELECT id, settings, branding, version, updated_at FROM accounts.settings
                WHERE org_id = $1 AND id = $2 FOR UPDATE";
    write.fetch_one("settings.lock", sqlx::query_as(sql).bind(org).bind(place)).await
}

/// Writes what is set by now, and what was before into the history.
pub(super) async fn put_in_tx(
    write: &mut Write,
    org: OrgId,
    row: &SettingsRow,
    actor: Option<UserId>,
) -> Result<SettingsRow, StoreError> {
    let sql = "WITH old AS (
                   INSERT INTO accounts.history (org_id, subject, id, version, value, at, actor)
                   SELECT org_id, 'accounts.settings', id, version,
                          jsonb_build_object('settings', settings, 'branding', branding), $5, $6
                     FROM accounts.settings WHERE org_id = $1 AND id = $2 AND version > 0
               )
               UPDATE accounts.settings SET settings = $3, branding = $4, version = version + 1, updated_at = $5
                WHERE org_id = $1 AND id = $2
               RETURNING id, settings, branding, version, updated_at";
    let now = write.now();
    let update = sqlx::query_as(sql).bind(org).bind(row.id).bind(&row.settings).bind(&row.branding);
    write.fetch_one("settings.put", update.bind(now).bind(actor)).await
}

/// The domains that the tenant invites addresses of, if it has said which.
pub(super) async fn allowed_domains_in_tx(
    write: &mut Write,
    org: OrgId,
) -> Result<Option<Json<Settings>>, StoreError> {
    let sql = "SELECT settings FROM accounts.settings WHERE org_id = $1 AND id = $1";
    let row: Option<(Json<Settings>,)> =
        write.fetch_optional("settings.of_tenant", sqlx::query_as(sql).bind(org)).await?;
    Ok(row.map(|(settings,)| settings))
}

/// How the tenant of this slug looks, if it has said so.
pub(super) async fn branding_by_slug(nobody: &Session, slug: &str) -> Result<Option<Branding>, StoreError> {
    let sql = "SELECT branding FROM accounts.branding_by_slug($1) AS branding WHERE branding IS NOT NULL";
    let row: Option<(Json<Branding>,)> =
        nobody.fetch_optional("settings.branding_by_slug", sqlx::query_as(sql).bind(slug)).await?;
    Ok(row.map(|(Json(branding),)| branding))
}

/// Puts a picture in the place of the one before; without one, takes that away.
pub(super) async fn set_logo_in_tx(
    write: &mut Write,
    (org, place): (OrgId, Uuid),
    picture: Option<(Uuid, &Picture)>,
) -> Result<(), StoreError> {
    let delete = sqlx::query("DELETE FROM accounts.logos WHERE org_id = $1 AND place = $2");
    write.execute("logos.delete", delete.bind(org).bind(place)).await?;
    let Some((id, picture)) = picture else { return Ok(()) };
    let sql = "INSERT INTO accounts.logos (org_id, id, place, media_type, bytes, created_at)
               VALUES ($1, $2, $3, $4, $5, $6)";
    let now = write.now();
    let insert = sqlx::query(sql).bind(org).bind(id).bind(place).bind(picture.media_type);
    write.execute("logos.insert", insert.bind(&picture.bytes).bind(now)).await.map(drop)
}

/// A picture, whosever it is.
pub(super) async fn logo(nobody: &Session, id: Uuid) -> Result<Option<(String, Vec<u8>)>, StoreError> {
    let find = sqlx::query_as("SELECT media_type, bytes FROM accounts.logo_by_id($1)");
    nobody.fetch_optional("logos.by_id", find.bind(id)).await
}
