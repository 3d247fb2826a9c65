//! `Settings` and `Branding` of the organization, and of its sub-organizations and teams.

use async_graphql::{Context, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Error};
use pulse_types::UnitId;
use uuid::Uuid;

use crate::authority::Authority;
use crate::settings::{
    self, BrandingChange, Color, Effective, Logo, Place, SettingsChange, SettingsError, SettingsRow, Source,
    Theme, WeekDay,
};

/// What is set at one place; null is left to the place above.
#[derive(SimpleObject)]
#[graphql(name = "Settings")]
pub(crate) struct SettingsObject {
    /// The sub-organization or team; null for the whole organization.
    unit_id: Option<UnitId>,
    /// The locale of people who prefer none, such as `de-AT`.
    default_locale: Option<String>,
    /// The time zone of people who prefer none, such as `Europe/Vienna`.
    time_zone: Option<String>,
    /// The day that weeks begin with.
    week_start: Option<WeekDay>,
    /// The domains that addresses must be of to be invited; null for any. Of the whole organization alone.
    allowed_email_domains: Option<Vec<String>>,
    /// How things look.
    branding: BrandingObject,
    /// How often it was changed; 0 where nothing is set.
    version: i64,
    /// When it last changed; null where nothing is set.
    updated_at: Option<DateTime<Utc>>,
}

/// How things look. It says nothing else of whose they are.
#[derive(SimpleObject)]
#[graphql(name = "Branding")]
pub(crate) struct BrandingObject {
    /// The name to show.
    display_name: Option<String>,
    /// Where the logo is. One that was uploaded is on the origin of the API.
    logo_url: Option<String>,
    /// Which palette to use.
    theme: Option<Theme>,
    /// The colours of the light theme.
    light: Option<PaletteObject>,
    /// The colours of the dark theme.
    dark: Option<PaletteObject>,
    /// Text that is hard to read on its colour.
    warnings: Vec<ContrastWarning>,
}

/// Colours that go together, each `#rrggbb`.
#[derive(SimpleObject)]
#[graphql(name = "Palette")]
pub(crate) struct PaletteObject {
    /// Of buttons and links.
    primary: String,
    /// Of text on `primary`.
    on_primary: String,
    /// Of the page.
    background: String,
    /// Of text on the page.
    text: String,
}

/// Text that has less contrast than WCAG 2.2 asks for (4.5, level AA).
#[derive(SimpleObject)]
pub(crate) struct ContrastWarning {
    /// The colour of the text, such as `light.onPrimary`.
    field: String,
    /// The contrast: 1 for none to 21 for black on white.
    contrast: f64,
}

/// What holds at a place: of each value the nearest that is set, or what Pulse does by default.
#[derive(SimpleObject)]
pub(crate) struct EffectiveSettings {
    /// The locale of people who prefer none.
    default_locale: String,
    /// The time zone of people who prefer none.
    time_zone: String,
    /// The day that weeks begin with.
    week_start: WeekDay,
    /// The domains that addresses must be of to be invited; null for any.
    allowed_email_domains: Option<Vec<String>>,
    /// How things look.
    branding: BrandingObject,
    /// Where each value comes from.
    sources: Vec<SettingSource>,
}

/// Where a value comes from.
#[derive(SimpleObject)]
pub(crate) struct SettingSource {
    /// The value, such as `timeZone` or `light`.
    name: &'static str,
    /// The sub-organization or team that has set it; null for the organization, and for nobody.
    unit_id: Option<UnitId>,
    /// Whether nobody has set it.
    is_default: bool,
}

/// What to change; what is left out stays, and null is left to the place above.
#[derive(InputObject)]
pub(crate) struct UpdateSettingsInput {
    /// The sub-organization or team; the whole organization if not given.
    unit_id: Option<UnitId>,
    /// The version that you have read: another one is refused. Whatever it is, if not given.
    version: Option<i64>,
    /// The locale of people who prefer none, such as `de-AT`.
    default_locale: MaybeUndefined<String>,
    /// The time zone of people who prefer none, such as `Europe/Vienna`.
    time_zone: MaybeUndefined<String>,
    /// The day that weeks begin with.
    week_start: MaybeUndefined<WeekDay>,
    /// The domains that addresses must be of to be invited: 1 to 50. Of the whole organization alone.
    allowed_email_domains: MaybeUndefined<Vec<String>>,
}

/// What is set by now.
#[derive(SimpleObject)]
pub(crate) struct UpdateSettingsPayload {
    /// The settings.
    settings: SettingsObject,
}

/// Colours that go together, each `#rrggbb`.
#[derive(InputObject)]
pub(crate) struct PaletteInput {
    /// Of buttons and links.
    primary: String,
    /// Of text on `primary`; black or white, whichever is read better, if not given.
    on_primary: Option<String>,
    /// Of the page.
    background: String,
    /// Of text on the page.
    text: String,
}

