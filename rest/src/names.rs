//! Names of the schema as names of REST.

/// `entityTypes` and `EntityTypes` become `entity-types`.
pub(crate) fn kebab(name: &str) -> String {
    words(name).join("-")
}

/// The words of a name in camel case, in small letters.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_upper_before = true;
    for letter in name.chars() {
        let is_upper = letter.is_ascii_uppercase();
        match words.last_mut() {
            Some(word) if letter != '_' && (!is_upper || is_upper_before) => {
                word.push(letter.to_ascii_lowercase());
            }
            _ if letter == '_' => words.push(String::new()),
            _ => words.push(letter.to_ascii_lowercase().to_string()),
        }
        is_upper_before = is_upper;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The English plural of a word, as the names of the API's lists are made.
pub(crate) fn plural(word: &str) -> String {
    let ends = |endings: &[&str]| endings.iter().any(|ending| word.ends_with(ending));
    if let Some(stem) = word.strip_suffix('y')
        && !ends(&["ay", "ey", "oy", "uy"])
    {
        return format!("{stem}ies");
    }
    let ending = if ends(&["s", "x", "ch", "sh"]) { "es" } else { "s" };
    format!("{word}{ending}")
}

/// `CREATED_AT` becomes `createdAt`.
pub(crate) fn camel_of_constant(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (index, word) in name.split('_').enumerate() {
        let word = word.to_ascii_lowercase();
        if index == 0 {
            out.push_str(&word);
        } else {
            out.push_str(&upper_first(&word));
        }
    }
    out
}

/// The name, beginning with a capital.
pub(crate) fn upper_first(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map_or_else(String::new, |first| format!("{}{}", first.to_ascii_uppercase(), letters.as_str()))
}

/// The name, beginning with a small letter.
pub(crate) fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters
        .next()
        .map_or_else(String::new, |first| format!("{}{}", first.to_ascii_lowercase(), letters.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_at_capitals() {
        for (name, expected) in [
            ("entityTypes", "entity-types"),
            ("EntityType", "entity-type"),
            ("me", "me"),
            ("apiKeys", "api-keys"),
            ("snake_case", "snake-case"),
        ] {
            assert_eq!(kebab(name), expected);
        }
    }

    #[test]
    fn plurals_are_those_of_lists() {
        for (word, expected) in [
            ("entity", "entities"),
            ("api-key", "api-keys"),
            ("webhook", "webhooks"),
            ("branch", "branches"),
            ("class", "classes"),
        ] {
            assert_eq!(plural(word), expected);
        }
    }

    #[test]
    fn constants_become_fields() {
        assert_eq!(camel_of_constant("CREATED_AT"), "createdAt");
        assert_eq!(camel_of_constant("NAME"), "name");
    }
}
