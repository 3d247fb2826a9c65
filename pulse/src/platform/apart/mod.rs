//! What a gateway in a process of its own hears of changes: from any of the subgraphs' processes, which all follow one log.

mod lines;
mod process;
mod reader;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt};
use pulse_gateway::ports::{ChangeFeed, Heard, Revocation, RevocationFeed};
use pulse_gateway::remote::{CallerSigner, InvalidEndpoint, RemoteEndpoint, SubgraphProcess};
use pulse_gateway::{GatewayConfig, HealthCheck};
use pulse_types::{Change, Clock};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

pub(super) use process::ProcessApart;

use super::machines::{MachinesApart, VerifyMachines};
use super::revoked::Meaning;
use super::{Revoked, SUBGRAPHS, revoked};

/// How long nothing may be heard before a process that tells counts as gone: it says something each second.
const SILENCE: Duration = Duration::from_secs(5);

/// How long tokens are believed without news of what was revoked. All subgraphs are gone then, or cut off.
const BELIEVED: Duration = Duration::from_secs(30);

/// How many changes wait for those who listen.
const WAITING: usize = 8_192;

/// The feeds of a gateway in a process of its own. What was revoked is kept in the [`Revoked`] that it was made with.
pub struct ApartFeed {
    shared: Arc<Shared>,
    /// Where the subgraphs are. The reader begins anew when that changes.
    places: watch::Sender<Places>,
    _reader: AbortOnDropHandle<()>,
    _asking: AbortOnDropHandle<()>,
}

/// Where the subgraphs are.
pub(super) type Places = Arc<Vec<SubgraphProcess>>;

/// What the reader and those who listen share.
struct Shared {
    revoked: Arc<Revoked>,
    /// Those who may have other rights now: they are asked about one after the other.
    concerned: mpsc::UnboundedSender<Meaning>,
    changes: broadcast::Sender<Heard>,
    /// Those who hear of revocations. Their number is small, and none may be missed.
    told: Mutex<Vec<mpsc::UnboundedSender<Revocation>>>,
    /// When a process that tells was last heard.
    heard_at: watch::Sender<Option<Instant>>,
}

impl ApartFeed {
    /// Begins to listen to the subgraphs that the configuration names; also what asks the one of accounts.
    pub(super) fn start(
        config: &GatewayConfig,
        signer: &Arc<dyn CallerSigner>,
        (clock, revoked): (&Clock, Arc<Revoked>),
    ) -> Result<(Self, Arc<MachinesApart>), InvalidEndpoint> {
        let (places, watched) = watch::channel(places(config, signer, clock)?);
        let machines = Arc::new(MachinesApart(ProcessApart::new("accounts", places.subscribe())));
        let (concerned, waiting) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            revoked,
            concerned,
            changes: broadcast::Sender::new(WAITING),
            told: Mutex::default(),
            heard_at: watch::Sender::new(None),
        });
        let reader = AbortOnDropHandle::new(tokio::spawn(reader::run(Arc::clone(&shared), watched)));
        let asking = ask(Arc::clone(&shared), Arc::clone(&machines) as _, waiting);
        let asking = AbortOnDropHandle::new(tokio::spawn(asking));
        Ok((Self { shared, places, _reader: reader, _asking: asking }, machines))
    }

    /// Listens where another configuration has the subgraphs.
    pub fn move_to(
        &self,
        config: &GatewayConfig,
        signer: &Arc<dyn CallerSigner>,
        clock: &Clock,
    ) -> Result<(), InvalidEndpoint> {
        self.places.send_replace(places(config, signer, clock)?);
        Ok(())
    }

    /// Where the subgraphs are, now and whenever that changes.
    pub(super) fn places(&self) -> watch::Receiver<Places> {
        self.places.subscribe()
    }

    /// Waits for the first news, for as long as `limit` at most.
    pub async fn first_news(&self, limit: Duration) {
        let mut heard_at = self.shared.heard_at.subscribe();
        // A gateway serves without news too; it says so itself.
        drop(tokio::time::timeout(limit, heard_at.wait_for(Option::is_some)).await);
    }

    /// Says `degraded` while nobody tells.
    pub fn health(&self) -> HealthCheck {
        let shared = Arc::clone(&self.shared);
        HealthCheck::degrading("changes", move || std::future::ready(shared.health()))
    }
}

