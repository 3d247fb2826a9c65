//! Keyset pages behind Relay connections.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use async_graphql::connection::{CursorType, EmptyFields};
use async_graphql::{Context, Object, OutputType};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::BoxFuture;
use pulse_store::{Session, StoreError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{ClientError, Code, ContextExt, Error};

/// A Relay connection with our cursors.
pub type Connection<N, Extra = Total, EdgeFields = EmptyFields> =
    async_graphql::connection::Connection<Cursor, N, Extra, EdgeFields>;

/// An edge of a [`Connection`].
pub type Edge<N, EdgeFields = EmptyFields> = async_graphql::connection::Edge<Cursor, N, EdgeFields>;

/// Where a page begins or ends: the values of the columns that the list is ordered by, opaque to clients.
#[derive(Clone)]
pub struct Cursor(Form);

/// Most rows of most lists are never asked for their cursors.
#[derive(Clone)]
enum Form {
    Text(String),
    Row(Arc<dyn Fn() -> Cursor + Send + Sync>),
}

impl Cursor {
    /// The cursor at a row with these values, a tuple.
    pub fn new(values: &impl Serialize) -> Self {
        let json = serde_json::to_vec(values).expect("a tuple of plain values serializes");
        Self(Form::Text(URL_SAFE_NO_PAD.encode(json)))
    }

    /// The cursor that `of_row` makes of a row, once it is asked for.
    pub fn when_asked(of_row: impl Fn() -> Self + Send + Sync + 'static) -> Self {
        Self(Form::Row(Arc::new(of_row)))
    }

    fn text(&self) -> Cow<'_, str> {
        match &self.0 {
            Form::Text(text) => Cow::Borrowed(text),
            Form::Row(of_row) => Cow::Owned(of_row().text().into_owned()),
        }
    }

    /// The values, if they are of the types that this list is ordered by.
    pub fn values<T: DeserializeOwned>(&self) -> Result<T, PageError> {
        URL_SAFE_NO_PAD
            .decode(&*self.text())
            .ok()
            .and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or(PageError::ForeignCursor)
    }
}

impl CursorType for Cursor {
    type Error = std::convert::Infallible;

    fn decode_cursor(text: &str) -> Result<Self, Self::Error> {
        Ok(Self(Form::Text(text.to_owned())))
    }

    fn encode_cursor(&self) -> String {
        self.text().into_owned()
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Form::Text(text)))
    }
}

impl PartialEq for Cursor {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Cursor {}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cursor").field(&self.text()).finish()
    }
}

/// How large a list's pages are.
#[derive(Debug, Clone, Copy)]
pub struct PageLimits {
    /// Rows when neither `first` nor `last` is given.
    pub default: u32,
    /// At most this many rows.
    pub max: u32,
}

impl PageLimits {
    /// 20 rows unless asked otherwise, at most 100.
    pub const USUAL: Self = Self { default: 20, max: 100 };
}

/// What is wrong with the arguments of a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// `first` with `last`, or a cursor of the other direction.
    #[error("page forwards with `first` and `after`, or backwards with `last` and `before`, not with both")]
    Mixed,
    /// Not 1 to the limit.
    #[error("`{argument}` is {given}, allowed is 1 to {max}")]
    Size {
        /// `first` or `last`.
        argument: &'static str,
        /// What was given.
        given: i32,
        /// The limit.
        max: u32,
    },
    /// A cursor that this list has not given out.
    #[error("this cursor is not from this list with this order: start again without it")]
    ForeignCursor,
}

impl ClientError for PageError {
    fn code(&self) -> Code {
        Code::BadUserInput
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Size { argument, .. } => Some((*argument).to_owned()),
            Self::Mixed | Self::ForeignCursor => None,
        }
    }
}

/// The part of a list that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Whether it is read backwards, from the end or `before`.
    pub backwards: bool,
    /// How many rows.
    pub size: u32,
    /// Where it begins, exclusive.
    pub from: Option<Cursor>,
}

