//! Files that come with operations.

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

/// The section `[gateway.uploads]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct UploadsConfig {
    /// Whether operations may come with files, as multipart/form-data.
    pub enabled: bool,
    /// How large a file may be.
    pub max_file_size: ByteSize,
    /// How large all files of a request may be together.
    pub max_total_size: ByteSize,
    /// How many files a request may have.
    pub max_files: usize,
    /// How many places in the variables a request's files may have together.
    pub max_places: usize,
    /// Headers of which a request with files must have one, since a foreign page's form cannot send them; empty when
    /// none is needed.
    pub required_headers: Vec<String>,
}

impl Default for UploadsConfig {
    fn default() -> Self {
        let headers = ["apollo-require-preflight", "x-apollo-operation-name", "graphql-require-preflight"];
        Self {
            enabled: true,
            max_file_size: ByteSize::mb(10),
            max_total_size: ByteSize::mb(50),
            max_files: 10,
            max_places: 100,
            required_headers: headers.map(str::to_owned).to_vec(),
        }
    }
}
