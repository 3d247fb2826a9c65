//! Files whose columns are called otherwise.

use insta::assert_snapshot;
use pulse_graph_formats::{Format, Item, Limits, Mapping};
use serde_json::Value;

use crate::{items, problems, records};

const CITIES: &str = r#"{
    "delimiter": ";",
    "entities": {
        "key": { "column": "id", "prefix": "city:" }, "type": { "value": "city" }, "name": "label",
        "properties": { "population": { "column": "pop", "as": "integer" }, "twins": { "column": "twins", "as": "json" },
                        "capital": { "column": "cap", "as": "boolean" }, "area": { "column": "km2", "as": "number" } },
        "others": "ignore"
    },
    "relationships": {
        "type": { "value": "road" },
        "source": { "column": "from", "prefix": "city:" }, "target": { "column": "to", "prefix": "city:" },
        "properties": { "km": { "column": "km", "as": "number" } }, "others": "properties"
    }
}"#;

fn shown(items: &[Item]) -> String {
    let lines = items.iter().map(|item| serde_json::to_string(item).expect("it can be written"));
    lines.collect::<Vec<_>>().join("\n")
}

fn read(text: &str, mapping: &str) -> String {
    let mapping = Mapping::try_new(mapping).expect("it is a mapping");
    let records = records(text.as_bytes(), Format::Csv, &mapping, Limits::default()).expect("it can be read");
    let items: Vec<_> = records.into_iter().map(|record| record.item.expect("it is one")).collect();
    shown(&items)
}

