//! Row-level security, tried directly as the role that serves requests.

use pulse_types::{OrgId, UserId};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::harness::{Accounts, Person};

const PERSON: [&str; 10] = [
    "users",
    "sessions",
    "refresh_tokens",
    "user_history",
    "one_time_tokens",
    "totp_factors",
    "recovery_codes",
    "sign_in_challenges",
    "passkeys",
    "preferences",
];
const TENANT: [&str; 10] = [
    "organizations",
    "memberships",
    "history",
    "units",
    "unit_members",
    "invitations",
    "invitation_units",
    "settings",
    "logos",
    "feature_flags",
];

/// Two people in two organizations, with rows in every table.
async fn two(accounts: &Accounts) -> [(Person, OrgId); 2] {
    let mut both = Vec::new();
    for name in ["Ada", "Bea"] {
        let person = accounts.register(name).await;
        let (org, person) = accounts.found(&person, &name.to_lowercase()).await;
        let change = r#"mutation {
            updateMe(input: { name: "Other" }) { user { id } }
            updateOrganization(input: { name: "Other" }) { organization { id } }
            inviteMember(input: { email: "cid@example.com", role: VIEWER }) { invitation { id } }
            updatePreferences(input: { reducedMotion: true }) { preferences { version } }
            createFeatureFlag(input: { key: "board" }) { featureFlag { id } }
            uploadLogo(input: { data: "iVBORw0KGgoAAAANSUhEUg==" }) { settings { version } } }"#;
        accounts.data(&person.caller, change, serde_json::json!({})).await;
        second_factor(accounts, person.id).await;
        let create = r#"mutation { createUnit(input: { kind: TEAM, name: "x" }) { unit { id } } }"#;
        let made = accounts.data(&person.caller, create, serde_json::json!({})).await;
        let belong = "mutation ($id: ID!, $user: ID!) { addUnitMembers(input: { id: $id, userIds: [$user] }) { addedIds } }";
        let (unit, user) = (&made["createUnit"]["unit"]["id"], person.id.to_string());
        accounts.data(&person.caller, belong, serde_json::json!({ "id": unit, "user": user })).await;
        invite_to_unit(accounts, org).await;
        both.push((person, org));
    }
    accounts.letters().await;
    both.try_into().unwrap()
}

/// Has the invitation name the team.
async fn invite_to_unit(accounts: &Accounts, org: OrgId) {
    let mut connection = accounts.database.connect().await.unwrap();
    let made = "INSERT INTO accounts.invitation_units (org_id, invitation, unit)
                SELECT i.org_id, i.id, u.id
                  FROM accounts.invitations AS i JOIN accounts.units AS u USING (org_id) WHERE i.org_id = $1";
    sqlx::query(made).bind(org).execute(&mut connection).await.unwrap();
}

/// One row in each table of second factors.
async fn second_factor(accounts: &Accounts, user: UserId) {
    let mut connection = accounts.database.connect().await.unwrap();
    let made = "INSERT INTO accounts.totp_factors (user_id, secret, created_at) SELECT $1, 'sealed.x', now()";
    sqlx::query(made).bind(user).execute(&mut connection).await.unwrap();
    let hash = "sha256(($1::uuid)::text::bytea)";
    for table in [
        format!("recovery_codes (user_id, hash, created_at) SELECT $1, {hash}, now()"),
        format!("sign_in_challenges (user_id, hash, created_at, expires_at) SELECT $1, {hash}, now(), now()"),
        format!(
            "passkeys (user_id, id, credential_id, name, static_state, dynamic_state, created_at)
             SELECT $1, gen_random_uuid(), {hash}, 'x', '', '1234567', now()"
        ),
    ] {
        let insert = AssertSqlSafe(format!("INSERT INTO accounts.{table}"));
        sqlx::query(insert).bind(user).execute(&mut connection).await.unwrap();
    }
}

/// A connection as `pulse_app`, acting as this person in this tenant.
async fn app(accounts: &Accounts, user: Option<UserId>, org: Option<OrgId>) -> PgConnection {
    let mut connection = accounts.database.connect().await.unwrap();
    let (user, org) =
        (user.map(|id| id.to_string()).unwrap_or_default(), org.map(|id| id.to_string()).unwrap_or_default());
    let enter = format!("SET ROLE pulse_app; SET pulse.user_id = '{user}'; SET pulse.org_id = '{org}'");
    sqlx::raw_sql(AssertSqlSafe(enter)).execute(&mut connection).await.unwrap();
    connection
}

