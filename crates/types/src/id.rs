//! The registry of id types. Every id is a UUIDv7 and its own type; text is parsed at the edge.

use std::fmt;
use std::str::FromStr;

use async_graphql::{
    ContextSelectionSet, ID, InputType, InputValueError, InputValueResult, OutputType, Positioned,
    ServerResult, Value, parser::types::Field, registry::Registry,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use uuid::{NoContext, Timestamp, Uuid};

/// Text that is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an id: expected a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057")]
pub struct InvalidId {
    /// What was given, cut to 64 characters.
    pub text: String,
}

fn parse(text: &str) -> Result<Uuid, InvalidId> {
    Uuid::try_parse(text).map_err(|_| InvalidId { text: text.chars().take(64).collect() })
}

/// A UUIDv7 of the given time: sorts by time, random below the millisecond.
fn at(time: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(time.timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, time.timestamp_subsec_nanos()))
}

macro_rules! ids {
    ($($(#[$doc:meta])+ $name:ident,)+) => {$(
        $(#[$doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type))]
        #[serde(transparent)]
        #[cfg_attr(feature = "sqlx", sqlx(transparent))]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, made at `time`.
            pub fn new(time: DateTime<Utc>) -> Self {
                Self(at(time))
            }

            /// The id that a stored or received UUID is.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID, for SQL parameters.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self)
            }
        }

        impl InputType for $name {
            type RawValueType = Self;

            fn type_name() -> Cow<'static, str> {
                <ID as InputType>::type_name()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                <ID as InputType>::create_type_info(registry)
            }

            fn parse(value: Option<Value>) -> InputValueResult<Self> {
                let id = ID::parse(value).map_err(InputValueError::propagate)?;
                id.parse().map_err(|error: InvalidId| InputValueError::custom(error.to_string()))
            }

            fn to_value(&self) -> Value {
                Value::String(self.0.to_string())
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }
        }

        impl OutputType for $name {
            fn type_name() -> Cow<'static, str> {
                <ID as InputType>::type_name()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                <ID as InputType>::create_type_info(registry)
            }

            async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
                Ok(Value::String(self.0.to_string()))
            }
        }
    )+};
}

ids! {
    /// An export of the audit.
    AuditExportId,
    /// An application that sends operations.
    ClientAppId,
    /// A collection of vectors.
    CollectionId,
    /// A supergraph that was composed, or could not be.
    CompositionId,
    /// Something that a person has consented to.
    ConsentId,
    /// An event that a consumer group gave up on.
    DeadLetterId,
    /// Something that was or is to be sent to a webhook.
    DeliveryId,
    /// An entity of the knowledge graph.
    EntityId,
    /// A type of entities.
    EntityTypeId,
    /// An analytics event.
    EventId,
    /// A feature that is on for some.
    FeatureFlagId,
    /// A permission that is given to somebody, or withheld.
    GrantId,
    /// Who somebody is at an issuer.
    IdentityId,
    /// An issuer by which people sign in to an organization.
    IdentityProviderId,
    /// A letter that asks somebody to become a member.
    InvitationId,
    /// An item of a collection.
    ItemId,
    /// A job.
    JobId,
    /// A program's own credential: an API key or a service account.
    MachineId,
    /// What a version of a client published.
    OperationManifestId,
    /// An organization. The root organization is the tenant.
    OrgId,
    /// A key in somebody's device.
    PasskeyId,
    /// An export or erasure of what is stored about a person.
    PrivacyRequestId,
    /// A running process of Pulse, among those that share a database.
    ProcessId,
    /// A relationship between two entities.
    RelationshipId,
    /// One request of a client, named in logs and errors.
    RequestId,
    /// A role that is given to somebody.
    RoleAssignmentId,
    /// A role that an organization has made.
    RoleId,
    /// Jobs by the clock.
    ScheduleId,
    /// A schema that was to be published.
    SchemaCheckId,
    /// How changes of schemas are judged in an environment.
    SchemaEnvironmentId,
    /// An operation that clients of an organization's own graph send.
    SchemaOperationId,
    /// A change of a schema that is let through.
    SchemaOverrideId,
    /// The schemas of one of an organization's own graphs.
    SchemaVariantId,
    /// A schema of a subgraph as it was published.
    SchemaVersionId,
    /// A signed-in session.
    SessionId,
    /// A stream that a gateway has open.
    StreamId,
    /// A sub-organization or a team.
    UnitId,
    /// A person.
    UserId,
    /// Where events of an organization are sent to.
    WebhookId,
}
