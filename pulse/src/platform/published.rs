//! Operations that clients published.

use pulse_gateway::FileOperations;

use crate::exit::Failure;
use crate::settings::Settings;

/// Those that the settings name, for everybody.
pub(crate) fn file_operations(settings: &Settings) -> Result<FileOperations, Failure> {
    FileOperations::read(&settings.gateway.persisted_operations)
        .map_err(|error| Failure::Setting(error.to_string()))
}
