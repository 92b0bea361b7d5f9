//! `[data]`.

use crate::augment::{augment, batch_augment};
use crate::loss::Loss;
use crate::network::Model;
use crate::random::Random;
use crate::table::{Table, list};
use crate::what::What;

/// How many of everything.
pub(crate) struct Sizes {
    pub train: u64,
    pub batch: u64,
    /// Batches of a step.
    pub accumulated: u64,
    pub epochs: u64,
    /// Optimiser steps of an epoch, about: a validation split may leave fewer.
    pub steps_per_epoch: u64,
}

impl Sizes {
    pub fn draw(random: &mut Random, what: What) -> Self {
        let batch = random.between(8, 24);
        let train = random.between(40, 100);
        // A batch of one image has no variance: PyTorch's BatchNorm refuses it.
        let train = if !what.is_free() && train % batch == 1 { train + 1 } else { train };
        let accumulated = random.pick(&[1, 1, 1, 2, 3]);
        let steps_per_epoch = train.div_ceil(batch).div_ceil(accumulated);
        let epochs =
            if what.is_free() { random.between(2, 4) } else { 8_u64.div_ceil(steps_per_epoch).max(2) };
        Self { train, batch, accumulated, epochs, steps_per_epoch }
    }
}

pub(crate) fn draw(random: &mut Random, what: What, sizes: &Sizes, loss: &Loss, model: &Model) -> Table {
    let limit = Table::default().set("train", sizes.train).set("test", random.between(16, 40));
    let table = Table::default()
        .text("dataset", "digits")
        .set("batch_size", sizes.batch)
        .set("limit", limit)
        .set("workers", random.between(0, 2))
        .text("normalize", random.pick(&["dataset", "none"]));
    if !what.is_free() {
        return table.set("shuffle", false);
    }
    let table = table.set("shuffle", random.chance(0.8)).set("drop_last", random.chance(0.2));
    let table = match random.between(0, 4) {
        3 => table.set("validation", Table::default().set("fold", list([random.between(1, 4), 4]))),
        0 => table.float("validation", random.pick(&[0.1, 0.25])),
        1 => table.set("validation", random.between(6, 12)),
        2 => table.text("validation_split", "test[:40]").text("test_split", "test[200:]"),
        _ => table,
    };
    let augment = augment(random, model);
    let table = if augment.is_empty() { table } else { table.set("augment", list(augment)) };
    let batch_augment = batch_augment(random, what, loss);
    if batch_augment.is_empty() { table } else { table.set("batch_augment", list(batch_augment)) }
}
