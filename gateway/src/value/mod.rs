//! JSON as the gateway holds it: what subgraphs answer and what callers send. Strings and keys of one parsed document
//! share one buffer, numbers keep their exact text, and objects keep their order.

mod convert;
mod detach;
mod parse;
mod text;
mod write;

pub use parse::JsonError;
pub use text::Text;
pub use write::write_string;

/// A JSON value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Value {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number written the usual way that fits.
    Int(i64),
    /// Any other number, as it was written.
    Number(Text),
    /// A string.
    String(Text),
    /// An array.
    List(Vec<Value>),
    /// An object.
    Object(Object),
}

/// A JSON object: its entries in the order in which they came. The objects that a gateway sees are small and are read
/// in the order in which they were written, so a search that starts at a remembered place beats hashing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Object(Vec<(Text, Value)>);

impl Value {
    /// Whether this is `null`.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The string, when it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, when it is one.
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The object, when it is one.
    pub const fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The object, when it is one.
    pub const fn as_object_mut(&mut self) -> Option<&mut Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The list, when it is one.
    pub const fn as_list(&self) -> Option<&Vec<Self>> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The value under a key, when this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_object()?.get(key)
    }

    /// What kind of JSON value this is, for messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

impl Object {
    /// An empty object.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// An empty object with room for some entries.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// How many entries it has.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no entries.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value under a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value under a key.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.0.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value under a key, looked for from `hint` on, which is then moved past it. Reading keys in the order in which
    /// they were written costs one comparison each.
    pub fn get_from(&self, key: &str, hint: &mut usize) -> Option<&Value> {
        let start = (*hint).min(self.0.len());
        let (before, after) = self.0.split_at(start);
        let found = after.iter().position(|(name, _)| name == key).map(|index| start + index);
        let index = found.or_else(|| before.iter().position(|(name, _)| name == key))?;
        *hint = index + 1;
        Some(&self.0[index].1)
    }

    /// Sets the value under a key, in place when the key is there already.
    pub fn insert(&mut self, key: Text, value: Value) {
        match self.get_mut(&key) {
            Some(place) => *place = value,
            None => self.0.push((key, value)),
        }
    }

    /// Appends an entry whose key is known to be new.
    pub fn push(&mut self, key: Text, value: Value) {
        self.0.push((key, value));
    }

    /// Takes an entry out, keeping the order of the others.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let index = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.remove(index).1)
    }

    /// The entry at a position.
    ///
    /// # Panics
    /// When there are not that many.
    pub fn at(&self, index: usize) -> (&Text, &Value) {
        let (key, value) = &self.0[index];
        (key, value)
    }

    /// The entries in order.
    pub fn iter(&self) -> std::slice::Iter<'_, (Text, Value)> {
        self.0.iter()
    }

    /// The entries in order.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, (Text, Value)> {
        self.0.iter_mut()
    }
}

impl IntoIterator for Object {
    type Item = (Text, Value);
    type IntoIter = std::vec::IntoIter<(Text, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a mut Object {
    type Item = &'a mut (Text, Value);
    type IntoIter = std::slice::IterMut<'a, (Text, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter_mut()
    }
}

impl<'a> IntoIterator for &'a Object {
    type Item = &'a (Text, Value);
    type IntoIter = std::slice::Iter<'a, (Text, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl FromIterator<(Text, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (Text, Value)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}
