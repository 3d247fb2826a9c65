//! What is there, and what sending it costs.

use async_graphql::{ComplexObject, EmptyMutation, EmptySubscription, Object, Schema, SimpleObject};

use crate::data::{ProductRow, shipping_estimate};

/// The schema of `inventory`.
pub type Subgraph = Schema<Query, EmptyMutation, EmptySubscription>;

/// The subgraph `inventory`.
pub fn schema() -> Subgraph {
    Schema::build(Query, EmptyMutation, EmptySubscription).enable_federation().finish()
}

/// The root, which has entities alone.
pub struct Query;

/// A product in the store.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Product {
    upc: String,
    #[graphql(external)]
    price: Option<i32>,
    #[graphql(external)]
    weight: Option<i32>,
    /// Whether there is one to send.
    in_stock: Option<bool>,
}

#[Object]
impl Query {
    #[graphql(entity)]
    async fn find_product_by_upc(
        &self,
        #[graphql(key)] upc: String,
        price: Option<i32>,
        weight: Option<i32>,
    ) -> Option<Product> {
        let in_stock = ProductRow::with_upc(&upc)?.in_stock;
        Some(Product { upc, price, weight, in_stock: Some(in_stock) })
    }
}

#[ComplexObject]
impl Product {
    /// What sending it costs.
    #[graphql(requires = "price weight")]
    async fn shipping_estimate(&self) -> Option<i32> {
        Some(shipping_estimate(self.price?, self.weight?))
    }
}
