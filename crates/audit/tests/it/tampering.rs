//! Who can change rows is found out.

use pulse_audit::{Fault, Report};
use pulse_events::Step;

use crate::stage::{Stage, key, sealer};

/// A chain of four facts.
async fn four() -> Stage {
    let stage = Stage::new().await;
    for action in ["thing:make", "thing:write", "thing:read", "thing:delete"] {
        stage.act(Some(stage.org), action).await;
    }
    stage.chain().await;
    assert_eq!(stage.verified().await, Report { chains: 2, links: 4, ..Report::default() });
    stage
}

#[tokio::test]
async fn a_changed_fact_is_found_wherever_it_is() {
    for (nth, change) in [
        (1, "action = 'thing:other'"),
        (2, "at = at + interval '1 microsecond'"),
        (3, "version = NULL"),
        (4, "request = gen_random_uuid()"),
    ] {
        let stage = four().await;
        stage.change(&format!("UPDATE platform.audit SET {change} WHERE id = @{nth}")).await;
        assert_eq!(stage.fault().await, Some((Some(nth), Fault::Changed)), "{change}");
    }
    for change in
        ["actor = gen_random_uuid()", "actor = NULL", "address = '192.0.2.8'", "key = gen_random_uuid()"]
    {
        let stage = four().await;
        stage.change(&format!("UPDATE platform.audit SET {change} WHERE id = @4")).await;
        assert_eq!(stage.fault().await, Some((Some(4), Fault::PersonChanged)), "{change}");
    }
}

#[tokio::test]
async fn a_removed_fact_is_found_wherever_it_is() {
    for nth in 1..=4 {
        let stage = four().await;
        stage.change(&format!("DELETE FROM platform.audit WHERE id = @{nth}")).await;
        assert_eq!(stage.fault().await, Some((Some(nth), Fault::FactRemoved)));
    }
}

#[tokio::test]
async fn a_fact_that_is_removed_with_its_link_is_found() {
    let remove = |nth| {
        format!(
            "WITH fact AS (DELETE FROM platform.audit WHERE id = @{nth})
         DELETE FROM platform.audit_chain WHERE tenant = @org AND nth = {nth}"
        )
    };
    let stage = four().await;
    stage.change(&remove(2)).await;
    assert_eq!(stage.fault().await, Some((Some(2), Fault::LinkRemoved)));
    // The last ones, and the number of links with them.
    let stage = four().await;
    stage.change(&remove(4)).await;
    assert_eq!(stage.fault().await, Some((Some(4), Fault::EndChanged)));
    stage
        .change(
            "UPDATE platform.audit_heads SET nth = 3,
                    link = (SELECT link FROM platform.audit_chain WHERE tenant = @org AND nth = 3) WHERE tenant = @org",
        )
        .await;
    assert_eq!(stage.fault().await, Some((Some(3), Fault::Unsigned)));
}

#[tokio::test]
async fn a_chain_that_is_removed_as_a_whole_is_missed() {
    let stage = four().await;
    stage.change("DELETE FROM platform.audit_heads").await;
    assert_eq!(stage.fault().await, Some((Some(4), Fault::EndChanged)));
    stage.change("DELETE FROM platform.audit_chain").await;
    stage.change("UPDATE platform.audit SET at = at - interval '1 day'").await;
    assert_eq!(stage.fault().await, Some((None, Fault::Unchained)));
}

#[tokio::test]
async fn facts_that_have_changed_places_are_found() {
    for (one, other) in [(1, 2), (3, 4)] {
        let stage = four().await;
        stage.change("DROP INDEX platform.audit_chain_fact").await;
        stage
            .change(&format!(
                "UPDATE platform.audit_chain SET fact = CASE WHEN nth = {one} THEN @{other} ELSE @{one} END
                  WHERE tenant = @org AND nth IN ({one}, {other})"
            ))
            .await;
        assert_eq!(stage.fault().await, Some((Some(one), Fault::Changed)));
    }
}

#[tokio::test]
async fn a_chain_that_was_made_anew_is_not_signed() {
    let stage = four().await;
    // With all rights on the database, and without the key: every link fits what was made of the facts.
    stage.change("UPDATE platform.audit SET action = 'thing:nothing'").await;
    stage
        .change(
            "DO $$ DECLARE made bytea := decode(repeat('00', 32), 'hex'); c record; BEGIN
                FOR c IN SELECT * FROM platform.audit_chain WHERE tenant = @org ORDER BY nth LOOP
                    SELECT sha256(made || platform.audit_digest(a)) INTO made FROM platform.audit a WHERE a.id = c.fact;
                    UPDATE platform.audit_chain SET link = made WHERE tenant = c.tenant AND nth = c.nth;
                END LOOP;
                UPDATE platform.audit_heads SET link = made WHERE tenant = @org;
             END $$",
        )
        .await;
    assert_eq!(stage.fault().await, Some((Some(4), Fault::Unsigned)));
}

#[tokio::test]
async fn an_end_that_no_key_of_ours_has_signed_is_not_extended() {
    let stage = four().await;
    stage.act(Some(stage.org), "thing:write").await;
    assert_eq!(stage.chain_with(&sealer('C', &[])).await, Step::DeadLettered);
    // A new key knows what the old one has signed.
    let stage = four().await;
    stage.act(Some(stage.org), "thing:write").await;
    assert_eq!(stage.chain_with(&sealer('C', &[key('B')])).await, Step::Idle);
}
