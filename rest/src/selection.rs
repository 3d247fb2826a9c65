//! What of a thing is selected: by default, and by `fields` and `include`.

use std::fmt::Write;

use crate::mapping::Mapping;
use crate::problem::Problem;
use crate::schema::{Connection, Field, Kind, Schema, named};

/// How deeply embedded objects are shown without being asked for.
const EMBEDDED_DEPTH: usize = 3;

/// How many names `fields` and `include` may have together, and how many parts one of them.
const MAX_NAMES: usize = 100;
const MAX_PARTS: usize = 5;

/// The fields that tell a page from the next; they come first, so that they are found without reading the page.
const PAGE_INFO: &str = "pageInfo{hasNextPage hasPreviousPage startCursor endCursor}";

/// Fields that are always there, and come first, where a type has them.
const FIRST: [&str; 2] = ["id", "version"];

/// What a request wants to see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Wanted {
    /// These alone; what is usual unless given.
    pub(crate) fields: Option<Vec<String>>,
    /// These besides.
    pub(crate) include: Vec<String>,
}

/// A selected field.
#[derive(Debug, Default)]
struct Node {
    name: String,
    inner: Vec<Node>,
}

/// Selects by a schema and its exceptions.
#[derive(Clone, Copy)]
pub(crate) struct Selecting<'s> {
    pub(crate) schema: &'s Schema,
    pub(crate) mapping: &'s Mapping,
}

impl<'s> Selecting<'s> {
    /// The selection of a value of this type, in braces; nothing for a value without fields.
    pub(crate) fn of(self, ty: &str, is_payload: bool, wanted: &Wanted) -> Result<String, Problem> {
        if self.schema.get(ty).is_none_or(|ty| matches!(ty.kind, Kind::Scalar | Kind::Enum)) {
            return match wanted {
                Wanted { fields: None, include } if include.is_empty() => Ok(String::new()),
                _ => Err(Problem::bad("what this answers has no fields to choose from").at("fields")),
            };
        }
        let count = wanted.fields.iter().flatten().chain(&wanted.include).count();
        if count > MAX_NAMES {
            return Err(
                Problem::bad(format!("{count} fields are asked for, the limit is {MAX_NAMES}")).at("fields")
            );
        }
        let connection = self.schema.connection(ty);
        let has_total = connection.is_some() && self.schema.field(ty, "totalCount").is_some();
        let root = connection.as_ref().map_or(ty, |connection| connection.node);
        let mut nodes = match &wanted.fields {
            None => self.usual(root, is_payload),
            Some(_) => self.first(root),
        };
        let mut counts = false;
        let named = wanted.fields.iter().flatten().map(|name| (name, "fields"));
        for (name, parameter) in named.chain(wanted.include.iter().map(|name| (name, "include"))) {
            if has_total && name == "totalCount" {
                counts = true;
                continue;
            }
            self.add(root, name, &mut nodes).map_err(|problem| problem.at(parameter))?;
        }
        let mut out = String::new();
        match connection {
            Some(connection) => self.write_page(&connection, counts, &nodes, &mut out),
            None => self.write(root, &nodes, &mut out),
        }
        Ok(out)
    }

    /// The least that tells whether there is something.
    pub(crate) fn least(self, ty: &str) -> String {
        let nodes = self.first(ty);
        let mut out = String::new();
        if nodes.is_empty() {
            out.push_str("{__typename}");
        } else {
            self.write(ty, &nodes, &mut out);
        }
        out
    }

    /// Whether things of this type have a version, by which they can be changed.
    pub(crate) fn has_version(self, ty: &str) -> bool {
        self.schema
            .field(ty, "version")
            .is_some_and(|field| named(&field.ty) == "Int" && field.args.is_empty())
            && self.schema.field(ty, "id").is_some()
    }

    fn first(self, ty: &str) -> Vec<Node> {
        let fields = FIRST.iter().filter_map(|name| self.schema.field(ty, name));
        let fields = fields.filter(|field| field.args.is_empty() && self.schema.is_leaf(&field.ty));
        fields.map(|field| Node::leaf(&field.name)).collect()
    }

    /// What is shown of a type unless asked otherwise: its leaves, and the objects that are part of it. Of what a mutation
    /// answers, also the things themselves.
    fn usual(self, ty: &str, is_payload: bool) -> Vec<Node> {
        let mut nodes = self.first(ty);
        let mut stack = vec![ty];
        self.add_usual(ty, is_payload, &mut stack, &mut nodes);
        nodes
    }

