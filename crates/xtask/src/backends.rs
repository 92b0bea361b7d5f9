//! The same steps on every backend.

use std::path::Path;

use crate::failure::Failure;
use crate::run::{Run, config, largest_difference};

const TOLERANCE: f64 = 1e-4;

pub fn recipe(data: &Path, backends: &[String]) -> Result<(), Failure> {
    let mut runs = Vec::new();
    for backend in backends {
        let sets = [
            ("data.root", data.display().to_string()),
            ("data.download", "false".to_owned()),
            ("data.limit", "{ train = 320, test = 64 }".to_owned()),
            ("trainer.max_steps", "5".to_owned()),
            ("trainer.backend", backend.clone()),
        ];
        let run = Run::train(&config("tudui-cifar10.toml"), &sets, false)?;
        let losses = run.losses()?;
        println!("{backend:8} {losses:?}  {:.1} images/s", run.images_per_second()?);
        runs.push(losses);
    }
    let Some((first, others)) = runs.split_first() else {
        return Err("no backend given".into());
    };
    for (backend, losses) in backends.iter().skip(1).zip(others) {
        let difference = largest_difference(first, losses);
        println!("{backend} differs from {} by at most {difference:.2e}", backends[0]);
        if difference > TOLERANCE {
            return Err(format!("expected at most {TOLERANCE:.0e}").into());
        }
    }
    Ok(())
}
