//! Folders of published data sets, which have configs of their own.

use std::path::{Path, PathBuf};

/// A published data set, found by the names of its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// Its name in a config.
    pub(super) name: &'static str,
    /// Files and folders of which one is enough.
    marks: &'static [&'static str],
    /// The config that is taken, and what it is called.
    pub(super) text: &'static str,
    pub(super) config: &'static str,
    pub(super) num_classes: usize,
}

const MNIST: &[&str] = &[
    "MNIST/raw",
    "train-images-idx3-ubyte",
    "train-images-idx3-ubyte.gz",
    "train-images.idx3-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-images-idx3-ubyte.gz",
    "t10k-images.idx3-ubyte",
];

const FASHION: &[&str] = &["FashionMNIST/raw"];

const LENET: &str = include_str!("lenet-mnist.toml");
const TUDUI: &str = include_str!("tudui-cifar10.toml");

static KNOWN: [Known; 4] = [
    Known {
        name: "cifar10",
        marks: &[
            "cifar-10-batches-bin",
            "cifar-10-batches-py",
            "cifar-10-binary.tar.gz",
            "cifar-10-python.tar.gz",
            "data_batch_1.bin",
            "data_batch_1",
        ],
        text: TUDUI,
        config: "configs/tudui-cifar10.toml",
        num_classes: 10,
    },
    Known {
        name: "cifar100",
        marks: &[
            "cifar-100-binary",
            "cifar-100-python",
            "cifar-100-binary.tar.gz",
            "cifar-100-python.tar.gz",
        ],
        text: TUDUI,
        config: "configs/tudui-cifar10.toml",
        num_classes: 100,
    },
    Known {
        name: "fashion_mnist",
        marks: FASHION,
        text: LENET,
        config: "configs/lenet-mnist.toml",
        num_classes: 10,
    },
    Known { name: "mnist", marks: MNIST, text: LENET, config: "configs/lenet-mnist.toml", num_classes: 10 },
];

impl Known {
    fn has(&self, folder: &Path) -> bool {
        let is_one = |mark: &&str| folder.join(mark).exists() || (folder.is_dir() && folder.ends_with(mark));
        self.marks.iter().any(is_one)
    }
}

/// The published data set in a folder, and what `data.root` has to be.
pub(super) fn find(folder: &Path) -> Option<(Known, PathBuf)> {
    let known = KNOWN.iter().find(|known| known.has(folder))?;
    let mut known = *known;
    // Its files have the names of MNIST's.
    if known.name == "mnist" && is_called_fashion(folder) {
        known.name = "fashion_mnist";
    }
    Some((known, folder.to_owned()))
}

fn is_called_fashion(folder: &Path) -> bool {
    let name = folder.file_name().map(|name| name.to_string_lossy().to_lowercase());
    name.is_some_and(|name| name.contains("fashion"))
}
