//! The description of the API, and the page that shows it.

use serde_json::{Value, json};

use super::{Rest, header};

#[tokio::test]
async fn the_api_describes_itself() {
    let rest = Rest::new().await;
    let call = async |path: &str, headers: &[(&str, &str)]| {
        rest.platform.call(("GET", path), None, headers, "").await
    };
    for (path, version) in [
        ("/openapi.json", "3.1.0"),
        ("/openapi.json?version=3.1", "3.1.0"),
        ("/openapi.json?version=3.0", "3.0.3"),
    ] {
        let document = call(path, &[]).await;
        assert_eq!((document.status.as_u16(), &document.json["openapi"]), (200, &json!(version)), "{path}");
        assert_eq!(document.json["servers"], json!([{ "url": super::ROOT }]));
        let again = call(path, &[("if-none-match", header(&document, "etag"))]).await;
        assert_eq!(again.status, 304, "{path}");
    }
    let none = call("/openapi.json?version=2", &[]).await;
    assert_eq!((none.status.as_u16(), &none.json["field"]), (400, &json!("version")));
    for (path, kind) in [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/start.js", "text/javascript; charset=utf-8"),
        ("/docs/swagger-ui.css", "text/css; charset=utf-8"),
        ("/docs/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ] {
        let page = call(path, &[]).await;
        assert_eq!((page.status.as_u16(), header(&page, "content-type")), (200, kind), "{path}");
        assert!(header(&page, "content-security-policy").starts_with("default-src 'none'"));
    }
    assert_eq!(call("/docs/other.js", &[]).await.json["code"], "NOT_FOUND");
}

#[tokio::test]
async fn rest_can_be_turned_off() {
    let platform = pulse_tests::TestPlatform::with_settings(|settings| settings.rest.enabled = false).await;
    for path in ["/api/v1/me", "/openapi.json", "/docs"] {
        assert_eq!(platform.get(path).await.status, 404, "{path}");
    }
    assert_ne!(platform.graphql(None, "{ __typename }", Value::Null).await.json["data"], Value::Null);
}
