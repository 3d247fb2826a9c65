//! `ServiceAccount`.

use async_graphql::{Context, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::{MachineId, Permission, UserId};

use super::user::User;
use crate::machine::{self, Kind, Limits, MachineChange, MachineError, MachineRow, Wanted};

/// A program that gets access tokens for the organization.
pub(crate) struct ServiceAccount(MachineRow);

/// What a new service account is to be.
#[derive(InputObject)]
pub(crate) struct CreateServiceAccountInput {
    /// What people call it: 1 to 120 characters.
    name: String,
    /// What it may do: permissions such as `entity:read`, none that you do not have yourself.
    scopes: Vec<String>,
    /// When it ends by itself; never, if not given.
    expires_at: Option<DateTime<Utc>>,
    /// Makes it safe to repeat the request: the same key with the same input makes nothing twice.
    idempotency_key: Option<String>,
}

/// The new service account.
#[derive(SimpleObject)]
pub(crate) struct CreateServiceAccountPayload {
    /// The service account.
    service_account: ServiceAccount,
    /// What to send to `/oauth/token` as the client's secret, with the account's id as the client's. It is never shown again:
    /// not even when the same request is repeated, which gets null; rotate it when it is lost.
    client_secret: Option<String>,
}

/// What is to change of a service account; what is not given stays.
#[derive(InputObject)]
pub(crate) struct UpdateServiceAccountInput {
    /// Which one.
    id: MachineId,
    /// What people call it from now on.
    name: Option<String>,
    /// What it may do from now on: none that you do not have yourself. Its access tokens are refused; it gets new ones.
    scopes: Option<Vec<String>>,
    /// When it ends by itself; null for never.
    expires_at: MaybeUndefined<DateTime<Utc>>,
    /// Whether it is good for anything. Switched off, its access tokens are refused within a second.
    enabled: Option<bool>,
    /// Whether you answer for it from now on: then it ends with your membership, and may what you may.
    #[graphql(default)]
    take_over: bool,
    /// Refuse the change when it has another version by now.
    expected_version: Option<i64>,
}

/// The changed service account.
#[derive(SimpleObject)]
pub(crate) struct UpdateServiceAccountPayload {
    /// The service account, as it is now.
    service_account: ServiceAccount,
}

/// Which service account gets a new secret.
#[derive(InputObject)]
pub(crate) struct RotateServiceAccountSecretInput {
    /// Which one.
    id: MachineId,
    /// For how many seconds the old secret stays good, 0 to 2592000 (30 days). 0 when it is in the wrong hands: then the access
    /// tokens that were got with it end too.
    #[graphql(default = 3600)]
    overlap_seconds: i32,
}

/// A service account with a new secret.
#[derive(SimpleObject)]
pub(crate) struct RotateServiceAccountSecretPayload {
    /// The service account.
    service_account: ServiceAccount,
    /// What to send from now on. It is never shown again.
    client_secret: String,
}

/// Which service account to delete.
#[derive(InputObject)]
pub(crate) struct DeleteServiceAccountInput {
    /// Which one.
    id: MachineId,
}

/// What was deleted.
#[derive(SimpleObject)]
pub(crate) struct DeleteServiceAccountPayload {
    /// The id of the deleted service account.
    id: MachineId,
}

/// A program that gets access tokens for the organization by OAuth 2 client credentials. It never may more than the person who
/// answers for it.
#[Object]
impl ServiceAccount {
    /// Its id, which is the client's id for `/oauth/token`. What it does is written down under it.
    async fn id(&self) -> MachineId {
        self.0.id
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How its secrets begin: enough to know them by, nothing to guess them from.
    async fn secret_prefix(&self) -> String {
        self.0.kind.secret().shown(self.0.id)
    }

    /// What it may do, as far as the person who answers for it may.
    async fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// Whether it is good for anything.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// When it ends by itself; null for never.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// Until when the secret before the last rotation is good; null when it is not.
    async fn previous_secret_until(&self, ctx: &Context<'_>) -> Option<DateTime<Utc>> {
        let now = ctx.session().store().clock().now();
        self.0.previous_until.filter(|until| *until > now)
    }

    /// When it last got a token, to a minute or two; null for never.
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

#[derive(Default)]
pub(super) struct ServiceAccountQuery;

#[Object]
impl ServiceAccountQuery {
    /// One service account; null when there is none such, or it was deleted. Needs `api-key:read`.
    async fn service_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: MachineId,
    ) -> Option<Result<ServiceAccount, Error>> {
        if let Err(refusal) = ctx.session().caller().require(&Permission::API_KEY_READ) {
            return Some(Err(refusal.into()));
        }
        let found = machine::find(ctx.session(), Kind::ServiceAccount, &[id]).await;
        let good = |row: MachineRow| row.revoked_at.is_none().then_some(ServiceAccount(row));
        found.map(|mut rows| rows.remove(&id).and_then(good)).map_err(Error::from).transpose()
    }

    /// The organization's service accounts, in the order of their making. Needs `api-key:read`.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn service_accounts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ServiceAccount>, Error<MachineError>> {
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(MachineError::from)?;
        let rows = machine::page(ctx.session(), Kind::ServiceAccount, &page).await?;
        let total = Total::new(|session| async move { machine::count(&session, Kind::ServiceAccount).await });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), ServiceAccount(row))))
    }
}

