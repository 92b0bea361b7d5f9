//! CIFAR-100: 60,000 colour images of 32x32, with their 100 fine labels or the 20 coarse ones.
//!
//! # Source
//! Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

use firebrick_component::Component;
use serde::{Deserialize, Serialize};

use super::cifar;
use super::cifar_variant::{Layout, TORONTO, Variant};
use super::interface::{DatasetSource, OpenRequest, Source};
use crate::download::{Checksum, RemoteFile, RemoteFiles};
use crate::error::DataError;
use crate::transform::Normalization;

/// Which of its labels are the classes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cifar100Config {
    /// `"fine"`: 100 classes; `"coarse"`: 20 classes of five fine ones each.
    #[serde(default, skip_serializing_if = "Labels::is_default")]
    pub labels: Labels,
}

/// The two label sets of CIFAR-100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Labels {
    /// 100 classes.
    #[default]
    Fine,
    /// 20 superclasses.
    Coarse,
}

impl Labels {
    /// True for what a config need not say.
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Component for Cifar100Config {}

impl Cifar100Config {
    fn variant(&self) -> &'static Variant {
        match self.labels {
            Labels::Fine => &FINE,
            Labels::Coarse => &COARSE,
        }
    }
}

impl DatasetSource for Cifar100Config {
    fn open(&self, request: &OpenRequest) -> Result<Source, DataError> {
        cifar::open(self.variant(), request)
    }

    /// Those of all training pixels, as they are commonly used.
    fn normalization(&self) -> Option<Normalization> {
        Some(Normalization::new(&[0.5071, 0.4865, 0.4409], &[0.2673, 0.2564, 0.2762]))
    }

    fn remote_files(&self) -> Option<RemoteFiles> {
        Some(cifar::remote_files(self.variant()))
    }

    fn wants_download(&self, request: &OpenRequest) -> bool {
        cifar::wants_download(self.variant(), request.root)
    }
}

static FINE: Variant = VARIANT;

static COARSE: Variant = Variant {
    class_names: &COARSE_NAMES,
    binary: Layout { meta: "coarse_label_names.txt", ..VARIANT.binary },
    label_offset: 0,
    labels_key: "coarse_labels",
    names_key: "coarse_label_names",
    ..VARIANT
};

const VARIANT: Variant = Variant {
    name: "cifar100",
    class_names: &CLASS_NAMES,
    binary: Layout {
        folder: "cifar-100-binary",
        archive: "cifar-100-binary.tar.gz",
        train: &["train.bin"],
        test: &["test.bin"],
        meta: "fine_label_names.txt",
    },
    pickle: Layout {
        folder: "cifar-100-python",
        archive: "cifar-100-python.tar.gz",
        train: &["train"],
        test: &["test"],
        meta: "meta",
    },
    remote_archive: RemoteFile {
        base_url: TORONTO,
        name: "cifar-100-python.tar.gz",
        checksum: Checksum::Md5("eb9058c3a382ffc7106e4002c42a8d85"),
    },
    label_offset: 1,
    num_labels: 2,
    labels_key: "fine_labels",
    names_key: "fine_label_names",
};

/// The official class names, for copies that lack their file of names.
#[rustfmt::skip]
static CLASS_NAMES: [&str; 100] = [
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
    "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
    "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
    "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
    "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain",
    "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
    "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
    "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
    "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
    "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
];

/// The official names of the superclasses.
#[rustfmt::skip]
static COARSE_NAMES: [&str; 20] = [
    "aquatic_mammals", "fish", "flowers", "food_containers", "fruit_and_vegetables",
    "household_electrical_devices", "household_furniture", "insects", "large_carnivores",
    "large_man-made_outdoor_things", "large_natural_outdoor_scenes", "large_omnivores_and_herbivores",
    "medium_mammals", "non-insect_invertebrates", "people", "reptiles", "small_mammals", "trees", "vehicles_1",
    "vehicles_2",
];
