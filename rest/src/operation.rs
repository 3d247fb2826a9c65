//! A request to a route: read, made an operation, and answered by what that comes to.

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue, IF_MATCH};
use http::request::Parts;
use pulse_gateway::value::{Object, Text, Value};
use pulse_gateway::{Answered, Call, Followed, SurfaceOperation};

use crate::answer::Shown;
use crate::parameters::{self, put};
use crate::problem::Problem;
use crate::route::{Does, RequestBody, Route};
use crate::routes::{Ready, Routes};
use crate::schema::Field;
use crate::selection::Wanted;
use crate::{answer, conditions};

impl Routes {
    /// Answers a request to a route.
    pub(crate) async fn answer(
        &self,
        (index, names): (usize, &[(String, String)]),
        call: &mut Call,
        (mut parts, body): (Parts, Body),
    ) -> Result<Response, Problem> {
        let Ready { route, has_version, .. } = &self.ready[index];
        let query = query(&parts);
        check_names(&route.query_names(), &query)?;
        let mut variables = parameters::read(&route.parameters, names, &query)?;
        let wanted = wanted(&query)?;
        let is_least = route.does == Does::Changes && conditions::wants_least(&parts.headers);
        let document = if is_least { self.least(index) } else { self.document(index, wanted)? };
        take_body(route, call, (&mut parts, body), &mut variables).await?;
        let has_precondition = take_head(route, &parts.headers, &mut variables)?;
        let operation = SurfaceOperation { document, variables: Value::Object(variables) };
        let mut response = match route.does {
            Does::Streams => {
                let keys = route.keys.clone();
                match call.follow(&parts, operation, move |answered| event(answered, &keys)).await? {
                    Followed::Events(response) => response,
                    Followed::Ended(answered) => {
                        return Err(Problem::of_errors(&answered.errors, answered.request_error));
                    }
                }
            }
            Does::Changes => {
                let answered = call.execute(&parts, operation).await?;
                let value = value(route, &answered, has_precondition)?;
                answer::changed((route, *has_version), value, is_least, answered.headers)
            }
            Does::Reads => {
                let answered = call.execute(&parts, operation).await?;
                let value = value(route, &answered, false)?.ok_or_else(|| nothing(&parts))?;
                let shown = Shown { has_version: *has_version, pages: route.pages() };
                answer::read(shown, (&parts.uri, &parts.headers), value, answered.headers)
            }
        };
        deprecate(route, response.headers_mut());
        Ok(response)
    }
}

/// What a request says behind the question mark.
pub(crate) fn query(parts: &Parts) -> Vec<(String, String)> {
    url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

/// Refuses what nothing takes.
pub(crate) fn check_names(names: &[&str], query: &[(String, String)]) -> Result<(), Problem> {
    let Some((unknown, _)) = query.iter().find(|(name, _)| !names.contains(&name.as_str())) else {
        return Ok(());
    };
    let allowed =
        if names.is_empty() { "it takes none".to_owned() } else { format!("it takes {}", names.join(", ")) };
    Err(Problem::bad(format!("there is no parameter `{unknown}` here: {allowed}")).at(unknown))
}

fn wanted(query: &[(String, String)]) -> Result<Wanted, Problem> {
    let list = |wanted: &str| -> Option<Vec<String>> {
        let mut given = query.iter().filter(|(name, _)| name == wanted).peekable();
        given.peek()?;
        let names = given.flat_map(|(_, text)| text.split(',')).map(|name| name.trim().to_owned());
        Some(names.collect())
    };
    let (fields, include) = (list("fields"), list("include").unwrap_or_default());
    for (names, parameter) in [(fields.as_deref().unwrap_or_default(), "fields"), (&include, "include")] {
        if names.iter().any(String::is_empty) {
            return Err(Problem::bad(format!("`{parameter}` is a list of names with commas between them"))
                .at(parameter));
        }
    }
    Ok(Wanted { fields, include })
}

/// Takes the fields of the body into the variables.
async fn take_body(
    route: &Route,
    call: &Call,
    (parts, body): (&mut Parts, Body),
    variables: &mut Object,
) -> Result<(), Problem> {
    let Some(RequestBody { variable, fields }) = &route.body else { return Ok(()) };
    let is_absent = body.size_hint().exact() == Some(0);
    let mut given = if is_absent && !route.body.as_ref().is_some_and(RequestBody::is_required) {
        Object::new()
    } else {
        object(call, (parts, body)).await?
    };
    given = check_fields(fields, given)?;
    match variable {
        None => {
            for (name, value) in given {
                variables.insert(name, value);
            }
        }
        Some(variable) => {
            if let Some(known) = variables.remove(variable).as_ref().and_then(Value::as_object) {
                for (name, value) in known {
                    given.insert(name.clone(), value.clone());
                }
            }
            variables.insert(variable.clone(), Value::Object(given));
        }
    }
    Ok(())
}

/// The body, which must be an object.
pub(crate) async fn object(call: &Call, (parts, body): (&mut Parts, Body)) -> Result<Object, Problem> {
    let bytes = call.json(parts, body).await?;
    let value =
        Value::parse(&bytes).map_err(|error| Problem::bad(format!("the body is not JSON: {error}")))?;
    let kind = value.kind();
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Problem::bad(format!("the body must be an object, not {kind}"))),
    }
}

