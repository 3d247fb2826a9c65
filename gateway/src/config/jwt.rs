//! Tokens of issuers that the gateway trusts.

use std::str::FromStr;
use std::time::Duration;

use http::{HeaderName, Uri};
use jsonwebtoken::{Algorithm, AlgorithmFamily};
use serde::{Deserialize, Serialize};

/// The section `[gateway.jwt]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct JwtConfig {
    /// Whether requests without a token are refused.
    pub required: bool,
    /// The header that carries the token.
    pub header: String,
    /// What stands before the token in the header; empty for nothing.
    pub prefix: String,
    /// The cookie that carries the token where the header is missing; empty for none.
    pub cookie: String,
    /// How far the clocks of issuers and gateway may be apart.
    #[serde(with = "humantime_serde")]
    pub clock_leeway: Duration,
    /// How often the issuers' keys are fetched again.
    #[serde(with = "humantime_serde")]
    pub refresh_interval: Duration,
    /// How long after a fetch a token with an unknown key is refused without another.
    #[serde(with = "humantime_serde")]
    pub refresh_cooldown: Duration,
    /// How long fetching keys may take.
    #[serde(with = "humantime_serde")]
    pub fetch_timeout: Duration,
    /// The issuers. Without any, everybody is anonymous.
    pub issuers: Vec<IssuerConfig>,
}

impl Default for JwtConfig {
    fn default() -> Self {
        Self {
            required: false,
            header: "authorization".to_owned(),
            prefix: "Bearer".to_owned(),
            cookie: String::new(),
            clock_leeway: Duration::from_secs(30),
            refresh_interval: Duration::from_mins(10),
            refresh_cooldown: Duration::from_secs(30),
            fetch_timeout: Duration::from_secs(5),
            issuers: Vec::new(),
        }
    }
}

/// An entry of `[[gateway.jwt.issuers]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct IssuerConfig {
    /// The `iss` of its tokens; empty for any that its keys verify.
    pub issuer: String,
    /// The `aud` of which a token must have one; empty for any.
    pub audiences: Vec<String>,
    /// Where its keys are, as a JSON Web Key Set.
    pub jwks_url: String,
    /// The file that its keys are in, instead of an address.
    pub jwks_file: String,
    /// The algorithms of its signatures.
    pub algorithms: Vec<String>,
    /// The claim that names the caller. Claims inside others are written with a dot between.
    pub subject: String,
    /// The claim that names the caller's tenant; empty for none.
    pub org: String,
    /// Claims with scopes or permissions: a text with spaces between them, or a list.
    pub permissions: Vec<String>,
    /// Claims with policies, the same way.
    pub policies: Vec<String>,
}

impl Default for IssuerConfig {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            issuer: String::new(),
            audiences: Vec::new(),
            jwks_url: String::new(),
            jwks_file: String::new(),
            algorithms: texts(&[
                "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
            ]),
            subject: "sub".to_owned(),
            org: String::new(),
            permissions: texts(&["scope", "scp", "permissions"]),
            policies: texts(&["policies"]),
        }
    }
}

/// Settings that cannot be right. The text says which and what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("gateway.jwt{setting}: {problem}")]
pub struct InvalidJwtConfig {
    setting: String,
    problem: String,
}

impl JwtConfig {
    /// Whether tokens are looked at at all.
    pub fn is_used(&self) -> bool {
        self.required || !self.issuers.is_empty()
    }

    /// Looks for mistakes that need no network to be found.
    pub fn check(&self) -> Result<(), InvalidJwtConfig> {
        if self.required && self.issuers.is_empty() {
            return Err(invalid(
                ".required",
                "nobody could send a token: name an issuer below [[gateway.jwt.issuers]]",
            ));
        }
        self.header_name()?;
        self.issuers.iter().enumerate().try_for_each(|(index, issuer)| {
            issuer.check().map_err(|error| InvalidJwtConfig {
                setting: format!(".issuers[{index}]{}", error.setting),
                ..error
            })
        })
    }

