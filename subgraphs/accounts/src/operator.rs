//! What the commands of an operator need: finding a tenant by its slug, and the people and tenant of a demo.

use std::sync::Arc;

use pulse_graphql::Error;
use pulse_store::{Session, Store, StoreError};
use pulse_types::{Caller, OrgId, Refusal, RequestId, Secret, UserId};

use crate::PasswordHashConfig;
use crate::organization::{self, OrganizationError};
use crate::user::{self, EmailAddress, NewUser, PasswordHashError, Passwords, UserError};

/// Somebody to sign in as, and an organization to look at.
#[derive(Debug, Clone)]
pub struct Demo {
    /// The address to sign in with.
    pub email: String,
    /// The password to sign in with.
    pub password: Secret,
    /// What the person is called.
    pub name: String,
    /// The organization's slug.
    pub slug: String,
    /// The organization's name.
    pub organization: String,
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The user cannot be as asked.
    #[error("the demo's user cannot be made")]
    User(#[from] UserError),
    /// The organization cannot be as asked.
    #[error("the demo's organization cannot be made")]
    Organization(#[from] OrganizationError),
    /// The password cannot be hashed.
    #[error("the demo's password cannot be kept")]
    Password(#[from] PasswordHashError),
    /// The database could not.
    #[error("the demo cannot be stored")]
    Store(#[from] StoreError),
    /// Who makes it may not.
    #[error("the demo is refused: {0}")]
    Refused(Refusal),
    /// Anything else: a fault in Pulse.
    #[error("the demo cannot be made")]
    Internal(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

impl<E: Into<Self>> From<Error<E>> for DemoError {
    fn from(error: Error<E>) -> Self {
        match error {
            Error::Client(error) => error.into(),
            Error::Refused(refusal) => Self::Refused(refusal),
            Error::Store(error) => Self::Store(error),
            Error::Internal(error) => Self::Internal(error),
        }
    }
}

/// The tenant of that slug.
pub async fn organization_by_slug(store: &Store, slug: &str) -> Result<Option<OrgId>, StoreError> {
    let request = RequestId::new(store.clock().now());
    organization::id_by_slug(&store.session(Arc::new(Caller::anonymous(request))), slug).await
}

/// The demo's user and organization, made where they are missing. An existing user keeps its password.
pub async fn ensure_demo(
    store: &Store,
    demo: &Demo,
    cost: PasswordHashConfig,
) -> Result<(UserId, OrgId), DemoError> {
    let request = Caller::anonymous(RequestId::new(store.clock().now()));
    let nobody = store.session(Arc::new(request.clone()));
    let email = EmailAddress::try_new(&demo.email).map_err(UserError::from)?;
    let user = match user::by_email(&nobody, &email).await? {
        Some(user) => user,
        None => register(&nobody, demo, cost).await?,
    };
    let person = store.session(Arc::new(user::caller(user, &request)));
    let own = organization::own(&person).await?;
    if let Some(own) = own.iter().find(|own| own.organization.slug == demo.slug) {
        return Ok((user, own.organization.id));
    }
    let seen = organization::create(&person, &demo.slug, &demo.organization, None).await?;
    Ok((user, seen.organization.id))
}

async fn register(nobody: &Session, demo: &Demo, cost: PasswordHashConfig) -> Result<UserId, DemoError> {
    let new = NewUser::try_new(&demo.email, demo.password.clone(), &demo.name)?;
    let hash = Passwords::try_new(cost)?.hash(new.password.clone()).await?;
    Ok(user::create(nobody, &new, &hash).await?)
}
