//! What the gateway hears of changes: the end of the event log, where it is in the same process.

use futures::StreamExt;
use futures::stream::BoxStream;
use pulse_events::Tail;
use pulse_gateway::ports::{ChangeFeed, Heard};

/// The end of the event log as the gateway's feed of changes.
pub struct TailFeed(pub Tail);

impl ChangeFeed for TailFeed {
    fn changes(&self) -> BoxStream<'static, Heard> {
        let heard = |heard| match heard {
            pulse_events::Heard::Change(change) => Heard::Change(change),
            pulse_events::Heard::Gap => Heard::Gap,
        };
        self.0.everything().map(heard).boxed()
    }
}