    /// The header that carries the token.
    pub(crate) fn header_name(&self) -> Result<HeaderName, InvalidJwtConfig> {
        self.header
            .parse()
            .map_err(|_| invalid(".header", &format!("{:?} is no name of a header", self.header)))
    }
}

impl IssuerConfig {
    fn check(&self) -> Result<(), InvalidJwtConfig> {
        match (self.jwks_url.as_str(), self.jwks_file.as_str()) {
            ("", "") => {
                return Err(invalid("", "has neither jwks_url nor jwks_file: say where its keys are"));
            }
            ("", _) => {}
            (url, "") => {
                let uri = url.parse::<Uri>().ok().filter(|uri| {
                    matches!(uri.scheme_str(), Some("http" | "https"))
                        && uri.host().is_some_and(|host| !host.is_empty())
                });
                if uri.is_none() {
                    let problem =
                        format!("{url:?} is no address; write it like https://id.example.com/jwks.json");
                    return Err(invalid(".jwks_url", &problem));
                }
            }
            _ => return Err(invalid("", "has both jwks_url and jwks_file: leave one out")),
        }
        self.algorithms().map(drop)
    }

    /// The algorithms of its signatures.
    pub(crate) fn algorithms(&self) -> Result<Vec<Algorithm>, InvalidJwtConfig> {
        let read = |name: &String| {
            let algorithm = Algorithm::from_str(name).map_err(|_| {
                let problem = format!("{name:?} is no algorithm that is known here: write RS256, PS256, ES256, EdDSA or the like");
                invalid(".algorithms", &problem)
            })?;
            if algorithm.family() == AlgorithmFamily::Hmac {
                let problem = format!(
                    "{name} signs with a secret that whoever verifies has too: use one with a public key"
                );
                return Err(invalid(".algorithms", &problem));
            }
            Ok(algorithm)
        };
        if self.algorithms.is_empty() {
            return Err(invalid(".algorithms", "is empty, so that no token could be good"));
        }
        self.algorithms.iter().map(read).collect()
    }
}

fn invalid(setting: &str, problem: &str) -> InvalidJwtConfig {
    InvalidJwtConfig { setting: setting.to_owned(), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(settings: &str) -> String {
        toml::from_str::<JwtConfig>(settings).unwrap().check().unwrap_err().to_string()
    }

    #[test]
    fn mistakes_are_told_with_a_way_out() {
        let url = "jwks_url = 'https://id.example.com/jwks.json'";
        let problems = [
            problem("required = true"),
            problem("header = 'a b'"),
            problem("[[issuers]]"),
            problem("[[issuers]]\njwks_url = 'id.example.com'"),
            problem(&format!("[[issuers]]\n{url}\njwks_file = 'keys.json'")),
            problem(&format!("[[issuers]]\n{url}\n[[issuers]]\n{url}\nalgorithms = ['HS256']")),
            problem(&format!("[[issuers]]\n{url}\nalgorithms = ['none']")),
            problem(&format!("[[issuers]]\n{url}\nalgorithms = []")),
        ];
        insta::assert_snapshot!(problems.join("\n"), @r#"
        gateway.jwt.required: nobody could send a token: name an issuer below [[gateway.jwt.issuers]]
        gateway.jwt.header: "a b" is no name of a header
        gateway.jwt.issuers[0]: has neither jwks_url nor jwks_file: say where its keys are
        gateway.jwt.issuers[0].jwks_url: "id.example.com" is no address; write it like https://id.example.com/jwks.json
        gateway.jwt.issuers[0]: has both jwks_url and jwks_file: leave one out
        gateway.jwt.issuers[1].algorithms: HS256 signs with a secret that whoever verifies has too: use one with a public key
        gateway.jwt.issuers[0].algorithms: "none" is no algorithm that is known here: write RS256, PS256, ES256, EdDSA or the like
        gateway.jwt.issuers[0].algorithms: is empty, so that no token could be good
        "#);
        assert_eq!(JwtConfig::default().check(), Ok(()));
    }
}
