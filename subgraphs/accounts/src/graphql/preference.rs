//! `Preferences`: what a person prefers, wherever it acts.

use async_graphql::{Context, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Error, JsonObject};

use crate::preference::{self, Channel, PreferencesError, PreferencesRow, Shared, SharedChange};
use crate::settings::Theme;

/// What you prefer, in whatever organization you act.
#[derive(SimpleObject)]
pub(crate) struct Preferences {
    /// Your locale, such as `de-AT`; null for that of where you act.
    locale: Option<String>,
    /// Your time zone, such as `Europe/Vienna`; null for that of where you act.
    time_zone: Option<String>,
    /// Light or dark; null for that of where you act.
    theme: Option<Theme>,
    /// Whether things should not move; null for what your device prefers.
    reduced_motion: Option<bool>,
    /// How you want to hear of what, by kind. Of other kinds you have said nothing.
    notifications: Vec<NotificationPreference>,
    /// How often this was changed; 0 if never.
    version: i64,
    /// What clients keep for you, by namespace: at most 32.
    clients: Vec<ClientPreferences>,
}

/// How you want to hear of one kind of thing.
#[derive(SimpleObject)]
pub(crate) struct NotificationPreference {
    /// The kind.
    kind: String,
    /// By which ways; none for not at all.
    channels: Vec<Channel>,
}

/// What one client keeps for you.
#[derive(SimpleObject)]
pub(crate) struct ClientPreferences {
    /// The client's own name for it.
    namespace: String,
    /// What is kept.
    value: JsonObject,
    /// How often it was changed.
    version: i64,
    /// When it last changed.
    updated_at: DateTime<Utc>,
}

/// How you want to hear of one kind of thing.
#[derive(InputObject)]
pub(crate) struct NotificationPreferenceInput {
    /// The kind: 1 to 64 of a-z, 0-9, dot, dash and underscore, with a letter first.
    kind: String,
    /// By which ways; none for not at all.
    channels: Vec<Channel>,
}

/// What to change; what is left out stays, and null is left to where you act.
#[derive(InputObject)]
pub(crate) struct UpdatePreferencesInput {
    /// The version that you have read: another one is refused. Whatever it is, if not given.
    version: Option<i64>,
    /// Your locale, such as `de-AT`.
    locale: MaybeUndefined<String>,
    /// Your time zone, such as `Europe/Vienna`.
    time_zone: MaybeUndefined<String>,
    /// Light or dark.
    theme: MaybeUndefined<Theme>,
    /// Whether things should not move.
    reduced_motion: MaybeUndefined<bool>,
    /// How you want to hear of what: at most 50 kinds, in the place of all those of before.
    notifications: MaybeUndefined<Vec<NotificationPreferenceInput>>,
}

/// What you prefer by now.
#[derive(SimpleObject)]
pub(crate) struct UpdatePreferencesPayload {
    /// Your preferences.
    preferences: Preferences,
}

/// What a client wants to keep.
#[derive(InputObject)]
pub(crate) struct PatchClientPreferencesInput {
    /// The client's own name for it: 1 to 64 of a-z, 0-9, dot, dash and underscore, with a letter first.
    namespace: String,
    /// The version that you have read: another one is refused. Whatever it is, if not given.
    version: Option<i64>,
    /// What is different, as a JSON Merge Patch (RFC 7396): null takes a name away. At most 16 KiB are kept.
    patch: JsonObject,
}

/// What the client keeps by now.
#[derive(SimpleObject)]
pub(crate) struct PatchClientPreferencesPayload {
    /// The namespace.
    client: ClientPreferences,
}

/// What a client keeps no more.
#[derive(InputObject)]
pub(crate) struct ClearClientPreferencesInput {
    /// The namespace.
    namespace: String,
}

/// The namespace is empty.
#[derive(SimpleObject)]
pub(crate) struct ClearClientPreferencesPayload {
    /// The namespace.
    namespace: String,
}

impl From<PreferencesRow> for ClientPreferences {
    fn from(PreferencesRow { namespace, value, version, updated_at }: PreferencesRow) -> Self {
        let value = match value.0 {
            serde_json::Value::Object(object) => JsonObject(object),
            _ => JsonObject::default(),
        };
        Self { namespace, value, version, updated_at }
    }
}

impl Preferences {
    fn new((shared, version): (Shared, i64), clients: Vec<PreferencesRow>) -> Self {
        let Shared { locale, time_zone, theme, reduced_motion, notifications } = shared;
        let notifications =
            notifications.into_iter().map(|(kind, channels)| NotificationPreference { kind, channels });
        Self {
            locale,
            time_zone,
            theme,
            reduced_motion,
            notifications: notifications.collect(),
            version,
            clients: clients.into_iter().map(ClientPreferences::from).collect(),
        }
    }

    async fn fetch(ctx: &Context<'_>) -> Result<Self, Error> {
        let (shared, clients) = preference::own(ctx.session()).await?;
        Ok(Self::new(shared, clients))
    }
}

#[derive(Default)]
pub(super) struct PreferencesQuery;

#[Object]
impl PreferencesQuery {
    /// What you prefer, in whatever organization you act.
    async fn preferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of what clients keep only this namespace; all if not given.")] namespace: Option<
            String,
        >,
    ) -> Option<Result<Preferences, Error>> {
        let found = Preferences::fetch(ctx).await;
        Some(found.map(|mut preferences| {
            if let Some(namespace) = namespace {
                preferences.clients.retain(|client| client.namespace == namespace);
            }
            preferences
        }))
    }
}

#[derive(Default)]
pub(super) struct PreferencesMutation;

#[Object]
impl PreferencesMutation {
    /// Changes what you prefer and all clients share.
    async fn update_preferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdatePreferencesInput,
    ) -> Result<UpdatePreferencesPayload, Error<PreferencesError>> {
        let UpdatePreferencesInput { version, locale, time_zone, theme, reduced_motion, notifications } =
            input;
        let notifications = notifications
            .map_value(|kinds| kinds.into_iter().map(|input| (input.kind, input.channels)).collect());
        let change = SharedChange { locale, time_zone, theme, reduced_motion, notifications };
        preference::update(ctx.session(), version, change).await?;
        let preferences = Preferences::fetch(ctx).await;
        let preferences = preferences.map_err(|error| error.map_client(|never| match never {}))?;
        Ok(UpdatePreferencesPayload { preferences })
    }

    /// Merges a patch into what a client keeps for you.
    async fn patch_client_preferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is different.")] input: PatchClientPreferencesInput,
    ) -> Result<PatchClientPreferencesPayload, Error<PreferencesError>> {
        let PatchClientPreferencesInput { namespace, version, patch } = input;
        let row = preference::patch(ctx.session(), (&namespace, version), patch.0).await?;
        Ok(PatchClientPreferencesPayload { client: row.into() })
    }

    /// Forgets what a client keeps for you.
    async fn clear_client_preferences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which client's.")] input: ClearClientPreferencesInput,
    ) -> Result<ClearClientPreferencesPayload, Error<PreferencesError>> {
        preference::clear(ctx.session(), &input.namespace).await?;
        Ok(ClearClientPreferencesPayload { namespace: input.namespace })
    }
}
