//! What stands in an export: a line each, in one of two formats.

use chrono::{DateTime, SecondsFormat, Utc};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The columns of a CSV file, in their order.
pub(crate) const COLUMNS: [&str; 17] = [
    "record",
    "nth",
    "id",
    "at",
    "actor",
    "action",
    "subject",
    "key",
    "version",
    "items",
    "request",
    "address",
    "salt",
    "sealed",
    "digest",
    "link",
    "signature",
];

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A JSON object on each line.
    JsonLines,
    /// Comma-separated values with a header (RFC 4180).
    Csv,
}

impl Format {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JsonLines => "json_lines",
            Self::Csv => "csv",
        }
    }

    /// The format that is stored so.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::JsonLines, Self::Csv].into_iter().find(|format| format.as_str() == name)
    }

    /// How its files end.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
        }
    }
}

/// A place of the chain and the link that it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Joint {
    pub(crate) nth: i64,
    #[serde(with = "hex")]
    pub(crate) link: Vec<u8>,
}

/// A fact as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FactRecord {
    pub(crate) id: Uuid,
    pub(crate) at: DateTime<Utc>,
    pub(crate) actor: Option<Uuid>,
    pub(crate) action: String,
    pub(crate) subject: String,
    pub(crate) key: Option<Uuid>,
    pub(crate) version: Option<i64>,
    pub(crate) items: i32,
    pub(crate) request: Uuid,
    pub(crate) address: Option<String>,
    /// With it, `sealed` proves actor, key and address; it is erased with them.
    #[serde(with = "maybe_hex", default, skip_serializing_if = "Option::is_none")]
    pub(crate) salt: Option<Vec<u8>>,
    #[serde(with = "hex")]
    pub(crate) sealed: Vec<u8>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "lowercase")]
pub(crate) enum Record {
    /// Whose chain it is, and what stands before the first link of the file.
    Start { tenant: Uuid, from: DateTime<Utc>, to: DateTime<Utc>, after: Joint },
    /// A fact that is shown.
    Fact {
        #[serde(flatten)]
        joint: Joint,
        #[serde(flatten)]
        fact: FactRecord,
    },
    /// A fact that the filter leaves out: nothing of it is told, and the chain goes on through its digest.
    Withheld {
        #[serde(flatten)]
        joint: Joint,
        #[serde(with = "hex")]
        digest: Vec<u8>,
    },
    /// Where it ends, how many facts are shown, and the signature of the platform over both ends.
    End {
        #[serde(flatten)]
        joint: Joint,
        facts: u64,
        #[serde(with = "hex")]
        signature: Vec<u8>,
    },
}

impl Record {
    /// The line, with its end.
    pub(crate) fn line(&self, format: Format) -> String {
        match format {
            Format::JsonLines => {
                let mut line = serde_json::to_string(self).expect("a record has nothing that JSON has not");
                line.push('\n');
                line
            }
            Format::Csv => row(&self.cells().each_ref().map(|cell| defused(cell))),
        }
    }

    fn cells(&self) -> [String; 17] {
        let (none, hex) = (String::new, |bytes: &[u8]| HEXLOWER.encode(bytes));
        let id = |id: &Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
        let mut cells: [String; 17] = std::array::from_fn(|_| none());
        let mut set = |column: &str, text: String| {
            let place = COLUMNS.iter().position(|name| *name == column).expect("a column of the file");
            cells[place] = text;
        };
        let joint = match self {
            Self::Start { tenant, from, to, after } => {
                set("record", "start".to_owned());
                set("id", tenant.to_string());
                set("at", format!("{}/{}", time(*from), time(*to)));
                after
            }
            Self::Fact { joint, fact } => {
                set("record", "fact".to_owned());
                set("id", fact.id.to_string());
                set("at", time(fact.at));
                set("actor", id(&fact.actor));
                set("action", fact.action.clone());
                set("subject", fact.subject.clone());
                set("key", id(&fact.key));
                set("version", fact.version.map(|version| version.to_string()).unwrap_or_default());
                set("items", fact.items.to_string());
                set("request", fact.request.to_string());
                set("address", fact.address.clone().unwrap_or_default());
                set("salt", fact.salt.as_deref().map(hex).unwrap_or_default());
                set("sealed", hex(&fact.sealed));
                joint
            }
            Self::Withheld { joint, digest } => {
                set("record", "withheld".to_owned());
                set("digest", hex(digest));
                joint
            }
            Self::End { joint, facts, signature } => {
                set("record", "end".to_owned());
                set("items", facts.to_string());
                set("signature", hex(signature));
                joint
            }
        };
        set("nth", joint.nth.to_string());
        set("link", hex(&joint.link));
        cells
    }
}

/// The first line of a CSV file.
pub(crate) fn header() -> String {
    row(&COLUMNS.map(str::to_owned))
}

fn row(cells: &[String; 17]) -> String {
    cells.each_ref().map(|cell| quoted(cell)).join(",") + "\r\n"
}

/// Spreadsheets take what begins so for a formula, and would run it.
fn defused(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Bytes as hexadecimal text.
mod hex {
    use data_encoding::HEXLOWER;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&HEXLOWER.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        HEXLOWER.decode(text.as_bytes()).map_err(D::Error::custom)
    }
}

/// The same where there may be none.
mod maybe_hex {
    use serde::{Deserializer, Serializer, de::Deserialize as _, de::Error};

    #[expect(clippy::ref_option, reason = "as serde passes the field")]
    pub(super) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        super::hex::serialize(bytes.as_deref().unwrap_or_default(), serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let decode = |text: String| data_encoding::HEXLOWER.decode(text.as_bytes());
        text.map(decode).transpose().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_of_a_csv_file_is_a_formula() {
        let fact = FactRecord {
            id: Uuid::nil(),
            at: DateTime::UNIX_EPOCH,
            actor: None,
            action: "=HYPERLINK(\"http://x\")".to_owned(),
            subject: "@sum,1".to_owned(),
            key: None,
            version: Some(-1),
            items: -2,
            request: Uuid::nil(),
            address: Some("+1\n2".to_owned()),
            salt: None,
            sealed: vec![1],
        };
        let line = Record::Fact { joint: Joint { nth: 7, link: vec![2] }, fact }.line(Format::Csv);
        let zero = Uuid::nil();
        let expected = format!(
            "fact,7,{zero},1970-01-01T00:00:00.000000Z,,\"'=HYPERLINK(\"\"http://x\"\")\",\"'@sum,1\",,'-1,'-2,{zero},\"'+1\n2\",,01,,02,\r\n"
        );
        assert_eq!(line, expected);
    }
}
