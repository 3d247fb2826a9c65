//! What a client sends to the token endpoint (RFC 6749 §2.3.1, §4.4.2).

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pulse_tokens::{MachineKind, MachineSecret};
use url::form_urlencoded;

use super::TokenRequest;

/// Why a request cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FormError {
    #[error("the body is not application/x-www-form-urlencoded")]
    ContentType,
    #[error("a parameter is there twice")]
    Twice,
    #[error("there is no grant_type")]
    NoGrantType,
    #[error("only client_credentials is granted here")]
    GrantType,
    #[error("send the client's id and secret either in the Authorization header or in the body, not in both")]
    TwoWays,
    /// Nobody can be who has sent this; whether by the Authorization header.
    #[error("the client's id or secret is missing or malformed")]
    Client { by_header: bool },
}

/// Parameters that are read; others are passed over (§3.2).
#[derive(Default)]
struct Parameters {
    grant_type: Option<String>,
    scope: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// The request, and whether the client has named itself by the Authorization header.
pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<(TokenRequest, bool), FormError> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(FormError::ContentType);
    }
    let Parameters { grant_type, scope, client_id, client_secret } = parameters(body)?;
    match grant_type.as_deref() {
        None => return Err(FormError::NoGrantType),
        Some("client_credentials") => {}
        Some(_) => return Err(FormError::GrantType),
    }
    let by_header = headers.contains_key(AUTHORIZATION);
    let malformed = FormError::Client { by_header };
    let (id, secret) = if by_header {
        if client_secret.is_some() {
            return Err(FormError::TwoWays);
        }
        let (id, secret) = basic(headers).ok_or(malformed)?;
        if client_id.is_some_and(|other| other != id) {
            return Err(FormError::TwoWays);
        }
        (id, secret)
    } else {
        client_id.zip(client_secret).ok_or(malformed)?
    };
    let client = id.parse().map_err(|_| malformed)?;
    let secret = MachineSecret::parse(&secret).map_err(|_| malformed)?;
    if secret.kind != MachineKind::ServiceAccount || secret.machine != client {
        return Err(malformed);
    }
    Ok((TokenRequest { client, hash: secret.hash(), scope, address: None }, by_header))
}

fn parameters(body: &[u8]) -> Result<Parameters, FormError> {
    let mut read = Parameters::default();
    for (name, value) in form_urlencoded::parse(body) {
        let slot = match &*name {
            "grant_type" => &mut read.grant_type,
            "scope" => &mut read.scope,
            "client_id" => &mut read.client_id,
            "client_secret" => &mut read.client_secret,
            _ => continue,
        };
        // One without a value is treated as if it were not there (§3.2).
        if !value.is_empty() && slot.replace(value.into_owned()).is_some() {
            return Err(FormError::Twice);
        }
    }
    Ok(read)
}

/// Id and secret out of `Authorization: Basic`, each of which is form-encoded before.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, text) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let text = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(text.trim()).ok())??;
    let (id, secret) = std::str::from_utf8(&text).ok()?.split_once(':')?;
    let decoded = |text: &str| {
        let pair = format!("x={text}");
        form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((decoded(id)?, decoded(secret)?))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use pulse_types::MachineId;

    use super::*;

    fn form() -> HeaderMap {
        let value = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        HeaderMap::from_iter([(CONTENT_TYPE, value)])
    }

    fn with_basic(id: &str, secret: &str) -> HeaderMap {
        let mut headers = form();
        let value = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        headers.insert(AUTHORIZATION, HeaderValue::try_from(value).unwrap());
        headers
    }

    fn secret() -> MachineSecret {
        MachineSecret::new(MachineKind::ServiceAccount, MachineId::from_uuid(uuid::Uuid::from_u128(7)))
    }

    #[test]
    fn a_client_names_itself_in_the_header_or_in_the_body() {
        let secret = secret();
        let (id, text) = (secret.machine.to_string(), secret.text().expose());
        let expected = TokenRequest {
            client: secret.machine,
            hash: secret.hash(),
            scope: Some("entity:read entity:write".to_owned()),
            address: None,
        };
        let body = "grant_type=client_credentials&scope=entity%3Aread+entity:write&unknown=x";
        let in_header = read(&with_basic(&id, text), body.as_bytes());
        assert_eq!(in_header, Ok((expected.clone(), true)));
        let in_body = format!("{body}&client_id={id}&client_secret={text}");
        assert_eq!(read(&form(), in_body.as_bytes()), Ok((expected, false)));
        assert_eq!(read(&with_basic(&id, text), in_body.as_bytes()), Err(FormError::TwoWays));
    }

    #[test]
    fn other_requests_are_refused() {
        let secret = secret();
        let (id, text) = (secret.machine.to_string(), secret.text().expose());
        let refused = |headers: &HeaderMap, body: &str| read(headers, body.as_bytes()).unwrap_err();
        let good = with_basic(&id, text);
        assert_eq!(refused(&HeaderMap::new(), ""), FormError::ContentType);
        assert_eq!(refused(&good, "scope=x"), FormError::NoGrantType);
        assert_eq!(refused(&good, "grant_type=password"), FormError::GrantType);
        assert_eq!(refused(&good, "grant_type=client_credentials&scope=a&scope=b"), FormError::Twice);
        let body = "grant_type=client_credentials";
        let malformed = FormError::Client { by_header: true };
        assert_eq!(refused(&with_basic("x", text), body), malformed);
        assert_eq!(refused(&with_basic(&id, "guessed"), body), malformed);
        assert_eq!(refused(&form(), body), FormError::Client { by_header: false });
    }
}
