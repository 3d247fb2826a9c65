//! What an organization may say of an issuer.

use pulse_types::Secret;

use super::{ProviderError, ProviderSettings};
use crate::name::Name;
use crate::oidc::{OidcConfig, check_issuer};

const MAX_SCOPES: usize = 20;
const MAX_MAPPINGS: usize = 100;

pub(super) fn check(settings: &ProviderSettings, config: &OidcConfig) -> Result<(), ProviderError> {
    Name::try_new(&settings.name)?;
    check_issuer(&settings.issuer, config)?;
    length(&settings.client_id, 255).map_err(ProviderError::ClientId)?;
    // RFC 6749, appendix A.4.
    let is_word = |scope: &String| {
        length(scope, 100).is_ok()
            && scope.bytes().all(|c| c.is_ascii_graphic() && !matches!(c, b'"' | b'\\'))
    };
    if settings.scopes.len() > MAX_SCOPES || !settings.scopes.iter().all(is_word) {
        return Err(ProviderError::Scopes);
    }
    let roles = &settings.roles;
    match &roles.claim {
        Some(path) => length(path, 255).map_err(ProviderError::RoleClaim)?,
        None if !roles.mappings.is_empty() => return Err(ProviderError::NoRoleClaim),
        None => {}
    }
    let is_bad = |value: &str| length(value, 255).is_err();
    if roles.mappings.len() > MAX_MAPPINGS || roles.mappings.iter().any(|mapping| is_bad(&mapping.value)) {
        return Err(ProviderError::RoleMappings);
    }
    Ok(())
}

pub(super) fn check_secret(secret: Option<&Secret>) -> Result<(), ProviderError> {
    secret.map_or(Ok(()), |secret| length(secret.expose(), 1000)).map_err(ProviderError::ClientSecret)
}

/// 1 to `max` characters; how many it is otherwise.
fn length(text: &str, max: usize) -> Result<(), usize> {
    match text.chars().count() {
        length if (1..=max).contains(&length) => Ok(()),
        length => Err(length),
    }
}
