//! GraphML: nodes and edges, with attributes that keys declare.

use std::collections::HashMap;
use std::io::{self, BufRead};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;

use super::bounded::{Bounded, TooMuch};
use super::{Limits, ReadError, Record};
use crate::mapping::{EntityColumns, Kind, RelationshipColumns, Row, read_as, shown};
use crate::{Item, Mapping};

/// How deep elements may stand in each other.
const MAX_DEPTH: usize = 32;
/// How many attributes a file may declare.
const MAX_KEYS: usize = 10_000;

pub(super) struct GraphMl<R> {
    xml: quick_xml::Reader<Bounded<R>>,
    buffer: Vec<u8>,
    place: Place,
    keys: HashMap<String, Key>,
    entities: EntityColumns,
    relationships: RelationshipColumns,
    limits: Limits,
}

/// Where in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    Document,
    Graph,
    After,
}

/// A declared attribute.
struct Key {
    name: String,
    kind: Kind,
    of_nodes: bool,
    of_edges: bool,
    default: Option<String>,
}

/// What stands in an element.
#[derive(Default)]
struct Content {
    attributes: Vec<(String, String)>,
    /// Texts by key; of what holds other elements there is none.
    data: Vec<(String, String)>,
    problem: Option<String>,
}

/// An element that is being read.
#[derive(Default)]
struct Open {
    content: Content,
    /// The `data` that is open: its key, its text, and whether there is anything but text in it.
    data: Option<(String, String, bool)>,
    depth: usize,
}

/// A node or an edge, as columns.
struct Element {
    own: Vec<(&'static str, String)>,
    data: Vec<(String, Value)>,
}

impl Row for Element {
    fn value(&self, column: &str) -> Option<Value> {
        let own = self.own.iter().find(|(name, _)| *name == column);
        own.map(|(_, text)| Value::from(text.as_str())).or_else(|| {
            self.data.iter().rev().find(|(name, _)| name == column).map(|(_, value)| value.clone())
        })
    }

    fn columns(&self) -> impl Iterator<Item = &str> {
        self.data.iter().map(|(name, _)| name.as_str())
    }
}

impl<R: BufRead> GraphMl<R> {
    pub(super) fn new(input: R, mapping: &Mapping, limits: Limits) -> Self {
        let (entities, relationships) = mapping.of_graphml();
        Self {
            xml: quick_xml::Reader::from_reader(Bounded::new(input)),
            buffer: Vec::new(),
            place: Place::Before,
            keys: HashMap::new(),
            entities,
            relationships,
            limits,
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.xml.get_ref().bytes()
    }

    pub(super) fn lines(&self) -> u64 {
        self.xml.get_ref().lines()
    }

    pub(super) fn next(&mut self) -> Result<Option<Record>, ReadError> {
        loop {
            let (line, begin) = (self.xml.get_ref().line(), self.bytes());
            match (self.event()?, self.place) {
                (Event::Start(start), Place::Before) if start.local_name().as_ref() == "graphml" => {
                    self.place = Place::Document;
                }
                (Event::Start(start), Place::Document) if start.local_name().as_ref() == "graph" => {
                    self.place = Place::Graph;
                }
                (Event::Start(start), Place::Document) => self.declare(&start, true)?,
                (Event::Empty(start), Place::Document) => self.declare(&start, false)?,
                (Event::Start(start), Place::Graph) => {
                    if let Some(record) = self.record(&start, true, (line, begin))? {
                        return Ok(Some(record));
                    }
                }
                (Event::Empty(start), Place::Graph) => {
                    if let Some(record) = self.record(&start, false, (line, begin))? {
                        return Ok(Some(record));
                    }
                }
                (Event::End(_), Place::Graph) => self.place = Place::Document,
                (Event::End(_), Place::Document) => self.place = Place::After,
                (Event::Start(_) | Event::Empty(_), Place::Before) => {
                    return Err(self.broken("the document is no <graphml>"));
                }
                (Event::Eof, Place::After) => return Ok(None),
                (Event::Eof, Place::Before) => return Err(self.broken("there is no <graphml> in it")),
                (Event::Eof, _) => return Err(self.broken("the file ends before </graphml>: it was cut off")),
                (Event::Text(text), Place::Before | Place::After) if !text.trim().is_empty() => {
                    return Err(self.broken("there is text outside of <graphml>"));
                }
                _ => {}
            }
        }
    }

    /// The next event. What is behind it has not been read.
    fn event(&mut self) -> Result<Event<'static>, ReadError> {
        self.buffer.clear();
        self.xml.get_mut().allow(self.limits.record_bytes);
        let event = match self.xml.read_event_into(&mut self.buffer) {
            Ok(event) => event.into_owned(),
            Err(error) => return Err(self.failed(&error)),
        };
        match &event {
            Event::DocType(_) => Err(self.broken(
                "there is a document type (<!DOCTYPE …>), which is not read: take it out of the file",
            )),
            Event::Decl(declaration) => match declaration.encoding() {
                Some(Ok(encoding)) if !encoding.eq_ignore_ascii_case("utf-8") => {
                    let text = format!("the encoding is {}: convert the file to UTF-8", shown(&encoding));
                    Err(self.broken(text))
                }
                _ => Ok(event),
            },
            _ => Ok(event),
        }
    }

