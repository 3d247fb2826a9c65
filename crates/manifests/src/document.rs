//! The document of one operation.

use async_graphql_parser::parse_query;
use async_graphql_parser::types::{DocumentOperations, OperationType};
use serde::{Deserialize, Serialize};

/// How long the text of one operation may be, in bytes.
pub(crate) const MAX_LENGTH: usize = 200_000;

/// How deeply brackets may be nested: parsers recurse.
const MAX_DEPTH: usize = 200;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationKind {
    /// It reads.
    Query,
    /// It changes something.
    Mutation,
    /// It follows events.
    Subscription,
}

/// What the document of one operation says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The operation's name.
    pub name: String,
    /// What it does.
    pub kind: OperationKind,
}

/// Why a text is not the document of one operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It is too long.
    #[error("the document has {0} bytes, the limit is {MAX_LENGTH}")]
    TooLong(usize),
    /// Its brackets are nested too deeply.
    #[error("the document is nested deeper than {MAX_DEPTH} brackets")]
    TooDeep,
    /// It is no GraphQL.
    #[error("{0}")]
    Syntax(String),
    /// It has no operation with a name, or several operations.
    #[error("the document must have exactly one operation, with a name")]
    NotOne,
}

impl OperationKind {
    /// As GraphQL writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }

    /// Reads what GraphQL writes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Query, Self::Mutation, Self::Subscription].into_iter().find(|kind| kind.as_str() == text)
    }
}

impl Document {
    /// Reads a document.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        if text.len() > MAX_LENGTH {
            return Err(DocumentError::TooLong(text.len()));
        }
        if is_too_deep(text) {
            return Err(DocumentError::TooDeep);
        }
        let document = parse_query(text).map_err(|error| DocumentError::Syntax(error.to_string()))?;
        let DocumentOperations::Multiple(operations) = document.operations else {
            return Err(DocumentError::NotOne);
        };
        let mut operations = operations.into_iter();
        let (Some((name, operation)), None) = (operations.next(), operations.next()) else {
            return Err(DocumentError::NotOne);
        };
        let kind = match operation.node.ty {
            OperationType::Query => OperationKind::Query,
            OperationType::Mutation => OperationKind::Mutation,
            OperationType::Subscription => OperationKind::Subscription,
        };
        Ok(Self { name: name.to_string(), kind })
    }
}

/// Counts every bracket, also those in texts and comments: no honest document comes near the limit.
fn is_too_deep(text: &str) -> bool {
    let mut depth = 0_usize;
    text.bytes().any(|byte| {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MAX_DEPTH
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_one_operation_with_a_name() {
        let text = "mutation Archive($id: ID!) { archive(id: $id) { ...F } } fragment F on Book { id }";
        let document = Document::parse(text).unwrap();
        assert_eq!((document.name.as_str(), document.kind), ("Archive", OperationKind::Mutation));
        for none in ["{ a }", "query { a }", "query A { a } query B { b }", "fragment F on Book { id }"] {
            assert!(Document::parse(none).is_err(), "{none}");
        }
        assert!(matches!(Document::parse("query A {"), Err(DocumentError::Syntax(_))));
        assert_eq!(Document::parse(&"{".repeat(100_000)), Err(DocumentError::TooDeep));
        assert_eq!(Document::parse(&" ".repeat(200_001)), Err(DocumentError::TooLong(200_001)));
    }
}
