//! What a client's build writes of its operations.

use std::collections::HashMap;

use serde::Deserialize;

use crate::document::{Document, DocumentError, OperationKind};
use crate::hash::TextHash;

/// How long a manifest may be, in bytes.
const MAX_LENGTH: usize = 20_000_000;

/// How many operations it may have.
const MAX_OPERATIONS: usize = 10_000;

/// How long an id may be, in bytes.
const MAX_ID: usize = 200;

/// The operations of one version of a client, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    operations: Vec<ManifestOperation>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestOperation {
    /// What the client sends instead of the text.
    pub id: String,
    /// Its name; no other operation of the manifest has it.
    pub name: String,
    /// What it does.
    pub kind: OperationKind,
    /// Its text.
    pub document: String,
}

/// Why a text is no manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is too long.
    #[error("the manifest has {0} bytes, the limit is {MAX_LENGTH}")]
    TooLong(usize),
    /// It is neither of what manifests are.
    #[error(
        "this is no manifest: {0}. It must be Apollo's (`{{\"format\": \"apollo-persisted-query-manifest\", \"version\": 1, \
         \"operations\": […]}}`), or an object of the texts of operations by their ids"
    )]
    Format(String),
    /// It has no operation.
    #[error("the manifest has no operation")]
    Empty,
    /// It has too many.
    #[error("the manifest has {0} operations, the limit is {MAX_OPERATIONS}")]
    TooMany(usize),
    /// An id that nobody can send.
    #[error("the id {0:?} must have 1 to {MAX_ID} letters, digits, or any of `_ - . : + / =`")]
    Id(String),
    /// Two operations have the same id.
    #[error("two operations have the id {0:?}")]
    SameId(String),
    /// Two operations have the same name.
    #[error(
        "two operations are called {0}: an operation is found by its name as well, so give one of them another"
    )]
    SameName(String),
    /// What an id that begins with `sha256:` names is something else.
    #[error("the id {0:?} is not the SHA-256 of the operation's text")]
    WrongHash(String),
    /// What Apollo's manifest says of an operation is not what its text says.
    #[error("the operation {id:?} is said to be a {said}, and its text is a {is}")]
    Otherwise {
        /// Its id.
        id: String,
        /// What the manifest says.
        said: String,
        /// What the text says.
        is: String,
    },
    /// A text that is not the document of one operation.
    #[error("the operation {id:?}: {error}")]
    Document {
        /// Its id.
        id: String,
        /// What is wrong with it.
        error: DocumentError,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Format {
    Apollo(Apollo),
    Map(HashMap<String, String>),
}

#[derive(Deserialize)]
struct Apollo {
    format: String,
    version: u32,
    operations: Vec<ApolloOperation>,
}

#[derive(Deserialize)]
struct ApolloOperation {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    body: String,
}

impl Manifest {
    /// Reads a manifest: Apollo's, or an object of texts by ids.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MAX_LENGTH {
            return Err(ManifestError::TooLong(text.len()));
        }
        let format = serde_json::from_str(text).map_err(|error| ManifestError::Format(error.to_string()))?;
        let operations = match format {
            Format::Apollo(manifest) => apollo(manifest)?,
            Format::Map(map) => {
                map.into_iter().map(|(id, document)| operation(id, document)).collect::<Result<_, _>>()?
            }
        };
        Self::try_new(operations)
    }

    fn try_new(mut operations: Vec<ManifestOperation>) -> Result<Self, ManifestError> {
        match operations.len() {
            0 => return Err(ManifestError::Empty),
            count if count > MAX_OPERATIONS => return Err(ManifestError::TooMany(count)),
            _ => {}
        }
        operations.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        if let Some(pair) = operations.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(ManifestError::SameName(pair[0].name.clone()));
        }
        let mut ids: Vec<&str> = operations.iter().map(|operation| operation.id.as_str()).collect();
        ids.sort_unstable();
        if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(ManifestError::SameId(pair[0].to_owned()));
        }
        Ok(Self { operations })
    }

    /// Its operations, in the order of their names.
    pub fn operations(&self) -> &[ManifestOperation] {
        &self.operations
    }

    /// Its operations.
    pub fn into_operations(self) -> Vec<ManifestOperation> {
        self.operations
    }
}

