//! A stream as server-sent events (GraphQL over SSE, distinct connections mode).

use bytes::BytesMut;
use futures::stream::{self, BoxStream, StreamExt};
use http::Response;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::Item;
use super::connection::closed;
use crate::config::{RemoteConfig, bytes};
use crate::ports::SubgraphFault;
use crate::remote::client::fault;
use crate::remote::response;
use crate::value::Value;

/// Reads events out of a response's body.
struct Reader {
    body: Incoming,
    read: BytesMut,
    /// How large one event may be.
    limit: usize,
    is_over: bool,
}

/// The events of a response; a response that is no event stream is a single one.
pub(in crate::remote) async fn read(
    response: Response<Incoming>,
    config: &RemoteConfig,
) -> Result<BoxStream<'static, Item>, SubgraphFault> {
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let name = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    if name.eq_ignore_ascii_case("text/event-stream") {
        return Ok(events(response.into_body(), bytes(config.response_limit)));
    }
    let response = response::read(response, config).await?;
    Ok(stream::iter([Ok(response)]).boxed())
}

/// The events of a body. One that breaks off before it says that it is complete is a fault.
fn events(body: Incoming, limit: usize) -> BoxStream<'static, Item> {
    let reader = Reader { body, read: BytesMut::new(), limit, is_over: false };
    stream::unfold(reader, async |mut reader| {
        let item = reader.next().await?;
        reader.is_over = item.is_err();
        Some((item, reader))
    })
    .boxed()
}

impl Reader {
    async fn next(&mut self) -> Option<Item> {
        while !self.is_over {
            while let Some(event) = self.take_event() {
                let (name, data) = fields(&event);
                match name.as_str() {
                    "next" => return Some(response_of(&data)),
                    "complete" => return None,
                    _ => {}
                }
            }
            if self.read.len() > self.limit {
                return Some(Err(SubgraphFault::TooLarge(self.limit)));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.read.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Some(Err(fault(error))),
                None => return Some(Err(closed())),
            }
        }
        None
    }

    /// The next whole event: all up to an empty line.
    fn take_event(&mut self) -> Option<String> {
        let bytes = &self.read[..];
        let (length, end) = (0..bytes.len()).find_map(|at| {
            let rest = &bytes[at..];
            let separators: [&[u8]; 3] = [b"\r\n\r\n", b"\n\n", b"\r\r"];
            let separator = separators.into_iter().find(|separator| rest.starts_with(separator))?;
            Some((at, at + separator.len()))
        })?;
        let event = self.read.split_to(end);
        Some(String::from_utf8_lossy(&event[..length]).into_owned())
    }
}

/// An event's name and data.
fn fields(event: &str) -> (String, String) {
    let (mut name, mut data) = (String::new(), Vec::new());
    for line in event.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut name),
            "data" => data.push(value),
            _ => {}
        }
    }
    (name, data.join("\n"))
}

fn response_of(data: &str) -> Item {
    let malformed = |what: String| SubgraphFault::Malformed(format!("an event with {what}"));
    let value = Value::parse(data.as_bytes());
    let value = value.map_err(|error| malformed(format!("data that is not JSON: {error}")))?;
    response::of_value(value).map_err(malformed)
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_events_lines_become_its_name_and_data() {
        let fields = |event: &str| super::fields(event);
        assert_eq!(fields("event: next\ndata: {}"), ("next".to_owned(), "{}".to_owned()));
        assert_eq!(fields(": comment\nevent:complete\ndata"), ("complete".to_owned(), String::new()));
        assert_eq!(fields("data: a\r\ndata: b"), (String::new(), "a\nb".to_owned()));
    }
}
