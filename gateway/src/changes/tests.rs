use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::DateTime;
use futures::StreamExt;
use futures::stream;
use pulse_cache::Index;
use pulse_types::{Change, ChangeKind, OrgId, Tag, Tagged};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Changes, Reads, Watcher, Why, add_answer};
use crate::ports::{Heard, SubgraphResponse};

fn org(number: u128) -> Option<OrgId> {
    (number > 0).then(|| OrgId::from_uuid(Uuid::from_u128(number)))
}

fn change(tenant: Option<OrgId>, key: u128, attributes: &Value, before: &Value) -> Change {
    let object = |value: &Value| value.as_object().cloned().unwrap_or_else(Map::new);
    Change {
        position: 1,
        tenant,
        kind: ChangeKind::Updated,
        subject: "a.thing".into(),
        key: Uuid::from_u128(key),
        version: 1,
        changed: Vec::new(),
        attributes: object(attributes),
        before: object(before),
        actor: None,
        request: None,
        at: DateTime::UNIX_EPOCH,
        facts: vec![],
    }
}

fn reads(tags: &[&str]) -> Arc<Reads> {
    let mut reads = Reads::new(100);
    for tag in tags {
        reads.add(tag.parse().unwrap());
    }
    Arc::new(reads)
}

fn answered(extensions: &Value) -> Reads {
    let extensions = crate::value::Value::from(extensions);
    let mut reads = Reads::new(3);
    add_answer(&mut reads, &"s".into(), &SubgraphResponse { extensions, ..SubgraphResponse::default() });
    reads
}

/// Some value of an attribute, as changes have them.
fn attribute(random: &mut StdRng) -> Value {
    match random.random_range(0..6) {
        0 => Value::Null,
        1 => json!(["x", "y"]),
        2 => json!(true),
        3 => json!(7),
        4 => json!("x"),
        _ => json!("y"),
    }
}

fn attributes(random: &mut StdRng) -> Value {
    let mut attributes = Map::new();
    for name in ["kind", "color"] {
        if random.random_bool(0.5) {
            attributes.insert(name.to_owned(), attribute(random));
        }
    }
    Value::Object(attributes)
}

#[test]
fn the_index_finds_what_looking_at_each_would_find() {
    let tags = [
        "a.thing",
        "a.thing?kind=x",
        "a.thing?kind=y&color=x",
        "a.thing?color=7",
        "a.thing?kind=true",
        "b.thing",
        "a.thing:00000000-0000-0000-0000-000000000001",
        "a.thing:00000000-0000-0000-0000-000000000002",
    ];
    let mut random = StdRng::seed_from_u64(4);
    let tenant = |random: &mut StdRng| org(random.random_range(0..4));
    let (mut index, mut all) = (Index::default(), Vec::new());
    for id in 0..200 {
        let chosen: Vec<_> = tags.iter().copied().filter(|_| random.random_bool(0.2)).collect();
        let mut reads = Reads::clone(&reads(&chosen));
        if random.random_bool(0.05) {
            reads.add_missing();
        }
        let (tenant, reads) = (tenant(&mut random), Arc::new(reads));
        index.insert(id, tenant, Arc::clone(&reads));
        all.push((id, tenant, reads));
    }
    for round in 0..400 {
        let (now, before) = (attributes(&mut random), attributes(&mut random));
        let change = change(tenant(&mut random), random.random_range(1..4), &now, &before);
        let concerned = all.iter().filter(|(_, tenant, reads)| reads.concern(*tenant, &change));
        let expected: Vec<_> = concerned.map(|(id, ..)| *id).collect();
        assert_eq!(index.concerned(&change), expected, "{change:?}");
        if round % 2 == 0 {
            let (id, ..) = all.swap_remove(random.random_range(0..all.len()));
            index.remove(id);
            all.sort_by_key(|(id, ..)| *id);
        }
    }
    assert!(index.is_empty(), "nothing is left of what was removed");
}

#[test]
fn a_list_is_that_of_a_tenant_and_a_row_is_one() {
    let list = reads(&["a.thing?kind=x"]);
    let now = json!({ "kind": "x" });
    assert!(list.concern(org(1), &change(org(1), 1, &now, &Value::Null)));
    assert!(!list.concern(org(1), &change(org(2), 1, &now, &Value::Null)));
    assert!(list.concern(org(1), &change(None, 1, &now, &Value::Null)));
    assert!(list.concern(None, &change(org(2), 1, &now, &Value::Null)));
    let row = reads(&["a.thing:00000000-0000-0000-0000-000000000001"]);
    assert!(row.concern(org(1), &change(org(2), 1, &Value::Null, &Value::Null)));
}