    fn add_usual(self, ty: &'s str, is_payload: bool, stack: &mut Vec<&'s str>, nodes: &mut Vec<Node>) {
        for field in self.schema.fields(ty) {
            let is_shown =
                field.args.is_empty() && field.deprecated.is_none() && !self.mapping.omits(ty, &field.name);
            if !is_shown || nodes.iter().any(|node| node.name == field.name) {
                continue;
            }
            if self.schema.is_leaf(&field.ty) {
                nodes.push(Node::leaf(&field.name));
                continue;
            }
            let inner = named(&field.ty);
            let is_part = self.is_embedded(inner) || (is_payload && self.schema.connection(inner).is_none());
            if !is_part || stack.contains(&inner) || stack.len() > EMBEDDED_DEPTH {
                continue;
            }
            let mut parts = self.first(inner);
            stack.push(inner);
            self.add_usual(inner, false, stack, &mut parts);
            stack.pop();
            if !parts.is_empty() {
                nodes.push(Node { name: field.name.clone(), inner: parts });
            }
        }
        if self.schema.get(ty).is_some_and(|ty| ty.kind == Kind::Abstract) {
            nodes.insert(0, Node::leaf("__typename"));
        }
    }

    /// Whether objects of this type are part of others: they have no id, and are no list.
    fn is_embedded(self, ty: &str) -> bool {
        self.schema.field(ty, "id").is_none() && self.schema.connection(ty).is_none()
    }

    /// Adds what `a.b.c` names; an object at its end with what is usual of it.
    fn add(self, ty: &str, path: &str, nodes: &mut Vec<Node>) -> Result<(), Problem> {
        let parts: Vec<&str> = path.split('.').collect();
        if parts.len() > MAX_PARTS {
            return Err(Problem::bad(format!(
                "`{path}` has {} parts, the limit is {MAX_PARTS}",
                parts.len()
            )));
        }
        let mut ty = ty.to_owned();
        let mut place = nodes;
        for (index, part) in parts.iter().enumerate() {
            let field = self.schema.field(&ty, part).filter(|field| field.needs_nothing());
            let Some(field) = field else { return Err(self.unknown(&ty, path, part)) };
            let at = place.iter().position(|node| node.name == *part).unwrap_or_else(|| {
                place.push(Node::leaf(part));
                place.len() - 1
            });
            let node = &mut place[at];
            let is_last = index + 1 == parts.len();
            if self.schema.is_leaf(&field.ty) {
                if !is_last {
                    return Err(Problem::bad(format!("`{part}` in `{path}` has no fields")));
                }
                return Ok(());
            }
            let inner = self.target(field);
            let usual = if is_last { self.usual(inner, false) } else { self.first(inner) };
            for usual in usual {
                if !node.inner.iter().any(|known| known.name == usual.name) {
                    node.inner.push(usual);
                }
            }
            inner.clone_into(&mut ty);
            place = &mut node.inner;
        }
        Ok(())
    }

    /// The type whose fields are chosen behind a field: of a connection that of its nodes.
    fn target(self, field: &'s Field) -> &'s str {
        let ty = named(&field.ty);
        self.schema.connection(ty).map_or(ty, |connection| connection.node)
    }

    fn unknown(self, ty: &str, path: &str, part: &str) -> Problem {
        let fields = self.schema.fields(ty).iter().filter(|field| field.needs_nothing());
        let names: Vec<&str> = fields.map(|field| field.name.as_str()).collect();
        let names = names.join(", ");
        let place = if path == part { format!("`{part}`") } else { format!("`{part}` in `{path}`") };
        Problem::bad(format!("there is no field {place}: choose from {names}"))
    }

    fn write(self, ty: &str, nodes: &[Node], out: &mut String) {
        out.push('{');
        for (index, node) in nodes.iter().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            out.push_str(&node.name);
            if node.inner.is_empty() {
                continue;
            }
            let Some(field) = self.schema.field(ty, &node.name) else { continue };
            match self.schema.connection(named(&field.ty)) {
                Some(connection) => self.write_page(&connection, false, &node.inner, out),
                None => self.write(named(&field.ty), &node.inner, out),
            }
        }
        out.push('}');
    }

    fn write_page(self, connection: &Connection<'_>, counts: bool, nodes: &[Node], out: &mut String) {
        out.push('{');
        out.push_str(PAGE_INFO);
        for field in &connection.own {
            write!(out, " {}", field.name).expect("writing to a string cannot fail");
        }
        if counts {
            out.push_str(" totalCount");
        }
        if let Some((_, more)) = &connection.edge {
            out.push_str(" edges{");
            for field in more {
                write!(out, "{} ", field.name).expect("writing to a string cannot fail");
            }
            out.push_str("node");
            self.write(connection.node, nodes, out);
            out.push('}');
        } else {
            out.push_str(" nodes");
            self.write(connection.node, nodes, out);
        }
        out.push('}');
    }
}

impl Node {
    fn leaf(name: &str) -> Self {
        Self { name: name.to_owned(), inner: Vec::new() }
    }
}
