//! A code for an ID token, and what it says.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreErrorResponseType, CoreGenderClaim, CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier,
    CoreTokenResponse,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AuthorizationCode, ClaimsVerificationError, ClientId,
    IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeVerifier, RequestTokenError, StandardErrorResponse,
    SubjectIdentifier, TokenResponse, UserInfoClaims, UserInfoError,
};
use pulse_types::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::http::HttpError;
use super::{Claimed, IssuerError, Metadata, Oidc, Provider, TENANT, client, roles};

/// How far the clocks of two may be apart.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// What a browser brings back from an issuer, with what was kept here.
pub(crate) struct Answer {
    pub(crate) code: Secret,
    /// The parameter `iss`, when the issuer sent it along.
    pub(crate) issuer: Option<String>,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
    pub(crate) redirect_uri: String,
}

/// All that a `UserInfo` endpoint says beside the usual claims.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Others {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for Others {}

impl Oidc {
    /// Who the issuer says that somebody is who came back with a code.
    pub(crate) async fn exchange(
        &self,
        provider: &Provider,
        answer: Answer,
        now: DateTime<Utc>,
    ) -> Result<Claimed, IssuerError> {
        let metadata = self.metadata(provider).await?;
        check_sender(provider, &metadata, answer.issuer.as_deref())?;
        let tokens = self.tokens(provider, &metadata, &answer).await?;
        let token = tokens.id_token().ok_or(IssuerError::NoIdToken)?;
        let issuer = expected_issuer(provider, &metadata, token)?;
        let nonce = Nonce::new(answer.nonce);
        let claims = match verify(provider, (&metadata, &issuer), (token, &nonce), now) {
            // It may have begun to sign with a new key since its keys were fetched.
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let metadata = self.metadata_now(provider).await?;
                verify(provider, (&metadata, &issuer), (token, &nonce), now).cloned()
            }
            claims => claims.cloned(),
        };
        let claims = claims.map_err(|error| {
            tracing::info!(issuer = provider.issuer, error = %error, "an ID token is refused");
            IssuerError::of_claims(&error)
        })?;
        check_parties(provider, &claims)?;
        check_hash(provider, &metadata, (token, &claims), tokens.access_token())?;
        let mut all = said(token)?;
        if lacks_something(provider, &all) && metadata.userinfo_endpoint().is_some() {
            let more = self.user_info(provider, &metadata, claims.subject(), tokens.access_token()).await?;
            for (name, value) in more {
                all.entry(name).or_insert(value);
            }
        }
        let issuer = if provider.tenants.is_empty() { &provider.issuer } else { issuer.as_str() };
        Ok(claimed(issuer, claims.subject(), all))
    }

    async fn tokens(
        &self,
        provider: &Provider,
        metadata: &Metadata,
        answer: &Answer,
    ) -> Result<CoreTokenResponse, IssuerError> {
        let client = client(provider, metadata, &answer.redirect_uri)?;
        let code = AuthorizationCode::new(answer.code.expose().to_owned());
        let request = client.exchange_code(code).map_err(|_| IssuerError::Description)?;
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(answer.verifier.clone()));
        let tokens = request.request_async(self.http(provider)).await;
        tokens.map_err(|error| of_token(&provider.issuer, &error))
    }

    async fn user_info(
        &self,
        provider: &Provider,
        metadata: &Arc<Metadata>,
        subject: &SubjectIdentifier,
        access_token: &AccessToken,
    ) -> Result<Map<String, Value>, IssuerError> {
        // Where it would send browsers plays no part in this request.
        let client = client(provider, metadata, &provider.issuer)?;
        let request = client.user_info(access_token.clone(), Some(subject.clone()));
        let request = request.map_err(|_| IssuerError::Description)?;
        let info: Result<UserInfoClaims<Others, CoreGenderClaim>, _> =
            request.request_async(self.http(provider)).await;
        let info = info.map_err(|error| match error {
            UserInfoError::Request(error) => IssuerError::down(&provider.issuer, &error),
            other => {
                tracing::info!(issuer = provider.issuer, error = %other, "UserInfo is refused");
                IssuerError::UserInfo
            }
        })?;
        match serde_json::to_value(info) {
            Ok(Value::Object(all)) => Ok(all),
            _ => Err(IssuerError::UserInfo),
        }
    }
}

/// Whether its `UserInfo` endpoint may say what the token leaves out.
fn lacks_something(provider: &Provider, all: &Map<String, Value>) -> bool {
    let all = Value::Object(all.clone());
    let role_claim = provider.roles.claim.as_deref().filter(|_| provider.roles.decide());
    let mut needed = ["email", "email_verified", "name"].into_iter().chain(role_claim);
    needed.any(|path| roles::find(&all, path).is_none())
}

/// An issuer that names itself beside its codes must be the one that was asked (RFC 9207).
fn check_sender(provider: &Provider, metadata: &Metadata, issuer: Option<&str>) -> Result<(), IssuerError> {
    let is_one_of_many = |named: &str| {
        provider
            .tenants
            .iter()
            .any(|tenant| of_tenant(metadata, *tenant).is_ok_and(|one| one.as_str() == named))
    };
    match issuer {
        Some(issuer) if issuer != metadata.issuer().as_str() && !is_one_of_many(issuer) => {
            Err(IssuerError::MixedUp)
        }
        None if metadata.additional_metadata().authorization_response_iss_parameter_supported => {
            Err(IssuerError::MixedUp)
        }
        _ => Ok(()),
    }
}

