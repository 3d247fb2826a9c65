//! Paths with names in them.

use crate::RestError;

/// A path whose parts are texts or names.
#[derive(Debug, Clone)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    /// What is shown, and which argument it stands for.
    Name {
        shown: String,
        argument: String,
    },
}

impl Template {
    /// Reads `/webhooks/{id:webhookId}`.
    pub(super) fn read(path: &str) -> Result<Self, RestError> {
        let wrong = |why: &str| RestError::Mapping(format!("the path {path:?} {why}"));
        let parts = path.strip_prefix('/').ok_or_else(|| wrong("does not begin with a slash"))?;
        let part = |part: &str| {
            let Some(name) = part.strip_prefix('{') else {
                let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
                if part.is_empty() || !part.chars().all(is_plain) {
                    return Err(wrong("has a part that is no plain text"));
                }
                return Ok(Part::Text(part.to_owned()));
            };
            let name = name.strip_suffix('}').ok_or_else(|| wrong("has a bracket too few"))?;
            let (shown, argument) = name.split_once(':').unwrap_or((name, name));
            Ok(Part::Name { shown: shown.to_owned(), argument: argument.to_owned() })
        };
        parts.split('/').map(part).collect::<Result<_, _>>().map(Self)
    }

    /// The same with more behind it.
    pub(super) fn join(&self, part: &str) -> Self {
        let Self(mut parts) = self.clone();
        parts.push(Part::Text(part.to_owned()));
        Self(parts)
    }

    /// The same with the name of an argument behind it.
    pub(super) fn join_name(&self, shown: &str, argument: &str) -> Self {
        let Self(mut parts) = self.clone();
        parts.push(Part::Name { shown: shown.to_owned(), argument: argument.to_owned() });
        Self(parts)
    }

    /// How an argument is shown, if it is part of the path.
    pub(super) fn shown(&self, wanted: &str) -> Option<&str> {
        self.names().find(|(_, argument)| *argument == wanted).map(|(shown, _)| shown)
    }

    /// Names and the arguments that they stand for.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Name { shown, argument } => Some((shown.as_str(), argument.as_str())),
        })
    }

    /// As documents show it.
    pub(super) fn path(&self) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => format!("/{text}"),
            Part::Name { shown, .. } => format!("/{{{shown}}}"),
        };
        self.0.iter().map(part).collect()
    }

    /// Under which it is listed: its first part.
    pub(super) fn tag(&self) -> String {
        match self.0.first() {
            Some(Part::Text(text)) => text.clone(),
            _ => "other".to_owned(),
        }
    }
}

/// A path in which names are not told apart.
pub(super) fn shape(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
