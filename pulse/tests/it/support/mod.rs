//! What these tests share.

pub(crate) mod events;
pub(crate) mod http;
pub(crate) mod organization;
pub(crate) mod process;
pub(crate) mod roles;
