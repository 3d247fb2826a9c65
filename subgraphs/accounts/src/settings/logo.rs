//! Uploaded logos: what they may be, and where everybody sees them.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pulse_store::Store;
use pulse_types::{Caller, RequestId};
use std::sync::Arc;
use uuid::Uuid;

use super::error::SettingsError;
use super::repo;

/// How many bytes a logo may have.
pub(crate) const MAX_LOGO: usize = 256 * 1024;

/// A picture of a kind that is shown. SVG is none of them: it can hold programs.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(super) media_type: &'static str,
    pub(super) bytes: Vec<u8>,
}

impl Picture {
    /// By what its first bytes say it is, whatever it is called.
    pub(crate) fn try_new(base64: &str) -> Result<Self, SettingsError> {
        // Four characters for three bytes.
        if base64.len() > MAX_LOGO.div_ceil(3) * 4 {
            return Err(SettingsError::LogoSize(base64.len() / 4 * 3));
        }
        let bytes = STANDARD.decode(base64).map_err(|_| SettingsError::Logo)?;
        if bytes.len() > MAX_LOGO {
            return Err(SettingsError::LogoSize(bytes.len()));
        }
        let media_type = match bytes.as_slice() {
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, _, _, _, _, b'I', b'H', b'D', b'R', ..] => {
                "image/png"
            }
            [0xff, 0xd8, 0xff, ..] => "image/jpeg",
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
            _ => return Err(SettingsError::Logo),
        };
        Ok(Self { media_type, bytes })
    }
}

/// Where an uploaded logo is, on the origin of the API.
pub(crate) fn path(id: Uuid) -> String {
    format!("/logos/{id}")
}

/// Serves uploaded logos to everybody. An address is never used for another picture.
pub(crate) fn logo_routes(store: Store) -> Router {
    Router::new().route("/logos/{id}", get(show)).with_state(store)
}

async fn show(State(store): State<Store>, Path(id): Path<String>) -> Response {
    let Ok(id) = Uuid::try_parse(&id) else { return StatusCode::NOT_FOUND.into_response() };
    let request = RequestId::new(store.clock().now());
    let nobody = store.session(Arc::new(Caller::anonymous(request)));
    match repo::logo(&nobody, id).await {
        Ok(Some((media_type, bytes))) => {
            let headers = [
                (header::CONTENT_TYPE, media_type.as_str()),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
                (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
            ];
            (headers, bytes).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a logo cannot be read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_what_its_first_bytes_say() {
        let kind = |bytes: &[u8]| Picture::try_new(&STANDARD.encode(bytes)).map(|picture| picture.media_type);
        assert_eq!(kind(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Ok("image/png"));
        assert_eq!(kind(b"\xff\xd8\xff\xe0"), Ok("image/jpeg"));
        assert_eq!(kind(b"RIFF\0\0\0\0WEBPVP8 "), Ok("image/webp"));
        assert_eq!(kind(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), Err(SettingsError::Logo));
        assert_eq!(kind(b""), Err(SettingsError::Logo));
        assert_eq!(Picture::try_new("not base64!").map(|_| ()), Err(SettingsError::Logo));
        let large = vec![0xff; MAX_LOGO + 1];
        assert_eq!(kind(&large), Err(SettingsError::LogoSize(MAX_LOGO + 1)));
    }
}
