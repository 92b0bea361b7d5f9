//! Trains LeNet on the bundled digits from inside a program, listens to every step, stops early
//! when the test accuracy is good enough, and reads the metrics back.
//!
//! `cargo run --example embed`

#![allow(clippy::print_stdout)]

use firebrick::prelude::*;

const GOOD_ENOUGH: f64 = 0.9;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::from_toml("embed", CONFIG, &[])?;
    let folder = tempfile::tempdir()?;

    let outcome = Trainer::new(config)
        .run_dir(folder.path().join("run"))
        .on_event(|event| match event {
            Event::Eval(eval) => {
                println!("epoch {}: test accuracy {:.1}%", eval.epoch, 100.0 * eval.accuracy);
                if eval.accuracy >= GOOD_ENOUGH { Control::Stop } else { Control::Continue }
            }
            _ => Control::Continue,
        })
        .run()?;

    let metrics = std::fs::read_to_string(outcome.run_dir.join("metrics.jsonl"))?;
    let losses = metrics
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<Vec<serde_json::Value>, _>>()?
        .into_iter()
        .filter(|record| record["event"] == "step")
        .filter_map(|record| record["loss"].as_f64())
        .collect::<Vec<_>>();
    let (Some(first), Some(last)) = (losses.first(), losses.last()) else {
        return Err("the run recorded no step".into());
    };
    println!("{:?} after {} steps; loss {first:.3} -> {last:.3}", outcome.status, losses.len());
    println!("weights {}", outcome.summary.weights_sha256);
    Ok(())
}

const CONFIG: &str = r#"
[model]
name = "lenet"
num_classes = 10

[data]
dataset = "digits"
batch_size = 32

[loss]
name = "cross_entropy"

[optimizer]
name = "sgd"
lr = 0.02
momentum = 0.9

[trainer]
epochs = 10
backend = "flex"
"#;
