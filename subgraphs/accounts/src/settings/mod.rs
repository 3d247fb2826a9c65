//! Settings and branding of a tenant and of its units. What a place does not set, it has from the one above.

mod check;
mod color;
mod error;
mod logo;
mod repo;
mod value;

use async_graphql::MaybeUndefined;
use pulse_graphql::Error;
use pulse_sealing::Sealer;
use pulse_store::{AuditFact, Event, EventKind, Session, StoreError, Write};
use pulse_types::{Caller, OrgId, Permission, Refusal, Tag, UnitId};
use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;

pub(crate) use check::{locale, time_zone};
pub(crate) use color::Color;
pub(crate) use error::SettingsError;
pub(crate) use logo::{logo_routes, path as logo_path};
pub(crate) use repo::SettingsRow;
pub(crate) use value::{Branding, Effective, Logo, Palette, Settings, Source, Theme, WeekDay};

use self::logo::Picture;
use crate::name::Name;
use crate::throttle::{self, Attempt};
use crate::unit;

pub(crate) const SUBJECT: &str = "accounts.settings";

/// Where something is set, and which version is expected there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) unit: Option<UnitId>,
    pub(crate) version: Option<i64>,
}

/// What to change of how things work: what is undefined stays, what is null is left to the place above.
pub(crate) struct SettingsChange {
    pub(crate) default_locale: MaybeUndefined<String>,
    pub(crate) time_zone: MaybeUndefined<String>,
    pub(crate) week_start: MaybeUndefined<WeekDay>,
    pub(crate) allowed_email_domains: MaybeUndefined<Vec<String>>,
}

/// The same of how things look.
pub(crate) struct BrandingChange {
    pub(crate) display_name: MaybeUndefined<String>,
    pub(crate) logo_url: MaybeUndefined<String>,
    pub(crate) theme: MaybeUndefined<Theme>,
    pub(crate) light: MaybeUndefined<Palette>,
    pub(crate) dark: MaybeUndefined<Palette>,
}

/// What is set at a place itself; `None` where nothing is.
pub(crate) async fn find(
    session: &Session,
    unit: Option<UnitId>,
) -> Result<Option<SettingsRow>, Error<SettingsError>> {
    Ok(chain(session, unit).await?.swap_remove(0).1)
}

/// What holds at a place, and where it comes from.
pub(crate) async fn effective(
    session: &Session,
    unit: Option<UnitId>,
) -> Result<Effective, Error<SettingsError>> {
    let places: Vec<_> = chain(session, unit)
        .await?
        .into_iter()
        .map(|(place, row)| match row {
            Some(row) => (place, row.settings.0, row.branding.0),
            None => (place, Settings::default(), Branding::default()),
        })
        .collect();
    Ok(Effective::of(&places))
}

/// How the tenant of this slug looks, for anybody. One that nobody has looks like one that has set nothing.
pub(crate) async fn of_slug(
    session: &Session,
    sealer: &Sealer,
    slug: &str,
) -> Result<Branding, Error<SettingsError>> {
    let nobody = throttle::nobody(session);
    let attempt = Attempt::to_find_branding(nobody.caller(), sealer);
    attempt.check(&nobody).await?.map_err(SettingsError::from)?;
    let found = repo::branding_by_slug(&nobody, slug).await?;
    if let Some(branding) = found {
        return Ok(branding);
    }
    let mut write = nobody.write().await?;
    attempt.failed_in_tx(&mut write).await?;
    let fact = AuditFact { action: "branding:miss", subject: SUBJECT, key: None, version: None, items: 1 };
    write.commit(fact).await?;
    Ok(Branding::default())
}

/// Changes how things work at a place.
pub(crate) async fn update(
    session: &Session,
    place: Place,
    change: SettingsChange,
) -> Result<SettingsRow, Error<SettingsError>> {
    let SettingsChange { default_locale, time_zone, week_start, allowed_email_domains } = change;
    if place.unit.is_some() && !allowed_email_domains.is_undefined() {
        return Err(SettingsError::DomainsOfUnit.into());
    }
    let parse = |text: &String| locale(text).ok_or(SettingsError::Locale);
    let default_locale = checked(default_locale, parse)?;
    let zone = checked(time_zone, |text| check::time_zone(text).ok_or(SettingsError::TimeZone))?;
    let domains = checked(allowed_email_domains, |given| check::domains(given))?;
    let (write, org, mut row) = begin(session, place).await?;
    let settings = &mut row.settings.0;
    let changed = [
        put(&mut settings.default_locale, default_locale).then_some("defaultLocale"),
        put(&mut settings.time_zone, zone).then_some("timeZone"),
        put(&mut settings.week_start, week_start).then_some("weekStart"),
        put(&mut settings.allowed_email_domains, domains).then_some("allowedEmailDomains"),
    ];
    end(session, write, (org, row), changed.into_iter().flatten().collect()).await
}

