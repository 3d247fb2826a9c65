//! Whether a password would soon be guessed.

use zxcvbn::{Score, zxcvbn};

use super::{EmailAddress, InvalidPassword};

/// Of a password, so many characters are judged: judging costs more the longer it is, and so many are enough.
const JUDGED: usize = 64;

/// Shorter parts of names and addresses are in too many words.
const PART: usize = 5;

/// Refuses what is guessed early (fewer than 10⁸ guesses: words of published lists of leaked passwords and of dictionaries,
/// names, dates, keyboard patterns, repetitions, and what is made of them), and what contains the person's own name or address.
pub(super) fn check(password: &str, (email, name): (&EmailAddress, &str)) -> Result<(), InvalidPassword> {
    let lower = password.to_lowercase();
    let own = own_parts(email, name);
    if own.iter().any(|part| lower.contains(part.as_str())) {
        return Err(InvalidPassword::Own);
    }
    let judged: String = password.chars().take(JUDGED).collect();
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    if zxcvbn(&judged, &own).score() < Score::Three { Err(InvalidPassword::Guessable) } else { Ok(()) }
}

/// What of a person's name and address stands for the person, in lower case.
fn own_parts(email: &EmailAddress, name: &str) -> Vec<String> {
    let email = email.as_str();
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    let words = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect()
    };
    // The domain's name, without the registry's: nobody owns `com`.
    let host = domain.split('.').next().unwrap_or_default();
    let mut parts = vec![email.to_owned(), local.to_owned(), name.to_lowercase(), host.to_owned()];
    parts.extend(words(local));
    parts.extend(words(name));
    parts.retain(|part| part.chars().count() >= PART);
    parts.sort_unstable();
    parts.dedup();
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(password: &str) -> Result<(), InvalidPassword> {
        let email = EmailAddress::try_new("someone.known@lovelace.org").unwrap();
        check(password, (&email, "Ada Byron"))
    }

    #[test]
    fn what_lists_patterns_and_repetitions_make_is_refused() {
        for guessable in [
            "Password1234",
            "passwordpassword",
            "p@ssw0rd1234",
            "qwertyuiop123",
            "1q2w3e4r5t6y",
            "123456789012",
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "iloveyou1234",
            "letmeinletmein",
            "January2024!",
        ] {
            assert_eq!(checked(guessable), Err(InvalidPassword::Guessable), "{guessable}");
        }
    }

    #[test]
    fn what_says_who_one_is_is_refused() {
        for own in [
            "Someone.Known@lovelace.org",
            "tr0mbone-KNOWN-velvet",
            "the byron of the velvet moon",
            "velvet Lovelace trombone",
        ] {
            assert_eq!(checked(own), Err(InvalidPassword::Own), "{own}");
        }
    }

    #[test]
    fn what_nobody_guesses_is_accepted_whatever_it_is_made_of() {
        for good in [
            "pulse demo password",
            "a password for these tests",
            "correct battery staple",
            "пароль-пароль",
            "only lower case",
            "9f8a7xq2mzk1",
            &"ü!x9 ".repeat(25),
        ] {
            assert_eq!(checked(good), Ok(()), "{good}");
        }
    }
}
