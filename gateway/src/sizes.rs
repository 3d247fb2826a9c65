//! Sizes in words.

use bytesize::ByteSize;

/// A size as people write it, such as `12 MB`.
pub(crate) fn words(size: u64) -> String {
    ByteSize::b(size).display().si().to_string().replace(".0 ", " ")
}

/// A size beside the limit that it is over. Sizes that look the same when rounded are told exactly.
pub(crate) fn over(size: u64, limit: u64) -> String {
    if words(size) == words(limit) {
        format!("{size} bytes, the limit is {limit} bytes")
    } else {
        format!("{}, the limit is {}", words(size), words(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_as_roughly_as_they_stay_apart() {
        assert_eq!(over(12_000_000, 10_000_000), "12 MB, the limit is 10 MB");
        assert_eq!(over(12_340_000, 10_000_000), "12.3 MB, the limit is 10 MB");
        assert_eq!(over(10_000_001, 10_000_000), "10000001 bytes, the limit is 10000000 bytes");
    }
}
