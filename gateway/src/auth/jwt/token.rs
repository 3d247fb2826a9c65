//! Where a request carries its token.

use http::header::{COOKIE, HeaderMap, HeaderName};

use crate::config::InvalidJwtConfig;
use crate::config::JwtConfig;
use crate::ports::AuthenticationError;

/// Where tokens are looked for.
pub(super) struct TokenSource {
    pub(super) header: HeaderName,
    prefix: String,
    cookie: String,
}

impl TokenSource {
    pub(super) fn try_new(config: &JwtConfig) -> Result<Self, InvalidJwtConfig> {
        let header = config.header_name()?;
        Ok(Self { header, prefix: config.prefix.clone(), cookie: config.cookie.clone() })
    }

    /// The token; `None` when the request carries none.
    pub(super) fn find<'h>(&self, headers: &'h HeaderMap) -> Result<Option<&'h str>, AuthenticationError> {
        let mut values = headers.get_all(&self.header).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(self.cookie(headers)),
            (Some(value), None) => {
                let token = value.to_str().ok().and_then(|text| self.without_prefix(text));
                token.map(Some).ok_or_else(|| self.not_a_token())
            }
            (Some(_), Some(_)) => Err(AuthenticationError::Invalid(format!(
                "the header `{}` was sent more than once",
                self.header
            ))),
        }
    }

    fn without_prefix<'t>(&self, text: &'t str) -> Option<&'t str> {
        let text = text.trim();
        let token = if self.prefix.is_empty() {
            text
        } else {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case(&self.prefix).then(|| token.trim())?
        };
        (!token.is_empty() && !token.contains(' ')).then_some(token)
    }

    fn cookie<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        if self.cookie.is_empty() {
            return None;
        }
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut found = pairs.filter(|(name, value)| *name == self.cookie && !value.is_empty());
        found.next().map(|(_, value)| value.trim_matches('"'))
    }

    fn not_a_token(&self) -> AuthenticationError {
        AuthenticationError::Invalid(format!("the header `{}` is not `{}`", self.header, self.shape()))
    }

    /// What to send.
    pub(super) fn shape(&self) -> String {
        format!("{} <access token>", self.prefix).trim_start().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(config: &JwtConfig, headers: &[(&'static str, &str)]) -> Result<Option<String>, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let found =
            TokenSource::try_new(config).unwrap().find(&map).map(|token| token.map(ToOwned::to_owned));
        found.map_err(|error| error.to_string())
    }

    #[test]
    fn a_token_is_in_the_header_or_else_in_the_cookie() {
        let config = JwtConfig { cookie: "session".into(), ..JwtConfig::default() };
        assert_eq!(find(&config, &[]), Ok(None));
        assert_eq!(find(&config, &[("authorization", "bearer abc")]), Ok(Some("abc".to_owned())));
        assert_eq!(find(&config, &[("cookie", "a=b; session=abc")]), Ok(Some("abc".to_owned())));
        assert_eq!(
            find(&config, &[("cookie", "session=abc"), ("authorization", "Bearer xyz")]),
            Ok(Some("xyz".to_owned()))
        );
        assert_eq!(find(&JwtConfig::default(), &[("cookie", "session=abc")]), Ok(None));
    }

    #[test]
    fn header_and_prefix_can_be_others() {
        let config = JwtConfig { header: "x-token".into(), prefix: String::new(), ..JwtConfig::default() };
        assert_eq!(find(&config, &[("x-token", "abc")]), Ok(Some("abc".to_owned())));
        assert_eq!(find(&config, &[("authorization", "Bearer abc")]), Ok(None));
    }

    #[test]
    fn something_else_in_the_header_is_refused() {
        let config = JwtConfig::default();
        for value in ["Basic abc", "Bearer", "Bearer ", "abc", "Bearer a b"] {
            let error = "the header `authorization` is not `Bearer <access token>`".to_owned();
            assert_eq!(find(&config, &[("authorization", value)]), Err(error), "{value}");
        }
        let twice = find(&config, &[("authorization", "Bearer a"), ("authorization", "Bearer b")]);
        assert_eq!(twice, Err("the header `authorization` was sent more than once".to_owned()));
    }
}
