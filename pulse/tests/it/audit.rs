//! `pulse audit verify`: over the database, and over a file that was exported.

use std::time::{Duration, Instant};

use anyhow::Context;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use pulse_testkit::TestDatabase;
use pulse_types::Clock;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::time::interval;

use crate::support::http::ask;
use crate::support::organization::{SLUG, database, sign_in};
use crate::support::process::{Ended, Running, run};
use crate::support::roles::{READY, role, terminate};

/// More than anything takes that does not hang.
const PATIENCE: Duration = Duration::from_mins(1);

async fn verify(database: &TestDatabase, words: &[&str]) -> anyhow::Result<Ended> {
    run(role(&database.url(), &[&["audit", "verify"], words].concat())).await
}

/// Waits until every fact has its place in the chain.
async fn chained(connection: &mut PgConnection) -> anyhow::Result<()> {
    let (began, mut again) = (Instant::now(), interval(Duration::from_millis(20)));
    let sql = "SELECT (SELECT count(*) FROM platform.audit) = (SELECT count(*) FROM platform.audit_chain)";
    while !sqlx::query_scalar::<_, bool>(sql).fetch_one(&mut *connection).await? {
        anyhow::ensure!(began.elapsed() < PATIENCE, "the facts are never chained");
        again.tick().await;
    }
    Ok(())
}

/// The file of an export of all that was done, once it is written.
async fn exported(url: &str, token: &str) -> anyhow::Result<Vec<u8>> {
    let now = Clock::system().now();
    let input = json!({ "from": now - chrono::TimeDelta::days(1), "to": now, "format": "JSON_LINES" });
    let export =
        "mutation ($input: ExportAuditEventsInput!) { exportAuditEvents(input: $input) { export { id } } }";
    let asked = ask(url, Some(token), export, json!({ "input": input })).await?;
    let id = asked["exportAuditEvents"]["export"]["id"].clone();
    let find = "query ($id: ID!) { auditExport(id: $id) { status downloadPath } }";
    let (began, mut again) = (Instant::now(), interval(Duration::from_millis(20)));
    let path = loop {
        let found = ask(url, Some(token), find, json!({ "id": id })).await?;
        match &found["auditExport"]["downloadPath"] {
            Value::String(path) => break path.clone(),
            _ => anyhow::ensure!(began.elapsed() < PATIENCE, "it is never written: {found}"),
        }
        again.tick().await;
    };
    let request = Request::get(format!("{url}{path}")).header("authorization", format!("Bearer {token}"));
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request.body(Full::default())?).await?;
    anyhow::ensure!(response.status() == 200, "{}", response.status());
    Ok(response.into_body().collect().await?.to_bytes().to_vec())
}

#[tokio::test]
async fn the_chain_is_verified_and_what_was_tampered_with_is_found() -> anyhow::Result<()> {
    let database = database().await?;
    let files = tempfile::tempdir()?;
    let mut all = role(&database.url(), &["serve", "all", "--listen", "127.0.0.1:0"]);
    all.env("PULSE__FILES__FOLDER", files.path()).env("PULSE__PRIVACY__AUDIT_EXPORT_DELAY", "0s");
    let all = Running::start(all, READY).await?;
    let token = sign_in(all.url()).await?;
    for name in ["one", "two", "three"] {
        let create = "mutation ($name: String!) { createEntityType(input: { name: $name }) { __typename } }";
        ask(all.url(), Some(&token), create, json!({ "name": name })).await?;
    }
    let file = exported(all.url(), &token).await?;
    let mut connection = PgConnection::connect_with(&database.options()).await?;
    chained(&mut connection).await?;
    terminate(all).await?;

    let said = verify(&database, &[]).await?.success()?;
    assert!(said.contains("facts in") && said.contains("chains verified"), "{said}");
    let said = verify(&database, &["--org", SLUG]).await?.success()?;
    assert!(said.contains("in 1 chains verified"), "{said}");
    let unknown = verify(&database, &["--org", "nobody"]).await?;
    assert_eq!(unknown.code, Some(42), "{}", unknown.stderr);

    let path = files.path().join("audit.jsonl");
    tokio::fs::write(&path, &file).await?;
    let path = path.to_str().context("a path that is text")?;
    let said = verify(&database, &["--file", path]).await?.success()?;
    assert!(said.contains("of the audit of"), "{said}");
    let forged = String::from_utf8(file)?.replacen("entity-type:create", "entity-type:delete", 1);
    tokio::fs::write(path, forged).await?;
    let broken = verify(&database, &["--file", path]).await?;
    assert_eq!(broken.code, Some(50), "{}", broken.stderr);

    // As somebody who owns the tables.
    let forge = "UPDATE platform.audit SET action = 'entity-type:delete' WHERE id =
                     (SELECT min(id::text)::uuid FROM platform.audit WHERE action = 'entity-type:create')";
    sqlx::query(forge).execute(&mut connection).await?;
    let broken = verify(&database, &[]).await?;
    assert_eq!(broken.code, Some(50), "{}", broken.stderr);
    assert!(broken.stderr.contains("audit"), "{}", broken.stderr);
    Ok(())
}
