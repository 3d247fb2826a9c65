//! Which media type a client wants (RFC 9110 §12.5.1, GraphQL over HTTP "Body").

use http::header::{ACCEPT, HeaderMap, HeaderValue};

/// The media types of a GraphQL response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// `application/graphql-response+json`: the status tells whether the request was good.
    GraphqlResponse,
    /// `application/json`: the status is 200 for every well-formed request.
    Json,
}

impl MediaType {
    pub(crate) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }

    /// How a list of responses is sent to a client that takes single ones as this. A list is no GraphQL response, so it
    /// is plain JSON wherever that is accepted.
    pub(crate) fn for_lists(self, headers: &HeaderMap) -> Self {
        let json = ["application/json", "application/*", "*/*"];
        let ranges = accepted(headers);
        let accepts = ranges.iter().any(|range| range.quality > 0 && json.contains(&range.name.as_str()));
        if accepts || ranges.is_empty() { Self::Json } else { self }
    }

    /// What a request accepts most of what the API can answer with; `None` when that is nothing. Who does not name the
    /// newer type may not know it, and gets the older one.
    pub(crate) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let ranges = accepted(headers);
        if ranges.is_empty() {
            return Some(Self::Json);
        }
        let refuses = |name: &str| ranges.iter().any(|range| range.name == name && range.quality == 0);
        let mut wanted: Vec<&MediaRange> =
            ranges.iter().filter(|range| range.quality > 0 && range.utf8).collect();
        wanted.sort_by_key(|range| std::cmp::Reverse(range.quality));
        wanted.into_iter().find_map(|range| match range.name.as_str() {
            "application/graphql-response+json" => Some(Self::GraphqlResponse),
            "application/json" => Some(Self::Json),
            "application/*" | "*/*" if !refuses("application/json") => Some(Self::Json),
            "application/*" | "*/*" if !refuses("application/graphql-response+json") => {
                Some(Self::GraphqlResponse)
            }
            _ => None,
        })
    }
}

/// How a stream of answers is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamType {
    /// `text/event-stream`: GraphQL over SSE.
    EventStream,
    /// `multipart/mixed;subscriptionSpec=1.0`: subscriptions over multipart HTTP.
    Multipart,
}

/// What a client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// For one answer.
    pub(crate) once: Option<MediaType>,
    /// For a stream of answers; only where it is asked for by name.
    pub(crate) stream: Option<StreamType>,
    /// Whether one answer is a stream too.
    pub(crate) always_stream: bool,
}

impl Accepted {
    /// `None` when the API has nothing that the client takes.
    pub(crate) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let once = MediaType::negotiate(headers);
        let ranges = accepted(headers);
        let streams = ranges.iter().filter(|range| range.quality > 0 && range.utf8);
        let streams = streams.filter_map(|range| Some((range.quality, range.stream_type()?)));
        // The first of the best.
        let best = streams.rev().max_by_key(|(quality, _)| *quality);
        let of_once = |range: &&MediaRange| range.quality > 0 && range.stream_type().is_none();
        let once_quality = ranges.iter().filter(of_once).map(|range| range.quality).max();
        let (quality, stream) = best.unzip();
        let prefers_events = stream == Some(StreamType::EventStream)
            && quality >= once_quality
            && ranges.first().is_some_and(|first| first.stream_type().is_some() || quality > once_quality);
        let accepted = Self { once, stream, always_stream: once.is_none() || prefers_events };
        (once.is_some() || stream.is_some()).then_some(accepted)
    }
}

/// Whether HTML is what a request accepts most: a browser that navigates.
pub(crate) fn prefers_html(headers: &HeaderMap) -> bool {
    let ranges = accepted(headers);
    let best = ranges.iter().map(|range| range.quality).max().unwrap_or(0);
    let first = ranges.iter().find(|range| range.quality == best && best > 0);
    first.is_some_and(|range| matches!(range.name.as_str(), "text/html" | "application/xhtml+xml"))
}

struct MediaRange {
    name: String,
    /// In thousandths.
    quality: u16,
    utf8: bool,
    /// The version of the protocol for subscriptions over multipart HTTP.
    subscription_spec: Option<String>,
}

