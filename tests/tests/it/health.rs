//! What operators ask.

use pulse_tests::TestPlatform;
use serde_json::json;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};

use crate::redact;

/// Lets nobody into the platform's database any more, or in again.
async fn allow_connections(platform: &TestPlatform, allow: bool) {
    let name = platform.database.name();
    let mut connection: PgConnection =
        platform.database.options().database("postgres").connect().await.unwrap();
    let sql = format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {allow}");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    if !allow {
        sqlx::query("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1")
            .bind(name)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_platform_that_runs_is_live_and_ready_and_publishes_its_key() {
    let platform = TestPlatform::start().await;
    let _redact = redact();
    let live = platform.get("/health/live").await;
    assert_eq!((live.status.as_u16(), live.json), (200, json!({ "status": "live" })));
    let ready = platform.get("/health/ready").await;
    assert_eq!(ready.status, 200);
    insta::assert_json_snapshot!(ready.json, @r#"
    {
      "status": "ready",
      "checks": [
        {
          "name": "supergraph",
          "status": "ready",
          "message": "serving version [version]"
        },
        {
          "name": "database",
          "status": "ready"
        }
      ]
    }
    "#);
    let keys = platform.get("/.well-known/jwks.json").await;
    assert_eq!(keys.status, 200);
    insta::assert_json_snapshot!(keys.json, @r#"
    {
      "keys": [
        {
          "kty": "OKP",
          "crv": "Ed25519",
          "x": "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik",
          "kid": "9ZP03Nu8GrXPAUkbKNxHOKBzxPX83SShgFkRNK-f2lw",
          "use": "sig",
          "alg": "EdDSA"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn a_platform_without_its_database_says_so_and_comes_back_with_it() {
    let platform = TestPlatform::start().await;
    let _redact = redact();
    allow_connections(&platform, false).await;
    assert_eq!(platform.get("/health/live").await.status, 200);
    let ready = platform.get("/health/ready").await;
    assert_eq!(ready.status, 503);
    insta::assert_json_snapshot!(ready.json, @r#"
    {
      "status": "not_ready",
      "checks": [
        {
          "name": "supergraph",
          "status": "ready",
          "message": "serving version [version]"
        },
        {
          "name": "database",
          "status": "not_ready",
          "message": "the database does not answer"
        }
      ]
    }
    "#);
    let sign_in =
        "mutation { signIn(input: { email: \"a@example.com\", password: \"a password\" }) { accessToken } }";
    let answer = platform.graphql(None, sign_in, json!({})).await;
    insta::assert_json_snapshot!(answer.json, @r#"
    {
      "data": null,
      "errors": [
        {
          "message": "the database does not answer: try again later",
          "path": [
            "signIn"
          ],
          "extensions": {
            "code": "UNAVAILABLE",
            "subgraph": "accounts"
          }
        }
      ]
    }
    "#);

    allow_connections(&platform, true).await;
    assert_eq!(platform.get("/health/ready").await.status, 200);
    let answer = platform.graphql(None, sign_in, json!({})).await;
    assert_eq!(answer.code(), Some("UNAUTHENTICATED"), "{answer:?}");
}
