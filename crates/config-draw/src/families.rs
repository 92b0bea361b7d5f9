//! Which components are drawn, and which are left out and why.

use crate::augment::{AUGMENTATIONS, BATCH_AUGMENTATIONS};
use crate::loss::LOSSES;
use crate::network::{LAYERS, MODELS};
use crate::optimizer::OPTIMIZERS;
use crate::schedule::SCHEDULES;
use crate::trainer::METRICS;

/// What is known of a family.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// What messages call it.
    pub family: &'static str,
    /// Components that are drawn.
    pub drawn: &'static [&'static str],
    /// Components that are not, and why.
    pub left_out: &'static [(&'static str, &'static str)],
}

const OTHER_INPUTS: &str = "takes other inputs than a network's outputs and classes";
const FILES: &str = "needs files";

const SLOW: &str = "takes too long for a draw";

/// Networks that are not drawn; their layers are.
const OTHER_MODELS: [(&str, &str); 31] = [
    ("airbench94", SLOW),
    ("tudui", SLOW),
    ("resnet20", SLOW),
    ("resnet56", SLOW),
    ("resnet110", SLOW),
    ("resnet18", SLOW),
    ("resnet34", SLOW),
    ("resnet50", SLOW),
    ("resnet101", SLOW),
    ("resnext50_32x4d", SLOW),
    ("wide_resnet50_2", SLOW),
    ("vgg11", SLOW),
    ("vgg11_bn", SLOW),
    ("vgg13", SLOW),
    ("vgg13_bn", SLOW),
    ("vgg16", SLOW),
    ("vgg16_bn", SLOW),
    ("vgg19", SLOW),
    ("vgg19_bn", SLOW),
    ("alexnet", SLOW),
    ("squeezenet1_1", SLOW),
    ("densenet121", SLOW),
    ("mobilenet_v2", SLOW),
    ("mobilenet_v3_small", SLOW),
    ("mobilenet_v3_large", SLOW),
    ("shufflenet_v2_x1_0", SLOW),
    ("regnet_y_400mf", SLOW),
    ("efficientnet_lite0", SLOW),
    ("efficientnet_b0", SLOW),
    ("convnext_tiny", SLOW),
    ("convnext_small", SLOW),
];

/// Every family of components that a config names.
pub const FAMILIES: [Known; 9] = [
    Known { family: "model", drawn: &MODELS, left_out: &OTHER_MODELS },
    Known { family: "layer", drawn: &LAYERS, left_out: &[] },
    Known {
        family: "dataset",
        drawn: &["digits"],
        left_out: &[
            ("mnist", FILES),
            ("fashion_mnist", FILES),
            ("cifar10", FILES),
            ("cifar100", FILES),
            ("kmnist", FILES),
            ("emnist", FILES),
            ("svhn", FILES),
            ("stl10", FILES),
            ("tiny_imagenet", FILES),
            ("imagenet", FILES),
            ("image_folder", FILES),
            ("image_list", FILES),
            ("image_zip", FILES),
            ("parquet", FILES),
            ("webdataset", FILES),
            ("numpy", FILES),
            ("synthetic", "says nothing that the digits do not"),
        ],
    },
    Known { family: "augmentation", drawn: &AUGMENTATIONS, left_out: &[] },
    Known { family: "batch transform", drawn: &BATCH_AUGMENTATIONS, left_out: &[] },
    Known {
        family: "loss",
        drawn: &LOSSES,
        left_out: &[
            ("gaussian_nll", OTHER_INPUTS),
            ("cosine_embedding", OTHER_INPUTS),
            ("margin_ranking", OTHER_INPUTS),
            ("triplet_margin", OTHER_INPUTS),
            ("ctc", OTHER_INPUTS),
        ],
    },
    Known { family: "optimizer", drawn: &OPTIMIZERS, left_out: &[] },
    Known { family: "schedule", drawn: &SCHEDULES, left_out: &[] },
    Known { family: "metric", drawn: &METRICS, left_out: &[] },
];
