//! What a run survives: kills, signals, full and read-only disks, damaged checkpoints. `cargo xtask crash`
//! does the same a thousand times over.

mod checkpoints;
mod disk;
mod equal;
pub mod full_disk;
mod kill;
mod stop;
mod verify;
pub mod victim;

use victim::{End, Victim};

use super::sandbox::Sandbox;

/// LeNet with everything that a checkpoint holds: 12 steps in two epochs, seven checkpoints.
const CRASH: &str = r#"
[model]
name = "lenet"
num_classes = 10

[data]
dataset = "digits"
batch_size = 16
limit = { train = 96, test = 64 }
augment = [{ name = "random_crop", padding = 2 }, { name = "random_horizontal_flip" }]

[loss]
name = "cross_entropy"

[optimizer]
name = "adamw"
lr = 0.002

[schedule]
name = "plateau"
patience = 0

[trainer]
epochs = 2
backend = "flex"
checkpoint_every = 2
ema = { decay = 0.9 }
"#;

const STEPS_PER_EPOCH: u64 = 6;
/// More epochs than a test waits for.
const ENDLESS: &str = "trainer.epochs=100000";

/// A sandbox with `crash.toml`, and a run of it in `run_dir`.
fn victim(sandbox: &Sandbox, run_dir: &str, sets: &[&str]) -> Victim {
    sandbox.write("crash.toml", CRASH);
    Victim {
        train: env!("CARGO_BIN_EXE_train").into(),
        config: sandbox.path("crash.toml"),
        sets: sets.iter().map(ToString::to_string).collect(),
        run_dir: sandbox.path(run_dir),
        threads: None,
    }
}

/// The end of the run that nothing interrupts.
fn uninterrupted(sandbox: &Sandbox) -> End {
    victim(sandbox, "uninterrupted", &[]).to_end().unwrap().0
}
