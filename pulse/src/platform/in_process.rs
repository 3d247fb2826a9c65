//! The gateway's subgraph port over a subgraph in the same process: no bytes, no socket, no token.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{PathSegment, Request, Response, ServerError, UploadValue};
use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use moka::sync::Cache;
use pulse_gateway::ports::{
    Subgraph as Port, SubgraphError, SubgraphFault, SubgraphFile, SubgraphRequest, SubgraphResponse,
};
use pulse_gateway::value::{Object, Value};
use pulse_graphql::Subgraph;

use super::values;

/// A subgraph of this process behind the gateway's port.
pub struct InProcess {
    subgraph: Subgraph,
    /// Documents that were sent before, by what names them, each with its text.
    parsed: Cache<u64, (Arc<str>, Arc<ExecutableDocument>)>,
}

/// How many documents are kept parsed.
const PARSED: u64 = 1000;

impl InProcess {
    /// The subgraph as a port.
    pub fn port(subgraph: Subgraph) -> Arc<dyn Port> {
        Arc::new(Self { subgraph, parsed: Cache::new(PARSED) })
    }

    async fn translate(&self, request: SubgraphRequest) -> Result<Request, SubgraphFault> {
        let document = self.parsed(&request);
        let mut translated = translate(request).await?;
        if let Some(document) = document {
            translated.set_parsed_query(ExecutableDocument::clone(&document));
        }
        Ok(translated)
    }

    /// A request's document; `None` for one that does not parse, which the answer will say.
    fn parsed(&self, request: &SubgraphRequest) -> Option<Arc<ExecutableDocument>> {
        let known = self.parsed.get(&request.query_hash);
        if let Some((_, document)) = known.filter(|(text, _)| *text == request.query) {
            return Some(document);
        }
        let document = Arc::new(parse_query(&*request.query).ok()?);
        self.parsed.insert(request.query_hash, (Arc::clone(&request.query), Arc::clone(&document)));
        Some(document)
    }
}

#[async_trait]
impl Port for InProcess {
    fn name(&self) -> &str {
        self.subgraph.name
    }

    async fn sdl(&self) -> Result<String, SubgraphFault> {
        Ok(self.subgraph.api.sdl())
    }

    async fn execute(&self, request: SubgraphRequest) -> Result<SubgraphResponse, SubgraphFault> {
        let deadline = request.deadline;
        let allowed = deadline.saturating_duration_since(Instant::now());
        let caller = Arc::clone(&request.caller);
        let answer = async {
            let request = self.translate(request).await?;
            Ok(answer_of(self.subgraph.api.execute(caller, request).await))
        };
        match tokio::time::timeout_at(deadline.into(), answer).await {
            Ok(answer) => answer,
            Err(_) => Err(SubgraphFault::TimedOut(round(allowed))),
        }
    }

    async fn subscribe(
        &self,
        request: SubgraphRequest,
    ) -> Result<BoxStream<'static, Result<SubgraphResponse, SubgraphFault>>, SubgraphFault> {
        let caller = Arc::clone(&request.caller);
        let events = self.subgraph.api.subscribe(caller, self.translate(request).await?).await;
        Ok(events.map(|response| Ok(answer_of(response))).boxed())
    }
}

fn round(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

async fn translate(request: SubgraphRequest) -> Result<Request, SubgraphFault> {
    let mut translated = Request::new(&*request.query).variables(values::variables(request.variables));
    if request.wants_tags {
        translated.extensions.insert("pulse".to_owned(), async_graphql::value!({ "tags": true }));
    }
    for SubgraphFile { paths, upload } in request.files {
        let file = upload.open().await.map_err(SubgraphFault::Upload)?;
        let (filename, content_type) = (file.file_name.clone(), file.content_type.clone());
        let content = file.bytes().await.map_err(SubgraphFault::Upload)?;
        for path in paths {
            let (filename, content_type) = (filename.clone(), content_type.clone());
            let value = UploadValue { filename, content_type, content: content.clone() };
            translated.set_upload(&format!("variables.{path}"), value);
        }
    }
    Ok(match request.operation_name {
        Some(name) => translated.operation_name(&*name),
        None => translated,
    })
}

fn answer_of(response: Response) -> SubgraphResponse {
    let extensions =
        response.extensions.into_iter().map(|(name, value)| (name.into(), values::from_subgraph(value)));
    let extensions: Object = extensions.collect();
    SubgraphResponse {
        extensions: if extensions.is_empty() { Value::Null } else { Value::Object(extensions) },
        data: values::from_subgraph(response.data),
        errors: response.errors.into_iter().map(error_of).collect(),
        ..SubgraphResponse::default()
    }
}

fn error_of(error: ServerError) -> SubgraphError {
    let ServerError { message, path, extensions, .. } = error;
    let path =
        if path.is_empty() { Value::Null } else { Value::List(path.into_iter().map(segment).collect()) };
    let extensions = extensions
        .and_then(|extensions| async_graphql::to_value(&extensions).ok())
        .map_or(Value::Null, values::from_subgraph);
    SubgraphError { message, path, extensions }
}

fn segment(segment: PathSegment) -> Value {
    match segment {
        PathSegment::Field(name) => Value::from(name),
        PathSegment::Index(index) => Value::from(index),
    }
}
