//! `ApiKey`.

use async_graphql::{Context, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::{MachineId, Permission, UserId};

use super::loaders::Loaders;
use super::user::User;
use crate::machine::{self, Kind, Limits, MachineChange, MachineError, MachineRow, Wanted};

/// A key by which a program acts in the organization.
pub(crate) struct ApiKey(MachineRow);

/// What a new key is to be.
#[derive(InputObject)]
pub(crate) struct CreateApiKeyInput {
    /// What people call it: 1 to 120 characters.
    name: String,
    /// What it may do: permissions such as `entity:read`, none that you do not have yourself.
    scopes: Vec<String>,
    /// The operations that it is for, at most 100: names, or the SHA-256 of an operation's text in hexadecimal. A name is what
    /// the client calls its operation; a hash stands for that very text. Any, if none is given.
    #[graphql(default)]
    operations: Vec<String>,
    /// The client application whose published operations it is for, by whatever way, and no others; any, if not given.
    client: Option<String>,
    /// The networks that it may be used from, at most 100: addresses, or ranges such as `192.0.2.0/24`. Any, if none is given.
    #[graphql(default)]
    networks: Vec<String>,
    /// How many requests it may send a minute; as many as anybody, if not given.
    requests_per_minute: Option<i32>,
    /// What its operations may cost a minute, where the gateway counts costs; as much as anybody's, if not given.
    cost_per_minute: Option<i32>,
    /// When it ends by itself; never, if not given.
    expires_at: Option<DateTime<Utc>>,
    /// Makes it safe to repeat the request: the same key with the same input makes nothing twice.
    idempotency_key: Option<String>,
}

/// The new key.
#[derive(SimpleObject)]
pub(crate) struct CreateApiKeyPayload {
    /// The key.
    api_key: ApiKey,
    /// Send it as `Authorization: Bearer <secret>`, or as `X-API-Key`. It is never shown again: not even when the same request is
    /// repeated, which gets null; rotate the key when it is lost.
    secret: Option<String>,
}

/// What is to change of a key; what is not given stays.
#[derive(InputObject)]
pub(crate) struct UpdateApiKeyInput {
    /// Which one.
    id: MachineId,
    /// What people call it from now on.
    name: Option<String>,
    /// What it may do from now on: none that you do not have yourself.
    scopes: Option<Vec<String>>,
    /// The operations that it is for from now on; any, for an empty list.
    operations: Option<Vec<String>>,
    /// The client application whose published operations it is for; null for any operations.
    client: MaybeUndefined<String>,
    /// The networks that it may be used from; any, for an empty list.
    networks: Option<Vec<String>>,
    /// How many requests it may send a minute; null for as many as anybody.
    requests_per_minute: MaybeUndefined<i32>,
    /// What its operations may cost a minute; null for as much as anybody's.
    cost_per_minute: MaybeUndefined<i32>,
    /// When it ends by itself; null for never.
    expires_at: MaybeUndefined<DateTime<Utc>>,
    /// Whether it is good for anything.
    enabled: Option<bool>,
    /// Whether you answer for it from now on: then it ends with your membership, and may what you may.
    #[graphql(default)]
    take_over: bool,
    /// Refuse the change when it has another version by now.
    expected_version: Option<i64>,
}

/// The changed key.
#[derive(SimpleObject)]
pub(crate) struct UpdateApiKeyPayload {
    /// The key, as it is now.
    api_key: ApiKey,
}

/// Which key gets a new secret.
#[derive(InputObject)]
pub(crate) struct RotateApiKeyInput {
    /// Which one.
    id: MachineId,
    /// For how many seconds the old secret stays good, 0 to 2592000 (30 days). 0 when it is in the wrong hands.
    #[graphql(default = 3600)]
    overlap_seconds: i32,
}

/// A key with a new secret.
#[derive(SimpleObject)]
pub(crate) struct RotateApiKeyPayload {
    /// The key.
    api_key: ApiKey,
    /// What to send from now on. It is never shown again.
    secret: String,
}

/// Which key to revoke.
#[derive(InputObject)]
pub(crate) struct RevokeApiKeyInput {
    /// Which one.
    id: MachineId,
}

/// The revoked key.
#[derive(SimpleObject)]
pub(crate) struct RevokeApiKeyPayload {
    /// The key, which is refused from now on.
    api_key: ApiKey,
}

/// A key by which a program acts in the organization. It never may more than the person who answers for it: when that person
/// loses a right, so does the key, and when the person leaves the organization, it is refused until somebody takes it over.
#[Object]
impl ApiKey {
    /// Its id. What it does is written down under it: where a person's id would stand as the actor, this one does.
    async fn id(&self) -> MachineId {
        self.0.id
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How its secrets begin: enough to know them by, nothing to guess them from.
    async fn prefix(&self) -> String {
        self.0.kind.secret().shown(self.0.id)
    }

    /// What it may do, as far as the person who answers for it may.
    async fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// Names or hashes of the operations that it is for; any, when there are none.
    async fn operations(&self) -> &[String] {
        &self.0.operations
    }

    /// The client application whose published operations it is for, and no others; null for any.
    async fn client(&self) -> Option<&str> {
        self.0.client.as_deref()
    }

    /// The networks that it may be used from; any, when there are none.
    async fn networks(&self) -> &[String] {
        &self.0.networks
    }

    /// How many requests it may send a minute; null for as many as anybody.
    async fn requests_per_minute(&self) -> Option<i32> {
        self.0.requests_per_minute
    }

    /// What its operations may cost a minute, where the gateway counts costs; null for as much as anybody's.
    async fn cost_per_minute(&self) -> Option<i32> {
        self.0.cost_per_minute
    }

    /// Whether it is good for anything.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// When it ends by itself; null for never.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// When it was revoked; null while it is not.
    async fn revoked_at(&self) -> Option<DateTime<Utc>> {
        self.0.revoked_at
    }

    /// Until when the secret before the last rotation is good; null when it is not.
    async fn previous_secret_until(&self, ctx: &Context<'_>) -> Option<DateTime<Utc>> {
        let now = ctx.session().store().clock().now();
        self.0.previous_until.filter(|until| *until > now)
    }

    /// When it was last used, to a minute or two; null for never.
    async fn last_used_at(&self) -> Option<DateTime<Utc>> {
        self.0.last_used_at
    }

    /// The id of the person who answers for it.
    async fn maker_id(&self) -> UserId {
        self.0.maker
    }

    /// The person who answers for it; null if you may not see members, or it is none any more.
    async fn maker(&self, ctx: &Context<'_>) -> Option<Result<User, Error>> {
        User::fetch(ctx, self.0.maker).await
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it last changed; being used is no change.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// How often it was changed, and 1.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

impl ApiKey {
    /// The key with this id, if the caller may see it.
    async fn fetch(ctx: &Context<'_>, id: MachineId) -> Option<Result<Self, Error>> {
        if let Err(refusal) = ctx.session().caller().require(&Permission::API_KEY_READ) {
            return Some(Err(refusal.into()));
        }
        let found = ctx.part::<Loaders>().api_keys.load(id).await;
        found.map(|row| row.map(Self)).map_err(Error::from).transpose()
    }
}

#[derive(Default)]
pub(super) struct ApiKeyQuery;

#[Object]
impl ApiKeyQuery {
    /// One API key, also a revoked one; null when there is none such. Needs `api-key:read`.
    async fn api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: MachineId,
    ) -> Option<Result<ApiKey, Error>> {
        ApiKey::fetch(ctx, id).await
    }

    /// The organization's API keys that were not revoked, in the order of their making. Needs `api-key:read`.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn api_keys(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ApiKey>, Error<MachineError>> {
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(MachineError::from)?;
        let rows = machine::page(ctx.session(), Kind::ApiKey, &page).await?;
        let total = Total::new(|session| async move { machine::count(&session, Kind::ApiKey).await });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), ApiKey(row))))
    }

    #[graphql(entity)]
    async fn find_api_key_by_id(&self, ctx: &Context<'_>, id: MachineId) -> Option<Result<ApiKey, Error>> {
        ApiKey::fetch(ctx, id).await
    }
}

