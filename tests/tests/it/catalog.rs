//! The conventions that tenancy rests on, in the migrated database.

use pulse_migrations::catalog::violations;
use pulse_tests::{Graph, Tenant, TestPlatform};

#[tokio::test]
async fn every_table_and_column_is_declared_and_covered() {
    let platform = TestPlatform::start().await;
    // Collections and months bring partitions of their own.
    let tenant = Tenant::found(&platform, "alpha").await;
    Graph::fill(&platform, &tenant, 3, "alpha").await;
    let mut connection = platform.database.connect().await.unwrap();
    let found: Vec<_> = violations(&mut connection).await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(found, Vec::<String>::new());
}
