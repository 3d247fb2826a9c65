//! Which route a request is for.

use std::collections::BTreeMap;

use crate::mapping::Method;

/// How many parts a path may have; no route has as many.
const MAX_PARTS: usize = 16;

/// The routes by the parts of their paths. A text comes before a name.
#[derive(Debug, Default)]
pub(crate) struct Matcher {
    root: Place,
}

#[derive(Debug, Default)]
struct Place {
    texts: BTreeMap<String, Place>,
    named: Option<Box<Place>>,
    /// The routes here, and the names in their paths.
    routes: BTreeMap<Method, (usize, Vec<String>)>,
}

/// What a path and a method are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// This route, with the values of the names in its path.
    Route(usize, Vec<(String, String)>),
    /// A place that takes other methods.
    Other(Vec<Method>),
    /// No place.
    Nothing,
}

impl Matcher {
    /// Adds a route by its path.
    pub(crate) fn add(&mut self, method: Method, path: &str, route: usize) {
        let mut place = &mut self.root;
        let mut names = Vec::new();
        for part in path.split('/').skip(1) {
            if let Some(name) = part.strip_prefix('{') {
                names.push(name.trim_end_matches('}').to_owned());
                place = place.named.get_or_insert_default();
            } else {
                place = place.texts.entry(part.to_owned()).or_default();
            }
        }
        place.routes.insert(method, (route, names));
    }

    /// Finds the route of a path, whose parts are still encoded.
    pub(crate) fn find(&self, method: Option<Method>, path: &str) -> Found {
        let parts: Vec<&str> = path.split('/').skip(1).take(MAX_PARTS + 1).collect();
        if parts.len() > MAX_PARTS {
            return Found::Nothing;
        }
        let mut allowed = Vec::new();
        let mut values = Vec::new();
        match self.root.find(method, &parts, &mut values, &mut allowed) {
            Some((route, names)) => {
                Found::Route(*route, names.iter().cloned().zip(values.into_iter().map(decoded)).collect())
            }
            None if allowed.is_empty() => Found::Nothing,
            None => Found::Other(allowed),
        }
    }
}

impl Place {
    fn find<'m, 'p>(
        &'m self,
        method: Option<Method>,
        parts: &[&'p str],
        values: &mut Vec<&'p str>,
        allowed: &mut Vec<Method>,
    ) -> Option<&'m (usize, Vec<String>)> {
        let Some((part, rest)) = parts.split_first() else {
            let found = method.and_then(|method| self.routes.get(&method));
            if found.is_none() {
                allowed.extend(
                    self.routes
                        .keys()
                        .filter(|method| !allowed.contains(method))
                        .copied()
                        .collect::<Vec<_>>(),
                );
            }
            return found;
        };
        if let Some(found) = self.texts.get(*part).and_then(|place| place.find(method, rest, values, allowed))
        {
            return Some(found);
        }
        let named = self.named.as_ref().filter(|_| !part.is_empty())?;
        values.push(part);
        let found = named.find(method, rest, values, allowed);
        if found.is_none() {
            values.pop();
        }
        found
    }
}

/// A part of a path as it is meant. In a path a plus is a plus.
pub(crate) fn decoded(part: &str) -> String {
    let pairs = part.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(pairs.as_bytes())
        .next()
        .map(|(text, _)| text.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher() -> Matcher {
        let mut matcher = Matcher::default();
        for (index, (method, path)) in [
            (Method::Get, "/entities"),
            (Method::Get, "/entities/{id}"),
            (Method::Delete, "/entities/{id}"),
            (Method::Post, "/entities/upsert"),
            (Method::Get, "/entities/{id}/relationships"),
            (Method::Get, "/entities/by-key/{key}"),
        ]
        .into_iter()
        .enumerate()
        {
            matcher.add(method, path, index);
        }
        matcher
    }

    fn named(name: &str, value: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), value.to_owned())]
    }

    #[test]
    fn texts_come_before_names() {
        let matcher = matcher();
        assert_eq!(matcher.find(Some(Method::Get), "/entities"), Found::Route(0, Vec::new()));
        assert_eq!(matcher.find(Some(Method::Post), "/entities/upsert"), Found::Route(3, Vec::new()));
        assert_eq!(
            matcher.find(Some(Method::Get), "/entities/upsert"),
            Found::Route(1, named("id", "upsert"))
        );
        assert_eq!(
            matcher.find(Some(Method::Get), "/entities/by-key/a%2Fb+c"),
            Found::Route(5, named("key", "a/b+c"))
        );
        assert_eq!(
            matcher.find(Some(Method::Get), "/entities/by-key/relationships"),
            Found::Route(5, named("key", "relationships"))
        );
    }

    #[test]
    fn what_is_not_there_says_what_is() {
        let matcher = matcher();
        assert_eq!(
            matcher.find(Some(Method::Put), "/entities/x"),
            Found::Other(vec![Method::Get, Method::Delete])
        );
        assert_eq!(matcher.find(Some(Method::Get), "/entities/"), Found::Nothing);
        assert_eq!(matcher.find(Some(Method::Get), "/nothing"), Found::Nothing);
        assert_eq!(matcher.find(Some(Method::Get), &"/x".repeat(1000)), Found::Nothing);
    }
}