#[derive(Default)]
pub(super) struct ApiKeyMutation;

#[Object]
impl ApiKeyMutation {
    /// Makes an API key, for which you answer. Needs `api-key:manage`, and every scope that it gets.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is to be.")] input: CreateApiKeyInput,
    ) -> Result<CreateApiKeyPayload, Error<MachineError>> {
        let CreateApiKeyInput {
            name,
            scopes,
            operations,
            client,
            networks,
            requests_per_minute,
            cost_per_minute,
            expires_at,
            idempotency_key,
        } = input;
        let limits = Limits { operations, client, networks, requests_per_minute, cost_per_minute };
        let wanted = Wanted { name, scopes, limits, expires_at };
        let (row, secret) = machine::create(ctx.session(), Kind::ApiKey, wanted, idempotency_key).await?;
        let secret = secret.map(|secret| secret.expose().to_owned());
        Ok(CreateApiKeyPayload { api_key: ApiKey(row), secret })
    }

    /// Changes an API key. Streams that it has open end when what it may do changes. Needs `api-key:manage` and, to change more
    /// than its name or to switch it off, every scope that it has.
    async fn update_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateApiKeyInput,
    ) -> Result<UpdateApiKeyPayload, Error<MachineError>> {
        let UpdateApiKeyInput {
            id,
            name,
            scopes,
            operations,
            client,
            networks,
            requests_per_minute,
            cost_per_minute,
            expires_at,
            enabled,
            take_over,
            expected_version,
        } = input;
        let change = MachineChange {
            name,
            scopes,
            operations,
            client,
            networks,
            requests_per_minute,
            cost_per_minute,
            expires_at,
            enabled,
            take_over,
            expected_version,
        };
        let row = machine::update(ctx.session(), (Kind::ApiKey, id), change).await?;
        Ok(UpdateApiKeyPayload { api_key: ApiKey(row) })
    }

    /// Gives an API key a new secret; the old one stays good for a while. Streams that it has open end, and may be opened again
    /// with either. Needs `api-key:manage`, and every scope that the key has.
    async fn rotate_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RotateApiKeyInput,
    ) -> Result<RotateApiKeyPayload, Error<MachineError>> {
        let RotateApiKeyInput { id, overlap_seconds } = input;
        let (row, secret) = machine::rotate(ctx.session(), (Kind::ApiKey, id), overlap_seconds).await?;
        Ok(RotateApiKeyPayload { api_key: ApiKey(row), secret: secret.expose().to_owned() })
    }

    /// Ends an API key for good: it is refused everywhere within a second, and streams that it has open end. Revoking it twice
    /// is no error. Needs `api-key:manage`.
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeApiKeyInput,
    ) -> Result<RevokeApiKeyPayload, Error<MachineError>> {
        let row = machine::revoke(ctx.session(), (Kind::ApiKey, input.id)).await?;
        Ok(RevokeApiKeyPayload { api_key: ApiKey(row) })
    }
}
