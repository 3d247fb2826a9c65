//! Where `--supergraph` says that the supergraph is.

use std::sync::Arc;
use std::time::Duration;

use pulse_gateway::ports::SupergraphSource;
use pulse_gateway::{FileSource, SupergraphConfig, UrlSource};

use crate::exit::Failure;

/// A file, or what has `://` in it: a URL.
pub(super) fn source(place: &str, config: &SupergraphConfig) -> Result<Arc<dyn SupergraphSource>, Failure> {
    if place.contains("://") {
        let source =
            UrlSource::try_new(place, config).map_err(|error| Failure::Supergraph(error.to_string()))?;
        return Ok(Arc::new(source));
    }
    let interval = Some(config.file_interval).filter(|interval| *interval > Duration::ZERO);
    Ok(Arc::new(FileSource::new(place).with_poll(interval)))
}