/// Tells of those who have fewer rights, for ever.
async fn ask(
    shared: Arc<Shared>,
    machines: Arc<dyn VerifyMachines>,
    concerned: mpsc::UnboundedReceiver<Meaning>,
) {
    let concerned = stream::unfold(concerned, async |mut receiver| {
        receiver.recv().await.map(|meaning| (vec![meaning], receiver))
    });
    let mut told = revoked::revocations(&shared.revoked, &machines, concerned.boxed());
    while let Some(revocation) = told.next().await {
        shared.tell_of(revocation);
    }
}

fn places(
    config: &GatewayConfig,
    signer: &Arc<dyn CallerSigner>,
    clock: &Clock,
) -> Result<Places, InvalidEndpoint> {
    let place = |name: &&str| {
        let url = config.url_of(name).unwrap_or_default().to_owned();
        let endpoint = RemoteEndpoint { name: (*name).to_owned(), url, signer: Some(Arc::clone(signer)) };
        SubgraphProcess::try_new(endpoint, config.remote_for(name), clock.clone())
    };
    SUBGRAPHS.iter().map(place).collect::<Result<_, _>>().map(Arc::new)
}

impl ChangeFeed for ApartFeed {
    fn changes(&self) -> BoxStream<'static, Heard> {
        let heard = stream::unfold(self.shared.changes.subscribe(), async |mut receiver| {
            let heard = match receiver.recv().await {
                Ok(heard) => heard,
                Err(RecvError::Lagged(_)) => Heard::Gap,
                Err(RecvError::Closed) => return None,
            };
            Some((heard, receiver))
        });
        heard.boxed()
    }
}

impl RevocationFeed for ApartFeed {
    fn revocations(&self) -> BoxStream<'static, Revocation> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.shared.told.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        let told = stream::unfold(receiver, async |mut receiver| {
            receiver.recv().await.map(|revocation| (revocation, receiver))
        });
        told.boxed()
    }

    fn is_current(&self) -> bool {
        self.shared.silent_for().is_some_and(|silent| silent < BELIEVED)
    }
}

impl Shared {
    /// For how long nobody has told anything; `None` when nobody ever has.
    fn silent_for(&self) -> Option<Duration> {
        self.heard_at.borrow().map(|at| at.elapsed())
    }

    fn health(&self) -> Result<(), String> {
        match self.silent_for() {
            Some(silent) if silent <= SILENCE => Ok(()),
            Some(silent) => Err(format!(
                "no subgraph tells of changes for {} s: live queries wait, and after {} s no token is believed",
                silent.as_secs(),
                BELIEVED.as_secs()
            )),
            None => Err("no subgraph has told of changes yet: no token is believed".to_owned()),
        }
    }

    /// Somebody tells.
    fn heard(&self) {
        self.heard_at.send_replace(Some(Instant::now()));
    }

    /// Takes in what a change revokes, before anybody is told of it. Who has other rights by it has to be asked first.
    fn revoke(&self, change: &Change) {
        match self.revoked.take(change) {
            None => {}
            Some(Meaning::Ends(revocation)) => self.tell_of(revocation),
            // Nobody hears it only when the process ends.
            Some(concerned) => drop(self.concerned.send(concerned)),
        }
    }

    fn tell_of(&self, revocation: Revocation) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|sender| sender.send(revocation).is_ok());
    }

    fn tell(&self, heard: Heard) {
        // Nobody need be listening.
        let _ = self.changes.send(heard);
    }
}
