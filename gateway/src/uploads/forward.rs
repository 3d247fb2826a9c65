//! Files on their way to a subgraph: multipart/form-data again, written as the files come in.

use std::fmt::Write;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use http::HeaderValue;

use super::{SubgraphFile, UploadError};
use crate::value::{Object, Value};

/// A body by the GraphQL multipart request specification, and its content type. `operations` is the request as JSON.
pub(crate) fn forward(
    operations: &[u8],
    files: &[SubgraphFile],
) -> (HeaderValue, BoxStream<'static, Result<Bytes, UploadError>>) {
    // A file that held the boundary could smuggle parts of its own in, so no client may guess it.
    let boundary = format!("pulse-{:032x}", rand::random::<u128>());
    let content_type = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"))
        .expect("letters, digits and a hyphen are a header value");
    let mut head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"operations\"\r\n\
         Content-Type: application/json\r\n\r\n"
    )
    .into_bytes();
    head.extend_from_slice(operations);
    let map = map(files).to_string();
    head.extend_from_slice(
        format!(
            "\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"map\"\r\n\
             Content-Type: application/json\r\n\r\n{map}"
        )
        .as_bytes(),
    );
    let tail = Bytes::from(format!("\r\n--{boundary}--\r\n"));
    let files: Vec<_> = files.iter().cloned().enumerate().collect();
    let parts =
        stream::iter(files).then(move |(index, file)| part(boundary.clone(), index, file)).try_flatten();
    let head = stream::once(async { Ok(Bytes::from(head)) });
    (content_type, head.chain(parts).chain(stream::once(async { Ok(tail) })).boxed())
}

fn map(files: &[SubgraphFile]) -> Value {
    let entry = |(index, file): (usize, &SubgraphFile)| {
        let paths = file.paths.iter().map(|path| Value::from(format!("variables.{path}")));
        (index.to_string().into(), Value::List(paths.collect()))
    };
    Value::Object(files.iter().enumerate().map(entry).collect::<Object>())
}

async fn part(
    boundary: String,
    index: usize,
    file: SubgraphFile,
) -> Result<BoxStream<'static, Result<Bytes, UploadError>>, UploadError> {
    let open = file.upload.open().await?;
    let name = escaped(&open.file_name);
    let mut head = format!(
        "\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"{index}\"; filename=\"{name}\"\r\n"
    );
    let content_type = open.content_type.as_deref().unwrap_or("application/octet-stream");
    write!(head, "Content-Type: {content_type}\r\n\r\n").expect("writing to a string cannot fail");
    Ok(stream::once(async { Ok(Bytes::from(head)) }).chain(open.content).boxed())
}

/// A file's name as browsers write it.
fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