/// What to change; what is left out stays, and null is left to the place above.
#[derive(InputObject)]
pub(crate) struct UpdateBrandingInput {
    /// The sub-organization or team; the whole organization if not given.
    unit_id: Option<UnitId>,
    /// The version that you have read: another one is refused. Whatever it is, if not given.
    version: Option<i64>,
    /// The name to show: 1 to 120 characters.
    display_name: MaybeUndefined<String>,
    /// Where the logo is: `https://` and at most 2,000 characters. One that was uploaded is forgotten.
    logo_url: MaybeUndefined<String>,
    /// Which palette to use.
    theme: MaybeUndefined<Theme>,
    /// The colours of the light theme.
    light: MaybeUndefined<PaletteInput>,
    /// The colours of the dark theme.
    dark: MaybeUndefined<PaletteInput>,
}

/// What is set by now.
#[derive(SimpleObject)]
pub(crate) struct UpdateBrandingPayload {
    /// The settings. Their branding has warnings where text is hard to read.
    settings: SettingsObject,
}

/// A picture.
#[derive(InputObject)]
pub(crate) struct UploadLogoInput {
    /// The sub-organization or team; the whole organization if not given.
    unit_id: Option<UnitId>,
    /// The version that you have read: another one is refused. Whatever it is, if not given.
    version: Option<i64>,
    /// A PNG, a JPEG or a WebP picture of at most 256 KiB, in Base64.
    data: String,
}

/// What is set by now.
#[derive(SimpleObject)]
pub(crate) struct UploadLogoPayload {
    /// The settings. Their branding says where the logo is.
    settings: SettingsObject,
}

impl From<settings::Palette> for PaletteObject {
    fn from(settings::Palette { primary, on_primary, background, text }: settings::Palette) -> Self {
        let [primary, on_primary, background, text] =
            [primary, on_primary, background, text].map(|color| color.to_string());
        Self { primary, on_primary, background, text }
    }
}

impl From<settings::Branding> for BrandingObject {
    fn from(branding: settings::Branding) -> Self {
        let settings::Branding { display_name, logo, theme, light, dark } = branding;
        let warned = |name: &str, palette: Option<settings::Palette>| -> Vec<ContrastWarning> {
            let hard = palette.map(|palette| palette.hard_to_read()).unwrap_or_default();
            let warn = |(field, contrast): (&str, f64)| ContrastWarning {
                field: format!("{name}.{field}"),
                contrast: (contrast * 100.0).floor() / 100.0,
            };
            hard.into_iter().map(warn).collect()
        };
        let mut warnings = warned("light", light);
        warnings.extend(warned("dark", dark));
        let logo_url = logo.map(|logo| match logo {
            Logo::Url(url) => url,
            Logo::Uploaded(id) => settings::logo_path(id),
        });
        let (light, dark) = (light.map(PaletteObject::from), dark.map(PaletteObject::from));
        Self { display_name, logo_url, theme, light, dark, warnings }
    }
}

impl SettingsObject {
    fn new(unit_id: Option<UnitId>, row: Option<SettingsRow>) -> Self {
        let (version, updated_at) = row.as_ref().map_or((0, None), |row| (row.version, Some(row.updated_at)));
        let (settings, branding) = row.map(|row| (row.settings.0, row.branding.0)).unwrap_or_default();
        let settings::Settings { default_locale, time_zone, week_start, allowed_email_domains } = settings;
        let branding = branding.into();
        Self {
            unit_id,
            default_locale,
            time_zone,
            week_start,
            allowed_email_domains,
            branding,
            version,
            updated_at,
        }
    }
}

/// What everybody sees who has said nothing else.
fn with_defaults(branding: settings::Branding) -> BrandingObject {
    let settings::Branding { display_name, logo, theme, light, dark } = branding;
    settings::Branding {
        display_name,
        logo,
        theme: theme.or(Some(Theme::System)),
        light: light.or(Some(settings::Palette::LIGHT)),
        dark: dark.or(Some(settings::Palette::DARK)),
    }
    .into()
}

impl EffectiveSettings {
    fn new(effective: Effective, tenant: Option<Uuid>) -> Self {
        let Effective { settings, branding, sources } = effective;
        let settings::Settings { default_locale, time_zone, week_start, allowed_email_domains } = settings;
        let source = |(name, source)| match source {
            Source::Place(place) => {
                let unit_id = (Some(place) != tenant).then(|| UnitId::from_uuid(place));
                SettingSource { name, unit_id, is_default: false }
            }
            Source::Default => SettingSource { name, unit_id: None, is_default: true },
        };
        Self {
            default_locale: default_locale.unwrap_or_else(|| "en".to_owned()),
            time_zone: time_zone.unwrap_or_else(|| "UTC".to_owned()),
            week_start: week_start.unwrap_or(WeekDay::Monday),
            allowed_email_domains,
            branding: with_defaults(branding),
            sources: sources.into_iter().map(source).collect(),
        }
    }
}