    fn failed(&self, error: &quick_xml::Error) -> ReadError {
        let quick_xml::Error::Io(source) = error else { return self.broken(error.to_string()) };
        if source.get_ref().and_then(|inner| inner.downcast_ref::<TooMuch>()).is_some() {
            let text = format!("what ends here or later is longer than {} bytes", self.limits.record_bytes);
            return self.broken(text);
        }
        let source = io::Error::new(source.kind(), source.to_string());
        ReadError::Io { line: self.lines(), source }
    }

    fn broken(&self, reason: impl Into<String>) -> ReadError {
        let at = self.xml.get_ref();
        ReadError::Broken { line: at.line(), column: at.column(), reason: reason.into() }
    }

    /// Takes note of a key; what else stands before the graph is passed over.
    fn declare(&mut self, start: &BytesStart<'_>, has_content: bool) -> Result<(), ReadError> {
        let is_key = start.local_name().as_ref() == "key";
        let begin = self.bytes();
        let content = self.content(start, has_content, begin)?;
        if !is_key {
            return Ok(());
        }
        let attribute = |name: &str| content.attribute(name).map(str::to_owned);
        let Some(id) = attribute("id") else { return Err(self.broken("a <key> has no `id`")) };
        let name = attribute("attr.name").unwrap_or_else(|| id.clone());
        let kind = match (attribute("pulse:as").as_deref(), attribute("attr.type").as_deref()) {
            (Some("json"), _) => Kind::Json,
            (_, Some("boolean")) => Kind::Boolean,
            (_, Some("int" | "long")) => Kind::Integer,
            (_, Some("float" | "double")) => Kind::Number,
            (_, Some("string") | None) => Kind::Text,
            (_, Some(other)) => {
                let text = format!("the <key> {} has the type {}", shown(&id), shown(other));
                let allowed = "allowed are boolean, int, long, float, double and string";
                return Err(self.broken(format!("{text}: {allowed}")));
            }
        };
        let of = attribute("for").unwrap_or_else(|| "all".to_owned());
        let of = |what: &str| of == what || of == "all";
        let default = content.data.into_iter().next().map(|(_, text)| text);
        let key = Key { name, kind, of_nodes: of("node"), of_edges: of("edge"), default };
        if self.keys.len() >= MAX_KEYS {
            return Err(self.broken(format!("there are more than {MAX_KEYS} keys")));
        }
        self.keys.insert(id, key);
        Ok(())
    }

    /// The record of a node or an edge; `None` for what is neither.
    fn record(
        &mut self,
        start: &BytesStart<'_>,
        has_content: bool,
        (line, begin): (u64, u64),
    ) -> Result<Option<Record>, ReadError> {
        let content = self.content(start, has_content, begin)?;
        let size = usize::try_from(self.bytes() - begin).unwrap_or(usize::MAX);
        let item = match start.local_name().as_ref() {
            "node" => self.node(content),
            "edge" => self.edge(content),
            "hyperedge" => Err("a hyperedge has no two ends: write it as a node with edges".to_owned()),
            _ => return Ok(None),
        };
        Ok(Some(Record { line, size, item }))
    }

    fn node(&self, content: Content) -> Result<Item, String> {
        let id = content.attribute("id").ok_or("the node has no `id`")?.to_owned();
        let data = self.data(content, |key| key.of_nodes)?;
        self.entities.item(&Element { own: vec![("@id", id)], data })
    }

    fn edge(&self, content: Content) -> Result<Item, String> {
        let end = |name: &str| {
            content.attribute(name).map(str::to_owned).ok_or_else(|| format!("the edge has no `{name}`"))
        };
        let mut own = vec![("@source", end("source")?), ("@target", end("target")?)];
        own.extend(content.attribute("id").map(|id| ("@id", id.to_owned())));
        let data = self.data(content, |key| key.of_edges)?;
        self.relationships.item(&Element { own, data })
    }

