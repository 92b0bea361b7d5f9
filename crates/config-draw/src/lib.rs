//! Random configs that Firebrick accepts, small enough to train in a moment.
//!
//! [`draw`] gives one as TOML text, the same for the same seed. It draws from everything that a config can say: each
//! loss, optimiser, schedule, layer and augmentation has its arguments here. [`FAMILIES`] says which components
//! are known; a test compares it with the families' own lists, so that a new component has to be added here.
//!
//! | file | what it draws |
//! |---|---|
//! | `network.rs` | `[model]` |
//! | `data.rs` | `[data]` |
//! | `loss.rs` | `[loss]` |
//! | `optimizer.rs` | `[optimizer]` |
//! | `fine_tuning.rs` | `model.freeze`, `optimizer.lr_decay_by_depth` |
//! | `schedule.rs` | `[schedule]` |
//! | `trainer.rs` | `[trainer]` |
//! | `poison.rs` | batches that are not finite |
//!
//! [`trial`] trains a drawn config without a stop and with several, and compares the two.

mod augment;
mod data;
mod end;
mod families;
mod fine_tuning;
mod loss;
mod network;
mod operations;
mod optimizer;
mod poison;
mod random;
mod schedule;
mod stop;
mod table;
mod trainer;
pub mod trial;
mod what;

pub use end::End;
pub use families::{FAMILIES, Known};
pub use poison::{POISON, PoisonConfig, register};
pub use random::Random;
pub use stop::Stop;
pub use what::What;

use data::Sizes;

/// What was expected, and what was there instead.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A config, as TOML text. Deterministic: seed and `what` decide every letter.
///
/// With [`What::Everything`] a program has to call [`register`] before it reads the text.
pub fn draw(seed: u64, what: What) -> String {
    let random = &mut Random::new(seed);
    let sizes = Sizes::draw(random, what);
    let loss = loss::draw(random, what);
    let mut model = network::draw(random, what, loss.ending);
    let data = data::draw(random, what, &sizes, &loss, &model);
    let mut optimizer = optimizer::draw(random, what, &loss);
    let schedule = schedule::draw(random, what, &optimizer, &sizes);
    let trainer = trainer::draw(random, what, &sizes);
    fine_tuning::draw(seed, what, &mut model, &mut optimizer);
    [
        model.table.section("model"),
        data.section("data"),
        loss.table.section("loss"),
        optimizer.table.section("optimizer"),
        schedule.section("schedule"),
        trainer.section("trainer"),
    ]
    .join("\n")
}
