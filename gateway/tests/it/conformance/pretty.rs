//! JSON with line breaks, numbers as they were written, errors in a fixed order.

use bytes::BytesMut;
use pulse_gateway::value::{Value, write_string};

/// A response as it is recorded: subgraphs that are asked at the same time answer in any order, and so do their errors.
pub(super) fn response(body: &[u8]) -> String {
    let mut response = Value::parse(body).unwrap_or_else(|error| {
        panic!("{error} in {}", String::from_utf8_lossy(body));
    });
    if let Some(object) = response.as_object_mut()
        && let Some(Value::List(errors)) = object.get_mut("errors")
    {
        errors.sort_by_key(|error| (error.get("path").map(ToString::to_string), error.to_string()));
    }
    pretty(&response)
}

/// A value over several lines, where it does not fit in one.
pub(super) fn pretty(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out.push('\n');
    out
}

fn write(value: &Value, depth: usize, out: &mut String) {
    let whole = value.to_string();
    if whole.len() + 2 * depth <= 80 {
        out.push_str(&whole);
        return;
    }
    let line = |depth: usize| format!("\n{}", "  ".repeat(depth));
    match value {
        Value::Object(object) => {
            out.push('{');
            for (index, (key, value)) in object.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                out.push_str(&line(depth + 1));
                let mut name = BytesMut::new();
                write_string(key, &mut name);
                out.push_str(std::str::from_utf8(&name).unwrap());
                out.push_str(": ");
                write(value, depth + 1, out);
            }
            out.push_str(&line(depth));
            out.push('}');
        }
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                out.push_str(&line(depth + 1));
                write(item, depth + 1, out);
            }
            out.push_str(&line(depth));
            out.push(']');
        }
        _ => out.push_str(&whole),
    }
}
