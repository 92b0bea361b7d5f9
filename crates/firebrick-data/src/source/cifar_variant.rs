//! What distinguishes CIFAR-10 from CIFAR-100.

use crate::download::RemoteFile;
use crate::shape::InputShape;

/// Where both are published.
pub(super) const TORONTO: &str = "https://www.cs.toronto.edu/~kriz";

/// The shape of every CIFAR image.
pub(super) const SHAPE: InputShape = InputShape { channels: 3, height: 32, width: 32 };

/// What distinguishes CIFAR-10 from CIFAR-100.
#[derive(Debug)]
pub(super) struct Variant {
    /// The data set's name as the config spells it.
    pub(super) name: &'static str,
    /// Class names, for when the files do not bring their own.
    pub(super) class_names: &'static [&'static str],
    /// The binary layout.
    pub(super) binary: Layout,
    /// The layout of Python pickles.
    pub(super) pickle: Layout,
    /// The archive that a download fetches.
    pub(super) remote_archive: RemoteFile,
    /// Where in a binary record the label is; CIFAR-100 has the coarse label before it.
    pub(super) label_offset: usize,
    /// How many labels stand before a binary record's pixels.
    pub(super) num_labels: usize,
    /// The pickles' key of the labels.
    pub(super) labels_key: &'static str,
    /// The pickles' key of the class names.
    pub(super) names_key: &'static str,
}

/// The names of one layout's files.
#[derive(Debug)]
pub(super) struct Layout {
    /// The folder, also inside the archive.
    pub(super) folder: &'static str,
    /// The archive of that folder.
    pub(super) archive: &'static str,
    /// Training files, in order.
    pub(super) train: &'static [&'static str],
    /// Test files.
    pub(super) test: &'static [&'static str],
    /// The file of class names.
    pub(super) meta: &'static str,
}

impl Variant {
    /// The number of classes.
    pub(super) fn num_classes(&self) -> usize {
        self.class_names.len()
    }
}
