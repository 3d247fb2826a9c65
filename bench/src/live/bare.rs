//! The comparison: a loop that writes the frame of an event to all who follow, and nothing else.

use std::sync::{Arc, Mutex, PoisonError};

use pulse_bench_harness::child::announce;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A line that begins so tells of an event, by the number of the entity and its version; others say what to follow.
pub(super) const EVENT: &str = "event ";

/// Those who follow one entity.
type Followers = Mutex<Vec<mpsc::UnboundedSender<Arc<[u8]>>>>;

/// Serves `entities`.
pub(crate) async fn serve(entities: usize) -> anyhow::Result<()> {
    let followers: Arc<Vec<Followers>> = Arc::new((0..entities).map(|_| Mutex::default()).collect());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let followers = Arc::clone(&followers);
        tokio::spawn(async move {
            // A client that has gone is no reason to fail.
            let _gone = connection(stream, &followers).await;
        });
    }
}

async fn connection(mut stream: TcpStream, followers: &[Followers]) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    // One byte after the other, so that nothing is kept for a client that says a line and no more.
    let mut line = String::new();
    loop {
        match stream.read_u8().await? {
            b'\n' => break,
            byte => line.push(char::from(byte)),
        }
    }
    if let Some(event) = line.strip_prefix(EVENT) {
        tell(event, followers);
        let mut lines = BufReader::new(stream).lines();
        while let Some(line) = lines.next_line().await? {
            tell(line.strip_prefix(EVENT).unwrap_or_default(), followers);
        }
        return Ok(());
    }
    let entity: usize = line.parse()?;
    let (sender, mut receiver) = mpsc::unbounded_channel();
    followers[entity].lock().unwrap_or_else(PoisonError::into_inner).push(sender);
    while let Some(frame) = receiver.recv().await {
        stream.write_all(&frame).await?;
    }
    Ok(())
}

fn tell(event: &str, followers: &[Followers]) {
    let Some((Ok(entity), version)) =
        event.split_once(' ').map(|(entity, version)| (entity.parse::<usize>(), version))
    else {
        return;
    };
    // As long as Pulse's frame of the same event.
    let cursor = "0123456789abcdef0123456789abcdef.0000";
    let frame = format!(
        "id: {cursor}\nevent: next\ndata: {{\"data\":{{\"entityChanged\":{{\"id\":\"{:036}\",\"version\":{version},\"cursor\":\"{cursor}\"}}}}}}\n\n",
        entity
    );
    let frame: Arc<[u8]> = frame.into_bytes().into();
    let mut followers = followers[entity].lock().unwrap_or_else(PoisonError::into_inner);
    followers.retain(|sender| sender.send(Arc::clone(&frame)).is_ok());
}
