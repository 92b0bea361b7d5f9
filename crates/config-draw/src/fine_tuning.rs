//! `model.freeze` and `optimizer.lr_decay_by_depth`.
//!
//! They have a generator of their own, so that everything else that is drawn for a seed is what it was before they were there.

use crate::network::Model;
use crate::optimizer::Optimizer;
use crate::random::Random;
use crate::table::{Table, list};
use crate::what::What;

/// Adds them to some configs.
pub(crate) fn draw(seed: u64, what: What, model: &mut Model, optimizer: &mut Optimizer) {
    // PyTorch's side of a draw knows neither.
    if !what.is_free() {
        return;
    }
    let random = &mut Random::new(seed.rotate_left(32) ^ 0xF1E2);
    if random.chance(0.3) {
        let patterns = patterns(random, model);
        let freeze = freeze(random, &patterns);
        model.table = std::mem::take(&mut model.table).set("freeze", freeze);
    }
    if random.chance(0.2) {
        let decay = random.pick(&[0.5, 0.75, 1.0]);
        optimizer.table = std::mem::take(&mut optimizer.table).float("lr_decay_by_depth", decay);
    }
}

/// Patterns that freeze some parameters and leave some. Each network has weights, and a bias in its last layer.
fn patterns(random: &mut Random, model: &Model) -> Vec<String> {
    let Some(others) = &model.first_layer else { return vec!["*.weight".to_owned()] };
    let last = &model.last_layer;
    match random.between(0, 4) {
        0 => vec!["*.weight".to_owned()],
        1 => vec![format!("{others}.*")],
        2 => vec![format!("{last}.weight")],
        _ => vec!["*".to_owned(), format!("!{last}.*")],
    }
}

/// The list alone, or a table.
fn freeze(random: &mut Random, patterns: &[String]) -> String {
    let patterns = list(patterns.iter().map(|pattern| format!("{pattern:?}")));
    if random.chance(0.4) {
        return patterns;
    }
    let table = Table::default().set("parameters", patterns);
    let table = if random.chance(0.6) { table.set("until_epoch", random.between(1, 3)) } else { table };
    if random.chance(0.3) { table.set("cache_mb", 0).to_string() } else { table.to_string() }
}
