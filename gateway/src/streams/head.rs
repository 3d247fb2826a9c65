//! A request's head for as long as a stream lives.

use http::{HeaderMap, HeaderValue};

/// A copy with memory of its own. Values as they were read are slices of their connection's buffer, all of which they
/// would keep: eight kilobytes for each subscriber.
pub(crate) fn kept(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(headers.keys_len());
    for (name, value) in headers {
        let mut copy = HeaderValue::from_bytes(value.as_bytes()).expect("it was a header's value before");
        copy.set_sensitive(value.is_sensitive());
        kept.append(name.clone(), copy);
    }
    kept
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::header::{ACCEPT, AUTHORIZATION};

    use super::*;

    #[test]
    fn what_is_kept_is_equal_and_lets_go_of_the_buffer() {
        let buffer = Bytes::from(b"text/event-stream, */*, secret".to_vec());
        let value = |part: Bytes| HeaderValue::from_maybe_shared(part).unwrap();
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, value(buffer.slice(..17)));
        headers.append(ACCEPT, value(buffer.slice(19..22)));
        let mut secret = value(buffer.slice(24..));
        secret.set_sensitive(true);
        headers.insert(AUTHORIZATION, secret);
        let copy = kept(&headers);
        assert_eq!(copy, headers);
        assert!(copy[AUTHORIZATION].is_sensitive() && !copy[ACCEPT].is_sensitive());
        drop(headers);
        assert!(buffer.is_unique());
    }
}