fn verify<'t>(
    provider: &Provider,
    described: (&Metadata, &IssuerUrl),
    (token, nonce): (&'t CoreIdToken, &Nonce),
    now: DateTime<Utc>,
) -> Result<&'t CoreIdTokenClaims, ClaimsVerificationError> {
    token.claims(&verifier(provider, described, now), nonce)
}

/// Who must have signed the token: of many directories the one that the token names, if it is one of those listed. The token's
/// `iss` is compared with it once the signature is known to be good.
fn expected_issuer(
    provider: &Provider,
    metadata: &Metadata,
    token: &CoreIdToken,
) -> Result<IssuerUrl, IssuerError> {
    if provider.tenants.is_empty() {
        return Ok(metadata.issuer().clone());
    }
    let claims = said(token)?;
    let tenant = claims.get("tid").and_then(Value::as_str).and_then(|text| text.parse::<Uuid>().ok());
    let tenant = tenant.filter(|tenant| provider.tenants.contains(tenant));
    let tenant = tenant.ok_or(IssuerError::IdToken("it is from a directory that is not listed here"))?;
    of_tenant(metadata, tenant)
}

/// The issuer of one directory.
fn of_tenant(metadata: &Metadata, tenant: Uuid) -> Result<IssuerUrl, IssuerError> {
    let issuer = metadata.issuer().as_str().replace(TENANT, &tenant.to_string());
    IssuerUrl::new(issuer).map_err(|_| IssuerError::Description)
}

/// As for a public client: what is signed with a secret that both sides have proves nothing to us.
fn verifier(
    provider: &Provider,
    (metadata, issuer): (&Metadata, &IssuerUrl),
    now: DateTime<Utc>,
) -> CoreIdTokenVerifier<'static> {
    let id = ClientId::new(provider.client_id.clone());
    CoreIdTokenVerifier::new_public_client(id, issuer.clone(), metadata.jwks().clone())
        .set_allowed_algs(metadata.id_token_signing_alg_values_supported().clone())
        .set_time_fn(move || now)
        .set_issue_time_verifier_fn(move |issued| {
            if issued > now + SKEW { Err("it is from the future".to_owned()) } else { Ok(()) }
        })
}

/// Who else a token is for, and who asked for it: the library leaves the second to us.
fn check_parties(provider: &Provider, claims: &CoreIdTokenClaims) -> Result<(), IssuerError> {
    // OpenID Connect Core, section 2: at most 255 characters of ASCII.
    let subject = claims.subject().as_str();
    if !(1..=255).contains(&subject.len()) || subject.chars().any(char::is_control) {
        return Err(IssuerError::IdToken("it is not as it must be"));
    }
    match claims.authorized_party() {
        Some(party) if party.as_str() != provider.client_id => {
            Err(IssuerError::IdToken("it was given to another client"))
        }
        _ => Ok(()),
    }
}

/// A token that names the access token beside it must name this one.
fn check_hash(
    provider: &Provider,
    metadata: &Metadata,
    (token, claims): (&CoreIdToken, &CoreIdTokenClaims),
    access_token: &AccessToken,
) -> Result<(), IssuerError> {
    let Some(expected) = claims.access_token_hash() else { return Ok(()) };
    let wrong = || IssuerError::IdToken("it belongs to another access token");
    // Only the time is of importance to the verifier, and plays no part here.
    let verifier = verifier(provider, (metadata, metadata.issuer()), DateTime::UNIX_EPOCH);
    let algorithm = token.signing_alg().map_err(|_| wrong())?;
    let key = token.signing_key(&verifier).map_err(|_| wrong())?;
    let actual = AccessTokenHash::from_token(access_token, algorithm, key).map_err(|_| wrong())?;
    if actual == *expected { Ok(()) } else { Err(wrong()) }
}

/// Everything that a token says whose signature was verified.
fn said(token: &CoreIdToken) -> Result<Map<String, Value>, IssuerError> {
    let text = token.to_string();
    let payload = text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let payload = payload.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    payload.ok_or(IssuerError::IdToken("it is not as it must be"))
}

fn claimed(issuer: &str, subject: &SubjectIdentifier, all: Map<String, Value>) -> Claimed {
    let text = |name: &str| all.get(name).and_then(Value::as_str).map(str::to_owned);
    let name = text("name").or_else(|| match (text("given_name"), text("family_name")) {
        (Some(given), Some(family)) => Some(format!("{given} {family}")),
        (given, family) => given.or(family),
    });
    // Some issuers write it as text.
    let email_verified = match all.get("email_verified") {
        Some(Value::Bool(verified)) => *verified,
        Some(Value::String(text)) => text == "true",
        _ => false,
    };
    Claimed {
        issuer: issuer.to_owned(),
        subject: subject.as_str().to_owned(),
        email: text("email"),
        email_verified,
        name,
        all: Value::Object(all),
    }
}

type TokenError = RequestTokenError<HttpError, StandardErrorResponse<CoreErrorResponseType>>;

fn of_token(issuer: &str, error: &TokenError) -> IssuerError {
    match error {
        RequestTokenError::Request(error) => IssuerError::down(issuer, error),
        RequestTokenError::ServerResponse(refusal) => {
            tracing::info!(issuer, error = %refusal, "an issuer does not take a code");
            let code: String = refusal.error().as_ref().chars().take(64).collect();
            IssuerError::Code(code)
        }
        RequestTokenError::Parse(error, _) => {
            tracing::info!(issuer, %error, "an issuer's tokens cannot be read");
            IssuerError::NoIdToken
        }
        RequestTokenError::Other(error) => {
            tracing::info!(issuer, %error, "an issuer gives no tokens");
            IssuerError::NoIdToken
        }
    }
}
