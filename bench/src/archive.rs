//! A package archive of a chosen size: the form and the shape of the real one, made from a seed.

use std::fmt::Write as _;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const SECTIONS: [&str; 6] = ["admin", "libs", "net", "utils", "devel", "doc"];
const WORDS: [&str; 12] = [
    "tool", "library", "server", "client", "common", "files", "fast", "small", "network", "data", "image",
    "runtime",
];
const RELATIONS: [&str; 3] = ["depends", "recommends", "suggests"];

/// The archive as JSON Lines: `entities` packages, then up to `relationships` of them, a few packages being the
/// targets of most.
pub(crate) fn lines(entities: u32, relationships: u32, seed: u64) -> impl Iterator<Item = String> {
    let mut random = StdRng::seed_from_u64(seed);
    let packages = (0..entities).map(package);
    let relations = (0..relationships).map(move |n| {
        let source = if n < entities { n } else { random.random_range(0..entities) };
        let share: f64 = random.random::<f64>().powi(3);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of entities")]
        let target = (share * f64::from(entities)) as u32;
        let relation = RELATIONS[random.random_range(0..RELATIONS.len())];
        format!(
            r#"{{"kind": "relationship", "type": "{relation}", "source": "package:p{source:06}", "target": "package:p{:06}"}}"#,
            target.min(entities - 1)
        )
    });
    packages.chain(relations)
}

fn package(n: u32) -> String {
    let word = |step: u32| WORDS[((n / step) % 12) as usize];
    let mut line = String::with_capacity(280);
    write!(
        line,
        r#"{{"kind": "entity", "key": "package:p{n:06}", "type": "package", "name": "p{n:06}", "description": "{} {} for {}", "properties": {{"section": "{}", "priority": "optional", "version": "{}.{}-1", "installedKiB": {}}}}}"#,
        word(1),
        word(12),
        word(144),
        SECTIONS[(n % 6) as usize],
        n % 9,
        n % 31,
        20 + n % 5000
    )
    .expect("writing to a String cannot fail");
    line
}
