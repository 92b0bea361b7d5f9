//! `[schedule]`.

use crate::data::Sizes;
use crate::optimizer::Optimizer;
use crate::random::Random;
use crate::table::{Table, list};
use crate::what::What;

/// The schedules that are drawn.
pub(crate) const SCHEDULES: [&str; 12] = [
    "none",
    "step",
    "multistep",
    "exponential",
    "cosine",
    "cosine_warm_restarts",
    "one_cycle",
    "linear",
    "polynomial",
    "constant",
    "cyclic",
    "plateau",
];

pub(crate) fn draw(random: &mut Random, what: What, optimizer: &Optimizer, sizes: &Sizes) -> Table {
    let name = if what.is_free() && random.chance(0.2) { "plateau" } else { random.pick(&SCHEDULES) };
    // An evaluation moves the plateau, and PyTorch's side of a comparison makes none.
    let name = if !what.is_free() && name == "plateau" { "cosine" } else { name };
    if name == "plateau" {
        let table = plateau(random);
        return warmup(random, table, sizes);
    }
    let per_step = random.chance(0.5);
    let unit = if per_step { sizes.steps_per_epoch } else { 1 };
    let table = Table::named(name).text("per", if per_step { "step" } else { "epoch" });
    let table = match name {
        "none" => table,
        "step" => {
            table.set("step_size", random.between(1, 2 * unit)).float("gamma", random.pick(&[0.1, 0.5]))
        }
        "multistep" => {
            let milestones = list([random.between(1, unit), random.between(unit, 3 * unit)]);
            table.set("milestones", milestones).float("gamma", random.pick(&[0.1, 0.5]))
        }
        "exponential" => table.float("gamma", random.pick(&[0.9, 0.5])),
        "cosine" => {
            let t_max = random.chance(0.4).then(|| random.between(1, 3 * unit));
            table.set_if_any("T_max", t_max).float("eta_min", random.pick(&[0.0, 1e-4]))
        }
        "cosine_warm_restarts" => {
            let t_0 = random.chance(0.7).then(|| random.between(1, 2 * unit));
            table.set_if_any("T_0", t_0).set("T_mult", random.between(1, 2))
        }
        "one_cycle" => table
            .float("pct_start", random.pick(&[0.3, 0.5]))
            .text("anneal_strategy", random.pick(&["cos", "linear"]))
            .set("three_phase", random.chance(0.3))
            .set("cycle_momentum", optimizer.has_momentum && random.chance(0.7)),
        "linear" => table
            .float("start_factor", random.pick(&[0.25, 1.0]))
            .float("end_factor", random.pick(&[1.0, 0.1]))
            .set("total_iters", random.between(1, 3 * unit)),
        "polynomial" => table.set("total_iters", 4 * unit).float("power", random.pick(&[1.0, 2.0])),
        "constant" => table.float("factor", 0.5).set("total_iters", random.between(1, 2 * unit)),
        "cyclic" => cyclic(random, table, optimizer, unit),
        _ => unreachable!("bug: no arguments are known for the schedule `{name}`"),
    };
    if what.is_free() { warmup(random, table, sizes) } else { table }
}

fn plateau(random: &mut Random) -> Table {
    Table::named("plateau")
        .text("metric", random.pick(&["loss", "accuracy"]))
        .float("factor", random.pick(&[0.1, 0.5]))
        .set("patience", random.between(0, 1))
        .float("threshold", random.pick(&[1e-4, 0.05, 0.3]))
        .text("threshold_mode", random.pick(&["rel", "abs"]))
        .set("cooldown", random.between(0, 1))
}

fn cyclic(random: &mut Random, table: Table, optimizer: &Optimizer, unit: u64) -> Table {
    table
        .float("base_lr", optimizer.lr / 10.0)
        .float("max_lr", optimizer.lr)
        .set("step_size_up", random.between(1, 2 * unit))
        .set("step_size_down", random.between(1, 2 * unit))
        .text("mode", random.pick(&["triangular", "triangular2", "exp_range"]))
        .float("gamma", random.pick(&[1.0, 0.9]))
        .set("cycle_momentum", optimizer.has_momentum && random.chance(0.7))
}

fn warmup(random: &mut Random, table: Table, sizes: &Sizes) -> Table {
    let warmup = match random.between(0, 5) {
        0 => Table::default().set("epochs", 1),
        1 => Table::default().set("steps", random.between(1, 2 * sizes.steps_per_epoch)),
        _ => return table,
    };
    table.set("warmup", warmup.float("start_factor", random.pick(&[0.1, 0.5])))
}