async fn rows(connection: &mut PgConnection, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM accounts.{table}");
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn without_a_tenant_or_person_there_is_no_row_and_no_error() {
    let accounts = Accounts::new().await;
    two(&accounts).await;
    let mut nobody = app(&accounts, None, None).await;
    let mut unset = accounts.database.connect().await.unwrap();
    sqlx::raw_sql("SET ROLE pulse_app").execute(&mut unset).await.unwrap();
    for table in PERSON.iter().chain(&TENANT) {
        assert_eq!(rows(&mut nobody, table).await, 0, "{table}");
        assert_eq!(rows(&mut unset, table).await, 0, "{table}");
    }
    for function in
        ["my_organizations()", "my_invitations(now())", "users_of_tenant(ARRAY(SELECT gen_random_uuid()))"]
    {
        assert_eq!(rows(&mut nobody, function).await, 0, "{function}");
    }
}

#[tokio::test]
async fn each_person_and_tenant_sees_its_own_rows_alone() {
    let accounts = Accounts::new().await;
    let [(ada, first), (_, second)] = two(&accounts).await;
    let mut of_ada = app(&accounts, Some(ada.id), None).await;
    for table in PERSON {
        assert_eq!(rows(&mut of_ada, table).await, 1, "{table}");
    }
    for table in TENANT {
        assert_eq!(rows(&mut of_ada, table).await, 0, "{table}");
    }
    let mut of_first = app(&accounts, None, Some(first)).await;
    for table in TENANT {
        assert_eq!(rows(&mut of_first, table).await, 1, "{table}");
    }
    for table in PERSON {
        assert_eq!(rows(&mut of_first, table).await, 0, "{table}");
    }
    let elsewhere = format!("users_of_tenant('{{{}}}')", ada.id);
    assert_eq!(rows(&mut of_first, &elsewhere).await, 1);
    assert_eq!(rows(&mut app(&accounts, None, Some(second)).await, &elsewhere).await, 0);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a list of statements")]
async fn nothing_is_written_over_the_wall() {
    let accounts = Accounts::new().await;
    let [(ada, first), (bea, second)] = two(&accounts).await;
    let mut connection = app(&accounts, Some(ada.id), Some(first)).await;
    let (bea, ada, second) = (bea.id, ada.id, second);
    let changes = [
        format!("UPDATE accounts.users SET name = 'x' WHERE user_id = '{bea}'"),
        format!("UPDATE accounts.users SET email = 'x@example.com' WHERE user_id = '{bea}'"),
        format!("UPDATE accounts.credentials SET password_hash = 'x' WHERE user_id = '{bea}'"),
        format!("UPDATE accounts.one_time_tokens SET expires_at = now() WHERE user_id = '{bea}'"),
        format!("DELETE FROM accounts.one_time_tokens WHERE user_id = '{bea}'"),
        format!("UPDATE accounts.sessions SET organization = NULL WHERE user_id = '{bea}'"),
        format!("UPDATE accounts.refresh_tokens SET rotated_at = now() WHERE user_id = '{bea}'"),
        format!("DELETE FROM accounts.refresh_tokens WHERE user_id = '{bea}'"),
        format!("UPDATE accounts.totp_factors SET confirmed_at = NULL WHERE user_id = '{bea}'"),
        format!("DELETE FROM accounts.totp_factors WHERE user_id = '{bea}'"),
        format!("DELETE FROM accounts.recovery_codes WHERE user_id = '{bea}'"),
        format!("UPDATE accounts.passkeys SET name = 'x' WHERE user_id = '{bea}'"),
        format!("DELETE FROM accounts.passkeys WHERE user_id = '{bea}'"),
        format!("UPDATE accounts.sign_in_challenges SET failures = 0 WHERE user_id = '{bea}'"),
        format!("DELETE FROM accounts.sign_in_challenges WHERE user_id = '{bea}'"),
        format!("UPDATE accounts.organizations SET name = 'x' WHERE org_id = '{second}'"),
        format!("UPDATE accounts.memberships SET role = 'viewer' WHERE org_id = '{second}'"),
        format!("DELETE FROM accounts.memberships WHERE org_id = '{second}'"),
        format!("UPDATE accounts.units SET name = 'y', parent = NULL WHERE org_id = '{second}'"),
        format!("DELETE FROM accounts.units WHERE org_id = '{second}'"),
        format!("DELETE FROM accounts.unit_members WHERE org_id = '{second}'"),
        format!("UPDATE accounts.invitations SET role = 'owner' WHERE org_id = '{second}'"),
        format!("DELETE FROM accounts.invitation_units WHERE org_id = '{second}'"),
        format!("UPDATE accounts.settings SET branding = '{{}}' WHERE org_id = '{second}'"),
        format!("DELETE FROM accounts.logos WHERE org_id = '{second}'"),
        format!("UPDATE accounts.feature_flags SET is_on = true WHERE org_id = '{second}'"),
        format!("DELETE FROM accounts.feature_flags WHERE org_id = '{second}'"),
        format!("UPDATE accounts.preferences SET value = '{{}}' WHERE user_id = '{bea}'"),
        format!("DELETE FROM accounts.preferences WHERE user_id = '{bea}'"),
    ];
    for sql in changes {
        let done = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut connection).await.unwrap();
        assert_eq!(done.rows_affected(), 0, "{sql}");
    }
    let refused = [
        format!(
            "INSERT INTO accounts.sessions (user_id, id, created_at) VALUES ('{bea}', gen_random_uuid(), now())"
        ),
        format!("INSERT INTO accounts.creations VALUES ('{bea}', 'x', 'x', '', gen_random_uuid(), now())"),
        format!("INSERT INTO accounts.user_history VALUES ('{bea}', 9, '{{}}', now())"),
        format!(
            "INSERT INTO accounts.one_time_tokens VALUES ('{bea}', 'sign_in', sha256('x'), 'x@example.com', now(), now())"
        ),
        format!("INSERT INTO accounts.totp_factors VALUES ('{bea}', 'sealed.x', now())"),
        format!("INSERT INTO accounts.recovery_codes VALUES ('{bea}', sha256('x'), now())"),
        format!(
            "INSERT INTO accounts.sign_in_challenges VALUES ('{bea}', sha256('x'), NULL, 0, now(), now())"
        ),
        format!(
            "INSERT INTO accounts.passkeys VALUES ('{bea}', '{bea}', sha256('x'), 'x', '', '1234567', now())"
        ),
        "UPDATE accounts.passkeys SET credential_id = sha256('x')".to_owned(),
        "UPDATE accounts.recovery_codes SET hash = sha256('x')".to_owned(),
        "UPDATE accounts.signing_keys SET active_from = now()".to_owned(),
        format!("INSERT INTO accounts.credentials VALUES ('{bea}', 'x', now())"),
        format!("INSERT INTO accounts.memberships VALUES ('{second}', '{ada}', 'owner', 1, now(), now())"),
        format!(
            "INSERT INTO accounts.units VALUES ('{second}', '{ada}', 'team', NULL, 'y', 1, now(), now())"
        ),
        format!(
            "INSERT INTO accounts.unit_members SELECT '{second}', unit, '{bea}', now() FROM accounts.unit_members"
        ),
        "UPDATE accounts.units SET kind = 'organization'".to_owned(),
        "UPDATE accounts.unit_members SET added_at = now()".to_owned(),
        format!("INSERT INTO accounts.history VALUES ('{second}', 'x', '{ada}', 1, '{{}}', now())"),
        "INSERT INTO accounts.users VALUES (gen_random_uuid(), 'x@example.com', 'x', 1, now(), now())"
            .to_owned(),
        "INSERT INTO accounts.organizations VALUES (gen_random_uuid(), 'xx', 'x', 1, now(), now())"
            .to_owned(),
        format!(
            "INSERT INTO accounts.invitations (org_id, id, email, role, state, inviter, created_at, updated_at, expires_at)
             VALUES ('{second}', '{ada}', 'x@example.com', 'owner', 'open', '{ada}', now(), now(), now())"
        ),
        format!("INSERT INTO accounts.invitation_units VALUES ('{second}', '{ada}', '{ada}')"),
        format!(
            "INSERT INTO accounts.settings (org_id, id, settings, branding, version, updated_at)
             VALUES ('{second}', '{ada}', '{{}}', '{{}}', 1, now())"
        ),
        format!("INSERT INTO accounts.logos VALUES ('{second}', '{ada}', '{ada}', 'image/png', 'x', now())"),
        format!("INSERT INTO accounts.preferences VALUES ('{bea}', 'x', '{{}}', 1, now())"),
        format!(
            "INSERT INTO accounts.feature_flags VALUES ('{second}', '{ada}', 'x', '', true, true, '[]', 1, now(), now())"
        ),
        "DELETE FROM accounts.invitations".to_owned(),
        "DELETE FROM accounts.settings".to_owned(),
        "UPDATE accounts.logos SET bytes = 'x'".to_owned(),
        "SELECT password_hash FROM accounts.credentials".to_owned(),
        "UPDATE accounts.history SET value = '{}'".to_owned(),
        "DELETE FROM accounts.users".to_owned(),
    ];
    for sql in refused {
        let error = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut connection).await.unwrap_err();
        let code = error.as_database_error().and_then(|error| error.code().map(String::from));
        assert_eq!(code.as_deref(), Some("42501"), "{sql}: {error}");
    }
}

