//! OpenID Connect: asking an issuer who somebody is, and believing nothing that it has not signed for us.

mod config;
mod error;
mod exchange;
mod http;
mod issuer_url;
mod metadata;
mod provider;
mod roles;

use std::sync::Arc;

use moka::future::Cache;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod};
use openidconnect::{
    AuthType, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl,
    JsonWebKeySet, LogoutRequest, Nonce, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    RedirectUrl, Scope,
};
use pulse_outbound::{Outlet, Reach, SystemResolver, connector};
use url::Url;

pub(crate) use config::usual_scopes;
pub use config::{InvalidOidcSettings, OidcConfig, ProviderConfig};
pub(crate) use error::{Claimed, IssuerError};
pub(crate) use exchange::Answer;
pub use issuer_url::InvalidIssuer;
pub(crate) use issuer_url::of_organization as check_issuer;
pub(crate) use metadata::Metadata;
pub(crate) use provider::Provider;
pub(crate) use roles::{RoleMapping, RoleRules};

use self::http::HttpClient;

/// Descriptions of so many issuers are remembered.
const REMEMBERED: u64 = 1000;

/// Where an issuer describes itself, below its address.
const DESCRIPTION: &str = ".well-known/openid-configuration";

/// Where an issuer that speaks for many directories has the id of one.
const TENANT: &str = "{tenantid}";

/// Asks issuers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Oidc {
    pub(crate) config: Arc<OidcConfig>,
    /// For what organizations have named.
    public: HttpClient,
    /// For what the operator has named.
    anywhere: HttpClient,
    /// Descriptions with their keys, by whether the operator has named the issuer, and its address.
    known: Cache<(bool, String), Arc<Metadata>>,
}

/// What stays here while somebody is at an issuer.
pub(crate) struct Sent {
    pub(crate) url: Url,
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl Oidc {
    pub(crate) fn try_new(config: OidcConfig) -> Result<Self, InvalidOidcSettings> {
        config.check()?;
        let tls = connector("accounts.oidc.ca_file", &config.ca_file)?;
        let client = |reach| HttpClient {
            outlet: Outlet::new(reach, Arc::new(SystemResolver), tls.clone()),
            allow_http: config.allow_http,
            timeout: config.timeout,
            max_answer: usize::try_from(config.max_answer.as_u64()).unwrap_or(usize::MAX),
        };
        let known = Cache::builder().max_capacity(REMEMBERED).time_to_live(config.remember).build();
        Ok(Self {
            public: client(Reach::Public(config.allowed_networks.clone())),
            anywhere: client(Reach::Anywhere),
            known,
            config: Arc::new(config),
        })
    }

    /// The issuer of the settings that is called so.
    pub(crate) fn of_settings(&self, key: &str) -> Option<Provider> {
        Provider::of_settings(&self.config, key)
    }

    /// Where to send somebody who wants to sign in, with what to keep until they are back.
    pub(crate) async fn send(&self, provider: &Provider, redirect_uri: &str) -> Result<Sent, IssuerError> {
        let metadata = self.metadata(provider).await?;
        let client = client(provider, &metadata, redirect_uri)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let scopes = provider.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new);
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        Ok(Sent {
            url,
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: PkceCodeVerifier::into_secret(verifier),
        })
    }

    /// Where to send somebody who wants to be signed out at the issuer too; `None` where it has no such place.
    pub(crate) async fn end_session_url(
        &self,
        provider: &Provider,
        redirect_uri: Option<&str>,
    ) -> Result<Option<Url>, IssuerError> {
        let metadata = self.metadata(provider).await?;
        let Some(endpoint) = metadata.additional_metadata().end_session_endpoint.clone() else {
            return Ok(None);
        };
        let mut request =
            LogoutRequest::from(endpoint).set_client_id(ClientId::new(provider.client_id.clone()));
        if let Some(uri) = redirect_uri {
            let uri = PostLogoutRedirectUrl::new(uri.to_owned());
            request = request.set_post_logout_redirect_uri(uri.map_err(|_| IssuerError::Description)?);
        }
        Ok(Some(request.http_get_url()))
    }

