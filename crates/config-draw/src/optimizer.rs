//! `[optimizer]`.

use crate::loss::Loss;
use crate::random::Random;
use crate::table::{Table, floats, list};
use crate::what::What;

/// The optimisers that are drawn.
pub(crate) const OPTIMIZERS: [&str; 11] =
    ["sgd", "adam", "adamw", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "radam", "lion", "muon"];

/// Optimisers that torch has not, or only for matrices.
const NOT_IN_PYTORCH: [&str; 2] = ["lion", "muon"];

/// An optimiser, and what a schedule must know of it.
pub(crate) struct Optimizer {
    pub table: Table,
    pub lr: f64,
    /// Whether a schedule can move its momentum.
    pub has_momentum: bool,
}

pub(crate) fn draw(random: &mut Random, what: What, loss: &Loss) -> Optimizer {
    let name = if random.chance(0.25) { "sgd" } else { random.pick(&OPTIMIZERS) };
    let name = if !what.is_free() && NOT_IN_PYTORCH.contains(&name) { "adamw" } else { name };
    let lr = lr(random, what, name, loss);
    let table = Table::named(name).float("lr", lr);
    let table = match name {
        "sgd" => sgd(random, table),
        "adam" | "nadam" | "radam" | "adamw" | "adamax" => adams(random, name, table),
        "rmsprop" => table
            .float("alpha", random.pick(&[0.9, 0.99]))
            .float("momentum", random.pick(&[0.0, 0.9]))
            .set("centered", random.chance(0.4)),
        "adagrad" => table
            .float("lr_decay", random.pick(&[0.0, 0.1]))
            .float("initial_accumulator_value", random.pick(&[0.0, 0.1])),
        "adadelta" => table.float("rho", random.pick(&[0.9, 0.7])),
        "lion" => table.set("betas", floats([random.pick(&[0.9, 0.95]), random.pick(&[0.98, 0.99])])),
        "muon" => {
            let adamw = Table::default().float("lr", random.pick(&[1e-3, 3e-3]));
            table
                .float("momentum", random.pick(&[0.9, 0.95]))
                .set("nesterov", random.chance(0.5))
                .text("adjust_lr_fn", random.pick(&["original", "match_rms_adamw"]))
                .set("adamw", adamw)
        }
        _ => unreachable!("bug: no arguments are known for the optimiser `{name}`"),
    };
    let table = match random.chance(0.5) {
        true => table.float("weight_decay", random.pick(&[0.0, 1e-3, 1e-2])),
        false => table,
    };
    let table = if random.chance(0.2) { table.set("no_decay_on_bias_and_norm", true) } else { table };
    let table = groups(random, table, lr);
    Optimizer { table, lr, has_momentum: !["adagrad", "adadelta"].contains(&name) }
}

/// A rate that learns; in some free runs one that blows the weights up.
fn lr(random: &mut Random, what: What, name: &str, loss: &Loss) -> f64 {
    let usual: &[f64] = match name {
        "sgd" => &[0.01, 0.03, 0.1],
        "adadelta" => &[0.3, 1.0],
        "adagrad" | "muon" => &[0.003, 0.01],
        "lion" => &[1e-4, 1e-3],
        _ => &[1e-3, 3e-3, 0.01],
    };
    let blown_up: &[f64] = if name == "sgd" { &[3.0, 300.0, 1e30] } else { &[10.0, 1e30] };
    let lr = random.pick(usual);
    let lr = if loss.is_sum && name == "sgd" { lr / 16.0 } else { lr };
    if what.is_free() && random.chance(0.1) { random.pick(blown_up) } else { lr }
}

fn sgd(random: &mut Random, table: Table) -> Table {
    let momentum = random.pick(&[0.0, 0.5, 0.9, 0.9]);
    let table = table.float("momentum", momentum);
    match momentum > 0.0 && random.chance(0.3) {
        true => table.set("nesterov", true),
        false => table.float("dampening", random.pick(&[0.0, 0.0, 0.1])),
    }
}

fn adams(random: &mut Random, name: &str, table: Table) -> Table {
    let betas = [random.pick(&[0.9, 0.8, 0.0]), random.pick(&[0.999, 0.95])];
    let table = table.set("betas", floats(betas)).float("eps", random.pick(&[1e-8, 1e-6]));
    match name {
        "adam" => table.set("amsgrad", random.chance(0.4)).set("decoupled_weight_decay", random.chance(0.3)),
        "adamw" => table.set("amsgrad", random.chance(0.4)),
        "nadam" | "radam" => table.set("decoupled_weight_decay", random.chance(0.3)),
        _ => table,
    }
}

/// Other arguments for some of the parameters. Each network has a weight and a bias.
fn groups(random: &mut Random, table: Table, lr: f64) -> Table {
    if random.chance(0.65) {
        return table;
    }
    let pattern = random.pick(&["*.bias", "*.weight", "*"]);
    let mut group = Table::default().text("match", pattern).float("lr", lr * random.pick(&[0.0, 0.1, 0.5]));
    if random.chance(0.5) {
        group = group.float("weight_decay", random.pick(&[0.0, 0.1]));
    }
    let second = Table::default().text("match", "*.bias").float("weight_decay", 0.0);
    match random.chance(0.3) {
        true => table.set("groups", list([group, second])),
        false => table.set("groups", list([group])),
    }
}
