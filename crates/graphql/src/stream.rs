//! Subscriptions that wait in little room.
//!
//! Most streams wait most of the time. What an execution holds (its document, its variables, the steps of its resolvers) is
//! many times what is needed to begin another one, so it is let go of while nothing happens: a stream that waits is one
//! who follows the log, and what was asked. When something has happened the operation is executed again, and answers that
//! and all that waits behind it.

use std::sync::Arc;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{ObjectType, Request, Response, SubscriptionType, Variables};
use futures::stream::{self, BoxStream, StreamExt};
use moka::sync::Cache;
use pulse_store::Session;

use crate::live::{Follower, Place, Told};
use crate::subgraph::{Parts, complete_errors, write_down_looks};

/// Where an event's response says its cursor.
const CURSOR_EXTENSION: &str = "cursor";

/// How many documents are kept parsed for streams that may come.
const DOCUMENTS: u64 = 1_000;

/// Documents of streams by their texts, shared by all streams that ask the same.
pub(crate) struct Documents(Cache<String, Arc<ExecutableDocument>>);

impl Default for Documents {
    fn default() -> Self {
        Self(Cache::new(DOCUMENTS))
    }
}

impl Documents {
    /// A request's document; `None` for one that does not parse, which its answer says.
    fn of(&self, request: &mut Request) -> Option<Arc<ExecutableDocument>> {
        if let Some(known) = self.0.get(&request.query) {
            return Some(known);
        }
        let document = Arc::new(request.parsed_query().ok()?.clone());
        self.0.insert(request.query.clone(), Arc::clone(&document));
        Some(document)
    }
}

/// What is asked of each event.
struct Asked {
    document: Arc<ExecutableDocument>,
    operation_name: Option<Box<str>>,
    /// As JSON: a tree of two names takes more than a kilobyte.
    variables: Box<[u8]>,
}

impl Asked {
    fn of(request: &mut Request, documents: &Documents) -> Option<Self> {
        Some(Self {
            document: documents.of(request)?,
            operation_name: request.operation_name.as_deref().map(Box::from),
            variables: serde_json::to_vec(&request.variables).ok()?.into(),
        })
    }

    fn request(&self) -> Request {
        let variables: Variables =
            serde_json::from_slice(&self.variables).expect("they were written by themselves");
        let mut request = Request::new(String::new()).variables(variables);
        request.operation_name = self.operation_name.as_deref().map(str::to_owned);
        request.set_parsed_query(ExecutableDocument::clone(&self.document));
        request
    }
}

/// One stream.
struct Waiting<Q, M, S> {
    parts: Arc<Parts<Q, M, S>>,
    session: Session,
    asked: Asked,
    /// While nothing happens.
    follower: Option<Box<Follower>>,
    /// While something is answered.
    answers: Option<(BoxStream<'static, Response>, Place)>,
}

/// Opens a stream. Once this has returned, nothing that is committed is missed.
pub(crate) async fn open<Q, M, S>(
    parts: &Arc<Parts<Q, M, S>>,
    session: Session,
    mut request: Request,
    documents: &Documents,
) -> BoxStream<'static, Response>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let asked = Asked::of(&mut request, documents);
    let place = Place::default();
    let mut answers = execute(parts, &session, request, &place);
    // An execution does nothing until it is asked for its first event, which may be long in coming.
    tokio::select! {
        first = answers.next() => {
            let answers = stream::iter(first).chain(answers);
            return completed(answers.boxed(), session, place);
        }
        () = place.begun() => {}
    }
    let (Some(follower), Some(asked)) = (place.take_follower(), asked) else {
        return completed(answers, session, place);
    };
    drop(answers);
    let parts = Arc::clone(parts);
    let waiting = Box::new(Waiting { parts, session, asked, follower: Some(follower), answers: None });
    stream::unfold(waiting, async |mut waiting| waiting.next().await.map(|response| (response, waiting)))
        .boxed()
}

impl<Q, M, S> Waiting<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    async fn next(&mut self) -> Option<Response> {
        loop {
            if let Some((answers, place)) = &mut self.answers {
                if let Some(response) = answers.next().await {
                    return Some(Box::pin(complete(response, &self.session, place)).await);
                }
                let (answers, place) = self.answers.take()?;
                // Whoever follows comes back when nobody asks any more.
                drop(answers);
                self.follower = place.take_follower();
            }
            let told = self.follower.as_mut()?.next().await;
            self.answer(told);
        }
    }

    fn answer(&mut self, told: Told) {
        let Some(follower) = self.follower.take() else { return };
        let place = Place::answering(told, follower);
        let answers = execute(&self.parts, &self.session, self.asked.request(), &place);
        self.answers = Some((answers, place));
    }
}

fn execute<Q, M, S>(
    parts: &Parts<Q, M, S>,
    session: &Session,
    request: Request,
    place: &Place,
) -> BoxStream<'static, Response>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    parts.schema.execute_stream(parts.prepare(session, request).data(place.clone()))
}

/// The answers of an execution that is kept for as long as the stream lives.
fn completed(
    answers: BoxStream<'static, Response>,
    session: Session,
    place: Place,
) -> BoxStream<'static, Response> {
    let answers = answers.then(move |response| {
        let (session, place) = (session.clone(), place.clone());
        async move { complete(response, &session, &place).await }
    });
    answers.boxed()
}

async fn complete(mut response: Response, session: &Session, place: &Place) -> Response {
    if let Some(cursor) = place.take_cursor() {
        response.extensions.insert(CURSOR_EXTENSION.to_owned(), cursor.into());
    }
    write_down_looks(session, &mut response).await;
    complete_errors(&mut response, session.caller().request);
    // The next event is read as things are then, and no transaction waits for it.
    session.forget().await;
    response
}
