//! What of the routes is not as the rules would have it: a small file, in which every name must be one of the schema.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::RestError;
use crate::schema::{Kind, Schema};

/// Exceptions from the rules, as a TOML file says them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// By field of the query type.
    #[serde(default)]
    query: BTreeMap<String, Exception>,
    /// By field of the mutation type.
    #[serde(default)]
    mutation: BTreeMap<String, Exception>,
    /// By field of the subscription type.
    #[serde(default)]
    subscription: BTreeMap<String, Exception>,
    /// By type.
    #[serde(default)]
    types: BTreeMap<String, TypeException>,
    /// By scalar.
    #[serde(default)]
    scalars: BTreeMap<String, ScalarException>,
    /// What is said of lists in pages.
    #[serde(default)]
    pages: Pages,
}

/// What is different of a root field.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exception {
    /// Where it is. `{name}` stands for an argument or a field of the input, `{name:field}` shows another name.
    pub(crate) path: Option<String>,
    /// By which method.
    pub(crate) method: Option<Method>,
    /// Where it is besides, without any argument.
    pub(crate) singleton: Option<String>,
    /// Whether it is for who has not signed in, too.
    #[serde(default)]
    pub(crate) open: bool,
    /// Whether it is a person's own: null to who has not signed in.
    #[serde(default)]
    pub(crate) personal: bool,
    /// Why it has no route.
    pub(crate) skip: Option<String>,
}

/// What is different of a type.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeException {
    /// Fields that are shown only when they are asked for.
    #[serde(default)]
    omit: Vec<String>,
}

/// What the schema does not say of a scalar.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScalarException {
    /// The format of its texts, in the words of JSON Schema.
    format: Option<String>,
    /// Of which types of JSON its values are.
    #[serde(default)]
    types: Vec<String>,
    /// Whether lists of such values are values, too.
    #[serde(default)]
    lists: bool,
}

/// What is said of lists in pages.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pages {
    /// How many a page has at most.
    most: Option<i32>,
}

/// A method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Makes, or does.
    Post,
    /// Sets.
    Put,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}

impl Mapping {
    /// Reads the file's text.
    pub fn read(text: &str) -> Result<Self, RestError> {
        toml::from_str(text).map_err(|error| RestError::Mapping(error.to_string()))
    }

    /// Refuses names that the schema does not have.
    pub(crate) fn check(&self, schema: &Schema) -> Result<(), RestError> {
        let roots = [
            ("query", Some(&schema.query), &self.query),
            ("mutation", schema.mutation.as_ref(), &self.mutation),
            ("subscription", schema.subscription.as_ref(), &self.subscription),
        ];
        for (section, root, exceptions) in roots {
            let root = root.map(String::as_str).unwrap_or_default();
            if let Some(name) = exceptions.keys().find(|name| schema.field(root, name).is_none()) {
                return Err(RestError::Mapping(format!("{section}.{name}: the schema has no such field")));
            }
        }
        let is_text = |name: &str| name == "ID" || schema.get(name).is_some_and(|ty| ty.kind == Kind::Scalar);
        if let Some(name) = self.scalars.keys().find(|name| !is_text(name)) {
            return Err(RestError::Mapping(format!("scalars.{name}: the schema has no such scalar")));
        }
        for (ty, exception) in &self.types {
            if let Some(field) = exception.omit.iter().find(|field| schema.field(ty, field).is_none()) {
                return Err(RestError::Mapping(format!("types.{ty}: the schema has no field {field} there")));
            }
        }
        Ok(())
    }

    /// The exception for a root field.
    pub(crate) fn query(&self, field: &str) -> Exception {
        self.query.get(field).cloned().unwrap_or_default()
    }

    /// The exception for a root field.
    pub(crate) fn mutation(&self, field: &str) -> Exception {
        self.mutation.get(field).cloned().unwrap_or_default()
    }

    /// The exception for a root field.
    pub(crate) fn subscription(&self, field: &str) -> Exception {
        self.subscription.get(field).cloned().unwrap_or_default()
    }

    /// The format of a scalar's texts.
    pub(crate) fn format(&self, scalar: &str) -> Option<&str> {
        self.scalars.get(scalar)?.format.as_deref()
    }

    /// Of which types of JSON a scalar's values are, and whether lists of them are values, too.
    pub(crate) fn types(&self, scalar: &str) -> Option<(&[String], bool)> {
        let exception = self.scalars.get(scalar).filter(|exception| !exception.types.is_empty())?;
        Some((&exception.types, exception.lists))
    }

    /// How many a page has at most.
    pub(crate) const fn most_of_page(&self) -> Option<i32> {
        self.pages.most
    }

    /// Whether a field is shown only when it is asked for.
    pub(crate) fn omits(&self, ty: &str, field: &str) -> bool {
        self.types.get(ty).is_some_and(|exception| exception.omit.iter().any(|name| name == field))
    }
}
