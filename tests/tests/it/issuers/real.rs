//! The npm package `oidc-provider` as an issuer: a process of its own for each test.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::OnceCell;

use super::{AFTER, CLIENT, PAGE, SECRET};

/// It ends with this, and with the test.
pub(super) struct RealIssuer {
    pub(super) url: String,
    /// It would end if nobody could read what it says.
    _says: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

/// `cargo xtask test` has brought what it needs; elsewhere the first test does.
static BROUGHT: OnceCell<()> = OnceCell::const_new();

impl RealIssuer {
    pub(super) async fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("issuer");
        BROUGHT.get_or_init(|| bring(folder.clone())).await;
        let mut process = Command::new("node")
            .args(["issuer.js", CLIENT, SECRET, PAGE, AFTER])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("these tests need Node.js");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the issuer says where it is");
        let said: Value = serde_json::from_str(&line).unwrap();
        Self { url: said["issuer"].as_str().unwrap().to_owned(), _says: lines, _process: process }
    }

    /// Lets somebody sign in, who is known by these claims from now on.
    pub(super) async fn knows(&self, login: &str, claims: Value) {
        let mut people = json!({});
        people[login] = claims;
        self.control(json!({ "people": people })).await;
    }

    /// Has it sign with a new key alone.
    pub(super) async fn rotate(&self) {
        self.control(json!({ "rotate": true })).await;
    }

    async fn control(&self, change: Value) {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let request = Request::post(format!("{}/control", self.url)).body(Full::from(change.to_string()));
        let answer = client.request(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
}

async fn bring(folder: PathBuf) {
    if folder.join("node_modules/.package-lock.json").exists() {
        return;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-progress", "--loglevel=error"]).current_dir(folder);
    let status = npm.status().await.expect("these tests need Node.js with npm");
    assert!(status.success(), "npm could not bring what tests/issuer/package-lock.json names");
}

/// What an issuer says of somebody with this address.
pub(super) fn claims(email: &str, name: &str) -> Value {
    json!({ "email": email, "email_verified": true, "name": name })
}
