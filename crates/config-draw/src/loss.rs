//! `[loss]`.

use crate::random::Random;
use crate::table::{Table, floats};
use crate::what::What;

/// Classes of the digits.
pub(crate) const NUM_CLASSES: usize = 10;

/// The losses that can train a classifier.
pub(crate) const LOSSES: [&str; 17] = [
    "l1",
    "mse",
    "smooth_l1",
    "huber",
    "bce",
    "bce_with_logits",
    "cross_entropy",
    "nll",
    "kl_div",
    "poisson_nll",
    "hinge_embedding",
    "multi_margin",
    "multilabel_margin",
    "multilabel_soft_margin",
    "soft_margin",
    "focal",
    "sigmoid_focal",
];

/// Losses that torch and torchvision have not.
const NOT_IN_PYTORCH: [&str; 1] = ["focal"];

/// Losses that take class indices alone, no probabilities.
const CLASSES_ALONE: [&str; 5] = ["nll", "hinge_embedding", "multi_margin", "multilabel_margin", "focal"];

/// What a network must end in for the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Numbers of any size.
    Logits,
    /// Numbers from 0 to 1.
    Sigmoid,
    /// Logarithms of probabilities.
    LogSoftmax,
}

/// A loss, and what it asks of the rest of the config.
pub(crate) struct Loss {
    pub table: Table,
    pub ending: Ending,
    /// A sum over the batch, whose gradients are as many times larger.
    pub is_sum: bool,
    pub takes_probabilities: bool,
}

pub(crate) fn draw(random: &mut Random, what: What) -> Loss {
    // Half of all runs have the loss that most people train with.
    let name = if random.chance(0.3) { "cross_entropy" } else { random.pick(&LOSSES) };
    let name = if !what.is_free() && NOT_IN_PYTORCH.contains(&name) { "cross_entropy" } else { name };
    let reduction = match name {
        "kl_div" => random.pick(&["mean", "sum", "batchmean"]),
        _ => random.pick(&["mean", "mean", "sum"]),
    };
    let table = Table::named(name).text("reduction", reduction);
    let mut takes_probabilities = !CLASSES_ALONE.contains(&name);
    let mut ending = match name {
        "bce" => Ending::Sigmoid,
        "nll" | "kl_div" => Ending::LogSoftmax,
        _ => Ending::Logits,
    };
    let table = match name {
        "l1" | "mse" | "kl_div" | "multilabel_margin" | "soft_margin" => table,
        "smooth_l1" => table.float("beta", random.pick(&[0.0, 0.3, 1.0])),
        "huber" => table.float("delta", random.pick(&[0.3, 1.0, 2.5])),
        "bce" | "multilabel_soft_margin" => weight(random, what, table, "weight"),
        "bce_with_logits" => {
            let table = weight(random, what, table, "weight");
            weight(random, what, table, "pos_weight")
        }
        "cross_entropy" => {
            let table = weight(random, what, table, "weight");
            let table = match random.chance(0.3) {
                true => table.float("label_smoothing", random.pick(&[0.05, 0.1, 0.5])),
                false => table,
            };
            ignore_index(random, table, &mut takes_probabilities)
        }
        "nll" | "focal" => {
            let table = weight(random, what, table, "weight");
            let table = ignore_index(random, table, &mut takes_probabilities);
            match name {
                "focal" => table.float("gamma", random.pick(&[0.0, 0.5, 2.0])),
                _ => table,
            }
        }
        "poisson_nll" => {
            let log_input = random.chance(0.5);
            if !log_input {
                ending = Ending::Sigmoid;
            }
            table.set("log_input", log_input).set("full", random.chance(0.5))
        }
        "hinge_embedding" => table.float("margin", random.pick(&[0.5, 1.0, 2.0])),
        "multi_margin" => {
            let table = weight(random, what, table, "weight");
            table.set("p", random.between(1, 2)).float("margin", random.pick(&[0.5, 1.0]))
        }
        "sigmoid_focal" => {
            let table = table.float("alpha", random.pick(&[-1.0, 0.25, 0.5]));
            table.float("gamma", random.pick(&[0.0, 2.0]))
        }
        _ => unreachable!("bug: no arguments are known for the loss `{name}`"),
    };
    Loss { table, ending, is_sum: reduction == "sum", takes_probabilities }
}

/// A factor for each class, in some of the configs; in a few of them 0 for a class.
fn weight(random: &mut Random, what: What, table: Table, key: &str) -> Table {
    if random.chance(0.6) {
        return table;
    }
    let has_zero = what.is_free() && random.chance(0.2);
    let choices: &[f64] = if has_zero { &[0.0, 0.5, 1.0, 2.0] } else { &[0.25, 0.5, 1.0, 2.0, 3.0] };
    let mut weights = [(); NUM_CLASSES].map(|()| random.pick(choices));
    weights[0] = 1.0;
    table.set(key, floats(weights))
}

fn ignore_index(random: &mut Random, table: Table, takes_probabilities: &mut bool) -> Table {
    if random.chance(0.7) {
        return table;
    }
    *takes_probabilities = false;
    table.set("ignore_index", random.between(0, NUM_CLASSES as u64 - 1))
}