#[test]
fn of_too_many_tags_only_the_subjects_are_kept() {
    let mut reads = answered(&json!({ "tags": ["a.thing?kind=x", "a.thing?kind=y", "b.thing?kind=x"] }));
    assert_eq!(reads.len(), 3);
    reads.add("a.thing?kind=z".parse().unwrap());
    let mut tags: Vec<_> = reads.tags().collect();
    tags.sort();
    assert_eq!(tags, [Tag::list("a.thing"), Tag::list("b.thing")]);
    for subject in ["c.thing", "d.thing"] {
        let everything = Tagged::Where(std::collections::BTreeMap::new());
        reads.add(Tag { subject: subject.into(), of: everything });
    }
    assert!(reads.is_partial() && reads.tags().next().is_none(), "{reads:?}");
}

#[test]
fn who_does_not_say_what_it_reads_is_named() {
    for extensions in
        [json!(null), json!({ "tags": "a.thing" }), json!({ "tags": ["no tag"] }), json!({ "tags": [7] })]
    {
        assert_eq!(answered(&extensions).untracked(), [Arc::<str>::from("s")]);
    }
    assert!(answered(&json!({ "tags": [] })).untracked().is_empty());
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Watcher for Count {
    fn concerned(&self, _: Why) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn whoever_begins_to_watch_late_is_told_what_came_since() {
    let changes = Arc::<Changes>::default();
    let told = |key| Heard::Change(Arc::new(change(org(1), key, &Value::Null, &Value::Null)));
    let row = || (org(1), reads(&["a.thing:00000000-0000-0000-0000-000000000001"]));
    let feed = |heard: Vec<Heard>| stream::iter(heard).chain(stream::pending()).boxed();
    let hear = async |heard: Vec<Heard>| {
        let count = heard.len();
        let following = Arc::clone(&changes).follow(feed(heard));
        let mut following = Box::pin(following);
        assert!(futures::poll!(&mut following).is_pending(), "all {count} are taken in");
    };
    let count = Arc::<Count>::default();
    let begin = changes.position();
    hear(vec![told(2)]).await;
    let watch = changes.watch(begin, row(), Arc::clone(&count) as Arc<dyn Watcher>).unwrap();
    hear(vec![told(1), told(2)]).await;
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
    let late = |since| changes.watch(since, row(), Arc::clone(&count) as Arc<dyn Watcher>).err();
    assert_eq!(late(begin), Some(Why::Changed));
    assert_eq!(late(changes.position()), None);
    hear(vec![Heard::Gap]).await;
    assert_eq!(count.0.load(Ordering::SeqCst), 2);
    assert_eq!(late(begin), Some(Why::Gap));
    drop(watch);
    hear(vec![told(1)]).await;
    assert_eq!(count.0.load(Ordering::SeqCst), 2);
    Arc::clone(&changes).follow(stream::empty().boxed()).await;
    assert_eq!(late(changes.position()), Some(Why::Deaf));
}

/// Sees whether what is kept was told before it.
struct Reader(Arc<AtomicUsize>);

impl Watcher for Reader {
    fn concerned(&self, _: Why) {
        let over = self.0.load(Ordering::SeqCst);
        assert!(over > 0 && over.is_multiple_of(20), "something that is kept is not over yet: {over}");
    }
}

/// Counts what is over.
struct Kept(Arc<AtomicUsize>);

impl Watcher for Kept {
    fn concerned(&self, _: Why) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn is_first(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn what_is_kept_is_over_before_anybody_is_told_to_read_again() {
    for heard in [Heard::Change(Arc::new(change(org(1), 1, &json!({}), &json!({})))), Heard::Gap] {
        let changes = Arc::<Changes>::default();
        let tag = format!("a.thing:{}", Uuid::from_u128(1));
        let over = Arc::<AtomicUsize>::default();
        let mut watches = Vec::new();
        for _ in 0..20 {
            let both: [Arc<dyn Watcher>; 2] =
                [Arc::new(Reader(Arc::clone(&over))), Arc::new(Kept(Arc::clone(&over)))];
            for watcher in both {
                watches.push(changes.watch(changes.position(), (org(1), reads(&[&tag])), watcher).unwrap());
            }
        }
        Arc::clone(&changes).follow(stream::iter([heard]).boxed()).await;
        // The end of the feed is told of, too.
        assert_eq!(over.load(Ordering::SeqCst), 40);
    }
}
