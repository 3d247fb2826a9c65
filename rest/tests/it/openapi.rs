//! The documents that describe the routes.

use std::collections::BTreeSet;

use pulse_rest::Version;
use serde_json::Value;

use crate::{committed, own};

/// All references of a document.
fn references<'d>(value: &'d Value, found: &mut BTreeSet<&'d str>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get("$ref").and_then(Value::as_str));
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere() {
    for version in [Version::V3_1, Version::V3_0] {
        let document = own().openapi(version);
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        assert!(found.len() > 100, "{version:?}: {}", found.len());
        for reference in found {
            let place = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(place).is_some(), "{version:?}: nothing at {reference}");
        }
    }
}

#[test]
fn every_route_is_described_once() {
    let (routes, document) = (own(), own().openapi(Version::V3_1));
    let mut ids = BTreeSet::new();
    for route in routes.summaries() {
        let operation = &document["paths"][&route.path][route.method.to_ascii_lowercase()];
        assert_eq!(operation["operationId"], route.id.as_str());
        assert!(ids.insert(route.id.clone()), "{} is there twice", route.id);
        assert!(operation["description"].is_string(), "{} has no description", route.id);
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let in_path = parameters.filter(|parameter| parameter["in"] == "path").count();
        assert_eq!(in_path, route.path.matches('{').count(), "{}", route.id);
        let statuses = operation["responses"].as_object().unwrap();
        assert!(statuses.contains_key("401") && statuses.keys().any(|status| status.starts_with('2')));
    }
}

#[test]
fn an_operation_says_all_that_it_takes_and_answers() {
    let document = own().openapi(Version::V3_1);
    let mut update = document["paths"]["/entities/{id}"]["patch"].clone();
    update["responses"] = update["responses"].as_object().unwrap().keys().cloned().collect();
    insta::assert_snapshot!(serde_json::to_string_pretty(&update).unwrap());
    let older = own().openapi(Version::V3_0);
    insta::assert_snapshot!(
        "nullable_in_3_0",
        serde_json::to_string_pretty(&older["components"]["schemas"]["Relationship"]).unwrap()
    );
}

#[test]
fn the_committed_documents_are_what_the_code_says() {
    for (name, version) in [("openapi.json", Version::V3_1), ("openapi-3.0.json", Version::V3_0)] {
        let expected = format!("{}\n", serde_json::to_string_pretty(&own().openapi(version)).unwrap());
        assert!(committed(name) == expected, "{name} is not what the code says: run `cargo xtask schema`");
    }
}
