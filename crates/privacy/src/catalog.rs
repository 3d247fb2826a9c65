//! Tables and columns as their comments declare them.

use std::collections::{HashMap, HashSet};

use pulse_store::{Connection, StoreError};
use sqlx::FromRow;

const COLUMNS: &str = include_str!("queries/columns.sql");

/// Whose rows a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A tenant's.
    Tenant,
    /// A person's.
    Person,
    /// The platform's.
    Platform,
}

/// What a column holds of persons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pii {
    /// Nothing.
    None,
    /// What somebody is called.
    Name,
    /// How somebody is reached.
    Contact,
    /// What somebody proves who they are with.
    Credential,
    /// Who somebody is: an id.
    Subject,
    /// What somebody has written or sent.
    Content,
    /// Where somebody is on the network.
    Address,
}

/// What a column's values are, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Uuid,
    Uuids,
    Text,
    Json,
    Bytes,
    Other,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, quoted where SQL needs it.
    pub name: String,
    /// What it holds of persons.
    pub pii: Pii,
    /// What its comment says that it is.
    pub description: String,
    /// Whether the row is about the person whose id it holds.
    pub(crate) about: bool,
    pub(crate) kind: Kind,
    pub(crate) not_null: bool,
    pub(crate) in_key: bool,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Whose it is: the schema.
    pub owner: String,
    /// Its name with its schema, quoted where SQL needs it.
    pub name: String,
    /// Whose rows it holds.
    pub class: Class,
    /// What its comment says that a row is.
    pub description: String,
    /// Its columns in their order.
    pub columns: Vec<Column>,
}

#[derive(FromRow)]
struct Row {
    owner: String,
    name: String,
    class: String,
    table_description: String,
    column_name: String,
    pii: String,
    is_about: bool,
    description: String,
    type_name: String,
    not_null: bool,
    in_key: bool,
    /// Tables of the same owner that this one's foreign keys refer to.
    parents: Vec<String>,
}

impl Table {
    /// Whether it holds anything of persons.
    pub fn is_personal(&self) -> bool {
        self.class == Class::Person || self.columns.iter().any(|column| column.pii != Pii::None)
    }

    /// Columns with the id of whom the row is about.
    pub(crate) fn about(&self) -> impl Iterator<Item = &Column> {
        self.subjects().filter(|column| column.about)
    }

    /// Columns with the id of a person.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.pii == Pii::Subject)
    }

    /// The column that says whose row it is, where it is one tenant's or may be.
    pub(crate) fn tenant(&self) -> Option<&Column> {
        self.columns.iter().find(|column| ["org_id", "tenant"].contains(&column.name.as_str()))
    }

    /// Whether a person has one row at most.
    pub(crate) fn is_one_a_person(&self) -> bool {
        let key = self.columns.iter().filter(|column| column.in_key);
        self.class == Class::Person && key.map(|column| column.name.as_str()).eq(["user_id"])
    }
}

/// The tables of an owner, or of all, of which each stands before those that its foreign keys refer to.
pub(crate) async fn tables(
    connection: &mut Connection,
    owner: Option<&str>,
) -> Result<Vec<Table>, StoreError> {
    let rows: Vec<Row> = connection.fetch_all("privacy.catalog", sqlx::query_as(COLUMNS).bind(owner)).await?;
    let (mut tables, mut parents) = (Vec::<Table>::new(), HashMap::<String, HashSet<String>>::new());
    for row in rows {
        parents.entry(row.name.clone()).or_default().extend(row.parents.iter().cloned());
        let column = Column {
            about: row.is_about || row.column_name == "user_id",
            name: row.column_name,
            pii: pii(&row.pii),
            description: row.description,
            kind: kind(&row.type_name),
            not_null: row.not_null,
            in_key: row.in_key,
        };
        match tables.last_mut().filter(|table| table.name == row.name) {
            Some(table) => table.columns.push(column),
            None => tables.push(Table {
                owner: row.owner,
                name: row.name,
                class: class(&row.class),
                description: row.table_description,
                columns: vec![column],
            }),
        }
    }
    Ok(children_first(tables, &parents))
}

/// Schemas that hold something of persons, but for the platform's own.
pub(crate) async fn owners(connection: &mut Connection) -> Result<Vec<String>, StoreError> {
    let mut owners: Vec<_> = tables(connection, None)
        .await?
        .into_iter()
        .filter(|table| table.owner != "platform" && table.is_personal())
        .map(|table| table.owner)
        .collect();
    owners.sort();
    owners.dedup();
    Ok(owners)
}

fn children_first(mut rest: Vec<Table>, parents: &HashMap<String, HashSet<String>>) -> Vec<Table> {
    let mut ordered = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let refers_to = |child: &Table, parent: &Table| {
            child.name != parent.name
                && parents.get(&child.name).is_some_and(|parents| parents.contains(&parent.name))
        };
        // Of tables that refer to each other in a circle the first goes first.
        let next = rest.iter().position(|table| !rest.iter().any(|other| refers_to(other, table)));
        ordered.push(rest.remove(next.unwrap_or(0)));
    }
    ordered
}

fn class(word: &str) -> Class {
    match word {
        "tenant" => Class::Tenant,
        "person" => Class::Person,
        _ => Class::Platform,
    }
}

fn pii(word: &str) -> Pii {
    match word {
        "NAME" => Pii::Name,
        "CONTACT" => Pii::Contact,
        "CREDENTIAL" => Pii::Credential,
        "SUBJECT" => Pii::Subject,
        "CONTENT" => Pii::Content,
        "ADDRESS" => Pii::Address,
        _ => Pii::None,
    }
}

fn kind(type_name: &str) -> Kind {
    match type_name {
        "uuid" => Kind::Uuid,
        "uuid[]" => Kind::Uuids,
        "text" => Kind::Text,
        "jsonb" => Kind::Json,
        "bytea" => Kind::Bytes,
        _ => Kind::Other,
    }
}

impl Pii {
    /// The word in a comment.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Name => "NAME",
            Self::Contact => "CONTACT",
            Self::Credential => "CREDENTIAL",
            Self::Subject => "SUBJECT",
            Self::Content => "CONTENT",
            Self::Address => "ADDRESS",
        }
    }
}

impl Class {
    /// The word in a comment.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Person => "person",
            Self::Platform => "platform",
        }
    }
}
