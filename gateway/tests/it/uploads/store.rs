//! Subgraphs that take files over HTTP and say what came, and a gateway over two of them.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use http::{Method, header};
use pulse_gateway::remote::{RemoteEndpoint, RemoteSubgraph};
use pulse_gateway::{GatewayConfig, GatewayParts, StaticSource, Subgraphs};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::support::client::Reply;
use crate::support::clock;
use crate::support::gateway::{SUPERGRAPH, TestGateway, parts};

/// Any value of this header will do.
const PREFLIGHT: &str = "apollo-require-preflight: true";

/// A gateway over the subgraphs `parrot` and `store`.
pub(super) struct Stores {
    pub(super) gateway: TestGateway,
    /// How many bytes of a file came to a subgraph, piece by piece.
    pub(super) pieces: mpsc::UnboundedReceiver<usize>,
}

impl Stores {
    pub(super) async fn start() -> Self {
        Self::configured(GatewayConfig::default()).await
    }

    pub(super) async fn configured(config: GatewayConfig) -> Self {
        let (told, pieces) = mpsc::unbounded_channel();
        let mut subgraphs: Vec<Arc<dyn pulse_gateway::ports::Subgraph>> = Vec::new();
        for name in ["parrot", "store"] {
            let endpoint =
                RemoteEndpoint { name: name.to_owned(), url: subgraph(told.clone()).await, signer: None };
            subgraphs
                .push(Arc::new(RemoteSubgraph::try_new(endpoint, config.remote.clone(), clock()).unwrap()));
        }
        let source = Arc::new(StaticSource::new(supergraph()));
        let parts = GatewayParts { subgraphs: Subgraphs::Fixed(subgraphs), source, ..parts() };
        Self { gateway: TestGateway::with(parts, config).await, pieces }
    }

    /// Sends a form. A part is its name, its file's name where it is a file, and its content.
    pub(super) async fn send(&self, parts: &[(&str, Option<&str>, &[u8])]) -> Reply {
        let (content_type, body) = form(parts);
        self.gateway.send(Method::POST, "/graphql", &[&content_type, PREFLIGHT], body).await
    }
}

/// A form as a client sends it, and its content type's header.
pub(super) fn form(parts: &[(&str, Option<&str>, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file =
            file.map(|file| format!("; filename=\"{file}\"\r\nContent-Type: text/plain")).unwrap_or_default();
        let head = format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--xyz--\r\n");
    ("content-type: multipart/form-data; boundary=xyz".to_owned(), body)
}

fn supergraph() -> String {
    SUPERGRAPH
        .replace(
            "  PARROT @",
            "  STORE @join__graph(name: \"store\", url: \"http://localhost:1/graphql\")\n  PARROT @",
        )
        .replace(
            "type Mutation @join__type(graph: PARROT) {",
            "scalar Upload @join__type(graph: PARROT) @join__type(graph: STORE)\n\
             input Album @join__type(graph: PARROT) { cover: Upload, pages: [Upload!] }\n\
             type Mutation @join__type(graph: PARROT) @join__type(graph: STORE) {\n\
               upload(file: Upload): String @join__field(graph: PARROT)\n\
               uploadMany(files: [Upload!]!): String @join__field(graph: PARROT)\n\
               bind(album: Album!): String @join__field(graph: PARROT)\n\
               keep(file: Upload!): String @join__field(graph: STORE)\n",
        )
        .replace(
            "  shout(text: String!): String",
            "  shout(text: String!): String @join__field(graph: PARROT)",
        )
}

async fn subgraph(pieces: mpsc::UnboundedSender<usize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/graphql", listener.local_addr().unwrap());
    let router = Router::new().route("/graphql", post(answer)).with_state(pieces);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Every root field is answered with what came: names, types, and sizes or short contents.
async fn answer(State(pieces): State<mpsc::UnboundedSender<usize>>, request: Request) -> Response {
    let Some(came) = read(request, &pieces).await else {
        // What a server does with a body that breaks off.
        return http::StatusCode::BAD_REQUEST.into_response();
    };
    let names = ["upload", "uploadMany", "bind", "keep", "shout"];
    let asked = |name: &&&str| came.contains(&format!("{name}("));
    let data: serde_json::Map<String, serde_json::Value> =
        names.iter().filter(asked).map(|name| ((*name).to_owned(), came.clone().into())).collect();
    axum::Json(serde_json::json!({ "data": data })).into_response()
}

async fn read(request: Request, pieces: &mpsc::UnboundedSender<usize>) -> Option<String> {
    let content_type = request.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned();
    let body: Body = request.into_body();
    let Ok(boundary) = multer::parse_boundary(&content_type) else {
        let bytes: Bytes = axum::body::to_bytes(body, usize::MAX).await.ok()?;
        return Some(format!("JSON {}", String::from_utf8(bytes.to_vec()).unwrap()));
    };
    let mut parts = multer::Multipart::new(body.into_data_stream(), boundary);
    let mut lines = Vec::new();
    while let Some(mut field) = parts.next_field().await.ok()? {
        let (name, file) = (field.name().unwrap().to_owned(), field.file_name().map(str::to_owned));
        let kind = field.content_type().map(ToString::to_string).unwrap_or_default();
        let mut content = Vec::new();
        while let Some(chunk) = field.chunk().await.ok()? {
            if file.is_some() {
                pieces.send(chunk.len()).unwrap();
            }
            content.extend_from_slice(&chunk);
        }
        let shown = match content.len() {
            0..=200 => String::from_utf8(content).unwrap(),
            length => format!("{length} bytes"),
        };
        lines.push(format!("{name} {} {kind}: {shown}", file.unwrap_or_default()));
    }
    Some(lines.join(" | "))
}
