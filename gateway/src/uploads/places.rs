//! Where in an operation's variables its files belong. Until a subgraph is called, a mark stands in each place, which
//! keeps it through coercion and renaming.

use crate::value::{Object, Text, Value};

/// No variable that means something else begins with a zero byte. One that does refers to a file of its own request,
/// which it may.
const MARK: &str = "\0file ";

/// What stands for a file.
fn mark(file: usize) -> Value {
    Value::from(format!("{MARK}{file}"))
}

/// The file that a value stands for.
pub(crate) fn marked(value: &Value) -> Option<usize> {
    value.as_str()?.strip_prefix(MARK)?.parse().ok()
}

/// Puts a file's mark at a place such as `variables.input.files.0`. The place must hold `null`.
pub(crate) fn put(request: &mut Object, path: &str, file: usize) -> Result<(), String> {
    let mut steps = path.split('.');
    if steps.next() != Some("variables") {
        return Err(format!("`map` has the path {path:?}, which does not begin with `variables`"));
    }
    let mut place = request.get_mut("variables");
    for step in steps {
        place = match place {
            Some(Value::Object(object)) => object.get_mut(step),
            Some(Value::List(items)) => step.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
            _ => None,
        };
    }
    match place {
        Some(place @ Value::Null) => {
            *place = mark(file);
            Ok(())
        }
        Some(other) if marked(other).is_some() => Err(format!("`map` has the path {path:?} twice")),
        Some(other) => {
            Err(format!("`map` has the path {path:?}, where the variables hold {}, not null", other.kind()))
        }
        None => Err(format!("`map` has the path {path:?}, which the variables do not have: put null there")),
    }
}

/// Takes the marks out of a fetch's variables, which `null` replaces, as the multipart request specification wants it.
/// Each file comes with its paths, such as `input.files.0`.
pub(super) fn take(variables: &mut Object) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for (name, value) in variables {
        walk(value, &mut vec![name.clone()], &mut found);
    }
    let mut files: Vec<(usize, Vec<String>)> = Vec::new();
    for (file, path) in found {
        match files.iter_mut().find(|(known, _)| *known == file) {
            Some((_, paths)) => paths.push(path),
            None => files.push((file, vec![path])),
        }
    }
    files.sort_by_key(|(file, _)| *file);
    files
}

fn walk(value: &mut Value, path: &mut Vec<Text>, found: &mut Vec<(usize, String)>) {
    match value {
        Value::String(_) => {
            if let Some(file) = marked(value) {
                found.push((file, path.iter().map(Text::as_str).collect::<Vec<_>>().join(".")));
                *value = Value::Null;
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                path.push(index.to_string().into());
                walk(item, path, found);
                path.pop();
            }
        }
        Value::Object(object) => {
            for (name, value) in object {
                path.push(name.clone());
                walk(value, path, found);
                path.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Number(_) => {}
    }
}

/// The files that a value holds.
pub(super) fn files_in(value: &Value, found: &mut Vec<usize>) {
    match value {
        Value::String(_) => found.extend(marked(value)),
        Value::List(items) => items.iter().for_each(|item| files_in(item, found)),
        Value::Object(object) => object.iter().for_each(|(_, value)| files_in(value, found)),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Number(_) => {}
    }
}
