//! The same schema in one server, over the same data.

use async_graphql::{EmptyMutation, EmptySubscription, ID, Object, Schema, ValidationMode};
use pulse_bench_subgraphs::data::{PRODUCTS, ProductRow, ReviewRow, USERS, UserRow, shipping_estimate};

/// The monolith.
pub(super) fn schema() -> Schema<Query, EmptyMutation, EmptySubscription> {
    // The gateway has checked the query; fragments four deep are too much for the whole check here.
    Schema::build(Query, EmptyMutation, EmptySubscription).validation_mode(ValidationMode::Fast).finish()
}

pub(super) struct Query;
struct User(&'static UserRow);
struct Product(&'static ProductRow);
struct Review(&'static ReviewRow);

#[Object]
impl Query {
    async fn me(&self) -> Option<User> {
        USERS.first().map(User)
    }

    async fn user(&self, id: ID) -> Option<User> {
        UserRow::with_id(&id).map(User)
    }

    async fn users(&self) -> Option<Vec<Option<User>>> {
        Some(USERS.iter().map(User).map(Some).collect())
    }

    async fn top_products(&self, #[graphql(default = 5)] first: usize) -> Option<Vec<Option<Product>>> {
        Some(PRODUCTS.iter().take(first).map(Product).map(Some).collect())
    }
}

#[Object]
impl User {
    async fn id(&self) -> ID {
        self.0.id.into()
    }

    async fn name(&self) -> Option<&str> {
        Some(self.0.name)
    }

    async fn username(&self) -> Option<&str> {
        Some(self.0.username)
    }

    async fn birthday(&self) -> Option<i32> {
        Some(self.0.birthday)
    }

    async fn reviews(&self) -> Option<Vec<Option<Review>>> {
        Some(UserRow::reviews(self.0.id).map(Review).map(Some).collect())
    }

    async fn number_of_reviews(&self) -> i32 {
        i32::try_from(UserRow::reviews(self.0.id).count()).unwrap()
    }
}

#[Object]
impl Product {
    async fn upc(&self) -> &str {
        self.0.upc
    }

    async fn name(&self) -> Option<&str> {
        Some(self.0.name)
    }

    async fn price(&self) -> Option<i32> {
        Some(self.0.price)
    }

    async fn weight(&self) -> Option<i32> {
        Some(self.0.weight)
    }

    async fn in_stock(&self) -> Option<bool> {
        Some(self.0.in_stock)
    }

    async fn shipping_estimate(&self) -> Option<i32> {
        Some(shipping_estimate(self.0.price, self.0.weight))
    }

    async fn reviews(&self) -> Option<Vec<Option<Review>>> {
        Some(ProductRow::reviews(self.0.upc).map(Review).map(Some).collect())
    }
}

#[Object]
impl Review {
    async fn id(&self) -> ID {
        self.0.id.into()
    }

    async fn body(&self) -> Option<&str> {
        Some(self.0.body)
    }

    async fn author(&self) -> Option<User> {
        UserRow::with_id(self.0.author).map(User)
    }

    async fn product(&self) -> Option<Product> {
        ProductRow::with_upc(self.0.product).map(Product)
    }
}
