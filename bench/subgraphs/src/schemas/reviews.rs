//! What people say about things.

use async_graphql::{ComplexObject, EmptyMutation, EmptySubscription, ID, Object, Schema, SimpleObject};

use crate::data::{ProductRow, ReviewRow, UserRow};

/// The schema of `reviews`.
pub type Subgraph = Schema<Query, EmptyMutation, EmptySubscription>;

/// The subgraph `reviews`.
pub fn schema() -> Subgraph {
    Schema::build(Query, EmptyMutation, EmptySubscription).enable_federation().finish()
}

/// The root, which has entities alone.
pub struct Query;

/// What a person says about a thing.
pub struct Review(&'static ReviewRow);

/// Who says it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct User {
    id: ID,
    #[graphql(external)]
    username: Option<&'static str>,
}

/// What it is about.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Product {
    upc: String,
}

#[Object]
impl Query {
    #[graphql(entity)]
    async fn find_review_by_id(&self, id: ID) -> Option<Review> {
        ReviewRow::with_id(&id).map(Review)
    }

    #[graphql(entity)]
    async fn find_user_by_id(&self, id: ID) -> Option<User> {
        let username = UserRow::with_id(&id)?.username;
        Some(User { id, username: Some(username) })
    }

    #[graphql(entity)]
    async fn find_product_by_upc(&self, upc: String) -> Option<Product> {
        ProductRow::with_upc(&upc)?;
        Some(Product { upc })
    }
}

#[Object]
impl Review {
    /// The key.
    async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// The text.
    async fn body(&self) -> Option<&str> {
        Some(self.0.body)
    }

    /// Who wrote it.
    #[graphql(provides = "username")]
    async fn author(&self) -> Option<User> {
        let author = UserRow::with_id(self.0.author)?;
        Some(User { id: author.id.into(), username: Some(author.username) })
    }

    /// What it is about.
    async fn product(&self) -> Option<Product> {
        Some(Product { upc: self.0.product.to_owned() })
    }
}

#[ComplexObject]
impl User {
    /// What this person wrote.
    async fn reviews(&self) -> Option<Vec<Option<Review>>> {
        Some(UserRow::reviews(&self.id).map(Review).map(Some).collect())
    }

    /// How many reviews this person wrote.
    async fn number_of_reviews(&self) -> i32 {
        i32::try_from(UserRow::reviews(&self.id).count()).expect("there are eleven reviews")
    }
}

#[ComplexObject]
impl Product {
    /// What is said about it.
    async fn reviews(&self) -> Option<Vec<Option<Review>>> {
        Some(ProductRow::reviews(&self.upc).map(Review).map(Some).collect())
    }
}
