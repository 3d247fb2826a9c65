use anyhow::Context;
use pulse_migrations::catalog::violations;
use pulse_testkit::TestDatabase;
use sqlx::{AssertSqlSafe, Connection};

/// A tenant table that keeps every convention.
const TENANT_TABLE: &str = "
    CREATE TABLE entities.thing (org_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (org_id, id));
    COMMENT ON TABLE entities.thing IS 'class: tenant. A thing.';
    COMMENT ON COLUMN entities.thing.org_id IS '@pii(class: NONE) Its tenant.';
    COMMENT ON COLUMN entities.thing.id IS '@pii(class: NONE) Its id.';
    ALTER TABLE entities.thing ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE POLICY tenant ON entities.thing
        USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid);";

/// A person table that keeps every convention.
const PERSON_TABLE: &str = "
    CREATE TABLE accounts.habit (user_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (user_id, id));
    COMMENT ON TABLE accounts.habit IS 'class: person. A habit.';
    COMMENT ON COLUMN accounts.habit.user_id IS '@pii(class: SUBJECT) Whose.';
    COMMENT ON COLUMN accounts.habit.id IS '@pii(class: NONE) Its id.';
    ALTER TABLE accounts.habit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE POLICY person ON accounts.habit
        USING (user_id = nullif(current_setting('pulse.user_id', true), '')::uuid);";

const DEFINER: &str = "CREATE FUNCTION accounts.peek(text) RETURNS integer LANGUAGE sql SECURITY DEFINER";

/// What `sql` adds to the findings, as `rule object`.
async fn found_after(sql: &str) -> anyhow::Result<Vec<String>> {
    let database = TestDatabase::new().await?;
    let mut conn = database.connect().await?;
    let mut tx = conn.begin().await?;
    let before = violations(&mut tx).await?;
    sqlx::raw_sql("SET LOCAL ROLE pulse_owner").execute(&mut *tx).await?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await.context(sql.to_owned())?;
    let mut after = violations(&mut tx).await?;
    after.retain(|violation| !before.contains(violation));
    Ok(after.into_iter().map(|violation| format!("{} {}", violation.rule, violation.object)).collect())
}

