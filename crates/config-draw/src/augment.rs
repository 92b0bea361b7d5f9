//! `data.augment` and `data.batch_augment`.

use crate::loss::Loss;
use crate::network::Model;
use crate::poison::POISON;
use crate::random::Random;
use crate::table::{Table, list};
use crate::what::What;

/// The augmentations that are drawn.
pub(crate) const AUGMENTATIONS: [&str; 27] = [
    "random_crop",
    "random_horizontal_flip",
    "resize",
    "center_crop",
    "random_resized_crop",
    "color_jitter",
    "random_erasing",
    "pad",
    "random_vertical_flip",
    "random_rotation",
    "random_affine",
    "random_perspective",
    "random_grayscale",
    "gaussian_blur",
    "random_invert",
    "random_posterize",
    "random_solarize",
    "random_equalize",
    "random_autocontrast",
    "random_adjust_sharpness",
    "cutout",
    "trivial_augment",
    "rand_augment",
    "auto_augment",
    "aug_mix",
    "random_apply",
    "random_choice",
];

/// Those of [`AUGMENTATIONS`] that change neither the size of an image nor need other arguments than these.
const PLAIN: [&str; 12] = [
    "random_vertical_flip",
    "random_perspective",
    "random_grayscale",
    "random_invert",
    "random_equalize",
    "random_autocontrast",
    "random_erasing",
    "cutout",
    "trivial_augment",
    "rand_augment",
    "auto_augment",
    "aug_mix",
];

/// The batch transforms that are drawn.
pub(crate) const BATCH_AUGMENTATIONS: [&str; 3] = ["mixup", "cutmix", "random_choice"];

pub(crate) fn augment(random: &mut Random, model: &Model) -> Vec<Table> {
    let mut steps = Vec::new();
    let Model { height, width, .. } = model;
    if random.chance(0.15) {
        steps.push(Table::named("resize").set("size", list([height + 2, width + 1])));
        steps.push(Table::named("center_crop").set("size", list([height, width])));
    }
    if random.chance(0.1) {
        steps.push(Table::named("random_resized_crop").set("size", list([height, width])));
    }
    if random.chance(0.1) {
        steps.push(Table::named("pad").set("padding", random.between(1, 3)));
        steps.push(Table::named("random_crop").set("size", list([height, width])));
    }
    if random.chance(0.3) {
        let mode = random.pick(&["constant", "edge", "reflect", "symmetric"]);
        steps.push(
            Table::named("random_crop").set("padding", random.between(1, 2)).text("padding_mode", mode),
        );
    }
    if random.chance(0.3) {
        steps.push(match random.chance(0.3) {
            true => Table::named("random_horizontal_flip").set("alternate", true),
            false => Table::named("random_horizontal_flip").float("p", random.pick(&[0.2, 0.5])),
        });
    }
    for _ in 0..random.pick(&[0, 0, 1, 2]) {
        let step = step(random);
        steps.push(match random.between(0, 3) {
            0 => Table::named("random_apply").set("transforms", list([step])).float("p", 0.4),
            1 => Table::named("random_choice").set("transforms", list([step, self::step(random)])),
            _ => step,
        });
    }
    steps
}

/// A step that leaves the size of images.
fn step(random: &mut Random) -> Table {
    match random.between(0, 18) {
        0 => Table::named("color_jitter").float("brightness", 0.4).float("contrast", 0.2).float("hue", 0.1),
        1 => Table::named("random_rotation").float("degrees", random.pick(&[5.0, 30.0])),
        2 => Table::named("random_affine").float("degrees", 10.0).set("scale", list([0.9, 1.2])),
        3 => Table::named("gaussian_blur").set("kernel_size", random.pick(&[1, 3, 5])),
        4 => Table::named("random_posterize").set("bits", random.between(1, 8)),
        5 => Table::named("random_solarize").float("threshold", random.pick(&[64.0, 128.0])),
        6 => Table::named("random_adjust_sharpness").float("sharpness_factor", random.pick(&[0.0, 2.0])),
        other => Table::named(PLAIN[other as usize - 7]),
    }
}

/// In some configs images are mixed, and in some a batch is not finite.
pub(crate) fn batch_augment(random: &mut Random, what: What, loss: &Loss) -> Vec<Table> {
    let mut steps = Vec::new();
    if loss.takes_probabilities && random.chance(0.35) {
        let mixup = Table::named("mixup").float("alpha", random.pick(&[0.2, 1.0, 2.0]));
        let mixup = mixup.float("p", random.pick(&[0.5, 1.0]));
        let cutmix = |random: &mut Random| Table::named("cutmix").float("alpha", random.pick(&[0.5, 1.0]));
        steps.push(match random.between(0, 2) {
            0 => cutmix(random),
            1 => Table::named("random_choice").set("transforms", list([mixup, cutmix(random)])),
            _ => mixup,
        });
    }
    if what == What::Everything && random.chance(0.5) {
        steps.push(Table::named(POISON).float("p", random.pick(&[0.05, 0.1, 0.3])));
    }
    steps
}