    /// The issuer's description of itself and its keys, as remembered.
    async fn metadata(&self, provider: &Provider) -> Result<Arc<Metadata>, IssuerError> {
        let key = (provider.owner.is_none(), provider.issuer.clone());
        let fetched = self.known.try_get_with(key, self.fetch(provider)).await;
        fetched.map_err(|error| IssuerError::clone(&error))
    }

    /// The same as it is now.
    pub(crate) async fn metadata_now(&self, provider: &Provider) -> Result<Arc<Metadata>, IssuerError> {
        let metadata = self.fetch(provider).await?;
        let key = (provider.owner.is_none(), provider.issuer.clone());
        self.known.insert(key, Arc::clone(&metadata)).await;
        Ok(metadata)
    }

    async fn fetch(&self, provider: &Provider) -> Result<Arc<Metadata>, IssuerError> {
        if !provider.tenants.is_empty() {
            return self.fetch_template(provider).await.map(Arc::new);
        }
        let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(|_| IssuerError::Description)?;
        let found = Metadata::discover_async(issuer, self.http(provider)).await;
        found.map(Arc::new).map_err(|error| IssuerError::of_discovery(&provider.issuer, &error))
    }

    /// The description of an issuer that speaks for many directories: it names itself with a place for the directory's id.
    async fn fetch_template(&self, provider: &Provider) -> Result<Metadata, IssuerError> {
        let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(|_| IssuerError::Description)?;
        let url = issuer.join(DESCRIPTION).map_err(|_| IssuerError::Description)?;
        let request = ::http::Request::get(url.as_str()).body(Vec::new());
        let request = request.map_err(|_| IssuerError::Description)?;
        let (http, down) = (self.http(provider), |error| IssuerError::down(&provider.issuer, &error));
        let answer = http.send(request).await.map_err(down)?;
        if !answer.status().is_success() {
            return Err(IssuerError::Status { url: url.into(), status: answer.status().as_u16() });
        }
        let metadata: Metadata =
            serde_json::from_slice(answer.body()).map_err(|_| IssuerError::Description)?;
        if !metadata.issuer().as_str().contains(TENANT) {
            return Err(IssuerError::AnotherIssuer(metadata.issuer().as_str().chars().take(300).collect()));
        }
        let keys = JsonWebKeySet::fetch_async(metadata.jwks_uri(), http).await;
        let keys = keys.map_err(|error| IssuerError::of_discovery(&provider.issuer, &error))?;
        Ok(metadata.set_jwks(keys))
    }

    /// What a domain says of whose it is.
    pub(crate) async fn domain_proof(&self, domain: &str) -> Result<String, IssuerError> {
        let url = self.config.domain_proof_url.replace("{domain}", domain);
        let request = ::http::Request::get(&url).body(Vec::new());
        let request = request.map_err(|_| IssuerError::Description)?;
        let client = if self.config.proofs_are_in_one_place() { &self.anywhere } else { &self.public };
        let answer = client.send(request).await.map_err(|error| IssuerError::down(&url, &error))?;
        if answer.status().is_success() {
            Ok(String::from_utf8_lossy(answer.body()).into_owned())
        } else {
            Err(IssuerError::Status { url, status: answer.status().as_u16() })
        }
    }

    const fn http(&self, provider: &Provider) -> &HttpClient {
        if provider.owner.is_some() { &self.public } else { &self.anywhere }
    }
}

fn client(provider: &Provider, metadata: &Metadata, redirect_uri: &str) -> Result<Client, IssuerError> {
    let redirect_uri = RedirectUrl::new(redirect_uri.to_owned()).map_err(|_| IssuerError::Description)?;
    let id = ClientId::new(provider.client_id.clone());
    let secret = provider.client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose().to_owned()));
    let client = CoreClient::from_provider_metadata(metadata.clone(), id, secret);
    let methods = metadata.token_endpoint_auth_methods_supported();
    let takes_basic = methods.is_none_or(|all| all.contains(&CoreClientAuthMethod::ClientSecretBasic));
    let auth = if takes_basic { AuthType::BasicAuth } else { AuthType::RequestBody };
    Ok(client.set_redirect_uri(redirect_uri).set_auth_type(auth))
}
