//! EMNIST: handwritten digits and letters of 28x28, grey, in six selections.
//!
//! The files are those of the `gzip.zip` that NIST publishes, unpacked or not (`.gz`). The images lie on their side, as they are
//! stored and as torchvision gives them.
//!
//! # Source
//! Cohen et al., "EMNIST: an extension of MNIST to handwritten letters", 2017; `torchvision.datasets.EMNIST`.

use firebrick_component::Component;
use serde::{Deserialize, Serialize};

use super::idx::{self, Variant};
use super::interface::{DatasetSource, OpenRequest, Source};
use crate::error::DataError;
use crate::transform::Normalization;

/// Which selection is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmnistConfig {
    /// One of `"byclass"` (62 classes), `"bymerge"` (47), `"balanced"` (47), `"letters"` (26, numbered from 1), `"digits"` (10)
    /// and `"mnist"` (10).
    pub split: EmnistSplit,
}

/// EMNIST's selections, by torchvision's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmnistSplit {
    /// All characters, as unbalanced as they are.
    ByClass,
    /// Small letters that look like their capitals are one class with them.
    ByMerge,
    /// As `bymerge`, equally many of each class.
    Balanced,
    /// Letters alone, small ones and capitals together.
    Letters,
    /// Digits alone.
    Digits,
    /// As many digits as MNIST has.
    Mnist,
}

impl Component for EmnistConfig {}

impl DatasetSource for EmnistConfig {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        idx::open(self.split.variant(), request)
    }

    /// Those of `balanced`, as they are commonly used.
    fn normalization(&self) -> Option<Normalization> {
        Some(Normalization::new(&[0.1751], &[0.3332]))
    }
}

impl EmnistSplit {
    fn variant(self) -> &'static Variant {
        static VARIANTS: [Variant; 6] = [
            variant(&ALL, files!("byclass")),
            variant(&MERGED, files!("bymerge")),
            variant(&MERGED, files!("balanced")),
            variant(&LETTERS, files!("letters")),
            variant(&DIGITS, files!("digits")),
            variant(&DIGITS, files!("mnist")),
        ];
        &VARIANTS[self as usize]
    }
}

macro_rules! files {
    ($split:literal) => {
        [
            [
                concat!("emnist-", $split, "-train-images-idx3-ubyte"),
                concat!("emnist-", $split, "-train-labels-idx1-ubyte"),
            ],
            [
                concat!("emnist-", $split, "-test-images-idx3-ubyte"),
                concat!("emnist-", $split, "-test-labels-idx1-ubyte"),
            ],
        ]
    };
}
use files;

const fn variant(class_names: &'static [&'static str], files: [[&'static str; 2]; 2]) -> Variant {
    Variant {
        name: "emnist",
        folders: &["EMNIST/raw", "EMNIST/raw/gzip", "emnist", "gzip", ""],
        class_names,
        base_url: "",
        md5: [""; 4],
        files,
    }
}

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// Digits, capital letters, small letters.
#[rustfmt::skip]
const ALL: [&str; 62] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J",
    "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", "a", "b", "c", "d",
    "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x",
    "y", "z",
];

/// The same, without the small letters that look like their capitals.
#[rustfmt::skip]
const MERGED: [&str; 47] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J",
    "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", "a", "b", "d", "e",
    "f", "g", "h", "n", "q", "r", "t",
];

/// Label 0 is not used: the letters are numbered from 1, as torchvision leaves them.
#[rustfmt::skip]
const LETTERS: [&str; 27] = [
    "N/A", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s",
    "t", "u", "v", "w", "x", "y", "z",
];
