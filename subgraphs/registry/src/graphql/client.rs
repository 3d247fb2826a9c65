//! `ClientApp`.

#![expect(clippy::too_many_arguments, reason = "each argument of a field is one of its function")]

use async_graphql::{Context, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::{ClientAppId, OperationManifestId, Permission, UserId};

use super::Loaders;
use crate::clients::{
    self, Api, ClientAppError, ClientChange, ClientRow, ManifestRow, Mode, NewClient, OperationRow, repo,
};
use crate::target::{Target, USUAL_VARIANT};

/// So many operations of a manifest are listed at most.
const LISTED: i32 = 100;

/// An application that sends operations to the API, such as a frontend or a partner's program.
pub(crate) struct ClientApp(pub(crate) ClientRow);

/// What a version of a client published.
pub(crate) struct OperationManifest(ManifestRow);

/// How far a client is held to what it published, at the gateways of an environment.
#[derive(SimpleObject)]
pub(crate) struct EnvironmentMode {
    /// The environment.
    environment: String,
    /// How far.
    mode: Mode,
}

/// An operation that is a tool for models.
#[derive(SimpleObject)]
pub(crate) struct OperationTool {
    /// The operation's name.
    operation: String,
    /// What it is good for.
    description: String,
}

/// An operation of a manifest.
#[derive(SimpleObject)]
pub(crate) struct ManifestOperation {
    /// What the client sends instead of the text, as `documentId`.
    id: String,
    /// Its name.
    name: String,
    /// `query`, `mutation` or `subscription`.
    kind: String,
    /// Its text.
    document: String,
}

/// An application that sends operations to the API, such as a frontend or a partner's program. It says so in the header
/// `graphql-client-name`; a credential can be bound to it.
#[Object]
impl ClientApp {
    /// Its id.
    async fn id(&self) -> ClientAppId {
        self.0.id
    }

    /// What it calls itself.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What people should know of it.
    async fn description(&self) -> &str {
        &self.0.description
    }

    /// How far it is held to what it published; null for as far as gateways hold everybody.
    async fn mode(&self) -> Option<Mode> {
        self.0.mode
    }

    /// The same at the gateways of single environments.
    async fn environment_modes(&self) -> Vec<EnvironmentMode> {
        let modes = self.0.modes.iter();
        modes
            .map(|(environment, mode)| EnvironmentMode { environment: environment.clone(), mode: *mode })
            .collect()
    }

    /// The operations that are tools for models, at `/mcp`.
    async fn tools(&self) -> Vec<OperationTool> {
        let tools = self.0.tools.iter();
        tools
            .map(|(operation, description)| OperationTool {
                operation: operation.clone(),
                description: description.clone(),
            })
            .collect()
    }

    /// What its versions published, the newest first, but for those that were retired.
    async fn manifests(&self, ctx: &Context<'_>) -> Result<Vec<OperationManifest>, Error> {
        let rows = repo::manifests(ctx.session(), self.0.id).await?;
        Ok(rows.into_iter().map(OperationManifest).collect())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it last changed, or published something.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// How often it changed, and 1.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// What a version of a client published. It never changes.
#[Object]
impl OperationManifest {
    /// Its id.
    async fn id(&self) -> OperationManifestId {
        self.0.id
    }

    /// The version of the client.
    async fn client_version(&self) -> &str {
        &self.0.label
    }

    /// The environment of the organization's own graph that they are sent to; null for the API of Pulse.
    async fn environment(&self) -> Option<&str> {
        self.0.environment.as_deref()
    }

    /// And the variant of that graph.
    async fn variant(&self) -> Option<&str> {
        self.0.variant.as_deref()
    }

    /// How many operations it has.
    async fn operation_count(&self) -> i32 {
        self.0.operations
    }

    /// Its operations in the order of their names.
    async fn operations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 100 if not given.")] first: Option<i32>,
        #[graphql(desc = "Begin behind the operation of this name.")] after: Option<String>,
    ) -> Result<Vec<ManifestOperation>, Error> {
        let limit = first.unwrap_or(LISTED).clamp(1, LISTED);
        let place = (self.0.client_id, self.0.id);
        let rows =
            repo::operations(ctx.session(), place, (&after.unwrap_or_default(), i64::from(limit))).await?;
        let shown = |row: OperationRow| {
            let OperationRow { name, operation_id: id, kind, document } = row;
            ManifestOperation { id, name, kind, document }
        };
        Ok(rows.into_iter().map(shown).collect())
    }

    /// Who published it; null for Pulse itself.
    async fn actor_id(&self) -> Option<UserId> {
        self.0.actor
    }

    /// When it was published.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

impl ClientApp {
    /// The client with this id, if the caller may see it.
    async fn fetch(ctx: &Context<'_>, id: ClientAppId) -> Option<Result<Self, Error>> {
        if let Err(refusal) = ctx.session().caller().require(&Permission::SCHEMA_READ) {
            return Some(Err(refusal.into()));
        }
        let found = ctx.part::<Loaders>().clients.load(id).await;
        found.map(|row| row.map(Self)).map_err(Error::from).transpose()
    }
}

/// Queries about client applications.
#[derive(Default)]
pub(crate) struct ClientQuery;

#[Object]
impl ClientQuery {
    /// One client application; null when there is none such. Needs `schema:read`.
    async fn client_app(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ClientAppId,
    ) -> Option<Result<ClientApp, Error>> {
        ClientApp::fetch(ctx, id).await
    }

    /// One client application by its name; null when there is none such. Needs `schema:read`.
    async fn client_app_by_name(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its name.")] name: String,
    ) -> Result<Option<ClientApp>, Error> {
        ctx.session().caller().require(&Permission::SCHEMA_READ)?;
        Ok(repo::by_name(ctx.session(), &name).await?.map(ClientApp))
    }

    /// The organization's client applications in the order of their names. Needs `schema:read`.
    async fn client_apps(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from the start or `after`: 1 to 100, 20 if not given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the end or `before`: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Result<Connection<ClientApp>, Error<ClientAppError>> {
        ctx.session().caller().require(&Permission::SCHEMA_READ)?;
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(ClientAppError::from)?;
        let rows = repo::page(ctx.session(), &page).await?;
        let total = Total::new(|session| async move { repo::count(&session).await });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.name.clone(),)), ClientApp(row))))
    }

    #[graphql(entity)]
    async fn find_client_app(
        &self,
        ctx: &Context<'_>,
        #[graphql(key)] id: ClientAppId,
    ) -> Option<Result<ClientApp, Error>> {
        ClientApp::fetch(ctx, id).await
    }
}

