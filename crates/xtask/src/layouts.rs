//! Every layout of CIFAR-10 gives the same samples in the same order.

use std::path::Path;

use crate::failure::Failure;
use crate::run::{Run, config};

const LAYOUTS: [&str; 3] = ["cifar-10-batches-bin", "cifar-10-batches-py", "cifar-10-binary.tar.gz"];

pub fn recipe(data: &Path) -> Result<(), Failure> {
    let mut expected: Option<Vec<f64>> = None;
    for layout in LAYOUTS {
        let losses = five_steps(data, layout)?;
        println!("{layout:24} {losses:?}");
        match &expected {
            None => expected = Some(losses),
            Some(expected) if *expected == losses => {}
            Some(_) => return Err(format!("{layout} gives other losses than {}", LAYOUTS[0]).into()),
        }
    }
    println!("equal to the last digit");
    Ok(())
}

fn five_steps(data: &Path, layout: &str) -> Result<Vec<f64>, Failure> {
    // A folder in which this layout is the only one.
    let root = tempfile::tempdir()?;
    std::os::unix::fs::symlink(std::fs::canonicalize(data)?.join(layout), root.path().join(layout))?;
    let sets = [
        ("data.root", root.path().display().to_string()),
        ("data.download", "false".to_owned()),
        ("data.shuffle", "false".to_owned()),
        ("trainer.max_steps", "5".to_owned()),
        ("trainer.backend", "flex".to_owned()),
    ];
    Run::train(&config("tudui-cifar10.toml"), &sets, false)?.losses()
}
