//! People of two tenants.

use serde_json::json;

use crate::TestPlatform;

/// Everybody's password.
pub const PASSWORD: &str = "a password of the tests";

/// Somebody who is signed in.
pub struct Person {
    /// The user's id.
    pub id: String,
    /// The address.
    pub email: String,
    /// An access token for the tenant, with the rights of the role.
    pub token: String,
}

/// An organization with people of every role.
pub struct Tenant {
    /// The organization's id.
    pub id: String,
    /// Who may everything.
    pub owner: Person,
    /// Who may everything but close it.
    pub admin: Person,
    /// Who reads and writes.
    pub member: Person,
    /// Who reads.
    pub viewer: Person,
}

impl Tenant {
    /// Founds the organization `slug` and its people through the API.
    pub async fn found(platform: &TestPlatform, slug: &str) -> Self {
        let owner = Person::register(platform, &format!("owner@{slug}.example")).await;
        let create = "mutation ($input: CreateOrganizationInput!) { createOrganization(input: $input) { organization { id } } }";
        let input = json!({ "slug": slug, "name": slug });
        let mut data = platform.data(&owner.token, create, json!({ "input": input })).await;
        let id = data["createOrganization"]["organization"]["id"].take().as_str().unwrap().to_owned();
        let owner = owner.sign_in(platform, slug).await;
        let mut joined = Vec::new();
        for role in ["ADMIN", "MEMBER", "VIEWER"] {
            let person = Person::register(platform, &format!("{}@{slug}.example", role.to_lowercase())).await;
            let add = "mutation ($input: AddMemberInput!) { addMember(input: $input) { __typename } }";
            let input = json!({ "email": person.email, "role": role });
            platform.data(&owner.token, add, json!({ "input": input })).await;
            joined.push(person.sign_in(platform, slug).await);
        }
        let [admin, member, viewer] = joined.try_into().ok().unwrap();
        Self { id, owner, admin, member, viewer }
    }

    /// Everybody in it.
    pub const fn people(&self) -> [&Person; 4] {
        [&self.owner, &self.admin, &self.member, &self.viewer]
    }
}

impl Person {
    /// Somebody new, who is a member of nothing.
    pub async fn register(platform: &TestPlatform, email: &str) -> Self {
        let register =
            "mutation ($input: RegisterInput!) { register(input: $input) { accessToken user { id } } }";
        let input = json!({ "email": email, "password": PASSWORD, "name": email });
        let answer = platform.graphql(None, register, json!({ "input": input })).await;
        let payload = &answer.json["data"]["register"];
        let text =
            |value: &serde_json::Value| value.as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
        Self {
            id: text(&payload["user"]["id"]),
            email: email.to_owned(),
            token: text(&payload["accessToken"]),
        }
    }

    /// The same person acting in the organization `slug`.
    pub async fn sign_in(self, platform: &TestPlatform, slug: &str) -> Self {
        let sign_in = "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }";
        let input = json!({ "email": self.email, "password": PASSWORD, "organizationSlug": slug });
        let answer = platform.graphql(None, sign_in, json!({ "input": input })).await;
        let token =
            answer.json["data"]["signIn"]["accessToken"].as_str().unwrap_or_else(|| panic!("{answer:?}"));
        Self { token: token.to_owned(), ..self }
    }
}
