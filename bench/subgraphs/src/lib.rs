#![doc = include_str!("../README.md")]

pub mod data;
mod http;
pub mod schemas;

use async_graphql::{ObjectType, SDLExportOptions, Schema, SubscriptionType};

pub use http::router;

/// The supergraph, its subgraphs at [`ADDRESS`].
pub const SUPERGRAPH: &str = include_str!("../supergraph.graphql");

/// Where the supergraph says that the subgraphs are; each has a path of its own name.
pub const ADDRESS: &str = "http://127.0.0.1:4200";

/// The deep query: users and products, their reviews, whose authors' reviews, and their products.
pub const DEEP: &str = include_str!("../queries/deep.graphql");

/// The small query: products with their reviews, in two fetches.
pub const SMALL: &str = include_str!("../queries/small.graphql");

/// The names of the subgraphs and their federation SDL.
pub fn sdls() -> [(&'static str, String); 4] {
    [
        ("accounts", sdl(&schemas::accounts::schema())),
        ("inventory", sdl(&schemas::inventory::schema())),
        ("products", sdl(&schemas::products::schema())),
        ("reviews", sdl(&schemas::reviews::schema())),
    ]
}

fn sdl<Q, M, S>(schema: &Schema<Q, M, S>) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    schema.sdl_with_options(SDLExportOptions::new().federation())
}
