//! Rules of style.

use pulse_schema::{LintConfig, LintRule, SubgraphSdl, lint};

fn found(sdl: &str, previous: Option<&str>, config: &str) -> Vec<String> {
    let subgraph = SubgraphSdl { name: "one".to_owned(), url: None, sdl: sdl.to_owned() };
    let config: LintConfig = serde_json::from_str(config).unwrap();
    let findings = lint(&subgraph, previous, &config).unwrap();
    let print = |finding: &pulse_schema::LintFinding| {
        let place = finding.place.as_ref().map(|place| format!(" {}:{}", place.line, place.column));
        format!(
            "{:?} {} {}{}: {}",
            finding.level,
            finding.rule.as_str(),
            finding.coordinate,
            place.unwrap_or_default(),
            finding.help
        )
    };
    findings.iter().map(print).collect()
}

#[test]
fn names_follow_their_cases() {
    let sdl = r#"directive @Mark_It on FIELD
type Query { get_user(User_id: ID): user_type getUser: Int }
"x" type user_type { Name: String }
"x" enum Level { low veryHigh FINE_1 }
"x" input Rename { New_name: String }"#;
    assert_eq!(
        found(sdl, None, "{}"),
        [
            "Warning DIRECTIVE_NAME_CAMEL_CASE @Mark_It 1:1: name it markIt",
            "Warning ENUM_VALUE_NAME_UPPER_CASE Level.low 4:18: name it LOW",
            "Warning ENUM_VALUE_NAME_UPPER_CASE Level.veryHigh 4:22: name it VERY_HIGH",
            "Warning QUERY_FIELD_NAME_WITHOUT_VERB Query.getUser 2:47: name it user",
            "Warning FIELD_NAME_CAMEL_CASE Query.get_user 2:14: name it getUser",
            "Warning ARGUMENT_NAME_CAMEL_CASE Query.get_user(User_id:) 2:23: name it userId",
            "Warning INPUT_TYPE_NAME_SUFFIX Rename 5:11: name it RenameInput",
            "Warning INPUT_FIELD_NAME_CAMEL_CASE Rename.New_name 5:20: name it newName",
            "Warning TYPE_NAME_PASCAL_CASE user_type 3:10: name it UserType",
            "Warning FIELD_NAME_CAMEL_CASE user_type.Name 3:22: name it name",
        ]
    );
}

#[test]
fn descriptions_are_asked_for_as_strictly_as_settings_say() {
    let sdl = "type Query { a(x: Int): A }\ntype A { n: Int }\nextend type B { m: Int }";
    assert_eq!(
        found(sdl, None, "{}"),
        ["Warning TYPE_DESCRIPTION A 2:6: say in a sentence what it is, for those who do not know"]
    );
    let strict = r#"{ "rules": { "FIELD_DESCRIPTION": "error", "TYPE_DESCRIPTION": "off", "ARGUMENT_DESCRIPTION": "warning" }, "ignore": ["A.*", "B.m"] }"#;
    assert_eq!(
        found(sdl, None, strict),
        [
            "Error FIELD_DESCRIPTION Query.a 1:14: say in a sentence what it is, for those who do not know",
            "Warning ARGUMENT_DESCRIPTION Query.a(x:) 1:16: say in a sentence what it is, for those who do not know",
        ]
    );
}

#[test]
fn what_is_deprecated_says_why() {
    let sdl = r#"type Query { a: Int @deprecated b: Int @deprecated(reason: " ") c: Int @deprecated(reason: "use a") }"#;
    let help = "write @deprecated(reason: \"use … instead\")";
    assert_eq!(
        found(sdl, None, "{}"),
        [
            format!("Warning DEPRECATION_REASON Query.a 1:14: {help}"),
            format!("Warning DEPRECATION_REASON Query.b 1:33: {help}")
        ]
    );
}

#[test]
fn what_is_removed_was_deprecated_before() {
    let old = r#"type Query { a(x: Int, y: Int @deprecated(reason: "no")): E b: Int c: Int @deprecated(reason: "use a") }
    enum E { X Y } type Gone { n: Int } type Told { n: Int @deprecated(reason: "no") }"#;
    let new = "type Query { a: E } \"x\" enum E { X }";
    let found = found(new, Some(old), "{}");
    let coordinates: Vec<_> = found.iter().map(|finding| finding.split(' ').nth(2).unwrap()).collect();
    assert_eq!(coordinates, ["E.Y:", "Gone:", "Query.a(x:):", "Query.b:"]);
    assert!(found.iter().all(|finding| finding.starts_with("Error REMOVAL_AFTER_DEPRECATION")), "{found:?}");
}

#[test]
fn settings_with_unknown_rules_are_refused() {
    for config in [
        r#"{ "rules": { "NO_SUCH_RULE": "off" } }"#,
        r#"{ "rules": { "FIELD_DESCRIPTION": "loud" } }"#,
        r#"{ "rule": {} }"#,
    ] {
        assert!(serde_json::from_str::<LintConfig>(config).is_err(), "{config}");
    }
    assert_eq!(LintRule::ALL.len(), 16);
}

#[test]
fn a_schema_that_cannot_be_read_has_no_style() {
    let subgraph = SubgraphSdl { name: "one".to_owned(), url: None, sdl: "type Query {".to_owned() };
    let errors = lint(&subgraph, None, &LintConfig::default()).unwrap_err();
    assert_eq!(errors[0].code.as_str(), "INVALID_GRAPHQL");
}
