//! Letters to people: what they say, and how they are sent. A letter is a job, enqueued by the write that it is about, so
//! that it is sent if and only if that is committed.

mod letter;
mod sending;
mod text;
mod transport;

pub(crate) use letter::{FactorNews, Letter, SealedAddress};
pub(crate) use sending::SendLetters;
pub use transport::InvalidMailSettings;
pub(crate) use transport::Mailer;
