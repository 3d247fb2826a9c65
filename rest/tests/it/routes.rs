//! Which routes follow from a schema.

use crate::own;

#[test]
fn every_route_of_the_api_has_one_place() {
    let lines: Vec<String> = own()
        .summaries()
        .into_iter()
        .map(|route| format!("{:6} {} {}", route.method, route.path, route.id))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}
