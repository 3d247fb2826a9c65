//! Layers over each other, typed text of the environment, and what errors say.
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use bytesize::ByteSize;
use pulse_config::{ConfigError, load};
use pulse_types::Secret;
use serde::Deserialize;

const DEFAULTS: &str = r#"
[server]
# How long a request may take.
timeout = "30s"
port = 4000
body_limit = "1MB"
ratio = 0.5
compress = true
origins = []
level = "info"

[server.urls]
accounts = "http://localhost:1"
"#;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    server: Server,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    #[serde(with = "humantime_serde")]
    timeout: Duration,
    port: u16,
    body_limit: ByteSize,
    ratio: f64,
    compress: bool,
    origins: Vec<String>,
    level: Level,
    urls: BTreeMap<String, String>,
    secret: Option<Secret>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Info,
    Debug,
}

fn with(file: Option<&str>, env: &[(&str, &str)]) -> Result<Server, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pulse.toml");
    if let Some(text) = file {
        fs::write(&path, text).unwrap();
    }
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load::<Settings>(DEFAULTS, file.map(|_| path.as_path()), env).map(|settings| settings.server)
}

/// The error's text, with the folder of the test left out.
fn refusal(file: Option<&str>, env: &[(&str, &str)]) -> String {
    let text = with(file, env).unwrap_err().to_string();
    match (text.find("the file "), text.find("pulse.toml")) {
        (Some(start), Some(end)) => format!("{}the file {}", &text[..start], &text[end..]),
        _ => text,
    }
}

#[test]
fn defaults_are_enough() {
    let server = with(None, &[]).unwrap();
    assert_eq!(server.timeout, Duration::from_secs(30));
    assert_eq!(server.body_limit, ByteSize::mb(1));
    assert_eq!(server.secret, None);
}

#[test]
fn the_file_goes_over_the_defaults_and_the_environment_over_the_file() {
    let file = "[server]\ntimeout = \"5s\"\nport = 5000\n[server.urls]\nentities = \"http://localhost:2\"\n";
    let server = with(Some(file), &[("PULSE__SERVER__PORT", "6000")]).unwrap();
    assert_eq!((server.timeout, server.port), (Duration::from_secs(5), 6000));
    assert_eq!(server.urls.keys().collect::<Vec<_>>(), ["accounts", "entities"]);
}

#[test]
fn text_of_the_environment_takes_the_type_of_its_setting() {
    let server = with(
        None,
        &[
            ("PULSE__SERVER__TIMEOUT", "2m"),
            ("PULSE__SERVER__BODY_LIMIT", "2048"),
            ("PULSE__SERVER__RATIO", "1"),
            ("PULSE__SERVER__COMPRESS", "false"),
            ("PULSE__SERVER__ORIGINS", "https://a.example, https://b.example"),
            ("PULSE__SERVER__LEVEL", "debug"),
            ("PULSE__SERVER__URLS__VECTORS", "http://localhost:3"),
            ("PULSE__SERVER__SECRET", "12345"),
            ("UNRELATED", "x"),
        ],
    )
    .unwrap();
    let expected = Server {
        timeout: Duration::from_mins(2),
        port: 4000,
        body_limit: ByteSize::b(2048),
        ratio: 1.0,
        compress: false,
        origins: vec!["https://a.example".into(), "https://b.example".into()],
        level: Level::Debug,
        urls: BTreeMap::from([
            ("accounts".into(), "http://localhost:1".into()),
            ("vectors".into(), "http://localhost:3".into()),
        ]),
        secret: Some(Secret::new("12345")),
    };
    assert_eq!(server, expected);
}

