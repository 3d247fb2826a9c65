//! Files that are not as they should be.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read};

use insta::assert_snapshot;
use pulse_graph_formats::{Format, Limits, Mapping, ReadError, Reader};

use crate::problems;

fn wrong(text: &str, format: Format) -> String {
    problems(text.as_bytes(), format, &Mapping::default(), Limits::default())
}

fn graphml(inside: &str) -> String {
    format!(
        "<graphml>\n<key id=\"t\" attr.name=\"type\" for=\"all\"/>\n<key id=\"n\" attr.name=\"n\" attr.type=\"int\" for=\"node\"/>\n<graph>\n{inside}\n</graph></graphml>"
    )
}

#[test]
fn bad_nodes_are_named_and_the_others_read() {
    let inside = "<node id=\"a\"><data key=\"t\">x</data></node>
<node><data key=\"t\">x</data></node>
<node id=\"b\"/>
<node id=\"c\"><data key=\"t\">x</data><data key=\"q\">x</data></node>
<node id=\"d\"><data key=\"t\">x</data><data key=\"n\">many</data></node>
<node id=\"e\"><graph><node id=\"f\"/></graph></node>
<hyperedge><endpoint node=\"a\"/></hyperedge>
<edge source=\"a\"><data key=\"t\">x</data></edge>
<edge source=\"a\" target=\"b\"/>
<node id=\"g\"><data key=\"t\">x</data></node>";
    assert_snapshot!(wrong(&graphml(inside), Format::GraphMl), @r#"
    6: the node has no `id`
    7: `type` is missing
    8: no <key> has the id "q"
    9: `n` is "many": expected a whole number
    10: it has a graph in it, which is not read: write all nodes beside each other
    11: a hyperedge has no two ends: write it as a node with edges
    12: the edge has no `target`
    13: `type` is missing
    "#);
}

#[test]
fn xml_that_is_not_well_formed_cannot_be_read_on() {
    let broken = |text: &str| wrong(text, Format::GraphMl);
    assert_snapshot!(broken(""), @"broken: line 1, column 1: there is no <graphml> in it");
    assert_snapshot!(broken("{}"), @"broken: line 1, column 3: there is text outside of <graphml>");
    assert_snapshot!(broken("<html>\n</html>"), @"broken: line 1, column 7: the document is no <graphml>");
    assert_snapshot!(broken("<graphml><graph>\n<node id=\"a\">"), @"broken: line 2, column 14: the file ends in the middle of an element");
    assert_snapshot!(broken("<graphml>\n<graph>\n"), @"broken: line 3, column 1: the file ends before </graphml>: it was cut off");
    assert_snapshot!(broken("<graphml><graph>\n<node id=\"a\"></edge>"), @"broken: line 2, column 21: ill-formed document: expected `</node>`, but `</edge>` was found");
    assert_snapshot!(broken("<graphml><graph>\n<node id=\"a\" id=\"b\"/>"), @"broken: line 2, column 22: position 12: duplicated attribute, previous declaration at position 5");
    assert_snapshot!(broken("<?xml version=\"1.0\" encoding=\"latin1\"?><graphml/>"), @r#"broken: line 1, column 40: the encoding is "latin1": convert the file to UTF-8"#);
    assert_snapshot!(broken("<graphml><key id=\"a\" attr.type=\"date\"/></graphml>"), @r#"broken: line 1, column 40: the <key> "a" has the type "date": allowed are boolean, int, long, float, double and string"#);
    assert_snapshot!(broken(&graphml("<node id=\"a\"><data key=\"t\">&x;</data></node>")), @"broken: line 5, column 31: &x; is no entity of XML");
    let not_text = [graphml("<node id=\"").into_bytes(), b"\xff\"/>".to_vec()].concat();
    let not_text = problems(&not_text, Format::GraphMl, &Mapping::default(), Limits::default());
    assert!(not_text.starts_with("broken: line "), "{not_text}");
}

#[test]
fn entities_that_grow_and_files_that_are_included_are_refused() {
    let mut bomb = "<?xml version=\"1.0\"?>\n<!DOCTYPE graphml [\n<!ENTITY a0 \"lol\">\n".to_owned();
    for level in 1..20 {
        let entities = format!("&a{};", level - 1).repeat(10);
        writeln!(bomb, "<!ENTITY a{level} \"{entities}\">").expect("a String takes everything");
    }
    bomb.push_str("]>\n<graphml><graph><node id=\"&a19;\"/></graph></graphml>");
    assert_snapshot!(wrong(&bomb, Format::GraphMl), @"broken: line 23, column 3: there is a document type (<!DOCTYPE …>), which is not read: take it out of the file");
    let include = "<!DOCTYPE graphml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><graphml><graph><node id=\"&x;\"/></graph></graphml>";
    assert_snapshot!(wrong(include, Format::GraphMl), @"broken: line 1, column 61: there is a document type (<!DOCTYPE …>), which is not read: take it out of the file");
}

/// The same piece over and over, which is nowhere as a whole.
struct Repeated {
    piece: &'static [u8],
    at: usize,
    end: usize,
}

impl Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.end - self.at);
        for byte in &mut buffer[..count] {
            *byte = self.piece[self.at % self.piece.len()];
            self.at += 1;
        }
        Ok(count)
    }
}

