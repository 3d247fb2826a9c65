//! People.

use async_graphql::{EmptyMutation, EmptySubscription, ID, Object, Schema};

use crate::data::{USERS, UserRow};

/// The schema of `accounts`.
pub type Subgraph = Schema<Query, EmptyMutation, EmptySubscription>;

/// The subgraph `accounts`.
pub fn schema() -> Subgraph {
    Schema::build(Query, EmptyMutation, EmptySubscription).enable_federation().finish()
}

/// The root.
pub struct Query;

/// A person.
pub struct User(&'static UserRow);

#[Object]
impl Query {
    /// Who asks: always the first.
    async fn me(&self) -> Option<User> {
        USERS.first().map(User)
    }

    /// One person.
    async fn user(&self, id: ID) -> Option<User> {
        UserRow::with_id(&id).map(User)
    }

    /// All people.
    async fn users(&self) -> Option<Vec<Option<User>>> {
        Some(USERS.iter().map(User).map(Some).collect())
    }

    #[graphql(entity)]
    async fn find_user_by_id(&self, id: ID) -> Option<User> {
        UserRow::with_id(&id).map(User)
    }
}

#[Object]
impl User {
    /// The key.
    async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// The name that others see.
    async fn name(&self) -> Option<&str> {
        Some(self.0.name)
    }

    /// The name to sign in with.
    #[graphql(shareable)]
    async fn username(&self) -> Option<&str> {
        Some(self.0.username)
    }

    /// The day of birth, in seconds since 1970.
    async fn birthday(&self) -> Option<i32> {
        Some(self.0.birthday)
    }
}
