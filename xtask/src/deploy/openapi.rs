//! The committed descriptions of REST.

use anyhow::ensure;

use super::tools::Tools;

/// By the version of OpenAPI that each is written in.
const DOCUMENTS: [(&str, &str); 2] = [("3.1", "schema/openapi.json"), ("3.0", "schema/openapi-3.0.json")];

/// Every description is what its version of OpenAPI says.
pub(super) fn are_valid(tools: &Tools) -> anyhow::Result<()> {
    for (version, document) in DOCUMENTS {
        let report = tools.openapi(version, document)?;
        ensure!(report.contains("OK"), "{document}: {report}");
    }
    Ok(())
}
