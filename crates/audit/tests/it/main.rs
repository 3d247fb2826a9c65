//! Chains on a real database.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod stage;
mod tampering;
mod walls;

use pulse_audit::{Fault, Progress, Report, Resigned, resign, verify};

use self::stage::{Stage, key, sealer};

#[tokio::test]
async fn facts_of_every_tenant_and_of_nobody_are_chained_in_the_order_of_the_log() {
    let stage = Stage::new().await;
    let other = stage.another_org();
    for _ in 0..3 {
        stage.act(Some(stage.org), "thing:write").await;
        stage.act(Some(other), "thing:write").await;
        stage.act(None, "session:create").await;
    }
    stage.chain().await;
    let mut said = Vec::new();
    let report = verify(&stage.store, &stage.sealer, None, |progress| said.push(progress)).await.unwrap();
    assert_eq!(report, Report { chains: 3, links: 9, ..Report::default() });
    assert_eq!(said.last(), Some(&Progress { links: 9, of: 9 }));
    let report = verify(&stage.store, &stage.sealer, Some(other), |_| {}).await.unwrap();
    assert_eq!(report, Report { chains: 1, links: 3, ..Report::default() });
}

#[tokio::test]
async fn a_chain_goes_on_after_another_process_has_taken_it_over() {
    let stage = Stage::new().await;
    for _ in 0..3 {
        stage.act(Some(stage.org), "thing:write").await;
        stage.chain().await;
    }
    assert_eq!(stage.verified().await, Report { chains: 2, links: 3, ..Report::default() });
}

#[tokio::test]
async fn erasing_a_person_leaves_the_chain_whole() {
    let stage = Stage::new().await;
    for _ in 0..3 {
        stage.act(Some(stage.org), "thing:write").await;
    }
    stage.chain().await;
    stage.change("UPDATE platform.audit SET actor = NULL, address = NULL, salt = NULL WHERE id = @2").await;
    let erased = Report { chains: 2, links: 3, erased: 1, ..Report::default() };
    assert_eq!(stage.verified().await, erased);
    // What is not personal is proven as before.
    stage.change("UPDATE platform.audit SET action = 'thing:read' WHERE id = @2").await;
    assert_eq!(stage.fault().await, Some((Some(2), Fault::Changed)));
}

#[tokio::test]
async fn facts_from_before_there_were_chains_are_counted_and_not_believed() {
    let stage = Stage::new().await;
    stage.act(Some(stage.org), "thing:write").await;
    stage.change("UPDATE platform.audit SET salt = NULL, sealed = NULL").await;
    stage.chain().await;
    stage.act(Some(stage.org), "thing:write").await;
    stage.chain().await;
    assert_eq!(stage.verified().await, Report { chains: 2, links: 1, older: 1, ..Report::default() });
    stage.change("UPDATE platform.audit SET at = at + interval '1 hour' WHERE sealed IS NULL").await;
    assert_eq!(stage.fault().await, Some((None, Fault::Undigested)));
}

#[tokio::test]
async fn an_address_is_audited_as_the_store_keeps_it() {
    let stage = Stage::new().await;
    stage.act(Some(stage.org), "thing:write").await;
    assert_eq!(stage.addresses().await, [Some("192.0.2.7".to_owned())]);
}

#[tokio::test]
async fn ends_are_signed_anew_and_the_key_of_before_can_go() {
    let stage = Stage::new().await;
    stage.act(Some(stage.org), "thing:write").await;
    stage.chain().await;
    let (both, without) = (sealer('C', &[key('B')]), sealer('C', &[]));
    // An end that no key of ours has signed is not made ours.
    assert_eq!(resign(&stage.store, &without).await.unwrap(), Resigned { signed: 0, failed: 1 });
    assert_eq!(resign(&stage.store, &both).await.unwrap(), Resigned { signed: 1, failed: 0 });
    assert_eq!(resign(&stage.store, &both).await.unwrap(), Resigned::default());
    let report = verify(&stage.store, &without, None, |_| {}).await.unwrap();
    assert_eq!(report.broken, None);
}
