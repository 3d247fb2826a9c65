//! Where a supergraph says that its subgraphs are.

use graphql_tools::parser::query::Value;
use graphql_tools::parser::schema::{Definition, EnumValue, TypeDefinition, parse_schema};

/// Why a supergraph does not tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointsError {
    /// It is no SDL.
    #[error("the supergraph is not valid SDL: {0}")]
    Syntax(String),
    /// It has no `join__Graph`.
    #[error(
        "this is no supergraph: it has no enum join__Graph that lists its subgraphs; compose the subgraphs first"
    )]
    NoSubgraphs,
}

/// The names and addresses of a supergraph's subgraphs, as `enum join__Graph` lists them in
/// `@join__graph(name:, url:)`. An address may be empty.
pub fn subgraph_endpoints(sdl: &str) -> Result<Vec<(String, String)>, EndpointsError> {
    let document = parse_schema::<String>(sdl).map_err(|error| EndpointsError::Syntax(error.to_string()))?;
    let graphs = document.definitions.into_iter().find_map(|definition| match definition {
        Definition::TypeDefinition(TypeDefinition::Enum(list)) if list.name == "join__Graph" => {
            Some(list.values)
        }
        _ => None,
    });
    Ok(graphs.ok_or(EndpointsError::NoSubgraphs)?.iter().map(endpoint).collect())
}

fn endpoint(graph: &EnumValue<'_, String>) -> (String, String) {
    let argument = |name: &str| {
        let directive = graph.directives.iter().find(|directive| directive.name == "join__graph")?;
        directive.arguments.iter().find_map(|(key, value)| match value {
            Value::String(text) if key == name => Some(text.clone()),
            _ => None,
        })
    };
    // A graph without a name of its own goes by that of its enum value, as composition makes it.
    let name = argument("name").unwrap_or_else(|| graph.name.to_lowercase());
    (name, argument("url").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_subgraphs_gives_names_and_addresses() {
        let sdl = r#"
            enum join__Graph {
              ACCOUNTS @join__graph(name: "accounts", url: "http://localhost:4001/graphql")
              VECTORS_2 @join__graph(name: "vectors-2", url: "")
            }
            type Query { a: Int }
        "#;
        let expected = [("accounts", "http://localhost:4001/graphql"), ("vectors-2", "")];
        let expected = expected.map(|(name, url)| (name.to_owned(), url.to_owned()));
        assert_eq!(subgraph_endpoints(sdl), Ok(expected.to_vec()));
    }

    #[test]
    fn a_schema_that_is_no_supergraph_is_refused() {
        assert_eq!(subgraph_endpoints("type Query { a: Int }"), Err(EndpointsError::NoSubgraphs));
        assert!(matches!(subgraph_endpoints("type Query {"), Err(EndpointsError::Syntax(_))));
    }
}
