//! JSON as the gateway reads and writes it.

use pulse_gateway::value::{JsonError, Object, Text, Value};

fn round_trip(json: &str) -> String {
    Value::parse(json.as_bytes()).unwrap().to_string()
}

#[test]
fn numbers_come_out_as_they_went_in() {
    let numbers = "[0,-0,1,-9223372036854775808,9223372036854775808,1.0,1.10,1e3,1E-400,-1.5e+10,123456789012345678901234567890.5]";
    assert_eq!(round_trip(numbers), numbers);
}

#[test]
fn whole_numbers_that_fit_are_integers() {
    assert_eq!(Value::parse(b"42").unwrap(), Value::Int(42));
    assert_eq!(Value::parse(b"4.2").unwrap(), Value::Number("4.2".into()));
}

#[test]
fn escapes_are_read_and_written() {
    let value = Value::parse(br#""a\"b\\c\/d\b\f\n\r\t\u00e9\ud83d\ude00\ud800x\u0000""#).unwrap();
    assert_eq!(value.as_str(), Some("a\"b\\c/d\u{8}\u{c}\n\r\té😀\u{fffd}x\u{0}"));
    assert_eq!(value.to_string(), "\"a\\\"b\\\\c/d\\u0008\\u000c\\n\\r\\té😀\u{fffd}x\\u0000\"");
}

#[test]
fn objects_keep_their_order() {
    assert_eq!(
        round_trip(r#" { "b" : 1 , "a" : [ true , false , null ] , "" : { } } "#),
        r#"{"b":1,"a":[true,false,null],"":{}}"#
    );
}

#[test]
fn text_that_is_no_json_is_refused_with_its_place() {
    let refused = |text: &[u8]| Value::parse(text).unwrap_err().to_string();
    insta::assert_snapshot!(
        [
            refused(b""), refused(b"{"), refused(b"{\"a\"}"), refused(b"{a:1}"), refused(b"[1,]"), refused(b"[1 2]"),
            refused(b"01"), refused(b"1."), refused(b"-"), refused(b"1e"), refused(b"tru"), refused(b"\"a"),
            refused(b"\"\n\""), refused(br#""\x""#), refused(br#""\u12""#), refused(b"1 2"), refused(b"\"\xff\""),
        ]
        .join("\n"),
        @r#"
    expected a value at byte 0
    expected a key in quotes at byte 1
    expected `:` at byte 4
    expected a key in quotes at byte 1
    expected a value at byte 3
    expected `,` or `]` at byte 3
    expected a number without leading zeros at byte 2
    expected a digit at byte 2
    expected a digit at byte 1
    expected a digit at byte 2
    expected a value at byte 0
    expected `"` at byte 2
    expected `"` at byte 1
    expected an escape that JSON knows at byte 2
    expected four hexadecimal digits at byte 5
    expected the end of the document at byte 2
    not UTF-8 at byte 1
    "#
    );
}

#[test]
fn text_nested_without_end_is_refused() {
    assert!(matches!(Value::parse("[".repeat(1_000_000).as_bytes()), Err(JsonError::TooDeep(_))));
    assert!(matches!(Value::parse("{\"a\":".repeat(1_000_000).as_bytes()), Err(JsonError::TooDeep(_))));
}

#[test]
fn search_from_a_place_wraps_around() {
    let object: Object = ["a", "b", "c"].iter().map(|key| (Text::from(*key), Value::from(*key))).collect();
    let mut hint = 2;
    assert_eq!(object.get_from("c", &mut hint), Some(&"c".into()));
    assert_eq!(object.get_from("a", &mut hint), Some(&"a".into()));
    assert_eq!(hint, 1);
    assert_eq!(object.get_from("x", &mut hint), None);
    assert_eq!(hint, 1);
}

#[test]
fn serde_carries_values_both_ways() {
    let json = r#"{"a":[1,2.5,"x",null,true],"b":{"big":123456789012345678901234567890}}"#;
    let value = Value::parse(json.as_bytes()).unwrap();
    assert_eq!(serde_json::to_string(&value).unwrap(), json);
    let read: Value = serde_json::from_str(r#"{"a":[1,2.5,"x",null,true]}"#).unwrap();
    assert_eq!(read.to_string(), r#"{"a":[1,2.5,"x",null,true]}"#);
}

#[test]
fn strings_are_written_and_read_alike_wherever_their_special_characters_are() {
    for special in ["\"", "\\", "\n", "\u{0}", "\u{1f}", "\u{7f}", "é", "€", "\u{10ffff}", ""] {
        for before in 0..20 {
            for after in 0..10 {
                let text = format!("{}{special}{}", "a".repeat(before), "\u{e9}".repeat(after));
                let json = Value::from(text.as_str()).to_bytes();
                assert_eq!(json, serde_json::to_string(&text).unwrap());
                assert_eq!(Value::parse(&json).unwrap().as_str(), Some(text.as_str()));
            }
        }
    }
    for control in 0..0x20_u8 {
        let mut json = br#""aaaaaaaaaaaaaaaaaaaa""#.to_vec();
        for at in 1..json.len() - 1 {
            json[at] = control;
            assert!(Value::parse(&json).is_err(), "{control} at {at}");
            json[at] = b'a';
        }
    }
}

#[test]
fn a_detached_copy_is_equal() {
    let json = r#"{"a":[1,2.50,"x\"y",null,true,{}],"é":{"big":123456789012345678901234567890,"":[]}}"#;
    let value = Value::parse(json.as_bytes()).unwrap();
    assert_eq!(value.detached(), value);
    assert_eq!(value.detached().to_string(), json);
}