fn apollo(manifest: Apollo) -> Result<Vec<ManifestOperation>, ManifestError> {
    let Apollo { format, version, operations } = manifest;
    if format != "apollo-persisted-query-manifest" || version != 1 {
        let problem = format!("its format is {format:?} in version {version}");
        return Err(ManifestError::Format(problem));
    }
    let check = |said: ApolloOperation| {
        let read = operation(said.id, said.body)?;
        if (&read.name, read.kind.as_str()) == (&said.name, said.kind.as_str()) {
            return Ok(read);
        }
        let is = format!("{} {}", read.kind.as_str(), read.name);
        Err(ManifestError::Otherwise { id: read.id, said: format!("{} {}", said.kind, said.name), is })
    };
    operations.into_iter().map(check).collect()
}

fn operation(id: String, document: String) -> Result<ManifestOperation, ManifestError> {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:+/=".contains(&byte);
    if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(is_good) {
        return Err(ManifestError::Id(id));
    }
    // What an id of this form names is not for a client to say.
    if let Some(hex) = id.strip_prefix("sha256:")
        && TextHash::from_hex(hex) != Some(TextHash::of(&document))
    {
        return Err(ManifestError::WrongHash(id));
    }
    match Document::parse(&document) {
        Ok(Document { name, kind }) => Ok(ManifestOperation { id, name, kind, document }),
        Err(error) => Err(ManifestError::Document { id, error }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APOLLO: &str = r#"{ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [
        { "id": "b1", "name": "Me", "type": "query", "body": "query Me { me { id } }" },
        { "id": "a1", "name": "Leave", "type": "mutation", "body": "mutation Leave { leave { id } }" } ] }"#;

    #[test]
    fn each_format_is_read() {
        let names = |text| {
            let manifest = Manifest::parse(text).unwrap();
            let operations = manifest.operations().iter();
            operations.map(|one| format!("{} {} {}", one.id, one.kind.as_str(), one.name)).collect::<Vec<_>>()
        };
        assert_eq!(names(APOLLO), ["a1 mutation Leave", "b1 query Me"]);
        // As Relay's compiler writes it: the MD5 of each text.
        let relay = r#"{ "2f0a1e0f8b2e3c4d5a6b7c8d9e0f1a2b": "query Me { me { id } }" }"#;
        assert_eq!(names(relay), ["2f0a1e0f8b2e3c4d5a6b7c8d9e0f1a2b query Me"]);
        let hash = TextHash::of("query A { a }");
        let mixed =
            format!("{{ \"sha256:{hash}\": \"query A {{ a }}\", \"x\": \"subscription B {{ b }}\" }}");
        assert_eq!(names(&mixed), [format!("sha256:{hash} query A"), "x subscription B".to_owned()]);
    }

    #[test]
    fn what_is_no_manifest_says_why() {
        let error = |text: &str| Manifest::parse(text).unwrap_err();
        assert!(matches!(error("["), ManifestError::Format(_)));
        assert!(matches!(error("[]"), ManifestError::Format(_)));
        assert!(matches!(error(r#"{ "a": 1 }"#), ManifestError::Format(_)));
        assert!(matches!(error(&APOLLO.replace("version\": 1", "version\": 2")), ManifestError::Format(_)));
        assert_eq!(error("{}"), ManifestError::Empty);
        assert_eq!(error(r#"{ "a b": "query A { a }" }"#), ManifestError::Id("a b".to_owned()));
        assert_eq!(error(r#"{ "": "query A { a }" }"#), ManifestError::Id(String::new()));
        let same = r#"{ "a": "query A { a }", "b": "query A { b }" }"#;
        assert_eq!(error(same), ManifestError::SameName("A".to_owned()));
        assert_eq!(error(&APOLLO.replace("b1", "a1")), ManifestError::SameId("a1".to_owned()));
        let foreign = format!("{{ \"sha256:{}\": \"query A {{ a }}\" }}", TextHash::of("query B { b }"));
        assert!(matches!(error(&foreign), ManifestError::WrongHash(_)));
        let lying = APOLLO.replace("\"mutation\"", "\"query\"");
        assert_eq!(
            error(&lying).to_string(),
            "the operation \"a1\" is said to be a query Leave, and its text is a mutation Leave"
        );
        let unnamed = error(r#"{ "a": "{ a }" }"#).to_string();
        assert_eq!(unnamed, "the operation \"a\": the document must have exactly one operation, with a name");
    }
}