impl PaletteInput {
    fn check(self) -> Result<settings::Palette, SettingsError> {
        let Self { primary, on_primary, background, text } = self;
        let primary = Color::try_new(&primary)?;
        let on_primary = on_primary.as_deref().map(Color::try_new).transpose()?;
        Ok(settings::Palette {
            primary,
            on_primary: on_primary.unwrap_or_else(|| primary.text_on()),
            background: Color::try_new(&background)?,
            text: Color::try_new(&text)?,
        })
    }
}

fn palette(given: MaybeUndefined<PaletteInput>) -> Result<MaybeUndefined<settings::Palette>, SettingsError> {
    Ok(match given {
        MaybeUndefined::Undefined => MaybeUndefined::Undefined,
        MaybeUndefined::Null => MaybeUndefined::Null,
        MaybeUndefined::Value(palette) => MaybeUndefined::Value(palette.check()?),
    })
}

#[derive(Default)]
pub(super) struct SettingsQuery;

#[Object]
impl SettingsQuery {
    /// What is set for the organization that you act in, or for one of its sub-organizations or teams. Needs
    /// `organization:read`.
    async fn settings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sub-organization or team; the whole organization if not given.")]
        unit_id: Option<UnitId>,
    ) -> Option<Result<SettingsObject, Error<SettingsError>>> {
        let row = settings::find(ctx.session(), unit_id).await;
        Some(row.map(|row| SettingsObject::new(unit_id, row)))
    }

    /// What holds in the organization that you act in, or in one of its sub-organizations or teams, and where it comes from.
    /// Needs `organization:read`.
    async fn effective_settings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sub-organization or team; the whole organization if not given.")]
        unit_id: Option<UnitId>,
    ) -> Option<Result<EffectiveSettings, Error<SettingsError>>> {
        let effective = settings::effective(ctx.session(), unit_id).await;
        let tenant = ctx.session().caller().org.map(pulse_types::OrgId::uuid);
        Some(effective.map(|effective| EffectiveSettings::new(effective, tenant)))
    }

    /// How the organization of this slug looks, for a page to sign in at. A slug that nobody has gets what one gets that has set
    /// nothing.
    async fn branding_of(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The slug.")] slug: String,
    ) -> Option<Result<BrandingObject, Error<SettingsError>>> {
        let branding = settings::of_slug(ctx.session(), &ctx.part::<Authority>().sealer, &slug).await;
        Some(branding.map(with_defaults))
    }
}

#[derive(Default)]
pub(super) struct SettingsMutation;

#[Object]
impl SettingsMutation {
    /// Changes how things work in the organization that you act in, or in one of its sub-organizations or teams. Needs
    /// `settings:manage`.
    async fn update_settings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateSettingsInput,
    ) -> Result<UpdateSettingsPayload, Error<SettingsError>> {
        let UpdateSettingsInput {
            unit_id,
            version,
            default_locale,
            time_zone,
            week_start,
            allowed_email_domains,
        } = input;
        let change = SettingsChange { default_locale, time_zone, week_start, allowed_email_domains };
        let row = settings::update(ctx.session(), Place { unit: unit_id, version }, change).await?;
        Ok(UpdateSettingsPayload { settings: SettingsObject::new(unit_id, Some(row)) })
    }

    /// Changes how things look in the organization that you act in, or in one of its sub-organizations or teams. Needs
    /// `settings:manage`.
    async fn update_branding(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateBrandingInput,
    ) -> Result<UpdateBrandingPayload, Error<SettingsError>> {
        let UpdateBrandingInput { unit_id, version, display_name, logo_url, theme, light, dark } = input;
        let (light, dark) = (palette(light)?, palette(dark)?);
        let change = BrandingChange { display_name, logo_url, theme, light, dark };
        let row = settings::update_branding(ctx.session(), Place { unit: unit_id, version }, change).await?;
        Ok(UpdateBrandingPayload { settings: SettingsObject::new(unit_id, Some(row)) })
    }

    /// Puts a picture in the place of the logo of before. Everybody may see it. Needs `settings:manage`.
    async fn upload_logo(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The picture.")] input: UploadLogoInput,
    ) -> Result<UploadLogoPayload, Error<SettingsError>> {
        let UploadLogoInput { unit_id, version, data } = input;
        let row = settings::upload_logo(ctx.session(), Place { unit: unit_id, version }, &data).await?;
        Ok(UploadLogoPayload { settings: SettingsObject::new(unit_id, Some(row)) })
    }
}
