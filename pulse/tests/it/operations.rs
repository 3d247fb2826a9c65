//! `pulse operations check`: manifests against schemas in files.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::process::{Ended, pulse, run};

const SCHEMA: &str = "\
type Query { me: User legacy(old: Int @deprecated(reason: \"of no use\")): Int @deprecated(reason: \"use me\") }
type User { id: ID! name: String role: Role }
enum Role { ADMIN GUEST @deprecated(reason: \"say nothing\") }
";

struct Place(TempDir);

impl Place {
    fn new() -> anyhow::Result<Self> {
        let place = Self(tempfile::tempdir()?);
        fs::write(place.0.path().join("api.graphql"), SCHEMA)?;
        Ok(place)
    }

    async fn check(&self, manifest: &Value, words: &[&str]) -> anyhow::Result<Ended> {
        fs::write(self.0.path().join("app.json"), manifest.to_string())?;
        let mut command = pulse(["operations", "check", "app.json"]);
        command.args(words).current_dir(self.0.path()).env_remove("PULSE_REGISTRY");
        run(command).await
    }
}

#[tokio::test]
async fn what_can_be_sent_is_told_apart_from_what_cannot() -> anyhow::Result<()> {
    let place = Place::new()?;
    let file = ["--schema", "api.graphql"];
    let good = json!({ "1": "query Me { me { name } }", "2": "query Id { me { id } }" });
    assert_eq!(place.check(&good, &file).await?.success()?.trim(), "all 2 operations can be sent");

    let old = json!({ "1": "query Old { legacy(old: 1) me { role } }" });
    let told = place.check(&old, &file).await?.success()?;
    for said in ["Query.legacy(old:)", "is deprecated: of no use", "is deprecated: use me"] {
        assert!(told.contains(said), "{said}: {told}");
    }

    let broken = json!({ "1": "query Broken { me { " });
    let refused = place.check(&broken, &file).await?;
    assert_eq!(refused.code, Some(55), "{}", refused.stderr);
    assert!(refused.stderr.contains("app.json"), "{}", refused.stderr);
    Ok(())
}

#[tokio::test]
async fn each_wrong_thing_says_what_it_is() -> anyhow::Result<()> {
    let place = Place::new()?;
    let bad = json!({ "1": "query Me { me { name } }", "2": "query Bad { me { age shoe } }" });
    let refused = place.check(&bad, &["--schema", "api.graphql", "--format", "sarif"]).await?;
    assert_eq!(refused.code, Some(55), "{}", refused.stderr);
    assert!(refused.stderr.contains("1 of 2 operations cannot be sent"), "{}", refused.stderr);
    let report: Value = serde_json::from_str(&refused.stdout)?;
    let results = report["runs"][0]["results"].as_array().map(Vec::len);
    assert_eq!(results, Some(2), "{report}");
    assert_eq!(report["runs"][0]["results"][0]["ruleId"], "INVALID_OPERATION");

    let missing = place.check(&bad, &["--schema", "nowhere.graphql"]).await?;
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("cannot read nowhere.graphql"), "{}", missing.stderr);
    let unsaid = place.check(&bad, &[]).await?;
    assert_eq!(unsaid.code, Some(2), "{}", unsaid.stderr);
    let nobody = place.check(&bad, &["--registry", "http://127.0.0.1:9"]).await?;
    assert_eq!(nobody.code, Some(48), "{}", nobody.stderr);
    Ok(())
}
