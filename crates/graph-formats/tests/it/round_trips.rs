//! What was written is read again as the same.

use pulse_graph_formats::{Entity, Format, Item, Output, Relationship, Writer};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};

use crate::items;

const ROUNDS: u64 = 60;

/// Characters that some format has to do something about.
const ODD: [&str; 18] = [
    "a", "é", "漢", "𝄞", " ", ",", ";", "\"", "'", "<", "&", "]]>", "&amp;", "\\", "=1+1", "{", "<!--", "%20",
];

fn word(random: &mut StdRng, most: usize) -> String {
    let length = random.random_range(1..=most);
    (0..length).map(|_| ODD[random.random_range(0..ODD.len())]).collect()
}

/// A text of any lines, now and then with what XML cannot have.
fn text(random: &mut StdRng) -> String {
    let mut text = word(random, 8);
    for odd in ["\n", "\r", "\r\n", "\t", "\u{1}", "\u{ffff}", "\u{85}", "\u{2028}"] {
        if random.random_ratio(1, 6) {
            text.push_str(odd);
            text.push_str("end");
        }
    }
    text
}

fn value(random: &mut StdRng, depth: u32) -> Value {
    match random.random_range(0..if depth == 0 { 7 } else { 9 }) {
        0 => Value::Null,
        1 => random.random_bool(0.5).into(),
        2 => random.random_range(-1_000_i64..1_000_000).into(),
        3 => json!(random.random_range(-1e6..1e6_f64)),
        4 => u64::MAX.into(),
        5 => Value::from(""),
        6 => text(random).into(),
        7 => (0..random.random_range(0..3)).map(|_| value(random, depth - 1)).collect(),
        _ => Value::Object(properties(random, depth - 1)),
    }
}

/// Names of properties are few, so that one of them has values of several types, and of one in other graphs.
fn properties(random: &mut StdRng, depth: u32) -> Map<String, Value> {
    let names = ["size", "name", "type", "property:x", "@id", "a b", "é", "label", "id"];
    (0..random.random_range(0..5))
        .map(|_| {
            let name = names[random.random_range(0..names.len())];
            let value = if name == "size" { json!(random.random_range(0..9)) } else { value(random, depth) };
            (name.to_owned(), value)
        })
        .collect()
}

fn graph(random: &mut StdRng) -> Vec<Item> {
    let mut graph = Vec::new();
    let count = random.random_range(0..12);
    for index in 0..count {
        let description = random.random_bool(0.5).then(|| text(random));
        graph.push(Item::Entity(Entity {
            key: format!("{}{index}", word(random, 4)),
            r#type: "thing".to_owned(),
            name: word(random, 6),
            description,
            confidence: Some(random.random_range(0.0..=1.0)),
            properties: properties(random, 2),
        }));
    }
    for _ in 0..if count == 0 { 0 } else { random.random_range(0..20) } {
        let end = |random: &mut StdRng| match &graph[random.random_range(0..count)] {
            Item::Entity(entity) => entity.key.clone(),
            Item::Relationship(_) => unreachable!("the first of them are entities"),
        };
        let (source, target) = (end(random), end(random));
        let r#type = ["knows", "needs"][random.random_range(0..2)].to_owned();
        let (confidence, properties) = (Some(0.5), properties(random, 2));
        graph.push(Item::Relationship(Relationship { r#type, source, target, confidence, properties }));
    }
    graph
}

/// A whole number may come back as the same number with a point: both are one number in JSON.
fn plain(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) =
                number.as_f64().filter(|_| !number.is_u64() || number.as_u64() < Some(1 << 53))
            {
                *value = json!(float);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(plain),
        Value::Object(object) => object.values_mut().for_each(plain),
        _ => {}
    }
}

fn plain_items(mut items: Vec<Item>) -> Vec<Item> {
    for item in &mut items {
        let (Item::Entity(Entity { properties, .. }) | Item::Relationship(Relationship { properties, .. })) =
            item;
        properties.values_mut().for_each(plain);
    }
    items
}

fn seeds() -> impl Iterator<Item = (u64, StdRng)> {
    let first: u64 = rand::rng().random_range(0..u64::MAX / 2);
    (first..first + ROUNDS).map(|seed| (seed, StdRng::seed_from_u64(seed)))
}

#[test]
fn what_is_written_as_json_lines_or_graphml_is_read_as_the_same() {
    for (seed, mut random) in seeds() {
        let graph = graph(&mut random);
        for (output, format) in [(Output::JsonLines, Format::JsonLines), (Output::GraphMl, Format::GraphMl)] {
            let document = Writer::document(output, &graph).expect("it can be written");
            let read = items(&document, format);
            let shown = String::from_utf8_lossy(&document);
            assert_eq!(plain_items(read), plain_items(graph.clone()), "{format:?}, seed {seed}: {shown}");
        }
    }
}

#[test]
fn what_is_written_as_two_tables_is_read_as_the_same() {
    for (seed, mut random) in seeds() {
        let graph = graph(&mut random);
        let is_entity = |item: &&Item| matches!(item, Item::Entity(_));
        let mut writer = Writer::new(Output::Csv, pulse_graph_formats::Attributes::default());
        let (mut entities, mut relationships) = (Vec::new(), Vec::new());
        writer.begin(&mut entities);
        writer.relationships(&mut relationships);
        for item in &graph {
            match item {
                Item::Entity(entity) => writer.entity(&mut entities, entity).expect("it can be written"),
                Item::Relationship(one) => {
                    writer.relationship(&mut relationships, one).expect("it can be written");
                }
            }
        }
        let read = items(&entities, Format::Csv).into_iter().chain(items(&relationships, Format::Csv));
        assert_eq!(plain_items(read.collect()), plain_items(graph.clone()), "seed {seed}");
        assert_eq!(items(&entities, Format::Csv).len(), graph.iter().filter(is_entity).count());
    }
}

#[test]
fn every_file_cut_off_anywhere_ends_in_an_error_or_in_whole_records() {
    let mut random = StdRng::seed_from_u64(7);
    let graph =
        std::iter::repeat_with(|| graph(&mut random)).find(|graph| graph.len() > 5).expect("there is one");
    for (output, format) in [(Output::JsonLines, Format::JsonLines), (Output::GraphMl, Format::GraphMl)] {
        let document = Writer::document(output, &graph).expect("it can be written");
        for length in 0..document.len() - 1 {
            let mut reader = pulse_graph_formats::Reader::new(
                &document[..length],
                format,
                &pulse_graph_formats::Mapping::default(),
                pulse_graph_formats::Limits::default(),
            );
            let (mut read, mut complete) = (0, true);
            loop {
                match reader.next_record() {
                    Ok(Some(record)) => {
                        complete &= record.item.is_ok();
                        read += usize::from(record.item.is_ok());
                    }
                    Ok(None) => break,
                    Err(_) => {
                        complete = false;
                        break;
                    }
                }
            }
            // Lines of JSON may end after any line; an XML document that was cut off says so.
            let is_told = !complete || format == Format::JsonLines;
            assert!(read <= graph.len() && is_told, "{format:?} of {length} bytes");
        }
    }
}