#[tokio::test]
async fn the_schema_keeps_the_conventions_of_tenancy() {
    let accounts = Accounts::new().await;
    let mut connection = accounts.database.connect().await.unwrap();
    let violations = pulse_migrations::catalog::violations(&mut connection).await.unwrap();
    let ours: Vec<_> =
        violations.iter().filter(|v| v.object.starts_with("accounts.")).map(ToString::to_string).collect();
    assert_eq!(ours, Vec::<String>::new());
}

#[tokio::test]
async fn lists_of_members_are_read_in_order_from_an_index() {
    let accounts = Accounts::new().await;
    let [(ada, first), _] = two(&accounts).await;
    let mut owner = accounts.database.connect().await.unwrap();
    let fill = "INSERT INTO accounts.organizations (org_id, slug, name, created_at, updated_at)
                SELECT gen_random_uuid(), 'org-' || n, 'x', now(), now() FROM generate_series(1, 4) AS n;
                INSERT INTO accounts.memberships (org_id, user_id, role, joined_at, updated_at)
                SELECT org_id, gen_random_uuid(), (ARRAY['admin', 'member', 'viewer'])[1 + n % 3],
                       now() + make_interval(secs => n), now()
                  FROM accounts.organizations, generate_series(1, 4000) AS n;
                ANALYZE accounts.memberships, accounts.organizations";
    sqlx::raw_sql(fill).execute(&mut owner).await.unwrap();
    let mut connection = app(&accounts, Some(ada.id), Some(first)).await;
    for role in ["", "AND role = 'member'"] {
        let after =
            "AND (joined_at, user_id) > (now(), gen_random_uuid()) ORDER BY joined_at, user_id LIMIT 21";
        let sql =
            format!("EXPLAIN SELECT * FROM accounts.memberships WHERE org_id = '{first}' {role} {after}");
        let plan: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains("Index Scan using memberships_") && !plan.contains("Sort"), "{plan}");
    }
}

