//! What is being loaded: each place by one at a time.

use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashMap;
use tokio::sync::watch;

use crate::entry::Entry;
use crate::key::Place;

/// What became of a load.
#[derive(Debug, Clone)]
pub(crate) enum Landed {
    /// Everybody may have it.
    Kept(Arc<Entry>),
    /// It is not one to be kept: each has to load their own.
    NotKept,
}

/// What is being loaded in this process.
#[derive(Debug, Default)]
pub(crate) struct Flights(Mutex<FxHashMap<Place, watch::Receiver<Option<Landed>>>>);

/// Who loads something: the others wait until it has landed, or was given up.
#[derive(Debug)]
pub(crate) struct Flight {
    flights: Arc<Flights>,
    pub(crate) place: Place,
    landed: watch::Sender<Option<Landed>>,
}

/// What another one is loading.
#[derive(Debug)]
pub(crate) struct Joined(watch::Receiver<Option<Landed>>);

impl Flights {
    /// Loads what nobody is loading, or joins the one who is.
    pub(crate) fn join(self: &Arc<Self>, place: &Place) -> Result<Flight, Joined> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(landed) = flights.get(place) {
            return Err(Joined(landed.clone()));
        }
        let (landed, receiver) = watch::channel(None);
        flights.insert(place.clone(), receiver);
        Ok(Flight { flights: Arc::clone(self), place: place.clone(), landed })
    }
}

impl Flight {
    /// Tells the others what became of it.
    pub(crate) fn land(self, landed: Landed) {
        self.landed.send_replace(Some(landed));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.flights.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.place);
    }
}

impl Joined {
    /// What became of it; `None` when it was given up, or was old when it came.
    pub(crate) async fn landed(mut self) -> Option<Landed> {
        // An error says that whoever loaded it has gone: what they left is seen all the same.
        let _ = self.0.changed().await;
        self.0.borrow().clone()
    }
}
