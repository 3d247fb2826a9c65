//! What the clients of a tenant published.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::document::OperationKind;
use crate::hash::TextHash;
use crate::manifest::ManifestOperation;

/// How far a client is held to what it published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OperationMode {
    /// It may send any text; what it did not publish is counted.
    #[default]
    Log,
    /// It may send texts, of those that it published.
    Prefer,
    /// It sends what it published, by id alone.
    Only,
}

/// An operation that a client published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedOperation {
    /// What the client sends instead of the text.
    pub id: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// What it does.
    pub kind: OperationKind,
    /// Its text.
    pub document: Arc<str>,
    /// For whom the operation is a tool: what it is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Arc<str>>,
}

impl From<ManifestOperation> for PublishedOperation {
    fn from(operation: ManifestOperation) -> Self {
        let ManifestOperation { id, name, kind, document } = operation;
        Self { id: id.into(), name: name.into(), kind, document: document.into(), tool: None }
    }
}

/// What one client published.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Client", into = "Client")]
pub struct ClientOperations {
    name: Arc<str>,
    mode: Option<OperationMode>,
    /// Those of its newest version first.
    operations: Vec<Arc<PublishedOperation>>,
    by_id: HashMap<Arc<str>, usize>,
    by_name: HashMap<Arc<str>, usize>,
    by_hash: HashMap<TextHash, usize>,
}

/// The same, without what follows from it.
#[derive(Clone, Serialize, Deserialize)]
struct Client {
    name: Arc<str>,
    mode: Option<OperationMode>,
    operations: Vec<Arc<PublishedOperation>>,
}

/// What all clients of a tenant published.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<ClientOperations>", into = "Vec<ClientOperations>")]
pub struct PublishedOperations {
    clients: HashMap<Arc<str>, ClientOperations>,
}

/// Two clients mean different operations by the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ambiguous;

impl ClientOperations {
    /// What a client published, the newest first: of two with the same id or name the first one counts. Without a `mode`
    /// it is held to what all are.
    pub fn new(
        name: impl Into<Arc<str>>,
        mode: Option<OperationMode>,
        operations: impl IntoIterator<Item = PublishedOperation>,
    ) -> Self {
        let operations = operations.into_iter().map(Arc::new).collect();
        Client { name: name.into(), mode, operations }.into()
    }

    /// The client's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How far it is held to them, where that was said.
    pub const fn mode(&self) -> Option<OperationMode> {
        self.mode
    }

    /// All of them, the newest first.
    pub fn operations(&self) -> &[Arc<PublishedOperation>] {
        &self.operations
    }

    /// The newest of each name, in the order of their names.
    pub fn newest(&self) -> Vec<&Arc<PublishedOperation>> {
        let mut newest: Vec<_> = self.by_name.values().map(|index| &self.operations[*index]).collect();
        newest.sort_by(|a, b| a.name.cmp(&b.name));
        newest
    }

    /// The one with this id, or whose text has the SHA-256 that `sha256:<hex>` or 64 hexadecimal digits name.
    pub fn by_id(&self, id: &str) -> Option<&Arc<PublishedOperation>> {
        let by_hash = || self.by_hash(TextHash::from_hex(id.strip_prefix("sha256:").unwrap_or(id))?);
        self.by_id.get(id).map(|index| &self.operations[*index]).or_else(by_hash)
    }

    /// The newest of this name.
    pub fn by_name(&self, name: &str) -> Option<&Arc<PublishedOperation>> {
        self.by_name.get(name).map(|index| &self.operations[*index])
    }

    /// The one with this text.
    pub fn by_hash(&self, hash: TextHash) -> Option<&Arc<PublishedOperation>> {
        self.by_hash.get(&hash).map(|index| &self.operations[*index])
    }
}

impl From<Client> for ClientOperations {
    fn from(Client { name, mode, operations }: Client) -> Self {
        let (mut by_id, mut by_name, mut by_hash) = (HashMap::new(), HashMap::new(), HashMap::new());
        for (index, operation) in operations.iter().enumerate() {
            by_id.entry(Arc::clone(&operation.id)).or_insert(index);
            by_name.entry(Arc::clone(&operation.name)).or_insert(index);
            by_hash.entry(TextHash::of(&operation.document)).or_insert(index);
        }
        Self { name, mode, operations, by_id, by_name, by_hash }
    }
}

