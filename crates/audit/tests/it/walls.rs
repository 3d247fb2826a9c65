//! What is done stays done: nobody whom Pulse works as can change it.

use sqlx::Executor;

use crate::stage::Stage;

#[tokio::test]
async fn no_role_of_the_platform_changes_or_removes_what_was_audited() {
    let stage = Stage::new().await;
    stage.act(Some(stage.org), "thing:write").await;
    stage.chain().await;
    let mut connection = stage.database.connect().await.unwrap();
    for (role, statement) in [
        ("pulse_app", "UPDATE platform.audit SET action = 'x'"),
        ("pulse_app", "DELETE FROM platform.audit"),
        ("pulse_app", "INSERT INTO platform.audit_chain SELECT * FROM platform.audit_chain"),
        ("pulse_app", "UPDATE platform.audit_chain SET nth = nth"),
        ("pulse_app", "DELETE FROM platform.audit_chain"),
        ("pulse_app", "UPDATE platform.audit_heads SET nth = nth"),
        ("pulse_system", "UPDATE platform.audit SET action = 'x'"),
        ("pulse_system", "DELETE FROM platform.audit"),
        ("pulse_system", "UPDATE platform.audit_chain SET nth = nth"),
        ("pulse_system", "DELETE FROM platform.audit_chain"),
        ("pulse_system", "DELETE FROM platform.audit_heads"),
        ("pulse_maintenance", "DELETE FROM platform.audit"),
        ("pulse_privacy", "DELETE FROM platform.audit"),
        ("pulse_privacy", "UPDATE platform.audit SET action = 'x'"),
        ("pulse_privacy", "UPDATE platform.audit SET sealed = NULL"),
        ("pulse_privacy", "UPDATE platform.audit_chain SET nth = nth"),
        ("pulse_readonly", "DELETE FROM platform.audit"),
        ("pulse_lookup", "DELETE FROM platform.audit"),
    ] {
        let mut attempt = sqlx::Connection::begin(&mut connection).await.unwrap();
        attempt.execute(sqlx::AssertSqlSafe(format!("SET LOCAL ROLE {role}"))).await.unwrap();
        let setting = format!("SET LOCAL pulse.org_id = '{}'", stage.org);
        attempt.execute(sqlx::AssertSqlSafe(setting)).await.unwrap();
        let refused = attempt.execute(statement).await.unwrap_err();
        let code = refused
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .map(std::borrow::Cow::into_owned);
        assert_eq!(code.as_deref(), Some("42501"), "{role}: {statement}: {refused}");
    }
}
