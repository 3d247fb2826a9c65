//! A browser, as far as an issuer needs one: cookies, and redirects that it is told to follow.

use std::collections::BTreeMap;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::Url;

use super::PAGE;

pub(super) struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    cookies: BTreeMap<String, String>,
}

/// What came back.
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) location: Option<String>,
    pub(super) body: String,
}

/// What the issuer gives the page that it leads back to.
#[derive(Debug, Clone)]
pub(super) struct Callback {
    pub(super) code: String,
    pub(super) state: String,
    pub(super) issuer: Option<String>,
}

impl Browser {
    pub(super) fn new() -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), cookies: BTreeMap::new() }
    }

    pub(super) async fn get(&mut self, url: &str) -> Page {
        self.send(Method::GET, url, String::new()).await
    }

    /// Sends a form.
    pub(super) async fn post(&mut self, url: &str, form: &[(&str, &str)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.send(Method::POST, url, body).await
    }

    /// Signs in at the real issuer as `login`; what it gives the page that it leads back to.
    pub(super) async fn sign_in(&mut self, url: &str, login: &str) -> Callback {
        let mut url = url.to_owned();
        loop {
            let page = self.get(&url).await;
            let location = page.location.unwrap_or_else(|| panic!("{url}: {} {}", page.status, page.body));
            let next = Url::parse(&url).unwrap().join(&location).unwrap();
            if next.as_str().starts_with(PAGE) {
                return Callback::of(next.as_str());
            }
            if next.path().starts_with("/interaction/") {
                let form = [("prompt", "login"), ("login", login), ("password", "any")];
                let page = self.post(next.as_str(), &form).await;
                let location =
                    page.location.unwrap_or_else(|| panic!("{next}: {} {}", page.status, page.body));
                url = next.join(&location).unwrap().into();
            } else {
                url = next.into();
            }
        }
    }

    async fn send(&mut self, method: Method, url: &str, body: String) -> Page {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder().method(&method).uri(url).header(COOKIE, cookies.join("; "));
        if method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        let response = self.client.request(request).await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let location = parts.headers.get(LOCATION).map(|url| url.to_str().unwrap().to_owned());
        Page { status: parts.status, location, body: String::from_utf8_lossy(&body).into_owned() }
    }
}

impl Callback {
    fn of(url: &str) -> Self {
        let given = |name: &str| parameter(url, name);
        Self {
            code: given("code").unwrap_or_else(|| panic!("no code: {url}")),
            state: given("state").unwrap(),
            issuer: given("iss"),
        }
    }
}

/// A parameter of an address.
pub(super) fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}