/// What a new client application is.
#[derive(InputObject)]
pub(crate) struct CreateClientAppInput {
    /// What it calls itself: 1 to 60 small letters, digits and hyphens. It never changes.
    name: String,
    /// What people should know of it, at most 1,000 characters.
    #[graphql(default)]
    description: String,
    /// How far it is held to what it publishes; as far as gateways hold everybody, if not given.
    mode: Option<Mode>,
    /// Makes it safe to repeat the request: the same key with the same input makes nothing twice.
    idempotency_key: Option<String>,
}

/// The new client application.
#[derive(SimpleObject)]
pub(crate) struct CreateClientAppPayload {
    /// The client.
    client_app: ClientApp,
}

/// How far a client is held to what it published, at the gateways of an environment.
#[derive(InputObject)]
pub(crate) struct EnvironmentModeInput {
    /// The environment, as the gateways' settings name it.
    environment: String,
    /// How far.
    mode: Mode,
}

/// An operation that is to be a tool for models.
#[derive(InputObject)]
pub(crate) struct OperationToolInput {
    /// The operation's name.
    operation: String,
    /// What it is good for: 1 to 2,000 characters, for models to read.
    description: String,
}

/// What is to change of a client application; what is not given stays.
#[derive(InputObject)]
pub(crate) struct UpdateClientAppInput {
    /// Which one.
    id: ClientAppId,
    /// What people should know of it.
    description: Option<String>,
    /// How far it is held to what it published; null for as far as gateways hold everybody.
    mode: MaybeUndefined<Mode>,
    /// The same at the gateways of single environments, all of them.
    environment_modes: Option<Vec<EnvironmentModeInput>>,
    /// The operations that are tools for models, all of them; at most 200.
    tools: Option<Vec<OperationToolInput>>,
    /// Refuse the change when it has another version by now.
    expected_version: Option<i64>,
}

/// The changed client application.
#[derive(SimpleObject)]
pub(crate) struct UpdateClientAppPayload {
    /// The client, as it is now.
    client_app: ClientApp,
}

/// Which client application to delete.
#[derive(InputObject)]
pub(crate) struct DeleteClientAppInput {
    /// Which one.
    id: ClientAppId,
}

/// The deleted client application.
#[derive(SimpleObject)]
pub(crate) struct DeleteClientAppPayload {
    /// Its id.
    id: ClientAppId,
}

