//! The sum that is published with a file, and the same of bytes that come in pieces.

use std::fmt;

use firebrick_storage::Sha256Hasher;
use md5::{Digest, Md5};

/// What is published of a file's contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// The MD5 sum, 32 lower-case hexadecimal digits.
    Md5(&'static str),
    /// The first digits of the SHA-256, lower-case hexadecimal, as files of `torch.hub` have them in their names. Eight
    /// digits find damage, not an attacker's work.
    Sha256Prefix(&'static str),
}

impl Checksum {
    /// The published digits.
    pub fn digits(self) -> &'static str {
        match self {
            Self::Md5(digits) | Self::Sha256Prefix(digits) => digits,
        }
    }

    /// Which sum it is.
    fn kind(self) -> &'static str {
        match self {
            Self::Md5(_) => "MD5",
            Self::Sha256Prefix(_) => "SHA-256",
        }
    }

    /// Whether `sum` is the published one, or begins as it does.
    pub(super) fn matches(self, sum: &str) -> bool {
        match self {
            Self::Md5(digits) => sum == digits,
            Self::Sha256Prefix(digits) => sum.starts_with(digits),
        }
    }

    /// Nothing summed up yet.
    pub(super) fn start(self) -> Sum {
        match self {
            Self::Md5(_) => Sum::Md5(Md5::new()),
            Self::Sha256Prefix(_) => Sum::Sha256(Sha256Hasher::new()),
        }
    }

    /// What was found instead, beside what is published.
    pub(super) fn against(self, sum: &str) -> String {
        format!("expected {self}, got {sum}")
    }
}

/// `MD5 c32a..`, or `a SHA-256 that begins with f37072fd`.
impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Md5(digits) => write!(f, "{} {digits}", self.kind()),
            Self::Sha256Prefix(digits) => write!(f, "a {} that begins with {digits}", self.kind()),
        }
    }
}

/// The sum of the bytes so far.
#[derive(Clone)]
pub(super) enum Sum {
    Md5(Md5),
    Sha256(Sha256Hasher),
}

impl Sum {
    /// Adds bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(sum) => sum.update(bytes),
            Self::Sha256(sum) => sum.update(bytes),
        }
    }

    /// In lower-case hexadecimal digits, as it is published.
    pub(super) fn finish(self) -> String {
        match self {
            Self::Md5(sum) => sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
            Self::Sha256(sum) => sum.finish(),
        }
    }
}
