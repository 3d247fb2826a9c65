//! Places in the data: where a plan's path leads.

use super::errors::Segment;
use crate::engine::plan::Step;
use crate::value::Value;

/// Objects in the data, each by the positions that lead to it. Entries are only ever appended to the data's objects and
/// lists never change their length, so a place stays where it is while other fetches merge their answers.
#[derive(Debug, Default)]
pub(super) struct Places {
    positions: Vec<u32>,
    ends: Vec<u32>,
}

impl Places {
    /// All objects that a path leads to, added to those that are there already.
    pub(super) fn find(&mut self, data: &Value, path: &[Step]) {
        let mut at = Vec::with_capacity(path.len());
        self.walk(data, path, &mut at);
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// The positions that lead to one of them.
    pub(super) fn get(&self, index: usize) -> &[u32] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.positions[start as usize..self.ends[index] as usize]
    }

    /// Lists on the way are entered even where the path does not say so: it marks one level however deep they nest.
    fn walk(&mut self, data: &Value, path: &[Step], at: &mut Vec<u32>) {
        match (path.first(), data) {
            (Some(Step::Items), Value::List(_)) => self.walk_items(data, &path[1..], at),
            (_, Value::List(_)) => self.walk_items(data, path, at),
            (None, Value::Object(_)) => {
                self.positions.extend_from_slice(at);
                self.ends.push(narrow(self.positions.len()));
            }
            (Some(Step::Key(key)), Value::Object(object)) => {
                if let Some(index) = object.iter().position(|(name, _)| name == key) {
                    let (_, value) = object.at(index);
                    at.push(narrow(index));
                    self.walk(value, &path[1..], at);
                    at.pop();
                }
            }
            (Some(Step::Types(types)), Value::Object(object)) => {
                let name = object.get("__typename").and_then(Value::as_str);
                if name.is_none_or(|name| types.contains(name)) {
                    self.walk(data, &path[1..], at);
                }
            }
            _ => {}
        }
    }

    fn walk_items(&mut self, data: &Value, path: &[Step], at: &mut Vec<u32>) {
        for (index, item) in data.as_list().into_iter().flatten().enumerate() {
            at.push(narrow(index));
            self.walk(item, path, at);
            at.pop();
        }
    }
}

fn narrow(position: usize) -> u32 {
    u32::try_from(position).expect("documents are smaller than 4 GiB")
}

/// The value at a place.
pub(super) fn at<'v>(mut data: &'v Value, place: &[u32]) -> Option<&'v Value> {
    for &position in place {
        data = match data {
            Value::Object(object) => &object.iter().nth(position as usize)?.1,
            Value::List(items) => items.get(position as usize)?,
            _ => return None,
        };
    }
    Some(data)
}

/// The value at a place.
pub(super) fn at_mut<'v>(mut data: &'v mut Value, place: &[u32]) -> Option<&'v mut Value> {
    for &position in place {
        data = match data {
            Value::Object(object) => &mut object.iter_mut().nth(position as usize)?.1,
            Value::List(items) => items.get_mut(position as usize)?,
            _ => return None,
        };
    }
    Some(data)
}

/// A place as clients know it.
pub(super) fn response_path(mut data: &Value, place: &[u32]) -> Vec<Segment> {
    let mut path = Vec::with_capacity(place.len());
    for &position in place {
        let position = position as usize;
        match data {
            Value::Object(object) if position < object.len() => {
                let (key, value) = object.at(position);
                path.push(Segment::Key(key.clone()));
                data = value;
            }
            Value::List(items) if position < items.len() => {
                path.push(Segment::Index(position));
                data = &items[position];
            }
            _ => break,
        }
    }
    path
}