impl From<ClientOperations> for Client {
    fn from(client: ClientOperations) -> Self {
        let ClientOperations { name, mode, operations, .. } = client;
        Self { name, mode, operations }
    }
}

impl PublishedOperations {
    /// What these clients published.
    pub fn new(clients: impl IntoIterator<Item = ClientOperations>) -> Self {
        Self { clients: clients.into_iter().map(|client| (Arc::clone(&client.name), client)).collect() }
    }

    /// Whether nobody published anything.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// The clients, in the order of their names.
    pub fn clients(&self) -> Vec<&ClientOperations> {
        let mut clients: Vec<_> = self.clients.values().collect();
        clients.sort_by(|a, b| a.name.cmp(&b.name));
        clients
    }

    /// A client by its name.
    pub fn client(&self, name: &str) -> Option<&ClientOperations> {
        self.clients.get(name)
    }

    /// The operation with this id, of any client.
    pub fn by_id(&self, id: &str) -> Result<Option<&Arc<PublishedOperation>>, Ambiguous> {
        let mut found = self.clients.values().filter_map(|client| client.by_id(id));
        let first = found.next();
        match first {
            Some(first) if found.any(|other| other.document != first.document) => Err(Ambiguous),
            found => Ok(found),
        }
    }

    /// Whether any client published this text.
    pub fn has(&self, hash: TextHash) -> bool {
        self.clients.values().any(|client| client.by_hash(hash).is_some())
    }
}

impl From<Vec<ClientOperations>> for PublishedOperations {
    fn from(clients: Vec<ClientOperations>) -> Self {
        Self::new(clients)
    }
}

impl From<PublishedOperations> for Vec<ClientOperations> {
    fn from(published: PublishedOperations) -> Self {
        let mut clients: Self = published.clients.into_values().collect();
        clients.sort_by(|a, b| a.name.cmp(&b.name));
        clients
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(id: &str, name: &str, document: &str) -> PublishedOperation {
        PublishedOperation {
            id: id.into(),
            name: name.into(),
            kind: OperationKind::Query,
            document: document.into(),
            tool: None,
        }
    }

    fn published() -> PublishedOperations {
        let new = [
            operation("1", "Me", "query Me { me { name } }"),
            operation("2", "Me", "query Me { me { id } }"),
        ];
        let other = [
            operation("1", "Jobs", "query Jobs { jobs { id } }"),
            operation("3", "Me", "query Me { me { id } }"),
        ];
        PublishedOperations::new([
            ClientOperations::new("web", Some(OperationMode::Only), new),
            ClientOperations::new("app", None, other),
        ])
    }

    #[test]
    fn an_operation_is_found_by_id_by_hash_and_by_name() {
        let published = published();
        let web = published.client("web").unwrap();
        assert_eq!(&*web.by_name("Me").unwrap().id, "1", "the newest one");
        let hash = TextHash::of("query Me { me { id } }");
        assert_eq!(&*web.by_hash(hash).unwrap().id, "2");
        assert_eq!(&*web.by_id(&format!("sha256:{hash}")).unwrap().id, "2");
        assert_eq!(&*web.by_id(&hash.to_string()).unwrap().id, "2");
        assert!(web.by_id("3").is_none());
        assert!(published.client("none").is_none());
        assert_eq!(web.newest().len(), 1);
    }

    #[test]
    fn without_a_client_an_id_must_mean_one_text() {
        let published = published();
        assert_eq!(published.by_id("1"), Err(Ambiguous));
        assert_eq!(&*published.by_id("2").unwrap().unwrap().document, "query Me { me { id } }");
        // Both published this text.
        let hash = TextHash::of("query Me { me { id } }");
        assert!(published.by_id(&hash.to_string()).unwrap().is_some());
        assert_eq!(published.by_id("4"), Ok(None));
        assert!(published.has(hash) && !published.has(TextHash::of("{ me }")));
    }

    #[test]
    fn it_goes_over_the_wire() {
        let text = serde_json::to_string(&published()).unwrap();
        let read: PublishedOperations = serde_json::from_str(&text).unwrap();
        assert_eq!(read.client("web").unwrap().mode(), Some(OperationMode::Only));
        assert_eq!(&*read.client("app").unwrap().by_name("Jobs").unwrap().id, "1");
    }
}