#[test]
fn a_list_and_a_section_may_be_toml_in_the_environment() {
    let env = [("PULSE__SERVER__ORIGINS", r#"["a,b"]"#), ("PULSE__SERVER__URLS", r#"{x = "y"}"#)];
    let server = with(None, &env).unwrap();
    assert_eq!(server.origins, ["a,b"]);
    assert_eq!(server.urls, BTreeMap::from([("x".into(), "y".into())]));
}

#[test]
fn empty_text_unsets_an_optional_setting() {
    let server = with(Some("[server]\nsecret = \"x\"\n"), &[("PULSE__SERVER__SECRET", "")]).unwrap();
    assert_eq!(server.secret, None);
}

#[test]
fn an_error_names_the_setting_its_origin_and_the_way_out() {
    let cases = [
        refusal(None, &[("PULSE__SERVER__TIMEOUT", "30x")]),
        refusal(Some("[server]\ntimeout = 30\n"), &[]),
        refusal(None, &[("PULSE__SERVER__PORT", "70000")]),
        refusal(Some("[server]\nport = 70000\n"), &[]),
        refusal(None, &[("PULSE__SERVER__COMPRESS", "yes")]),
        refusal(None, &[("PULSE__SERVER__BODY_LIMIT", "lots")]),
        refusal(Some("[server]\nlevel = \"loud\"\n"), &[]),
        refusal(Some("[server]\nsecret = 12345\n"), &[]),
        refusal(None, &[("PULSE__SERVER", "x")]),
        refusal(None, &[("PULSE__SERVER__ORIGINS", "[a")]),
    ];
    insta::assert_snapshot!(cases.join("\n"), @r#"
    server.timeout (from the environment variable PULSE__SERVER__TIMEOUT): "30x" is not a duration such as "500ms", "30s" or "5m"
    server.timeout (from the file pulse.toml): expected a duration such as "500ms", "30s" or "5m", found a whole number
    server.port (from the environment variable PULSE__SERVER__PORT): "70000" is not a whole number from 0 to 65535
    server.port (from the file pulse.toml): 70000 is not a whole number from 0 to 65535
    server.compress (from the environment variable PULSE__SERVER__COMPRESS): "yes" is not true or false
    server.body_limit (from the environment variable PULSE__SERVER__BODY_LIMIT): "lots" is not a size such as "10MB" or a number of bytes
    server.level (from the file pulse.toml): "loud" is not possible here; write one of info, debug
    server.secret (from the file pulse.toml): expected a string, found a whole number
    server (from the environment variable PULSE__SERVER): expected a section, found text
    server.origins (from the environment variable PULSE__SERVER__ORIGINS): is not a TOML list such as ["a", "b"] or table such as {a = "b"}
    "#);
}

#[test]
fn an_unknown_setting_is_refused_with_the_known_ones() {
    let cases = [
        refusal(Some("[server]\ntimeuot = \"5s\"\n"), &[]),
        refusal(None, &[("PULSE__SERVRE__PORT", "1")]),
        refusal(None, &[("PULSE__SERVER____PORT", "1")]),
    ];
    insta::assert_snapshot!(cases.join("\n"), @r#"
    server.timeuot (from the file pulse.toml): there is no such setting; in its place there are timeout, port, body_limit, ratio, compress, origins, level, urls, secret
    servre (from the environment variable PULSE__SERVRE__PORT): there is no such setting; in its place there are server
    PULSE__SERVER____PORT names no setting; write PULSE__SECTION__FIELD, such as PULSE__GATEWAY__REQUEST_TIMEOUT
    "#);
}

#[test]
fn a_missing_setting_is_named_with_its_variable() {
    let error = load::<Settings>("[server]\ntimeout = \"1s\"\n", None, std::iter::empty()).unwrap_err();
    insta::assert_snapshot!(error, @"server.port is not set; set it in the settings file or as PULSE__SERVER__PORT");
}

#[test]
fn a_file_that_is_not_there_or_no_toml_is_named() {
    insta::assert_snapshot!(refusal(Some("[server\n"), &[]), @r#"
    the file pulse.toml is not valid TOML: TOML parse error at line 1, column 8
      |
    1 | [server
      |        ^
    unclosed table, expected `]`
    "#);
    let missing = std::path::Path::new("no-such-folder/pulse.toml");
    let error = load::<Settings>(DEFAULTS, Some(missing), std::iter::empty()).unwrap_err();
    insta::assert_snapshot!(error, @"cannot read the settings file no-such-folder/pulse.toml; check the path and its permissions");
}