fn long(begin: &str, (piece, times): (&'static str, usize), end: &str) -> impl BufRead + use<> {
    let middle = Repeated { piece: piece.as_bytes(), at: 0, end: piece.len() * times };
    let (begin, end) = (io::Cursor::new(begin.to_owned()), io::Cursor::new(end.to_owned()));
    BufReader::new(begin.chain(middle).chain(end))
}

/// What a reader says of a file, which never holds more of it than one record may have.
fn all_of(input: impl BufRead, format: Format) -> Vec<String> {
    let mut reader = Reader::new(input, format, &Mapping::default(), Limits::default());
    let mut said = Vec::new();
    loop {
        match reader.next_record() {
            Ok(Some(record)) => {
                assert!(record.item.is_err() || record.size <= 1 << 20);
                let item = record.item.map(|_| "read".to_owned());
                said.push(format!("{}: {}", record.line, item.unwrap_or_else(|problem| problem)));
            }
            Ok(None) => return said,
            Err(error) => {
                said.push(error.to_string());
                return said;
            }
        }
    }
}

#[test]
fn what_is_far_too_long_is_left_out_and_the_next_record_read() {
    let entity = "{\"kind\":\"entity\",\"key\":\"a\",\"type\":\"t\",\"name\":\"n\"}";
    let said = all_of(long("{\"kind\":\"", ("x", 100 << 20), &format!("\n{entity}\n")), Format::JsonLines);
    assert_eq!(said, ["1: the line is longer than 1048576 bytes", "2: read"]);
    let said = all_of(long("key,type\na,\"", ("x", 5 << 20), "\"\nb,t\n"), Format::Csv);
    assert_eq!(said, ["2: the row is longer than 1048576 bytes: is a quote not closed?", "3: read"]);
    let said = all_of(long("key,type\na", (",", 5 << 20), "\nb,t\n"), Format::Csv);
    assert_eq!(said, ["2: the row has more than 1000 cells", "3: read"]);
}

#[test]
fn an_element_that_is_far_too_long_is_not_kept() {
    let begin = "<graphml><key id=\"t\" attr.name=\"type\"/><graph>\n<node id=\"a\">";
    let end = "</node><node id=\"b\"><data key=\"t\">x</data></node></graph></graphml>";
    let said = all_of(long(begin, ("<data key=\"t\">abc</data>", 200_000), end), Format::GraphMl);
    assert_eq!(said, ["2: it has more than 1000 attributes", "2: read"]);
    let begin = "<graphml><key id=\"t\" attr.name=\"type\"/><graph>\n<node id=\"a\"><data key=\"t\">";
    let end = "</data></node><node id=\"b\"><data key=\"t\">x</data></node></graph></graphml>";
    let said = all_of(long(begin, ("a &lt; ", 400_000), end), Format::GraphMl);
    assert_eq!(said, ["2: it is longer than 1048576 bytes", "2: read"]);
    let said = all_of(long("<graphml><graph>\n<node id=\"", ("x", 5 << 20), "\"/>"), Format::GraphMl);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].ends_with("what ends here or later is longer than 1048576 bytes"), "{said:?}");
}

#[test]
fn elements_that_stand_too_deep_in_each_other_are_refused() {
    let deep = graphml(&format!("<node id=\"a\">{}", "<a>".repeat(1_000)));
    assert_snapshot!(wrong(&deep, Format::GraphMl), @"broken: line 5, column 110: elements stand in each other more than 32 deep");
    let json = format!(
        "{{\"kind\":\"entity\",\"key\":\"a\",\"type\":\"t\",\"name\":\"n\",\"properties\":{{\"a\":{}",
        "[".repeat(10_000)
    );
    assert_snapshot!(wrong(&json, Format::JsonLines), @"1: recursion limit exceeded at column 193");
}

#[test]
fn what_the_system_does_not_give_is_an_error_of_its_own() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    for (begin, format) in [
        ("{\"kind\"", Format::JsonLines),
        ("key,type\na,", Format::Csv),
        ("<graphml><graph><node id=\"", Format::GraphMl),
    ] {
        let input = BufReader::new(begin.as_bytes().chain(Broken));
        let mut reader = Reader::new(input, format, &Mapping::default(), Limits::default());
        let error = reader.next_record().expect_err("it cannot be read");
        assert!(matches!(error, ReadError::Io { .. }), "{error}");
    }
}
