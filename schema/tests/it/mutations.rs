//! Whatever a subgraph publishes, composition answers: it neither panics nor hands the planner
//! what it cannot load.

use std::panic::catch_unwind;

use pulse_schema::{ApiSchema, Code, ContractFilter, SubgraphSdl, compose, contract, diff};

use crate::cases::{folders, subgraphs};

/// How often, unless `PULSE_SOAK_ROUNDS` says otherwise.
const ROUNDS: usize = 3_000;
/// Where the randomness begins, unless `PULSE_SOAK_SEED` says otherwise.
const SEED: u64 = 0x5eed;

/// xorshift64*: enough to choose places, and the same on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(bits).unwrap() % limit.max(1)
    }
}

/// Words, and everything between them character by character.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for c in text.chars() {
        match tokens.last_mut() {
            Some(last) if is_word(c) && last.ends_with(is_word) => last.push(c),
            _ => tokens.push(c.to_string()),
        }
    }
    tokens
}

fn mutate(text: &str, foreign: &[String], random: &mut Random) -> String {
    const ODD: [&str; 12] = [
        "\"",
        "\"\"\"",
        "\\",
        "é",
        "\u{0}",
        "{",
        "[[[[",
        "}",
        "!",
        "1e999",
        "@key(fields: \"id\")",
        "-9223372036854775809",
    ];
    let mut tokens = tokens(text);
    for _ in 0..=random.below(3) {
        let at = random.below(tokens.len());
        let other = random.below(tokens.len());
        match random.below(7) {
            0 => drop(tokens.remove(at)),
            1 => tokens.insert(at, tokens[other].clone()),
            2 => tokens.swap(at, other),
            3 => tokens[at].clone_from(&foreign[random.below(foreign.len())]),
            4 => tokens.insert(at, ODD[random.below(ODD.len())].to_owned()),
            5 => drop(tokens.drain(at.min(other)..at.max(other).min(at.min(other) + 8))),
            // A word for a word keeps the most of the grammar.
            _ => tokens = swap_words(tokens, random),
        }
        if tokens.is_empty() {
            break;
        }
    }
    tokens.concat()
}

fn swap_words(mut tokens: Vec<String>, random: &mut Random) -> Vec<String> {
    let is_word = |token: &String| token.starts_with(char::is_alphabetic);
    let words: Vec<_> = (0..tokens.len()).filter(|at| is_word(&tokens[*at])).collect();
    if !words.is_empty() {
        let word = tokens[words[random.below(words.len())]].clone();
        tokens[words[random.below(words.len())]] = word;
    }
    tokens
}

fn number(name: &str, otherwise: u64) -> u64 {
    let Some(value) = std::env::var_os(name) else { return otherwise };
    value.to_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{name} is a number"))
}

/// What is made of a supergraph must not panic either.
fn follow(supergraph: &str, round: usize) {
    let filter = ContractFilter { hide_unreachable: true, ..ContractFilter::default() };
    let contract = contract(supergraph, &filter).unwrap();
    let read = |sdl| ApiSchema::read(sdl).unwrap_or_else(|errors| panic!("round {round}: {errors:?}\n{sdl}"));
    let (whole, part) = (read(supergraph), read(&contract));
    assert!(diff(&whole, &whole).is_empty(), "round {round}");
    diff(&whole, &part);
}

#[test]
fn mutated_subgraphs_never_panic() {
    let cases: Vec<Vec<SubgraphSdl>> = folders().iter().map(|folder| subgraphs(folder)).collect();
    let foreign: Vec<String> = cases.iter().flatten().flat_map(|subgraph| tokens(&subgraph.sdl)).collect();
    let (seed, rounds) = (number("PULSE_SOAK_SEED", SEED), number("PULSE_SOAK_ROUNDS", ROUNDS as u64));
    let rounds = usize::try_from(rounds).unwrap();
    println!("seed {seed}, {rounds} rounds");
    // xorshift stands still at zero.
    let mut random = Random(seed.max(1));
    let mut composed = 0;
    for round in 0..rounds {
        let mut subgraphs = cases[round % cases.len()].clone();
        let victim = random.below(subgraphs.len());
        subgraphs[victim].sdl = mutate(&subgraphs[victim].sdl, &foreign, &mut random);
        let outcome = catch_unwind(|| compose(&subgraphs));
        let Ok(outcome) = outcome else { panic!("seed {seed}, round {round} panics: {subgraphs:#?}") };
        match outcome {
            Ok(composition) => {
                composed += 1;
                follow(&composition.supergraph, round);
            }
            Err(errors) => {
                let internal = errors.iter().find(|error| error.code == Code::InternalError);
                assert!(internal.is_none(), "seed {seed}, round {round}: {internal:?}\n{subgraphs:#?}");
            }
        }
    }
    // Otherwise the mutations are so wild that they only ever test the parser.
    println!("{composed} of {rounds} mutants compose");
    assert!(composed >= rounds / 50, "only {composed} of {rounds} mutants compose");
}

#[test]
fn deep_nesting_is_refused_without_recursion() {
    let deep = "[".repeat(100_000);
    for sdl in [
        format!("type Query {{ a: {deep}Int }}"),
        format!("type Query {{ a(x: [Int] = {deep}): Int }}"),
        format!("type Query @key(fields: \"a {}\") {{ a: Int }}", "{ a ".repeat(100_000)),
        format!("type Query {{ a(x: String = \"{deep}\"): Int }}"),
        deep.clone(),
    ] {
        let subgraph = SubgraphSdl { name: "deep".to_owned(), url: None, sdl };
        let outcome = compose(&[subgraph]);
        assert!(outcome.is_ok() || outcome.is_err_and(|errors| !errors.is_empty()));
    }
}
