//! An issuer that speaks for many directories, as Entra's `organizations` does: those that are listed come in, and no other.

use serde_json::json;
use uuid::Uuid;

use super::fake::FakeIssuer;
use super::{complete, counts, payload, platform, refusal, start};

const OURS: Uuid = Uuid::from_u128(0x72f9_88bf);
const THEIRS: Uuid = Uuid::from_u128(0x9188_040d);

impl FakeIssuer {
    /// Describes itself as Entra does.
    async fn of_many() -> Self {
        let issuer = Self::start().await;
        let template = format!("{}/{{tenantid}}/v2.0", issuer.url);
        issuer.say(|says| says.description = json!({ "issuer": template }));
        issuer
    }

    fn of(&self, tenant: Uuid) -> String {
        format!("{}/{tenant}/v2.0", self.url)
    }
}

#[tokio::test]
async fn only_people_of_directories_that_are_listed_come_in() {
    let issuer = FakeIssuer::of_many().await;
    let platform = platform(&issuer.url, |provider| provider.tenants = vec![OURS]).await;
    let cases = [
        ("a directory that is not listed here", json!({ "iss": issuer.of(THEIRS), "tid": THEIRS })),
        ("a directory that is not listed here", json!({ "iss": issuer.of(OURS) })),
        ("a directory that is not listed here", json!({ "iss": issuer.of(OURS), "tid": "common" })),
        ("it is from another issuer", json!({ "iss": issuer.of(THEIRS), "tid": OURS })),
        ("it is from another issuer", json!({ "iss": issuer.url, "tid": OURS })),
        (
            "it is from another issuer",
            json!({ "iss": format!("{}/{{tenantid}}/v2.0", issuer.url), "tid": OURS }),
        ),
    ];
    for (why, change) in cases {
        let begun = start(&platform, "main").await;
        let answer = complete(&platform, &issuer.answer(&begun, &change), &begun.secret).await;
        assert_eq!(refusal(&answer), ("UNAUTHENTICATED", ""), "{change}");
        assert!(answer.message().ends_with(why), "{change}: {}", answer.message());
    }
    assert_eq!(counts(&platform).await, (0, 0));
    let honest = json!({ "iss": issuer.of(OURS), "tid": OURS });
    let begun = start(&platform, "main").await;
    let answer = complete(&platform, &issuer.answer(&begun, &honest), &begun.secret).await;
    assert_eq!(payload(&answer, "completeSignIn")["user"]["email"], "ada@acme.example");
    // Who it is, is said by the directory.
    let mut connection = platform.database.connect().await.unwrap();
    let known: String = sqlx::query_scalar("SELECT issuer FROM accounts.identities")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(known, issuer.of(OURS));
}

#[tokio::test]
async fn an_issuer_of_many_is_refused_without_a_list_and_one_of_its_own_with_one() {
    let many = FakeIssuer::of_many().await;
    let without = platform(&many.url, |_| {}).await;
    let one = FakeIssuer::start().await;
    let with = platform(&one.url, |provider| provider.tenants = vec![OURS]).await;
    for platform in [without, with] {
        let input = json!({ "input": { "providerId": "main", "redirectUri": super::PAGE } });
        let answer = platform.graphql(None, super::START, input).await;
        assert_eq!(answer.code(), Some("UNAUTHENTICATED"), "{answer:?}");
        assert!(answer.message().starts_with("the issuer does not describe itself as the one that is named"));
    }
}