/// What a version of a client sends.
#[derive(InputObject)]
pub(crate) struct PublishOperationsInput {
    /// The name of the client application.
    client: String,
    /// The version of the client, 1 to 100 characters. What is published for a version never changes.
    version: String,
    /// The environment of the organization's own graph that the client sends them to; the API of Pulse, if not given.
    environment: Option<String>,
    /// The variant of that graph; the usual one, if not given.
    variant: Option<String>,
    /// The manifest as JSON: Apollo's persisted query manifest, or an object of the texts of operations by their ids, such as
    /// Relay's compiler writes; at most 10,000 operations and 20,000,000 bytes.
    manifest: String,
}

/// What came of publishing.
#[derive(SimpleObject)]
pub(crate) struct PublishOperationsPayload {
    /// The client.
    client_app: ClientApp,
    /// What was published.
    manifest: OperationManifest,
    /// Whether the very same was published before.
    is_unchanged: bool,
}

/// Which version of a client is no longer in use.
#[derive(InputObject)]
pub(crate) struct RetireOperationsInput {
    /// The name of the client application.
    client: String,
    /// The version of the client.
    version: String,
}

/// What is left.
#[derive(SimpleObject)]
pub(crate) struct RetireOperationsPayload {
    /// The client, as it is now.
    client_app: ClientApp,
}

/// Mutations of client applications.
#[derive(Default)]
pub(crate) struct ClientMutation;

#[Object]
impl ClientMutation {
    /// Makes a client application. Needs `schema:manage`.
    async fn create_client_app(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is to be.")] input: CreateClientAppInput,
    ) -> Result<CreateClientAppPayload, Error<ClientAppError>> {
        let CreateClientAppInput { name, description, mode, idempotency_key } = input;
        let new = NewClient { name, description, mode };
        let row = clients::create(ctx.session(), new, idempotency_key).await?;
        Ok(CreateClientAppPayload { client_app: ClientApp(row) })
    }

    /// Changes a client application. Needs `schema:manage`.
    async fn update_client_app(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateClientAppInput,
    ) -> Result<UpdateClientAppPayload, Error<ClientAppError>> {
        let UpdateClientAppInput { id, description, mode, environment_modes, tools, expected_version } =
            input;
        let modes =
            environment_modes.map(|modes| modes.into_iter().map(|one| (one.environment, one.mode)).collect());
        let tools =
            tools.map(|tools| tools.into_iter().map(|tool| (tool.operation, tool.description)).collect());
        let change = ClientChange { description, mode, modes, tools, expected_version };
        let row = clients::update(ctx.session(), id, change).await?;
        Ok(UpdateClientAppPayload { client_app: ClientApp(row) })
    }

    /// Deletes a client application with all that it published: credentials that are bound to it can send nothing any more.
    /// Needs `schema:manage`.
    async fn delete_client_app(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteClientAppInput,
    ) -> Result<DeleteClientAppPayload, Error<ClientAppError>> {
        let id = clients::delete(ctx.session(), input.id).await?;
        Ok(DeleteClientAppPayload { id })
    }

    /// Publishes what a version of a client sends: all of it, or nothing if anything of it is not valid. Needs
    /// `schema:publish`.
    async fn publish_operations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it sends.")] input: PublishOperationsInput,
    ) -> Result<PublishOperationsPayload, Error<ClientAppError>> {
        let PublishOperationsInput { client, version, environment, variant, manifest } = input;
        let variant = variant.unwrap_or_else(|| USUAL_VARIANT.to_owned());
        let graph = environment.map(|environment| Target::try_new(environment, variant));
        let graph = graph.transpose().map_err(ClientAppError::from)?;
        let wanted = (client.as_str(), version, manifest.as_str());
        let published = clients::publish(ctx.session(), ctx.part::<Api>(), graph, wanted).await?;
        let clients::Manifested { client, manifest, is_unchanged } = published;
        Ok(PublishOperationsPayload {
            client_app: ClientApp(client),
            manifest: OperationManifest(manifest),
            is_unchanged,
        })
    }

    /// Takes back what a version of a client published, once nobody uses it any more. Needs `schema:manage`.
    async fn retire_operations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which version.")] input: RetireOperationsInput,
    ) -> Result<RetireOperationsPayload, Error<ClientAppError>> {
        let row = clients::retire(ctx.session(), (&input.client, &input.version)).await?;
        Ok(RetireOperationsPayload { client_app: ClientApp(row) })
    }
}