impl Page {
    /// The page that a connection's four arguments ask for.
    pub fn try_new(
        (first, after): (Option<i32>, Option<String>),
        (last, before): (Option<i32>, Option<String>),
        limits: PageLimits,
    ) -> Result<Self, PageError> {
        let backwards = last.is_some() || (before.is_some() && first.is_none());
        if backwards && (first.is_some() || after.is_some()) || !backwards && before.is_some() {
            return Err(PageError::Mixed);
        }
        let (argument, given, from) =
            if backwards { ("last", last, before) } else { ("first", first, after) };
        let size = match given {
            None => limits.default,
            Some(given) => match u32::try_from(given) {
                Ok(size) if (1..=limits.max).contains(&size) => size,
                _ => return Err(PageError::Size { argument, given, max: limits.max }),
            },
        };
        Ok(Self { backwards, size, from: from.map(|text| Cursor(Form::Text(text))) })
    }

    /// How many rows to read: one more than shown tells whether there are others.
    pub fn limit(&self) -> i64 {
        i64::from(self.size) + 1
    }

    /// The connection of `rows`, which were read in the page's direction with [`Page::limit`].
    pub fn connection<R, N: OutputType, X: async_graphql::ObjectType>(
        &self,
        mut rows: Vec<R>,
        extra: X,
        mut edge: impl FnMut(R) -> (Cursor, N),
    ) -> Connection<N, X> {
        let size = self.size as usize;
        let more = rows.len() > size;
        rows.truncate(size);
        if self.backwards {
            rows.reverse();
        }
        let from_within = self.from.is_some();
        let (previous, next) = if self.backwards { (more, from_within) } else { (from_within, more) };
        let mut connection = Connection::with_additional_fields(previous, next, extra);
        connection.edges.extend(rows.into_iter().map(|row| {
            let (cursor, node) = edge(row);
            Edge::new(cursor, node)
        }));
        connection
    }
}

type Count = Box<dyn Fn(Session) -> BoxFuture<'static, Result<i64, StoreError>> + Send + Sync>;

/// `totalCount` of a connection, counted only when it is asked for.
pub struct Total(Count);

impl Total {
    /// A total that `count` finds out.
    pub fn new<F>(count: impl Fn(Session) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<i64, StoreError>> + Send + 'static,
    {
        Self(Box::new(move |session| Box::pin(count(session))))
    }
}

#[Object]
impl Total {
    /// How many there are in all, regardless of the page. Counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64, Error> {
        Ok((self.0)(ctx.session().clone()).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(
        first: Option<i32>,
        after: Option<&str>,
        last: Option<i32>,
        before: Option<&str>,
    ) -> Result<Page, PageError> {
        Page::try_new((first, after.map(str::to_owned)), (last, before.map(str::to_owned)), PageLimits::USUAL)
    }

    #[test]
    fn a_page_without_arguments_is_the_first_of_usual_size() {
        assert_eq!(page(None, None, None, None), Ok(Page { backwards: false, size: 20, from: None }));
    }

    #[test]
    fn directions_do_not_mix() {
        assert_eq!(page(Some(1), None, Some(1), None), Err(PageError::Mixed));
        assert_eq!(page(Some(1), None, None, Some("x")), Err(PageError::Mixed));
        assert_eq!(page(None, Some("x"), Some(1), None), Err(PageError::Mixed));
    }

    #[test]
    fn a_size_outside_the_limits_is_refused() {
        for given in [0, -1, 101] {
            assert_eq!(
                page(Some(given), None, None, None),
                Err(PageError::Size { argument: "first", given, max: 100 })
            );
        }
    }

    #[test]
    fn a_cursor_made_when_asked_for_is_the_same_cursor() {
        let cursor = Cursor::when_asked(|| Cursor::new(&("name", 3)));
        assert_eq!(cursor, Cursor::new(&("name", 3)));
        assert_eq!(cursor.encode_cursor(), Cursor::new(&("name", 3)).encode_cursor());
        assert_eq!(cursor.values::<(String, i32)>(), Ok(("name".to_owned(), 3)));
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let cursor = Cursor::new(&("name", 3));
        assert_eq!(cursor.values::<(String, i32)>(), Ok(("name".to_owned(), 3)));
        assert_eq!(cursor.values::<(i32,)>(), Err(PageError::ForeignCursor));
        assert_eq!(Cursor(Form::Text("%%%".to_owned())).values::<(i32,)>(), Err(PageError::ForeignCursor));
    }
}
