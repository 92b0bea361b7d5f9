//! A program of its own around Firebrick: it trains, stops, resumes and predicts. README.md shows it.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;

use firebrick::data::Image;
use firebrick::prelude::*;
use firebrick::train::{backend::BackendChoice, checkpoint::Which, event::WeightsKind};
use firebrick::train::{run_folder::Resume, trained::TrainedRun};

const CONFIG: &str = r#"
model = { name = "lenet" }
data = { dataset = "digits", batch_size = 32 }
loss = { name = "cross_entropy" }
optimizer = { name = "sgd", lr = 0.02, momentum = 0.9 }
trainer = { epochs = 4, backend = "flex" }
"#;

fn main() -> Result<(), Box<dyn Error>> {
    train_and_predict(Path::new("runs/embedded"))
}

/// Trains, stops, goes on, predicts.
pub fn train_and_predict(run_dir: &Path) -> Result<(), Box<dyn Error>> {
    let config = Config::from_toml("digits", CONFIG, &[])?; // or Config::from_file
    let trainer = || Trainer::new(config.clone()).run_dir(run_dir).resume(Resume::Latest);

    // A closure hears each event; this one stops the run after 60 steps, which saves a checkpoint.
    let outcome = trainer()
        .on_event(|event| match event {
            Event::Step(step) if step.step == 60 => Control::Stop,
            _ => Control::Continue,
        })
        .run()?;
    println!("{:?} after step {}", outcome.status, outcome.summary.steps);

    // The same again, perhaps in another process: it goes on, and ends with the bits of an unbroken run.
    let outcome = trainer().run()?;
    println!("{:?} after step {}", outcome.status, outcome.summary.steps);

    let device = "flex".parse::<BackendChoice>()?.open()?.device;
    let run = TrainedRun::open(run_dir, Which::Best, WeightsKind::Raw, &device)?;
    // firebrick::data::load_image_file reads one from a file.
    let image = Image { channels: 1, height: 8, width: 8, pixels: vec![0; 64].into() };
    let most_probable = &run.predict(&image, &device)?[0];
    println!("class {}: {:.1}%", most_probable.name, 100.0 * most_probable.probability);
    Ok(())
}