#[tokio::test]
async fn migrated_database_keeps_every_convention() -> anyhow::Result<()> {
    let database = TestDatabase::new().await?;
    let found = violations(&mut database.connect().await?).await?;
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

#[tokio::test]
async fn tables_that_keep_the_conventions_are_not_found() -> anyhow::Result<()> {
    let narrower = "CREATE POLICY narrower ON entities.thing FOR SELECT TO pulse_app
        USING (org_id = nullif(current_setting('pulse.org_id', true), '')::uuid AND id IS NOT NULL)";
    let upkeep = "CREATE POLICY upkeep ON entities.thing TO pulse_maintenance USING (true);
        CREATE POLICY append ON accounts.habit FOR INSERT WITH CHECK (user_id = coalesce(
            nullif(current_setting('pulse.user_id', true), '')::uuid, '00000000-0000-0000-0000-000000000000'))";
    let view = "CREATE VIEW entities.things WITH (security_invoker = true) AS SELECT id FROM entities.thing";
    let sql = format!("{TENANT_TABLE}{PERSON_TABLE}{narrower};{upkeep};{view}");
    assert!(found_after(&sql).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn undeclared_table_and_columns_are_found() -> anyhow::Result<()> {
    let sql = "CREATE TABLE entities.thing (id uuid PRIMARY KEY, name text);
        COMMENT ON TABLE entities.thing IS 'A thing.';
        COMMENT ON COLUMN entities.thing.name IS '@pii(class: SECRET) Not a class.'";
    let expected =
        ["table_class entities.thing", "column_class entities.thing.id", "column_class entities.thing.name"];
    assert_eq!(found_after(sql).await?, expected);
    Ok(())
}

#[tokio::test]
async fn partitioned_table_must_be_declared_and_its_partitions_need_not() -> anyhow::Result<()> {
    let sql = "CREATE TABLE entities.thing (id uuid PRIMARY KEY) PARTITION BY HASH (id);
        CREATE TABLE entities.thing_0 PARTITION OF entities.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0);";
    let expected = ["table_class entities.thing", "column_class entities.thing.id"];
    assert_eq!(found_after(sql).await?, expected);
    Ok(())
}

#[tokio::test]
async fn tenant_table_without_its_wall_is_found() -> anyhow::Result<()> {
    let undo = "ALTER TABLE entities.thing NO FORCE ROW LEVEL SECURITY;
        DROP POLICY tenant ON entities.thing;
        ALTER TABLE entities.thing DROP CONSTRAINT thing_pkey, ADD PRIMARY KEY (id), ALTER org_id DROP NOT NULL";
    let found = found_after(&format!("{TENANT_TABLE}{undo}")).await?;
    let expected = ["policy_missing", "row_security", "wall_column", "wall_key"];
    assert_eq!(found, expected.map(|rule| format!("{rule} entities.thing")));
    Ok(())
}

#[tokio::test]
async fn person_table_without_its_wall_is_found() -> anyhow::Result<()> {
    let undo = "ALTER TABLE accounts.habit DISABLE ROW LEVEL SECURITY;
        DROP POLICY person ON accounts.habit;
        ALTER TABLE accounts.habit DROP CONSTRAINT habit_pkey, ADD PRIMARY KEY (id, user_id)";
    let found = found_after(&format!("{PERSON_TABLE}{undo}")).await?;
    let expected = ["policy_missing", "row_security", "wall_key"];
    assert_eq!(found, expected.map(|rule| format!("{rule} accounts.habit")));
    Ok(())
}

#[tokio::test]
async fn person_table_with_a_tenant_is_found() -> anyhow::Result<()> {
    let add = "ALTER TABLE accounts.habit ADD org_id uuid;
        COMMENT ON COLUMN accounts.habit.org_id IS '@pii(class: NONE) Its tenant.'";
    assert_eq!(found_after(&format!("{PERSON_TABLE}{add}")).await?, ["tenant_undeclared accounts.habit"]);
    Ok(())
}

#[tokio::test]
async fn policy_that_lets_more_through_is_found() -> anyhow::Result<()> {
    let condition = "org_id = nullif(current_setting('pulse.org_id', true), '')::uuid";
    for policy in [
        "CREATE POLICY wider ON entities.thing FOR SELECT USING (true)".to_owned(),
        "CREATE POLICY wider ON entities.thing FOR INSERT WITH CHECK (true)".to_owned(),
        "CREATE POLICY wider ON entities.thing TO pulse_maintenance, pulse_app USING (true)".to_owned(),
        format!("CREATE POLICY wider ON entities.thing USING (({condition}) OR id IS NULL)"),
        format!("CREATE POLICY wider ON entities.thing USING (({condition}) AND true OR id IS NULL)"),
        format!("CREATE POLICY wider ON entities.thing USING ({condition}) WITH CHECK (id IS NOT NULL)"),
    ] {
        let found = found_after(&format!("{TENANT_TABLE}{policy}")).await?;
        assert_eq!(found, ["policy_wider entities.thing"], "{policy}");
    }
    Ok(())
}

#[tokio::test]
async fn platform_table_with_a_tenant_or_person_column_is_found() -> anyhow::Result<()> {
    let sql = "CREATE TABLE platform.thing (org_id uuid PRIMARY KEY, user_id uuid);
        COMMENT ON TABLE platform.thing IS 'class: platform. A thing.';
        COMMENT ON COLUMN platform.thing.org_id IS '@pii(class: NONE) A tenant.';
        COMMENT ON COLUMN platform.thing.user_id IS '@pii(class: SUBJECT) A person.'";
    let expected = ["platform_column platform.thing.org_id", "platform_column platform.thing.user_id"];
    assert_eq!(found_after(sql).await?, expected);
    Ok(())
}

#[tokio::test]
async fn grant_on_a_partition_is_found() -> anyhow::Result<()> {
    let sql = "CREATE TABLE platform.thing (id uuid PRIMARY KEY) PARTITION BY HASH (id);
        COMMENT ON TABLE platform.thing IS 'class: platform. A thing.';
        COMMENT ON COLUMN platform.thing.id IS '@pii(class: NONE) Its id.';
        CREATE TABLE platform.thing_0 PARTITION OF platform.thing FOR VALUES WITH (MODULUS 1, REMAINDER 0);
        GRANT SELECT ON platform.thing TO pulse_app;
        GRANT SELECT ON platform.thing_0 TO pulse_app;";
    assert_eq!(found_after(sql).await?, ["partition_grant platform.thing_0"]);
    Ok(())
}

#[tokio::test]
async fn grant_to_everybody_is_found() -> anyhow::Result<()> {
    let grant = "GRANT SELECT ON entities.thing TO PUBLIC";
    assert_eq!(found_after(&format!("{TENANT_TABLE}{grant}")).await?, ["public_grant entities.thing"]);
    Ok(())
}

#[tokio::test]
async fn materialized_view_and_view_with_its_owners_rights_are_found() -> anyhow::Result<()> {
    let sql = "CREATE MATERIALIZED VIEW entities.counted AS SELECT 1 AS one;
        CREATE VIEW entities.seen AS SELECT 1 AS one;";
    assert_eq!(found_after(sql).await?, ["materialized_view entities.counted", "view_rights entities.seen"]);
    Ok(())
}

#[tokio::test]
async fn definer_function_must_be_listed_and_have_its_own_search_path() -> anyhow::Result<()> {
    let bare = format!("{DEFINER} AS 'SELECT 1'");
    let expected = ["definer_search_path accounts.peek(text)", "definer_unlisted accounts.peek(text)"];
    assert_eq!(found_after(&bare).await?, expected);
    let with_path = format!("{DEFINER} SET search_path = pg_catalog AS 'SELECT 1'");
    assert_eq!(found_after(&with_path).await?, ["definer_unlisted accounts.peek(text)"]);
    Ok(())
}

#[tokio::test]
async fn definer_function_that_everybody_may_call_is_found() -> anyhow::Result<()> {
    let sql = format!(
        "{DEFINER} SET search_path = pg_catalog AS 'SELECT 1'; GRANT EXECUTE ON FUNCTION accounts.peek TO PUBLIC"
    );
    let expected = ["definer_public accounts.peek(text)", "definer_unlisted accounts.peek(text)"];
    assert_eq!(found_after(&sql).await?, expected);
    Ok(())
}

#[tokio::test]
async fn foreign_key_into_another_schema_is_found() -> anyhow::Result<()> {
    let sql = "CREATE TABLE accounts.parent (id uuid PRIMARY KEY);
        COMMENT ON TABLE accounts.parent IS 'class: platform. A parent.';
        COMMENT ON COLUMN accounts.parent.id IS '@pii(class: NONE) Its id.';
        CREATE TABLE entities.child (id uuid PRIMARY KEY REFERENCES accounts.parent);
        COMMENT ON TABLE entities.child IS 'class: platform. A child.';
        COMMENT ON COLUMN entities.child.id IS '@pii(class: NONE) Its id.'";
    assert_eq!(found_after(sql).await?, ["foreign_key entities.child"]);
    Ok(())
}

#[tokio::test]
async fn table_of_another_owner_is_found() -> anyhow::Result<()> {
    let sql = format!("{TENANT_TABLE} RESET ROLE; ALTER TABLE entities.thing OWNER TO CURRENT_USER");
    assert_eq!(found_after(&sql).await?, ["table_owner entities.thing"]);
    Ok(())
}

#[tokio::test]
async fn listed_function_that_is_not_there_is_found() -> anyhow::Result<()> {
    let sql = "DROP FUNCTION platform.ensure_log_partitions(bigint)";
    assert_eq!(found_after(sql).await?, ["definer_missing platform.ensure_log_partitions(bigint)"]);
    Ok(())
}

#[tokio::test]
async fn role_that_may_do_more_than_it_should_is_found() -> anyhow::Result<()> {
    let sql = "RESET ROLE; ALTER ROLE pulse_app BYPASSRLS; ALTER ROLE pulse_readonly LOGIN";
    assert_eq!(found_after(sql).await?, ["role pulse_app", "role pulse_readonly"]);
    Ok(())
}
