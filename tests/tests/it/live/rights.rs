//! Streams end when the rights do with which they began, within a moment and with a reason; others go on.

use pulse_tests::{Person, Stream, Transport};
use pulse_tokens::AccessClaims;
use pulse_types::{Permission, Permissions};
use serde_json::json;

use super::{Stage, ending};

const REVOKED: [&str; 3] = [
    "4403 your credential was revoked; sign in again",
    "UNAUTHENTICATED CREDENTIAL_REVOKED",
    "UNAUTHENTICATED CREDENTIAL_REVOKED",
];

const RIGHTS_CHANGED: [&str; 3] = [
    "4403 your rights in this organization have changed; connect again with a new credential",
    "UNAUTHENTICATED RIGHTS_CHANGED",
    "UNAUTHENTICATED RIGHTS_CHANGED",
];

/// A stream over each transport, each of which has begun.
async fn streams(stage: &Stage, cursor: &str, person: &Person) -> Vec<Stream> {
    let mut streams = Vec::new();
    for transport in Transport::ALL {
        let mut stream = stage.follow(transport, &person.token, json!({ "after": cursor })).await;
        stream.data().await;
        streams.push(stream);
    }
    streams
}

/// Does something to the person, and sees that their streams end so, and that the token is no good any more, while the
/// owner's goes on.
async fn end(stage: &Stage, person: &Person, (token, mutation): (&str, &str), expected: [&str; 3]) {
    let cursor = stage.cursor().await;
    stage.package("seen", &format!("by {}", stage.platform.store.clock().now())).await;
    let mut theirs = streams(stage, &cursor, person).await;
    let mut owners = streams(stage, &cursor, &stage.alpha.owner).await;
    stage.platform.data(token, mutation, json!({ "id": person.id })).await;
    for (stream, expected) in theirs.iter_mut().zip(expected) {
        assert_eq!(ending(stream).await, expected);
    }
    let answer = stage.platform.graphql(Some(&person.token), "{ entities { totalCount } }", json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (401, Some("UNAUTHENTICATED")), "{answer:?}");
    let id = stage.package("after", &format!("it {}", stage.platform.store.clock().now())).await;
    for stream in &mut owners {
        assert_eq!(stream.data().await["entityChanged"]["id"], id.as_str());
    }
}

#[tokio::test]
async fn streams_end_with_their_session() {
    let stage = Stage::new().await;
    let member = &stage.alpha.member;
    end(&stage, member, (&member.token, "mutation { signOut { __typename } }"), REVOKED).await;
}

#[tokio::test]
async fn streams_end_with_the_membership() {
    let stage = Stage::new().await;
    let remove = "mutation ($id: ID!) { removeMember(input: { userId: $id }) { userId } }";
    end(&stage, &stage.alpha.member, (&stage.alpha.owner.token, remove), RIGHTS_CHANGED).await;
}

#[tokio::test]
async fn streams_end_with_the_role_and_begin_again_with_what_is_left() {
    let stage = Stage::new().await;
    let lower =
        "mutation ($id: ID!) { changeMemberRole(input: { userId: $id, role: VIEWER }) { __typename } }";
    end(&stage, &stage.alpha.admin, (&stage.alpha.owner.token, lower), RIGHTS_CHANGED).await;
    let cursor = stage.cursor().await;
    let Stage { platform, alpha, .. } = &stage;
    let person = Person { id: String::new(), email: alpha.admin.email.clone(), token: String::new() };
    let person = person.sign_in(platform, "alpha").await;
    stage.package("seen", "with what is left").await;
    streams(&stage, &cursor, &person).await;
}

#[tokio::test]
async fn a_role_with_more_rights_ends_nothing() {
    let stage = Stage::new().await;
    let cursor = stage.cursor().await;
    stage.package("seen", "before").await;
    let viewer = &stage.alpha.viewer;
    let mut theirs = streams(&stage, &cursor, viewer).await;
    let raise =
        "mutation ($id: ID!) { changeMemberRole(input: { userId: $id, role: MEMBER }) { __typename } }";
    stage.platform.data(&stage.alpha.owner.token, raise, json!({ "id": viewer.id })).await;
    let id = stage.package("after", "it").await;
    for stream in &mut theirs {
        assert_eq!(stream.data().await["entityChanged"]["id"], id.as_str());
    }
}

// Dropping the database waits for connections that the second process has just begun, which need a thread to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ended_before_a_process_began_is_no_good_there_either() {
    let stage = Stage::new().await;
    let member = &stage.alpha.member;
    stage.platform.data(&member.token, "mutation { signOut { __typename } }", json!({})).await;
    // The log has it once somebody has heard of what came later.
    stage.cursor().await;
    let other = stage.platform.another().await;
    let answer = other.graphql(Some(&member.token), "{ entities { totalCount } }", json!({})).await;
    assert_eq!(answer.code(), Some("UNAUTHENTICATED"), "{answer:?}");
}

#[tokio::test]
async fn who_may_not_read_hears_nothing() {
    let stage = Stage::new().await;
    let now = stage.platform.store.clock().now();
    let permissions: Permissions = [Permission::MEMBER_READ].into_iter().collect();
    let org = stage.alpha.id.parse().unwrap();
    let (user, session) = (pulse_types::UserId::new(now), pulse_types::SessionId::new(now));
    let claims = AccessClaims::new(user, session, Some((org, &permissions)), now);
    let token = stage.platform.tokens.sign(&claims).unwrap().unwrap();
    for transport in Transport::ALL {
        let mut stream = stage.follow(transport, &token, json!({})).await;
        assert_eq!(ending(&mut stream).await, "FORBIDDEN -");
    }
}
