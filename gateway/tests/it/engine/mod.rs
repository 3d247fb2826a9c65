//! The engine: operations over fake subgraphs.
#![expect(clippy::too_many_lines, reason = "whole responses are long")]

mod abstract_types;
mod authorization;
mod conditions;
mod costs;
mod costs_random;
mod documents;
mod entities;
mod errors;
mod fake;
mod federation;
mod inputs;
mod introspection;
mod limits;
mod mutations;
mod nulls;
mod older_supergraphs;
mod selections;
mod shop;
mod subscriptions;
mod supergraphs;
mod variables;
mod warm_up;

pub(crate) use supergraphs::context;