#[derive(Default)]
pub(super) struct ServiceAccountMutation;

#[Object]
impl ServiceAccountMutation {
    /// Makes a service account, for which you answer. Needs `api-key:manage`, and every scope that it gets.
    async fn create_service_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is to be.")] input: CreateServiceAccountInput,
    ) -> Result<CreateServiceAccountPayload, Error<MachineError>> {
        let CreateServiceAccountInput { name, scopes, expires_at, idempotency_key } = input;
        let wanted = Wanted { name, scopes, limits: Limits::default(), expires_at };
        let kind = Kind::ServiceAccount;
        let (row, secret) = machine::create(ctx.session(), kind, wanted, idempotency_key).await?;
        let client_secret = secret.map(|secret| secret.expose().to_owned());
        Ok(CreateServiceAccountPayload { service_account: ServiceAccount(row), client_secret })
    }

    /// Changes a service account. Needs `api-key:manage` and, to change more than its name or to switch it off, every scope that
    /// it has.
    async fn update_service_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateServiceAccountInput,
    ) -> Result<UpdateServiceAccountPayload, Error<MachineError>> {
        let UpdateServiceAccountInput { id, name, scopes, expires_at, enabled, take_over, expected_version } =
            input;
        let change = MachineChange {
            name,
            scopes,
            expires_at,
            enabled,
            take_over,
            expected_version,
            ..MachineChange::default()
        };
        let row = machine::update(ctx.session(), (Kind::ServiceAccount, id), change).await?;
        Ok(UpdateServiceAccountPayload { service_account: ServiceAccount(row) })
    }

    /// Gives a service account a new secret; the old one stays good for a while. Needs `api-key:manage`, and every scope that the
    /// account has.
    async fn rotate_service_account_secret(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RotateServiceAccountSecretInput,
    ) -> Result<RotateServiceAccountSecretPayload, Error<MachineError>> {
        let RotateServiceAccountSecretInput { id, overlap_seconds } = input;
        let (row, secret) =
            machine::rotate(ctx.session(), (Kind::ServiceAccount, id), overlap_seconds).await?;
        let client_secret = secret.expose().to_owned();
        Ok(RotateServiceAccountSecretPayload { service_account: ServiceAccount(row), client_secret })
    }

    /// Ends a service account for good: it gets no more tokens, and those that it has are refused within a second. Deleting it
    /// twice is no error. Needs `api-key:manage`.
    async fn delete_service_account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteServiceAccountInput,
    ) -> Result<DeleteServiceAccountPayload, Error<MachineError>> {
        let row = machine::revoke(ctx.session(), (Kind::ServiceAccount, input.id)).await?;
        Ok(DeleteServiceAccountPayload { id: row.id })
    }
}
