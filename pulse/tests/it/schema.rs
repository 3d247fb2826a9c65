//! `pulse schema`: schemas in files, by exit code and output.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::{Ended, pulse, run};

const ACCOUNTS: &str = "\
type Query { me: User legacy: Int }
type User @key(fields: \"id\") { id: ID! name: String! role: Role }
enum Role { ADMIN GUEST }
";
const REVIEWS: &str = "\
type Query { reviews(first: Int): [Review] }
type Review { body: String author: User }
extend type User @key(fields: \"id\") { id: ID! @external reviews: [Review] }
";

/// Two subgraphs, a list of them, a folder of operations, and room for a new schema.
struct Place(TempDir);

impl Place {
    fn new() -> anyhow::Result<Self> {
        let place = Self(tempfile::tempdir()?);
        place.write("accounts.graphql", ACCOUNTS)?;
        place.write("reviews.graphql", REVIEWS)?;
        place.write(
            "subgraphs.yaml",
            "subgraphs:\n  accounts:\n    routing_url: http://accounts:4001/graphql\n    schema: { file: accounts.graphql }\n  reviews:\n    schema:\n      file: ./reviews.graphql\n",
        )?;
        place
            .write("operations/home.graphql", "query Home { me { id name role } } query Never { legacy }")?;
        place
            .write("operations/app.json", r#"{ "5f2a": "query Author { reviews { author { name } } }" }"#)?;
        Ok(place)
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let file = self.0.path().join(name);
        fs::create_dir_all(file.parent().unwrap_or(Path::new("")))?;
        Ok(fs::write(file, text)?)
    }

    async fn schema(&self, words: &str) -> anyhow::Result<Ended> {
        let mut command = pulse(["schema"]);
        command.args(words.split(' ')).current_dir(self.0.path());
        run(command).await
    }
}

#[tokio::test]
async fn compose_takes_a_list_of_subgraphs_and_prints_the_same_as_for_files() -> anyhow::Result<()> {
    let place = Place::new()?;
    let listed = place.schema("compose --config subgraphs.yaml").await?.success()?;
    assert!(
        listed.contains("@join__graph(name: \"accounts\", url: \"http://accounts:4001/graphql\")"),
        "{listed}"
    );
    let named = place.schema("compose reviews.graphql accounts.graphql").await?.success()?;
    assert_eq!(listed.replace("http://accounts:4001/graphql", ""), named);
    let json: Value = serde_json::from_str(
        &place.schema("compose accounts.graphql reviews.graphql --format json").await?.success()?,
    )?;
    assert_eq!(json["supergraph"].as_str().map(str::trim_end), Some(named.trim_end()));
    assert_eq!(json["ok"], true);
    Ok(())
}

#[tokio::test]
async fn compose_makes_contracts() -> anyhow::Result<()> {
    let place = Place::new()?;
    place.write("shop.graphql", "type Query { a: Int b: Int @tag(name: \"internal\") c: C @tag(name: \"internal\") }\ntype C { n: Int }")?;
    let cut = place.schema("compose shop.graphql --exclude internal --hide-unreachable").await?.success()?;
    assert!(cut.contains("  b: Int @tag(name: \"internal\") @inaccessible"), "{cut}");
    let refused = place.schema("compose shop.graphql --include nobody").await?;
    assert_eq!(refused.code, Some(41));
    assert!(refused.stderr.contains("error[CONTRACT_REMOVES_EVERYTHING] Query"), "{}", refused.stderr);
    Ok(())
}

#[tokio::test]
async fn what_does_not_compose_ends_with_41_in_every_format() -> anyhow::Result<()> {
    let place = Place::new()?;
    place.write("new/reviews.graphql", "type Query { reviews: [Review] }")?;
    let check = "check new/reviews.graphql --with accounts.graphql reviews.graphql";
    let text = place.schema(check).await?;
    assert_eq!(text.code, Some(41));
    insta::assert_snapshot!(text.stderr.trim_end(), @"
    error: the schemas do not compose (1 problems):
    error[INVALID_GRAPHQL] Query.reviews: type Review is not defined in this subgraph
      at subgraph reviews, line 1, column 14
      help: define Review here; each subgraph defines all types that it uses
    ");
    let github = place.schema(&format!("{check} --format github")).await?;
    assert_eq!(github.code, Some(41));
    insta::assert_snapshot!(github.stdout.trim_end(), @"::error file=new/reviews.graphql,line=1,col=14,title=INVALID_GRAPHQL Query.reviews::type Review is not defined in this subgraph%0Ahelp: define Review here; each subgraph defines all types that it uses");
    let sarif = place.schema(&format!("{check} --format sarif")).await?;
    assert_eq!(sarif.code, Some(41));
    let log: Value = serde_json::from_str(&sarif.stdout)?;
    let result = &log["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "INVALID_GRAPHQL");
    assert_eq!(
        result["locations"][0]["physicalLocation"],
        serde_json::json!({
            "artifactLocation": { "uri": "new/reviews.graphql" },
            "region": { "startLine": 1, "startColumn": 14 }
        })
    );
    Ok(())
}

#[tokio::test]
async fn a_change_that_breaks_ends_with_47_and_names_who_uses_it() -> anyhow::Result<()> {
    let place = Place::new()?;
    place.write("new/accounts.graphql", &ACCOUNTS.replace("name: String! ", "").replace("ADMIN ", ""))?;
    let check = "check new/accounts.graphql --config subgraphs.yaml --operations operations";
    let ended = place.schema(check).await?;
    assert_eq!(ended.code, Some(47));
    insta::assert_snapshot!(ended.stdout.trim_end(), @"
    breaking[FIELD_REMOVED] User.name: field is gone
      used by app.json: 5f2a: Author
      used by home.graphql: Home
      help: keep what is there, deprecate it, and remove it when nobody uses it
    dangerous[OUTPUT_ENUM_VALUE_REMOVED] Role.ADMIN: value is gone
      used by home.graphql: Home
    ");
    assert_eq!(ended.stderr.trim_end(), "error: 1 changes break clients");
    let junit = place.schema(&format!("{check} --format junit")).await?;
    assert_eq!(junit.code, Some(47));
    insta::assert_snapshot!(junit.stdout.trim_end(), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites tests="2" failures="1">
      <testsuite name="pulse schema" tests="2" failures="1">
        <testcase classname="FIELD_REMOVED" name="User.name" file="new/accounts.graphql" line="0">
          <failure message="field is gone" type="breaking">field is gone
    used by app.json: 5f2a: Author
    used by home.graphql: Home
    help: keep what is there, deprecate it, and remove it when nobody uses it</failure>
        </testcase>
        <testcase classname="OUTPUT_ENUM_VALUE_REMOVED" name="Role.ADMIN" file="new/accounts.graphql" line="0">
          <system-out>dangerous: value is gone
    used by home.graphql: Home</system-out>
        </testcase>
      </testsuite>
    </testsuites>
    "#);
    Ok(())
}

#[tokio::test]
async fn a_change_that_nobody_uses_is_safe() -> anyhow::Result<()> {
    let place = Place::new()?;
    place.write("new/accounts.graphql", &ACCOUNTS.replace(" legacy: Int", ""))?;
    let check = "check new/accounts.graphql --config subgraphs.yaml";
    assert_eq!(place.schema(check).await?.code, Some(47));
    place.write("operations/home.graphql", "{ me { id } }")?;
    let safe = place.schema(&format!("{check} --operations operations --format json")).await?;
    let report: Value = serde_json::from_str(&safe.success()?)?;
    assert_eq!(report["ok"], true);
    assert_eq!(report["findings"][0]["code"], "FIELD_REMOVED");
    assert_eq!(report["findings"][0]["kind"], "safe");
    Ok(())
}

#[tokio::test]
async fn diff_compares_supergraphs_and_api_schemas() -> anyhow::Result<()> {
    let place = Place::new()?;
    let supergraph = place.schema("compose --config subgraphs.yaml").await?.success()?;
    place.write("old.graphql", &supergraph)?;
    let same = place.schema("diff old.graphql old.graphql").await?.success()?;
    assert_eq!(same.trim_end(), "nothing has changed for clients");
    place.write("new.graphql", &supergraph.replace("name: String!", "name: String"))?;
    let ended = place.schema("diff old.graphql new.graphql").await?;
    assert_eq!(ended.code, Some(47));
    insta::assert_snapshot!(ended.stdout.trim_end(), @"
    breaking[FIELD_BECAME_NULLABLE] User.name: was String!, is String
      help: keep what is there, deprecate it, and remove it when nobody uses it
    ");
    place.write("broken.graphql", "type Query {")?;
    assert_eq!(place.schema("diff old.graphql broken.graphql").await?.code, Some(41));
    assert_eq!(place.schema("diff old.graphql missing.graphql").await?.code, Some(1));
    Ok(())
}

#[tokio::test]
async fn lint_ends_with_49_where_a_rule_is_an_error() -> anyhow::Result<()> {
    let place = Place::new()?;
    place.write("shop.graphql", "type Query { get_shop: Int }")?;
    let warned = place.schema("lint shop.graphql").await?.success()?;
    insta::assert_snapshot!(warned.trim_end(), @"
    warning[FIELD_NAME_CAMEL_CASE] Query.get_shop: should be named otherwise: fields are named likeThis
      at shop.graphql:1:14
      help: name it getShop
    ");
    place.write("rules.yaml", "rules:\n  FIELD_NAME_CAMEL_CASE: error\n")?;
    let refused = place.schema("lint shop.graphql --rules rules.yaml --format github").await?;
    assert_eq!(refused.code, Some(49));
    assert!(refused.stdout.starts_with("::error file=shop.graphql,line=1,col=14,"), "{}", refused.stdout);
    place.write("before.graphql", "type Query { get_shop: Int gone: Int }")?;
    let removed = place.schema("lint shop.graphql --previous before.graphql").await?;
    assert_eq!(removed.code, Some(49));
    assert!(removed.stdout.contains("error[REMOVAL_AFTER_DEPRECATION] Query.gone"), "{}", removed.stdout);
    place.write("rules.yaml", "ignore: [\"Query.*\"]\n")?;
    let ignored = place.schema("lint shop.graphql --rules rules.yaml").await?.success()?;
    assert_eq!(ignored.trim_end(), "nothing to complain of");
    Ok(())
}