impl MediaRange {
    fn stream_type(&self) -> Option<StreamType> {
        match self.name.as_str() {
            "text/event-stream" => Some(StreamType::EventStream),
            "multipart/mixed" if self.subscription_spec.as_deref() == Some("1.0") => {
                Some(StreamType::Multipart)
            }
            _ => None,
        }
    }
}

fn accepted(headers: &HeaderMap) -> Vec<MediaRange> {
    let values = headers.get_all(ACCEPT).iter().map(|value| value.to_str().unwrap_or("unreadable"));
    values
        .flat_map(|value| value.split(','))
        .filter(|range| !range.trim().is_empty())
        .map(media_range)
        .collect()
}

fn media_range(text: &str) -> MediaRange {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let mut range = MediaRange { name, quality: 1000, utf8: true, subscription_spec: None };
    for (key, value) in parts.filter_map(|part| part.split_once('=')) {
        let value = value.trim().trim_matches('"');
        if key.trim().eq_ignore_ascii_case("q") {
            range.quality = quality(value);
        } else if key.trim().eq_ignore_ascii_case("charset") {
            range.utf8 = is_utf8(value);
        } else if key.trim().eq_ignore_ascii_case("subscriptionspec") {
            range.subscription_spec = Some(value.to_owned());
        }
    }
    range
}

/// A weight in thousandths; one that cannot be read counts as none given.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number is between 0 and 1000"
)]
fn quality(text: &str) -> u16 {
    text.parse::<f32>().map_or(1000, |weight| (weight.clamp(0.0, 1.0) * 1000.0).round() as u16)
}

/// Whether a charset is the one that JSON has (RFC 8259 §8.1).
pub(crate) fn is_utf8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(accept: &str) -> Option<MediaType> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        MediaType::negotiate(&headers)
    }

    #[test]
    fn without_accept_the_type_that_everybody_knows_is_used() {
        assert_eq!(MediaType::negotiate(&HeaderMap::new()), Some(MediaType::Json));
        assert_eq!(negotiated(""), Some(MediaType::Json));
    }

    #[test]
    fn the_highest_weight_wins_and_then_the_order() {
        use MediaType::{GraphqlResponse, Json};
        for (accept, expected) in [
            ("application/json", Some(Json)),
            ("application/graphql-response+json", Some(GraphqlResponse)),
            ("application/json, application/graphql-response+json", Some(Json)),
            ("application/json;q=0.9, application/graphql-response+json", Some(GraphqlResponse)),
            ("APPLICATION/JSON; charset=UTF-8", Some(Json)),
            ("*/*", Some(Json)),
            ("application/*;q=0.5, application/graphql-response+json;q=0.4", Some(Json)),
            ("*/*, application/json;q=0", Some(GraphqlResponse)),
            ("text/html, */*;q=0.1", Some(Json)),
            ("text/html", None),
            ("application/json;q=0", None),
            ("application/json; charset=iso-8859-1", None),
            ("application/json;q=nonsense", Some(Json)),
        ] {
            assert_eq!(negotiated(accept), expected, "{accept}");
        }
    }

    #[test]
    fn streams_are_asked_for_by_name() {
        use StreamType::{EventStream, Multipart};
        for (accept, stream, always_stream) in [
            ("text/event-stream", Some(EventStream), true),
            ("text/event-stream, application/json", Some(EventStream), true),
            ("application/json, text/event-stream", Some(EventStream), false),
            ("application/json;q=0.1, text/event-stream", Some(EventStream), true),
            ("text/event-stream;q=0.5, */*;q=0.6", Some(EventStream), false),
            (
                r#"multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/json"#,
                Some(Multipart),
                false,
            ),
            (r#"multipart/mixed;subscriptionSpec="1.0""#, Some(Multipart), true),
            ("multipart/mixed;deferSpec=20220824, application/json", None, false),
            ("*/*", None, false),
            ("text/event-stream;q=0, application/json", None, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            let accepted = Accepted::negotiate(&headers).unwrap();
            assert_eq!((accepted.stream, accepted.always_stream), (stream, always_stream), "{accept}");
        }
    }

    #[test]
    fn a_browser_that_navigates_prefers_html() {
        let html = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            prefers_html(&headers)
        };
        assert!(html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(!html("*/*"));
        assert!(!html("application/json, text/html"));
        assert!(!html("text/html;q=0"));
        assert!(!prefers_html(&HeaderMap::new()));
    }
}
