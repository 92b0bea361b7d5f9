//! Every layout of CIFAR-10, and every other format of its images, gives the same samples in the same order.

use std::path::Path;

use crate::failure::Failure;
use crate::run::{Run, config};

const LAYOUTS: [&str; 3] = ["cifar-10-batches-bin", "cifar-10-batches-py", "cifar-10-binary.tar.gz"];

/// What `examples/pytorch/write_layouts.py` writes in the order of CIFAR's files: its folder, and the data set.
const IN_ORDER: [(&str, &str); 5] = [
    ("numpy", "{ name = \"numpy\" }"),
    ("npz", "{ name = \"numpy\", file = \"images.npz\" }"),
    ("parquet", "{ name = \"parquet\" }"),
    ("webdataset", "{ name = \"webdataset\" }"),
    ("list", "{ name = \"image_list\", list = \"images.csv\" }"),
];

/// And by class.
const BY_CLASS: [(&str, &str); 2] =
    [("folder", "{ name = \"image_folder\" }"), ("zip", "{ name = \"image_zip\", file = \"images.zip\" }")];

/// CIFAR's own mean and deviation, which the other data sets do not know.
const NORMALIZE: &str = "{ mean = [0.4914, 0.4822, 0.4465], std = [0.2470, 0.2435, 0.2616] }";

pub fn recipe(data: &Path, made: Option<&Path>) -> Result<(), Failure> {
    let mut same = Same::default();
    for layout in LAYOUTS {
        // A folder in which this layout is the only one.
        let root = tempfile::tempdir()?;
        std::os::unix::fs::symlink(std::fs::canonicalize(data)?.join(layout), root.path().join(layout))?;
        same.check(layout, five_steps(root.path(), "{ name = \"cifar10\" }")?)?;
    }
    if let Some(made) = made {
        for (folder, dataset) in IN_ORDER {
            same.check(folder, five_steps(&made.join(folder), dataset)?)?;
        }
        let mut same = Same::default();
        for (folder, dataset) in BY_CLASS {
            same.check(folder, five_steps(&made.join(folder), dataset)?)?;
        }
    }
    println!("equal to the last digit");
    Ok(())
}

/// The losses that all have to give.
#[derive(Default)]
struct Same(Option<(String, Vec<f64>)>);

impl Same {
    fn check(&mut self, name: &str, losses: Vec<f64>) -> Result<(), Failure> {
        println!("{name:24} {losses:?}");
        match &self.0 {
            None => self.0 = Some((name.to_owned(), losses)),
            Some((_, expected)) if *expected == losses => {}
            Some((first, _)) => return Err(format!("{name} gives other losses than {first}").into()),
        }
        Ok(())
    }
}

fn five_steps(root: &Path, dataset: &str) -> Result<Vec<f64>, Failure> {
    let sets = [
        ("data.root", root.display().to_string()),
        ("data.dataset", dataset.to_owned()),
        ("data.normalize", NORMALIZE.to_owned()),
        ("data.download", "false".to_owned()),
        ("data.shuffle", "false".to_owned()),
        ("trainer.max_steps", "5".to_owned()),
        ("trainer.backend", "flex".to_owned()),
    ];
    Run::train(&config("tudui-cifar10.toml"), &sets, false)?.losses()
}
