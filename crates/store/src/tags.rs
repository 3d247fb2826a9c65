//! What was read, for those who want to hear when it changes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pulse_types::{Tag, Tagged};

/// Beyond so many tags an answer is said to be made of all that its subjects have.
pub const MAX_TAGS: usize = 10_000;

/// Collects what the reads of a [`crate::Session`] were made of: each tag once, and of a subject of which everything
/// matters nothing else.
#[derive(Debug, Default)]
pub struct Tags(Mutex<Collected>);

#[derive(Debug, Default)]
struct Collected {
    tags: HashSet<Tag>,
    /// Subjects of which anything matters.
    whole: BTreeSet<Cow<'static, str>>,
    /// There were too many: only subjects are kept from here on.
    coarse: bool,
}

impl Tags {
    /// Adds some.
    pub fn add(&self, tags: impl IntoIterator<Item = Tag>) {
        let mut collected = self.lock();
        for tag in tags {
            collected.add(tag);
        }
    }

    /// What was collected, in order.
    pub fn collected(&self) -> Vec<Tag> {
        let collected = self.lock();
        let whole = collected.whole.iter().map(|subject| whole(subject.clone()));
        let mut tags: Vec<Tag> = collected.tags.iter().cloned().chain(whole).collect();
        drop(collected);
        tags.sort_unstable();
        tags
    }

    fn lock(&self) -> MutexGuard<'_, Collected> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collected {
    fn add(&mut self, tag: Tag) {
        if self.whole.contains(&tag.subject) {
            return;
        }
        let is_whole = matches!(&tag.of, Tagged::Where(attributes) if attributes.is_empty());
        if is_whole || self.coarse {
            self.tags.retain(|other| other.subject != tag.subject);
            self.whole.insert(tag.subject);
            return;
        }
        self.tags.insert(tag);
        if self.tags.len() > MAX_TAGS {
            self.coarse = true;
            self.whole.extend(self.tags.drain().map(|tag| tag.subject));
        }
    }
}

const fn whole(subject: Cow<'static, str>) -> Tag {
    Tag { subject, of: Tagged::Where(BTreeMap::new()) }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn rows(subject: &'static str, count: usize) -> impl Iterator<Item = Tag> {
        (0..count).map(move |n| Tag::row(subject, Uuid::from_u128(n as u128)))
    }

    #[test]
    fn a_tag_is_there_once() {
        let tags = Tags::default();
        tags.add(rows("a.b", 2).chain(rows("a.b", 3)));
        assert_eq!(tags.collected(), rows("a.b", 3).collect::<Vec<_>>());
    }

    #[test]
    fn of_a_whole_subject_nothing_else_is_kept() {
        let tags = Tags::default();
        tags.add(rows("a.b", 3).chain([Tag::list("a.b")]).chain(rows("a.b", 5)).chain(rows("a.c", 1)));
        let expected: Vec<_> = [Tag::list("a.b")].into_iter().chain(rows("a.c", 1)).collect();
        assert_eq!(tags.collected(), expected);
    }

    #[test]
    fn too_many_become_their_subjects() {
        let tags = Tags::default();
        tags.add(rows("a.b", MAX_TAGS - 1).chain(rows("a.c", 1)));
        assert_eq!(tags.collected().len(), MAX_TAGS);
        tags.add(rows("a.c", 2).chain(rows("a.d", 1)));
        assert_eq!(tags.collected(), ["a.b", "a.c", "a.d"].map(Tag::list));
    }
}