/// Changes how things look at a place.
pub(crate) async fn update_branding(
    session: &Session,
    place: Place,
    change: BrandingChange,
) -> Result<SettingsRow, Error<SettingsError>> {
    let BrandingChange { display_name, logo_url, theme, light, dark } = change;
    let name = checked(display_name, |text| Ok(Name::try_new(text)?.as_str().to_owned()))?;
    let logo = checked(logo_url, |text| check::logo_url(text).map(Logo::Url))?;
    let (mut write, org, mut row) = begin(session, place).await?;
    let branding = &mut row.branding.0;
    let changed = [
        put(&mut branding.display_name, name).then_some("displayName"),
        put(&mut branding.logo, logo).then_some("logoUrl"),
        put(&mut branding.theme, theme).then_some("theme"),
        put(&mut branding.light, light).then_some("light"),
        put(&mut branding.dark, dark).then_some("dark"),
    ];
    if changed[1].is_some() {
        repo::set_logo_in_tx(&mut write, (org, row.id), None).await?;
    }
    end(session, write, (org, row), changed.into_iter().flatten().collect()).await
}

/// Puts a picture in the place of the logo of before.
pub(crate) async fn upload_logo(
    session: &Session,
    place: Place,
    base64: &str,
) -> Result<SettingsRow, Error<SettingsError>> {
    require_manager(session.caller(), place.unit)?;
    let picture = Picture::try_new(base64)?;
    let (mut write, org, mut row) = begin(session, place).await?;
    let id = Uuid::from_u128(rand::random());
    repo::set_logo_in_tx(&mut write, (org, row.id), Some((id, &picture))).await?;
    row.branding.0.logo = Some(Logo::Uploaded(id));
    end(session, write, (org, row), vec!["logoUrl"]).await
}

/// The domains that the tenant invites addresses of; `None` for any.
pub(crate) async fn allowed_domains_in_tx(
    write: &mut Write,
    org: OrgId,
) -> Result<Option<Vec<String>>, StoreError> {
    let settings = repo::allowed_domains_in_tx(write, org).await?;
    Ok(settings.and_then(|Json(settings)| settings.allowed_email_domains))
}

async fn chain(
    session: &Session,
    unit: Option<UnitId>,
) -> Result<Vec<(Uuid, Option<SettingsRow>)>, Error<SettingsError>> {
    let org = session.caller().require(&Permission::ORGANIZATION_READ)?;
    session.tag(|| Tag::list(SUBJECT));
    if let Some(unit) = unit {
        // Which units it is in, is part of the answer.
        session.tag(|| Tag::list(unit::SUBJECT));
        if session.caller().require_on(&Permission::UNIT_READ, &unit::resource(unit)).is_err() {
            return Err(SettingsError::NoSuchUnit.into());
        }
    }
    let places = repo::chain(session, org, unit).await?;
    if unit.is_some() && places.len() < 2 {
        return Err(SettingsError::NoSuchUnit.into());
    }
    Ok(places)
}

/// The tenant, if the caller says how the unit works and looks, or the tenant where there is none.
fn require_manager(caller: &Caller, unit: Option<UnitId>) -> Result<OrgId, Refusal> {
    match unit {
        Some(unit) => caller.require_on(&Permission::SETTINGS_MANAGE, &unit::resource(unit)),
        None => caller.require(&Permission::SETTINGS_MANAGE),
    }
}

async fn begin(session: &Session, place: Place) -> Result<(Write, OrgId, SettingsRow), Error<SettingsError>> {
    let org = require_manager(session.caller(), place.unit)?;
    let mut write = session.write().await?;
    if let Some(unit) = place.unit
        && !repo::unit_exists_in_tx(&mut write, org, unit).await?
    {
        return Err(SettingsError::NoSuchUnit.into());
    }
    let id = place.unit.map_or(org.uuid(), UnitId::uuid);
    let row = repo::lock_in_tx(&mut write, org, id).await?;
    if place.version.is_some_and(|expected| expected != row.version) {
        return Err(SettingsError::Outdated(row.version).into());
    }
    Ok((write, org, row))
}

/// Commits what has changed, if anything has.
async fn end(
    session: &Session,
    mut write: Write,
    (org, row): (OrgId, SettingsRow),
    changed: Vec<&'static str>,
) -> Result<SettingsRow, Error<SettingsError>> {
    if changed.is_empty() {
        return Ok(row);
    }
    let row = repo::put_in_tx(&mut write, org, &row, session.caller().actor()).await?;
    let unit = (row.id != org.uuid()).then_some(row.id);
    write.event(Event {
        kind: if row.version == 1 { EventKind::Created } else { EventKind::Updated },
        subject: SUBJECT,
        key: row.id,
        version: row.version,
        changed,
        attributes: json!({ "unit": unit }),
        before: json!(null),
    });
    let (key, version) = (Some(row.id), Some(row.version));
    write.commit(AuditFact { action: "settings:update", subject: SUBJECT, key, version, items: 1 }).await?;
    Ok(row)
}

/// What is given, checked.
fn checked<T, U>(
    given: MaybeUndefined<T>,
    check: impl Fn(&T) -> Result<U, SettingsError>,
) -> Result<MaybeUndefined<U>, SettingsError> {
    Ok(match given {
        MaybeUndefined::Undefined => MaybeUndefined::Undefined,
        MaybeUndefined::Null => MaybeUndefined::Null,
        MaybeUndefined::Value(value) => MaybeUndefined::Value(check(&value)?),
    })
}

/// Puts a value in the place of the one before; whether that makes a difference.
fn put<T: PartialEq>(into: &mut Option<T>, given: MaybeUndefined<T>) -> bool {
    let value = match given {
        MaybeUndefined::Undefined => return false,
        MaybeUndefined::Null => None,
        MaybeUndefined::Value(value) => Some(value),
    };
    if *into == value {
        return false;
    }
    *into = value;
    true
}