    /// The attributes of an element by their names; those that it does not have by their defaults.
    fn data(&self, content: Content, is_of: impl Fn(&Key) -> bool) -> Result<Vec<(String, Value)>, String> {
        if let Some(problem) = content.problem {
            return Err(problem);
        }
        let mut data = Vec::with_capacity(content.data.len());
        for (id, key) in &self.keys {
            let Some(default) = key.default.as_ref().filter(|_| is_of(key)) else { continue };
            if !content.data.iter().any(|(of, _)| of == id) {
                data.push((key.name.clone(), read_as(key.kind, &key.name, default.clone())?));
            }
        }
        for (id, text) in content.data {
            let key = self.keys.get(&id).ok_or_else(|| format!("no <key> has the id {}", shown(&id)))?;
            data.push((key.name.clone(), read_as(key.kind, &key.name, text)?));
        }
        Ok(data)
    }

    /// Reads an element up to its end.
    fn content(
        &mut self,
        start: &BytesStart<'_>,
        has_content: bool,
        begin: u64,
    ) -> Result<Content, ReadError> {
        let content = Content { attributes: self.attributes(start)?, ..Content::default() };
        let mut open = Open { content, data: None, depth: usize::from(has_content) };
        while open.depth > 0 {
            match self.event()? {
                Event::Start(start) => self.opened(&mut open, &start)?,
                Event::Empty(start) => {
                    self.opened(&mut open, &start)?;
                    open.closed();
                }
                Event::End(_) => open.closed(),
                Event::Text(text) => open.text(&text.xml10_content()),
                Event::CData(text) => open.text(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().map_err(|error| self.failed(&error))?;
                    let named = || quick_xml::escape::resolve_xml_entity(&reference).map(str::to_owned);
                    let text = character.map(String::from).or_else(named);
                    let unknown = || self.broken(format!("&{}; is no entity of XML", &*reference));
                    open.text(&text.ok_or_else(unknown)?);
                }
                Event::Eof => return Err(self.broken("the file ends in the middle of an element")),
                _ => {}
            }
            if self.bytes() - begin > self.limits.record_bytes as u64 {
                open.too_much(format!("it is longer than {} bytes", self.limits.record_bytes));
            }
        }
        Ok(open.content)
    }

    /// Begins an element inside of another.
    fn opened(&self, open: &mut Open, start: &BytesStart<'_>) -> Result<(), ReadError> {
        open.depth += 1;
        if open.depth > MAX_DEPTH {
            return Err(self.broken(format!("elements stand in each other more than {MAX_DEPTH} deep")));
        }
        match (start.local_name().as_ref(), &mut open.data) {
            (_, Some((_, _, has_elements))) => *has_elements = true,
            ("data", None) if open.depth == 2 => {
                let attributes = self.attributes(start)?;
                let key = attributes.into_iter().find(|(name, _)| name == "key").map(|(_, key)| key);
                let Some(key) = key else { return Err(self.broken("a <data> has no `key`")) };
                open.data = Some((key, String::new(), false));
            }
            ("default", None) if open.depth == 2 => open.data = Some((String::new(), String::new(), false)),
            ("graph", None) => {
                open.say("it has a graph in it, which is not read: write all nodes beside each other");
            }
            _ => {}
        }
        if open.content.data.len() >= self.limits.columns {
            open.too_much(format!("it has more than {} attributes", self.limits.columns));
        }
        Ok(())
    }

    fn attributes(&self, start: &BytesStart<'_>) -> Result<Vec<(String, String)>, ReadError> {
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| self.broken(error.to_string()))?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|error| self.broken(error.to_string()))?;
            attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        Ok(attributes)
    }
}

impl Content {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

impl Open {
    fn text(&mut self, text: &str) {
        if let (Some((_, data, false)), None) = (&mut self.data, &self.content.problem) {
            data.push_str(text);
        }
    }

    fn closed(&mut self) {
        self.depth -= 1;
        if self.depth == 1
            && let Some((key, text, has_elements)) = self.data.take()
            && !has_elements
            && self.content.problem.is_none()
        {
            self.content.data.push((key, text));
        }
    }

    fn say(&mut self, problem: impl Into<String>) {
        self.content.problem.get_or_insert(problem.into());
    }

    /// Keeps nothing more of it.
    fn too_much(&mut self, problem: String) {
        self.say(problem);
        self.content.data = Vec::new();
        if let Some((_, text, _)) = &mut self.data {
            *text = String::new();
        }
    }
}
