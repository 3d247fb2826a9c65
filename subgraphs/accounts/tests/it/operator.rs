use pulse_accounts::{Demo, DemoError, PasswordHashConfig, ensure_demo, organization_by_slug};
use pulse_types::Secret;
use serde_json::json;

use crate::harness::{Accounts, PASSWORD};

const CHEAP: PasswordHashConfig = PasswordHashConfig { memory: 8, iterations: 1, parallelism: 1 };

fn demo() -> Demo {
    Demo {
        email: "demo@example.com".to_owned(),
        password: Secret::new(PASSWORD),
        name: "Demo".to_owned(),
        slug: "demo".to_owned(),
        organization: "Demo".to_owned(),
    }
}

#[tokio::test]
async fn the_demo_is_made_once_and_can_be_signed_in_to() {
    let accounts = Accounts::new().await;
    let made = ensure_demo(&accounts.store, &demo(), CHEAP).await.unwrap();
    assert_eq!(ensure_demo(&accounts.store, &demo(), CHEAP).await.unwrap(), made);
    assert_eq!(organization_by_slug(&accounts.store, "demo").await.unwrap(), Some(made.1));
    assert_eq!(organization_by_slug(&accounts.store, "none").await.unwrap(), None);
    let query =
        "mutation ($input: SignInInput!) { signIn(input: $input) { organization { id viewerRole } } }";
    let input = json!({ "email": "demo@example.com", "password": PASSWORD, "organizationSlug": "demo" });
    let data = accounts.data(&accounts.anonymous(), query, json!({ "input": input })).await;
    assert_eq!(data["signIn"]["organization"], json!({ "id": made.1.to_string(), "viewerRole": "OWNER" }));
}

#[tokio::test]
async fn a_demo_whose_slug_belongs_to_others_is_refused() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    accounts.found(&ada, "demo").await;
    let refused = ensure_demo(&accounts.store, &demo(), CHEAP).await;
    assert!(matches!(refused, Err(DemoError::Organization(_))), "{refused:?}");
}