#[test]
fn a_mapping_makes_entities_of_one_table_and_relationships_of_another() {
    let cities = "\u{feff}id;label;pop;cap;km2;twins;note\r\n1;Bern;134794;1;51.6;[\"x\"];old\r\n\r\n2;\"Fri;bourg\";38039;false;;;\r\n";
    assert_snapshot!(read(cities, CITIES), @r#"
    {"kind":"entity","key":"city:1","type":"city","name":"Bern","properties":{"area":51.6,"capital":true,"population":134794,"twins":["x"]}}
    {"kind":"entity","key":"city:2","type":"city","name":"Fri;bourg","properties":{"capital":false,"population":38039}}
    "#);
    assert_snapshot!(read("from;to;km;number\n1;2;34.5;A12\n", CITIES), @r#"{"kind":"relationship","type":"road","source":"city:1","target":"city:2","properties":{"km":34.5,"number":"A12"}}"#);
}

#[test]
fn values_that_are_not_of_their_type_are_named_by_line_and_column() {
    let mapping = Mapping::try_new(CITIES).expect("it is a mapping");
    let rows = "id;label;pop;cap;km2;twins\n1;a;many;;;\n2;b;;yes;;\n;c;;;;\n4;d;;;nan;\n5;e;;;;[1\n6;f;1.5;;;\n7;g\n";
    assert_snapshot!(problems(rows.as_bytes(), Format::Csv, &mapping, Limits::default()), @r#"
    2: `pop` is "many": expected a whole number
    3: `cap` is "yes": expected `true` or `false`
    4: `key` is missing: there is nothing in "id"
    5: `km2` is "nan": expected a number
    6: `twins` is "[1", which is no JSON: EOF while parsing a list at line 1 column 2
    7: `pop` is "1.5": expected a whole number
    8: the row has 2 cells, the header has 6
    "#);
}

#[test]
fn a_header_that_does_not_fit_says_what_it_lacks() {
    let bad = |header: &str, mapping: &Mapping| {
        problems(format!("{header}\n1,2,3\n").as_bytes(), Format::Csv, mapping, Limits::default())
    };
    let usual = Mapping::default();
    assert_snapshot!(bad("id,label,pop", &usual), @"broken: line 1, column 1: the columns are neither those of entities (without key, type) nor those of relationships (without type, source, target): say in a mapping which columns are what");
    assert_snapshot!(bad("key,type,colour", &usual), @r#"broken: line 1, column 1: nothing is said of the column "colour": name it in a mapping, or say there what becomes of `others`"#);
    assert_snapshot!(bad("key,type,key", &usual), @r#"broken: line 1, column 1: two columns are called "key""#);
    assert_snapshot!(bad("key,type,source,target", &usual), @"broken: line 1, column 1: the columns are those of entities and those of relationships: map one of the two alone");
    let cities = Mapping::try_new(&CITIES.replace(';', ",")).expect("it is a mapping");
    assert_snapshot!(bad("id,label,pop", &cities), @"broken: line 1, column 1: the columns are neither those of entities (without km2, cap, twins) nor those of relationships (without from, to, km): say in a mapping which columns are what");
}

#[test]
fn mappings_that_make_no_sense_are_refused() {
    let bad = |text: &str| Mapping::try_new(text).expect_err("it is no mapping").to_string();
    assert_snapshot!(bad("{"), @"the mapping is not as it should be: EOF while parsing an object at line 1 column 1");
    assert_snapshot!(bad(r#"{"entities": {"key": "id"}}"#), @"the mapping is not as it should be: missing field `type` at line 1 column 26");
    assert_snapshot!(bad(r#"{"entities": {"key": 3, "type": "t"}}"#), @r#"the mapping is not as it should be: expected a column's name, {"column": …, "prefix": …} or {"value": …} at line 1 column 22"#);
    assert_snapshot!(bad(r#"{"colour": 1}"#), @"the mapping is not as it should be: unknown field `colour`, expected one of `delimiter`, `entities`, `relationships` at line 1 column 9");
    assert_snapshot!(bad(r#"{"delimiter": "é"}"#), @r#"the mapping's `delimiter` is 'é': allowed is one character of ASCII, such as ";" or "\t""#);
}

#[test]
fn graphml_of_other_programs_is_read() {
    let file = r#"<?xml version="1.0"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:y="http://www.yworks.com/xml/graphml">
  <!-- comments & such are passed over -->
  <key id="d0" for="node" attr.name="type" attr.type="string"><default>person</default></key>
  <key id="d1" for="node" attr.name="age" attr.type="int"/>
  <key id="d2" for="all" attr.name="type" attr.type="string"/>
  <key id="d3" for="edge" attr.name="weight" attr.type="double"><default>1.0</default></key>
  <key id="d4" for="node" yfiles.type="nodegraphics"/>
  <graph id="G" edgedefault="undirected">
    <desc>a graph</desc>
    <node id="n0"><data key="d1"> 36 </data><data key="d4"><y:ShapeNode><y:Fill color="x"/></y:ShapeNode></data></node>
    <node id="n&amp;1"><data key="d0"><![CDATA[place]]></data><port name="p"/></node>
    <edge id="e0" source="n0" target="n&#38;1"><data key="d2">live&#115;_in</data></edge>
  </graph>
</graphml>
"#;
    assert_snapshot!(shown(&items(file.as_bytes(), Format::GraphMl)), @r#"
    {"kind":"entity","key":"n0","type":"person","name":"n0","properties":{"age":36}}
    {"kind":"entity","key":"n&1","type":"place","name":"n&1"}
    {"kind":"relationship","type":"lives_in","source":"n0","target":"n&1","properties":{"weight":1.0}}
    "#);

    let mapping = r#"{"entities": {"key": {"column": "@id", "prefix": "x:"}, "type": {"value": "thing"}, "others": "ignore"}}"#;
    let mapping = Mapping::try_new(mapping).expect("it is a mapping");
    let read =
        records(file.as_bytes(), Format::GraphMl, &mapping, Limits::default()).expect("it can be read");
    let Ok(Item::Entity(entity)) = &read[0].item else { panic!("the first is an entity") };
    assert_eq!((entity.key.as_str(), entity.r#type.as_str(), read[0].line), ("x:n0", "thing", 11));
    assert_eq!(Value::from(entity.properties.clone()), serde_json::json!({}));
}
