//! What a client learns of the API by asking for it.

use std::collections::BTreeSet;

use pulse_tests::TestPlatform;
use serde_json::{Value, json};

use crate::matrix::rows;

/// Types that async-graphql makes without a description, and that need none: what a connection is, all know.
fn is_exempt(name: &str) -> bool {
    name.starts_with("__") || name.ends_with("Connection")
}

async fn introspect(platform: &TestPlatform) -> Value {
    let described = "name description";
    let query = format!(
        "{{ __schema {{ queryType {{ name }} mutationType {{ name }} types {{
              {described} kind
              fields(includeDeprecated: true) {{ {described} args {{ {described} }} }}
              inputFields {{ {described} }}
              enumValues {{ {described} }}
            }} }} }}"
    );
    let mut answer = platform.graphql(None, &query, json!({})).await;
    assert_eq!(answer.json.get("errors"), None);
    answer.json["data"]["__schema"].take()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap()
}

/// The coordinates of `thing` and what is in it that nobody describes.
fn undescribed(thing: &Value, coordinate: &str, found: &mut Vec<String>) {
    if thing["description"].as_str().is_none_or(|text| text.trim().is_empty()) {
        found.push(coordinate.to_owned());
    }
    for parts in ["fields", "args", "inputFields", "enumValues"] {
        for part in list(&thing[parts]) {
            undescribed(part, &format!("{coordinate}.{}", name(part)), found);
        }
    }
}

#[tokio::test]
async fn everything_in_the_api_is_described() {
    let platform = TestPlatform::start().await;
    let schema = introspect(&platform).await;
    let mut found = Vec::new();
    for r#type in list(&schema["types"]) {
        undescribed(r#type, name(r#type), &mut found);
    }
    found.retain(|coordinate| !is_exempt(coordinate));
    assert_eq!(found, Vec::<String>::new());
}

#[tokio::test]
async fn every_root_field_is_in_the_matrix_of_tenancy() {
    let platform = TestPlatform::start().await;
    let schema = introspect(&platform).await;
    let is_root = |r#type: &&Value| {
        [&schema["queryType"], &schema["mutationType"]].iter().any(|root| name(root) == name(r#type))
    };
    let roots: BTreeSet<&str> =
        list(&schema["types"]).filter(is_root).flat_map(|root| list(&root["fields"])).map(name).collect();
    let rows: BTreeSet<&str> = rows().map(|row| row.field).collect();
    assert_eq!(rows, roots);
}
