//! What makes two streams the same.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use pulse_types::{Caller, OrgId};

use crate::engine::{SharingScope, Source};
use crate::value::Value;

/// Equal for streams that may be one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    audience: Audience,
    subgraph: String,
    address: String,
    query: Arc<str>,
    variables: Value,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Whose streams they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Audience {
    /// The whole caller: tenant, subject, session and rights.
    Caller(Arc<Caller>),
    Tenant(OrgId),
    Public,
}

impl Key {
    pub(super) fn of(source: &Source) -> Self {
        let request = &source.request;
        let audience = match (source.scope, request.caller.org) {
            (SharingScope::Public, _) => Audience::Public,
            (SharingScope::Tenant, Some(org)) if request.caller.rights.is_none() => Audience::Tenant(org),
            (SharingScope::Tenant | SharingScope::Caller, _) => Audience::Caller(Arc::clone(&request.caller)),
        };
        let forwarded = source.subgraph.forwarded(&request.headers, &request.caller);
        let mut headers: Vec<_> =
            forwarded.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        headers.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
        Self {
            audience,
            subgraph: source.subgraph.name().to_owned(),
            address: source.subgraph.address().to_owned(),
            query: Arc::clone(&request.query),
            variables: request.variables.clone(),
            headers,
        }
    }
}
