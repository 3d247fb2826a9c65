//! Subgraph names, and the values of `join__Graph` that stand for them.

use std::collections::BTreeSet;

use async_graphql_parser::Pos;

use crate::{SubgraphSdl, code::Code, diagnostic::Diagnostic};

/// One value per subgraph, in the same order.
pub(crate) fn name(inputs: &[&SubgraphSdl], report: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut names = BTreeSet::new();
    let mut graphs = BTreeSet::new();
    let mut values = Vec::new();
    for input in inputs {
        let refuse = |message: &str, help: &str| {
            Diagnostic::error(Code::InvalidSubgraphName, "", message)
                .at_place(&input.name, Pos::default())
                .help(help)
        };
        if !names.insert(input.name.as_str()) {
            report.push(refuse("two subgraphs have this name", "rename one of them"));
        }
        let is_usable = input.name.chars().any(|c| c.is_ascii_alphanumeric())
            && !input.name.chars().any(char::is_control);
        if !is_usable {
            report.push(refuse(
                "a subgraph's name needs a letter or digit and no control characters",
                "rename it",
            ));
        }
        let value = value(&input.name);
        let free = (0..=inputs.len())
            .map(|count| if count == 0 { value.clone() } else { format!("{value}_{count}") })
            .find(|value| !graphs.contains(value));
        let value = free.unwrap_or(value);
        graphs.insert(value.clone());
        values.push(value);
    }
    values
}

fn value(name: &str) -> String {
    let value: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    if value.starts_with(|c: char| c.is_ascii_digit()) { format!("_{value}") } else { value }
}
