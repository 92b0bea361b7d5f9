//! An older `train` binary beside this one: the same weights to the last bit, the same losses.
//!
//! For changes that are to move no number. Both binaries train by the same config texts; on the CPU backends the
//! hashes of the weights and every loss have to be equal, on a GPU the losses to within [`TOLERANCE`].

use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;
use crate::run::{Run, beside, root};

/// Largest difference of two losses on a GPU, relative to the older one.
const TOLERANCE: f64 = 1e-6;

/// What to compare.
#[derive(Debug, Args)]
pub struct SameBitsArguments {
    /// The older binary
    #[arg(value_name = "OLD_TRAIN_BINARY")]
    old: PathBuf,

    /// Folder with cifar-10-batches-bin; without it the run on CIFAR-10 is left out
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Where to train
    #[arg(long, value_delimiter = ',', default_value = "flex,ndarray,wgpu")]
    backends: Vec<String>,

    /// Only runs whose name contains this
    #[arg(long)]
    only: Option<String>,

    /// Folder with the configs, as the older binary reads them
    #[arg(long, value_name = "DIR", default_value_os_t = root().join("configs"))]
    configs: PathBuf,
}

/// One run that both binaries take.
struct Case {
    name: &'static str,
    config: &'static str,
    /// Keys that the config does not have, or has otherwise.
    sets: &'static [(&'static str, &'static str)],
    /// Steps on the CPU backends; a GPU that is software takes [`GPU_STEPS`].
    steps: u64,
    needs_cifar10: bool,
}

/// Mesa's software driver takes some 49 images a second.
const GPU_STEPS: u64 = 10;

const CASES: [Case; 5] = [
    Case { name: "quickstart", config: "quickstart.toml", sets: &[], steps: 90, needs_cifar10: false },
    Case { name: "lenet-digits", config: "lenet-digits.toml", sets: &[], steps: 100, needs_cifar10: false },
    // Batch normalisation and dropout.
    Case {
        name: "sequential-digits",
        config: "sequential-digits.toml",
        sets: &[],
        steps: 100,
        needs_cifar10: false,
    },
    Case {
        name: "adamw, accumulating 3 batches",
        config: "lenet-digits.toml",
        sets: &[("optimizer", "{ name = \"adamw\", lr = 0.002 }"), ("trainer.accumulate_grad_batches", "3")],
        steps: 40,
        needs_cifar10: false,
    },
    Case {
        name: "tudui-cifar10, crop, flip, EMA",
        config: "tudui-cifar10.toml",
        sets: &[
            ("data.download", "false"),
            (
                "data.augment",
                "[{ name = \"random_crop\", padding = 4 }, { name = \"random_horizontal_flip\" }]",
            ),
            ("trainer.ema", "{ decay = 0.99 }"),
        ],
        steps: 50,
        needs_cifar10: true,
    },
];

/// Trains by both and prints the table.
pub fn recipe(arguments: &SameBitsArguments) -> Result<(), Failure> {
    let new = beside("train")?;
    println!(
        "| run | backend | steps | weights, older | weights, this | largest difference of the losses | |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut different = 0;
    for case in
        CASES.iter().filter(|case| arguments.only.as_ref().is_none_or(|only| case.name.contains(only)))
    {
        if case.needs_cifar10 && arguments.data.is_none() {
            println!("| {} | | | | | | left out: needs --data DIR with CIFAR-10 |", case.name);
            continue;
        }
        for backend in &arguments.backends {
            let train = |binary: &Path| case.train(binary, arguments, backend);
            let (old, new) = (train(&arguments.old)?, train(&new)?);
            let comparison = Comparison::of(&old, &new, is_exact(backend))?;
            println!("| {} | {backend} | {comparison} |", case.name);
            different += usize::from(!comparison.is_same);
        }
    }
    match different {
        0 => Ok(()),
        _ => Err(format!("{different} of the runs differ").into()),
    }
}

/// Whether equal runs give equal bits there.
fn is_exact(backend: &str) -> bool {
    ["flex", "ndarray"].contains(&backend)
}

impl Case {
    fn train(&self, binary: &Path, arguments: &SameBitsArguments, backend: &str) -> Result<Run, Failure> {
        let mut sets: Vec<(&str, String)> =
            self.sets.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        let steps = if is_exact(backend) { self.steps } else { self.steps.min(GPU_STEPS) };
        sets.push(("trainer.max_steps", steps.to_string()));
        sets.push(("trainer.backend", backend.to_owned()));
        // Enough for the steps; the evaluation behind them is a part of what is compared.
        sets.push(("data.limit.test", "64".to_owned()));
        if let (true, Some(data)) = (self.needs_cifar10, &arguments.data) {
            sets.push(("data.root", data.display().to_string()));
        }
        Run::train_with(binary, &arguments.configs.join(self.config), &sets, false)
            .map_err(|error| format!("{} on {backend}, {}: {error}", self.name, binary.display()).into())
    }
}

/// What two runs have given.
struct Comparison {
    steps: usize,
    weights: [String; 2],
    loss_difference: f64,
    is_same: bool,
}

impl Comparison {
    fn of(old: &Run, new: &Run, exact: bool) -> Result<Self, Failure> {
        let losses = |run: &Run| -> Result<Vec<f64>, Failure> {
            Ok([run.losses()?, run.numbers("eval", "loss")?].concat())
        };
        let loss_difference = largest_relative_difference(&losses(old)?, &losses(new)?);
        let weights = [old.weights()?, new.weights()?];
        let is_same = match exact {
            true => weights[0] == weights[1] && loss_difference == 0.0,
            false => loss_difference <= TOLERANCE,
        };
        Ok(Self { steps: new.losses()?.len(), weights, loss_difference, is_same })
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [old, new] = self.weights.each_ref().map(|hash| hash.get(..16).unwrap_or(hash));
        let verdict = if self.is_same { "same" } else { "DIFFERENT" };
        write!(f, "{} | {old} | {new} | {:.1e} | {verdict}", self.steps, self.loss_difference)
    }
}

/// Infinite for lists of different lengths, and where one number is none.
fn largest_relative_difference(old: &[f64], new: &[f64]) -> f64 {
    if old.len() != new.len() || old.is_empty() {
        return f64::INFINITY;
    }
    let difference = |(old, new): (&f64, &f64)| match old == new {
        true => 0.0,
        false => ((old - new) / old).abs(),
    };
    let differences = old.iter().zip(new).map(difference);
    differences.fold(0.0, |largest, difference| if difference <= largest { largest } else { difference })
}
