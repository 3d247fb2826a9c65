//! Names for what is too long to compare.

use std::hash::Hasher;

use sha2::{Digest as _, Sha256};

/// Takes in what `Hash` writes, and names it so that nothing else has the name.
#[derive(Clone, Default)]
pub(crate) struct Digest(Sha256);

impl Digest {
    /// The name of all that was taken in.
    pub(crate) fn end(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The beginning of the name so far.
    fn finish(&self) -> u64 {
        let name: [u8; 32] = self.0.clone().finalize().into();
        u64::from_le_bytes(name[..8].try_into().expect("eight bytes are eight"))
    }
}
