//! What can be wrong with settings, said so that the reader can put it right.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The defaults that the program carries.
    Defaults,
    /// A file.
    File(PathBuf),
    /// A variable of the environment, by its name.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => f.write_str("the built-in defaults"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Variable(name) => write!(f, "the environment variable {name}"),
        }
    }
}

/// Why settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or cannot be read.
    #[error("cannot read the settings file {}; check the path and its permissions", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The text is no TOML.
    #[error("{origin} is not valid TOML: {problem}")]
    Syntax {
        /// Which text.
        origin: Origin,
        /// Where and what.
        problem: String,
    },
    /// A variable's name names no setting.
    #[error("{name} names no setting; write PULSE__SECTION__FIELD, such as PULSE__GATEWAY__REQUEST_TIMEOUT")]
    Variable {
        /// The variable.
        name: String,
    },
    /// A setting has a value that it cannot have, or is no setting.
    #[error("{setting} (from {origin}): {problem}")]
    Setting {
        /// The setting, as `section.field`.
        setting: String,
        /// Where the value came from.
        origin: Origin,
        /// What is wrong and what to write instead.
        problem: String,
    },
    /// A setting without a default is not set.
    #[error("{setting} is not set; set it in the settings file or as {variable}")]
    Missing {
        /// The setting, as `section.field`.
        setting: String,
        /// The variable that would set it.
        variable: String,
    },
}

/// An error on its way out of deserialization: the place is added where it is known.
#[derive(Debug)]
pub(crate) struct Fault {
    what: What,
    place: Option<(Vec<String>, Origin)>,
}

#[derive(Debug)]
enum What {
    Problem(String),
    Missing(&'static str),
}

impl Fault {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self { what: What::Problem(problem.into()), place: None }
    }

    /// Adds where it happened, unless a deeper place is known.
    pub(crate) fn at(mut self, path: &[String], origin: &Origin) -> Self {
        self.place.get_or_insert_with(|| (path.to_vec(), origin.clone()));
        self
    }
}

impl From<Fault> for ConfigError {
    fn from(fault: Fault) -> Self {
        let (mut path, origin) = fault.place.unwrap_or_else(|| (Vec::new(), Origin::Defaults));
        match fault.what {
            What::Problem(problem) => Self::Setting { setting: path.join("."), origin, problem },
            What::Missing(field) => {
                path.push(field.to_owned());
                let variable = format!("PULSE__{}", path.join("__").to_uppercase());
                Self::Missing { setting: path.join("."), variable }
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Problem(problem) => f.write_str(problem),
            What::Missing(field) => write!(f, "{field} is not set"),
        }
    }
}

impl std::error::Error for Fault {}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    /// Names the kind of what was found and not its value: a secret may have been given as a number.
    fn invalid_type(unexpected: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        Self::new(format!("expected {}, found {}", wanted(&expected.to_string()), kind(unexpected)))
    }

    fn invalid_value(unexpected: serde::de::Unexpected<'_>, expected: &dyn serde::de::Expected) -> Self {
        use serde::de::Unexpected as U;
        let value = match unexpected {
            U::Str(text) => format!("{text:?}"),
            U::Signed(number) => number.to_string(),
            U::Unsigned(number) => number.to_string(),
            U::Float(number) => number.to_string(),
            other => kind(other).to_owned(),
        };
        Self::new(format!("{value} is not {}", wanted(&expected.to_string())))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("{variant:?} is not possible here; write one of {}", expected.join(", ")))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(match expected {
            [] => "there is no such setting".to_owned(),
            _ => format!("there is no such setting; in its place there are {}", expected.join(", ")),
        })
    }

    fn missing_field(field: &'static str) -> Self {
        Self { what: What::Missing(field), place: None }
    }
}

/// What a type's own name for itself means to a person.
fn wanted(expected: &str) -> String {
    match expected {
        "a duration" => "a duration such as \"500ms\", \"30s\" or \"5m\"".to_owned(),
        "an integer or string" | "parsable string" => {
            "a size such as \"10MB\" or a number of bytes".to_owned()
        }
        "a boolean" => "true or false".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" | "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        other if other.starts_with("struct ") => "a section".to_owned(),
        other => other.to_owned(),
    }
}

fn kind(unexpected: serde::de::Unexpected<'_>) -> &'static str {
    use serde::de::Unexpected as U;
    match unexpected {
        U::Bool(_) => "true or false",
        U::Unsigned(_) | U::Signed(_) => "a whole number",
        U::Float(_) => "a number",
        U::Char(_) | U::Str(_) => "text",
        U::Seq => "a list",
        U::Map | U::StructVariant => "a section",
        _ => "something else",
    }
}
