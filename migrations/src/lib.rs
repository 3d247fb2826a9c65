//! SQL migrations: a folder per owner, up and down, recorded with checksums.
