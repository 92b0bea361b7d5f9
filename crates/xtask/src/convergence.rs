//! Ten epochs of Tudui on CIFAR-10, as the course does it.

use std::path::Path;

use crate::failure::Failure;
use crate::run::{Run, config};

/// PyTorch 2.15 on the same files: test accuracy over the last five of ten epochs.
const PYTORCH_BAND: (f64, f64) = (0.616, 0.657);
/// How far the best epoch may lie from PyTorch's best; it jumps about from epoch to epoch.
const MARGIN: f64 = 0.02;

pub fn recipe(data: &Path, backend: &str) -> Result<(), Failure> {
    let sets = [
        ("data.root", data.display().to_string()),
        ("data.download", "false".to_owned()),
        ("trainer.backend", backend.to_owned()),
    ];
    let run = Run::train(&config("tudui-cifar10.toml"), &sets, true)?;
    let accuracies = run.numbers("eval", "accuracy")?;
    println!("test accuracy by epoch: {}", percent(&accuracies));
    let best = accuracies.iter().copied().fold(0.0, f64::max);
    println!("best {:.1}%, images/s {}", 100.0 * best, run.summary["images_per_second"]);
    let (_, pytorch_best) = PYTORCH_BAND;
    println!("PyTorch's last five epochs: {}", percent(&[PYTORCH_BAND.0, PYTORCH_BAND.1]));
    if (best - pytorch_best).abs() > MARGIN {
        return Err(
            format!("best accuracy {best:.3} is not within {MARGIN} of PyTorch's {pytorch_best}").into()
        );
    }
    Ok(())
}

fn percent(accuracies: &[f64]) -> String {
    accuracies.iter().map(|accuracy| format!("{:.1}%", 100.0 * accuracy)).collect::<Vec<_>>().join(" ")
}
