//! Words that every room shares: ids, the caller, permissions, changes, time, secrets.

mod caller;
mod change;
mod clock;
mod id;
mod identity;
mod origin;
mod permission;
mod resource;
mod secret;

pub use caller::{Caller, Refusal, Subject};
pub use change::{AUDIT, Change, ChangeKind, Fact, InvalidTag, Tag, Tagged};
pub use clock::Clock;
pub use id::{
    AuditExportId, ClientAppId, CollectionId, CompositionId, ConsentId, DeadLetterId, DeliveryId, EntityId,
    EntityTypeId, EventId, FeatureFlagId, GrantId, IdentityId, IdentityProviderId, InvalidId, InvitationId,
    ItemId, JobId, MachineId, OperationManifestId, OrgId, PasskeyId, PrivacyRequestId, ProcessId,
    RelationshipId, RequestId, RoleAssignmentId, RoleId, ScheduleId, SchemaCheckId, SchemaEnvironmentId,
    SchemaOperationId, SchemaOverrideId, SchemaVariantId, SchemaVersionId, SessionId, StreamId, UnitId,
    UserId, WebhookId,
};
pub use identity::Identity;
pub use origin::{ClientAddress, Origin};
pub use permission::{Permission, Permissions, Role, UnknownRole};
pub use resource::{Effect, InvalidResource, Reach, Resource, ResourceKind, ResourceRights};
pub use secret::Secret;
