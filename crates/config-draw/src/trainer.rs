//! `[trainer]`.

use crate::data::Sizes;
use crate::random::Random;
use crate::table::{Table, list};
use crate::what::What;

/// The metrics that are drawn.
pub(crate) const METRICS: [&str; 3] = ["accuracy", "top_k", "macro_f1"];

pub(crate) fn draw(random: &mut Random, what: What, sizes: &Sizes) -> Table {
    let table = Table::default()
        .set("epochs", sizes.epochs)
        .set("seed", random.between(0, 1 << 40))
        .text("backend", "flex")
        .set("accumulate_grad_batches", sizes.accumulated);
    let table = clipping(random, table);
    let table = match random.chance(0.4) {
        true => table.set("ema", Table::default().float("decay", random.pick(&[0.0, 0.5, 0.9, 0.99, 1.0]))),
        false => table,
    };
    if !what.is_free() {
        return table;
    }
    let table = stopping(random, table);
    let table = saving(random, table, sizes);
    table
        .text("on_divergence", random.pick(&["stop", "skip_batch", "restore_last", "restore_last"]))
        .set("max_recoveries", random.pick(&[0, 1, 3, 100, 100]))
}

fn clipping(random: &mut Random, table: Table) -> Table {
    let norm = random.chance(0.3).then(|| random.pick(&[0.1, 0.5, 1.0]));
    let value = random.chance(0.2).then(|| random.pick(&[0.01, 0.1]));
    table.set_if_any("clip_grad_norm", norm).set_if_any("clip_grad_value", value)
}

fn stopping(random: &mut Random, table: Table) -> Table {
    let metrics: Vec<Table> = METRICS.into_iter().filter(|_| random.chance(0.5)).map(Table::named).collect();
    let table = if metrics.is_empty() { table } else { table.set("metrics", list(metrics)) };
    if random.chance(0.6) {
        return table;
    }
    let stopping = Table::default()
        .text("metric", random.pick(&["loss", "accuracy"]))
        .set("patience", random.between(1, 2))
        .float("min_delta", random.pick(&[0.0, 0.05, 0.3]));
    table.set("early_stopping", stopping)
}

fn saving(random: &mut Random, table: Table, sizes: &Sizes) -> Table {
    let table = match random.chance(0.5) {
        true => table.set("checkpoint_every", random.between(1, 2 * sizes.steps_per_epoch)),
        false => table.text("checkpoint_every", "epoch"),
    };
    // Some milliseconds: a few times in a run, when nobody can say.
    let minutes = random.chance(0.3).then(|| random.pick(&[1e-4, 5e-4]));
    table
        .set_if_any("checkpoint_every_minutes", minutes)
        .set("keep_last", random.pick(&[1, 1, 2, 3]))
        .set("keep_best", random.pick(&[1, 1, 2]))
}
