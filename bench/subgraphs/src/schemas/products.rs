//! Things to buy.

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

use crate::data::{PRODUCTS, ProductRow};

/// The schema of `products`.
pub type Subgraph = Schema<Query, EmptyMutation, EmptySubscription>;

/// The subgraph `products`.
pub fn schema() -> Subgraph {
    Schema::build(Query, EmptyMutation, EmptySubscription).enable_federation().finish()
}

/// The root.
pub struct Query;

/// A thing to buy.
pub struct Product(&'static ProductRow);

#[Object]
impl Query {
    /// What is sold best.
    async fn top_products(&self, #[graphql(default = 5)] first: usize) -> Option<Vec<Option<Product>>> {
        Some(PRODUCTS.iter().take(first).map(Product).map(Some).collect())
    }

    #[graphql(entity)]
    async fn find_product_by_upc(&self, upc: String) -> Option<Product> {
        ProductRow::with_upc(&upc).map(Product)
    }
}

#[Object]
impl Product {
    /// The key.
    async fn upc(&self) -> &str {
        self.0.upc
    }

    /// What it is called.
    async fn name(&self) -> Option<&str> {
        Some(self.0.name)
    }

    /// What it costs.
    async fn price(&self) -> Option<i32> {
        Some(self.0.price)
    }

    /// What it weighs.
    async fn weight(&self) -> Option<i32> {
        Some(self.0.weight)
    }
}
