//! What a resolver answers when it cannot answer.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Value, value};
use pulse_store::StoreError;
use pulse_types::Refusal;

/// `extensions.code` of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Nobody is signed in.
    Unauthenticated,
    /// Signed in, and not allowed.
    Forbidden,
    /// No such thing, or none that the caller may see.
    NotFound,
    /// The request itself is wrong.
    BadUserInput,
    /// It contradicts what is stored.
    Conflict,
    /// What comes behind a cursor is no longer kept.
    CursorExpired,
    /// Too many requests.
    RateLimited,
    /// It would cost more than allowed.
    CostExceeded,
    /// It took too long.
    Timeout,
    /// A part of the system does not answer; the same request may succeed later.
    Unavailable,
    /// A fault in Pulse.
    Internal,
}

impl Code {
    /// The code as it stands in a response.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::Conflict => "CONFLICT",
            Self::CursorExpired => "CURSOR_EXPIRED",
            Self::RateLimited => "RATE_LIMITED",
            Self::CostExceeded => "COST_EXCEEDED",
            Self::Timeout => "TIMEOUT",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// What a caller got wrong: its text is shown, so it is made of the caller's own data alone.
pub trait ClientError: std::error::Error + Clone + Send + Sync + 'static {
    /// The code.
    fn code(&self) -> Code;

    /// The input field that it concerns, as a path such as `input.items[3].key`.
    fn field(&self) -> Option<String> {
        None
    }

    /// Each field that is wrong with what is wrong about it, where an input has several of them; shown as
    /// `extensions.problems`.
    fn problems(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// For resolvers whose callers can get nothing wrong.
pub type NoClientError = Infallible;

impl ClientError for Infallible {
    fn code(&self) -> Code {
        match *self {}
    }
}

/// What a resolver returns when it cannot answer. It has no `Display` on purpose: `?` cannot turn it, or what it
/// wraps, into text for a client by async-graphql's blanket conversion.
#[derive(Clone)]
pub enum Error<E = NoClientError> {
    /// The caller got something wrong.
    Client(E),
    /// The caller may not.
    Refused(Refusal),
    /// The store could not.
    Store(StoreError),
    /// Anything else: a fault in Pulse.
    Internal(Arc<dyn std::error::Error + Send + Sync>),
}

impl<E> Error<E> {
    /// A fault in Pulse.
    pub fn internal(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Internal(Arc::new(error))
    }

    /// The same error where callers can get other things wrong.
    pub fn map_client<F>(self, into: impl FnOnce(E) -> F) -> Error<F> {
        match self {
            Self::Client(error) => Error::Client(into(error)),
            Self::Refused(refusal) => Error::Refused(refusal),
            Self::Store(error) => Error::Store(error),
            Self::Internal(error) => Error::Internal(error),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(error) => f.debug_tuple("Client").field(error).finish(),
            Self::Refused(refusal) => f.debug_tuple("Refused").field(refusal).finish(),
            Self::Store(error) => f.debug_tuple("Store").field(error).finish(),
            Self::Internal(error) => f.debug_tuple("Internal").field(error).finish(),
        }
    }
}

impl<E: ClientError> From<E> for Error<E> {
    fn from(error: E) -> Self {
        Self::Client(error)
    }
}

impl<E> From<StoreError> for Error<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<E> From<Refusal> for Error<E> {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl<E: ClientError> From<Error<E>> for async_graphql::Error {
    fn from(error: Error<E>) -> Self {
        match error {
            Error::Client(error) => {
                with_problems(shown(error.to_string(), error.code(), error.field()), error.problems())
            }
            Error::Refused(refusal) => {
                let code = match refusal {
                    Refusal::Unauthenticated => Code::Unauthenticated,
                    Refusal::NoOrganization
                    | Refusal::Forbidden(_)
                    | Refusal::ForbiddenOn(..)
                    | Refusal::NotAPerson => Code::Forbidden,
                };
                shown(refusal.to_string(), code, None)
            }
            Error::Store(StoreError::KeyReused) => {
                let text =
                    "this idempotency key was used for another request: use a new key for a new request";
                shown(text.to_owned(), Code::Conflict, Some("input.idempotencyKey".to_owned()))
            }
            Error::Store(StoreError::Contention { .. }) => {
                shown("another write was in the way: send the request again".to_owned(), Code::Conflict, None)
            }
            Error::Store(StoreError::TimedOut { .. }) => {
                shown("the database took too long: ask for less at once".to_owned(), Code::Timeout, None)
            }
            Error::Store(error @ StoreError::Unavailable { .. }) => {
                log(&error);
                shown("the database does not answer: try again later".to_owned(), Code::Unavailable, None)
            }
            Error::Store(error) => hidden(&error),
            Error::Internal(error) => hidden(error.as_ref()),
        }
    }
}

fn shown(message: String, code: Code, field: Option<String>) -> async_graphql::Error {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code.as_str());
    if let Some(field) = field {
        extensions.set("field", field);
    }
    let mut error = async_graphql::Error::new(message);
    error.extensions = Some(extensions);
    error
}

fn with_problems(mut error: async_graphql::Error, problems: Vec<(String, String)>) -> async_graphql::Error {
    if !problems.is_empty() {
        let one = |(field, message): (String, String)| value!({ "field": field, "message": message });
        let problems: Vec<Value> = problems.into_iter().map(one).collect();
        error.extensions.get_or_insert_default().set("problems", problems);
    }
    error
}

fn hidden(error: &(dyn std::error::Error + 'static)) -> async_graphql::Error {
    log(error);
    shown("internal server error".to_owned(), Code::Internal, None)
}

/// The whole chain, once; the request's id is in the span.
fn log(error: &(dyn std::error::Error + 'static)) {
    let mut chain = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        chain.push_str(": ");
        chain.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::error!(error = chain, "request failed");
}