/// Refuses a body that has other fields, or lacks one.
pub(crate) fn check_fields(fields: &[Field], given: Object) -> Result<Object, Problem> {
    let names = || fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ");
    let is_known = |name: &str| fields.iter().any(|field| field.name == name);
    if let Some((unknown, _)) = given.iter().find(|(name, _)| !is_known(name)) {
        return Err(Problem::bad(format!("there is no field `{unknown}` in the body: it takes {}", names()))
            .at(unknown));
    }
    let is_missing = |name: &str| given.get(name).is_none_or(Value::is_null);
    if let Some(missing) = fields.iter().find(|field| field.is_required() && is_missing(&field.name)) {
        let name = &missing.name;
        return Err(Problem::bad(format!("the field `{name}` of the body is missing")).at(name));
    }
    Ok(given)
}

/// Takes what the head says into the variables. Whether it named a version.
fn take_head(route: &Route, headers: &HeaderMap, variables: &mut Object) -> Result<bool, Problem> {
    if route.does != Does::Changes {
        return Ok(false);
    }
    let mut take = |target: &Option<Vec<Text>>, name: &HeaderName, value: Option<Value>| {
        let Some(value) = value else { return Ok(false) };
        // To pass over it would do what the client wanted to be safe from.
        let Some(target) = target else {
            return Err(Problem::bad(format!("this resource takes no header `{name}`")).at(name.as_str()));
        };
        put(variables, target, value);
        Ok(true)
    };
    let key = conditions::idempotency_key(headers)?.map(Value::from);
    take(&route.idempotency, &conditions::IDEMPOTENCY_KEY, key)?;
    take(&route.precondition, &IF_MATCH, conditions::expected_version(headers)?.map(Value::Int))
}

/// What the operation's answer has for the route. `None` where that is null.
fn value(route: &Route, answered: &Answered, has_precondition: bool) -> Result<Option<Bytes>, Problem> {
    if answered.errors.is_empty() {
        return Ok(answered.data.as_ref().and_then(|data| answer::inner(data, &route.keys)));
    }
    let problem = Problem::of_errors(&answered.errors, answered.request_error);
    if has_precondition && problem.is_conflict() {
        return Err(problem.into_failed_precondition());
    }
    Err(problem)
}

fn nothing(parts: &Parts) -> Problem {
    Problem::not_found(format!("there is nothing at {}, or nothing that you may see", parts.uri.path()))
}

/// An event as a stream shows it: what the route names, or what went wrong.
pub(crate) fn event(answered: &Answered, keys: &[String]) -> Bytes {
    if answered.errors.is_empty()
        && let Some(value) = answered.data.as_ref().and_then(|data| answer::inner(data, keys))
    {
        return value;
    }
    Problem::of_errors(&answered.errors, answered.request_error).body().to_string().into()
}

/// Says that a route should no longer be used (RFC 9745), and when it goes (RFC 8594), as far as its reason tells.
fn deprecate(route: &Route, headers: &mut HeaderMap) {
    let Some(reason) = &route.deprecated else { return };
    headers.insert(HeaderName::from_static("deprecation"), HeaderValue::from_static("@0"));
    if let Some(day) = sunset(reason).and_then(|day| HeaderValue::try_from(day).ok()) {
        headers.insert(HeaderName::from_static("sunset"), day);
    }
}

/// The first day that a text names, as 2027-03-31, in the form of HTTP's dates.
fn sunset(reason: &str) -> Option<String> {
    let mut words = reason.split(|letter: char| !letter.is_ascii_digit() && letter != '-');
    let day = words.find_map(|word| chrono::NaiveDate::parse_from_str(word, "%Y-%m-%d").ok())?;
    Some(day.format("%a, %d %b %Y 00:00:00 GMT").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_tells_when_something_goes() {
        let reason = "Use `jobs`. It goes on 2027-03-31.";
        assert_eq!(sunset(reason).as_deref(), Some("Wed, 31 Mar 2027 00:00:00 GMT"));
        assert_eq!(sunset("Use `jobs`, since 3-4 years."), None);
    }
}