#[tokio::test]
async fn lists_of_members_of_units_are_read_in_order_from_an_index() {
    let accounts = Accounts::new().await;
    let [(ada, first), _] = two(&accounts).await;
    let mut owner = accounts.database.connect().await.unwrap();
    let fill = format!(
        "INSERT INTO accounts.memberships (org_id, user_id, role, joined_at, updated_at)
         SELECT '{first}', gen_random_uuid(), 'viewer', now(), now() FROM generate_series(1, 2000);
         INSERT INTO accounts.units (org_id, id, kind, name, created_at, updated_at)
         SELECT '{first}', gen_random_uuid(), 'team', 'team ' || n, now(), now() FROM generate_series(1, 5) AS n;
         INSERT INTO accounts.unit_members (org_id, unit, user_id, added_at)
         SELECT '{first}', u.id, m.user_id, now() + random() * interval '1 day'
           FROM accounts.units AS u JOIN accounts.memberships AS m ON m.org_id = u.org_id
          WHERE u.org_id = '{first}' AND u.name <> 'x';
         ANALYZE accounts.memberships, accounts.units, accounts.unit_members"
    );
    sqlx::raw_sql(AssertSqlSafe(fill)).execute(&mut owner).await.unwrap();
    let mut connection = app(&accounts, Some(ada.id), Some(first)).await;
    let lists = [
        "SELECT p.page, m.user_id, m.added_at
           FROM (SELECT row_number() OVER (), id FROM accounts.units LIMIT 3) AS p (page, unit)
          CROSS JOIN LATERAL (
                SELECT m.user_id, m.added_at FROM accounts.unit_members AS m
                 WHERE m.org_id = '[org]' AND m.unit = p.unit
                   AND (m.added_at, m.user_id) > (now(), gen_random_uuid())
                 ORDER BY m.added_at, m.user_id LIMIT 21) AS m",
        "SELECT unit FROM accounts.unit_members WHERE org_id = '[org]' AND user_id = ANY (ARRAY(
             SELECT user_id FROM accounts.memberships WHERE role = 'viewer' LIMIT 3))",
    ];
    for (sql, index) in lists.into_iter().zip(["unit_members_added", "unit_members_user"]) {
        let sql = format!("EXPLAIN {}", sql.replace("[org]", &first.to_string()));
        let plan: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains(index) && !plan.contains("Sort"), "{plan}");
    }
}
