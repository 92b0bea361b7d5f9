//! The training loop by hand: what `train` does, without run folder and events.
//!
//! `cargo run --example minimal_loop`

#![allow(clippy::print_stdout)]

use firebrick::prelude::*;
use firebrick::train::step::Verdict;

const CONFIG: &str = r#"
    model = { name = "lenet", num_classes = 10 }
    data = { dataset = "digits", batch_size = 32 }
    loss = { name = "cross_entropy" }
    optimizer = { name = "sgd", lr = 0.02, momentum = 0.9 }
    trainer = { epochs = 5, backend = "flex" }
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // What is asked for, what that means on this machine, and what training changes.
    let config = Config::from_toml("minimal_loop", CONFIG, &[])?;
    let plan = Plan::new(config, "minimal_loop", &())?;
    let model = plan.initial_model(&plan.backend.device)?;
    println!("{model}");
    let mut state = TrainState::new(&plan, model)?;
    let folder = tempfile::tempdir()?;

    for epoch in 0..plan.config.trainer.epochs {
        let mut losses = Vec::new();
        for batches in plan.training_batches(epoch, 0) {
            // Forward, loss, backward, clip, optimiser, with the learning rate of the step.
            match state.step(batches?)? {
                Verdict::Applied(report) => losses.push(report.loss),
                Verdict::Refused(refusal) => {
                    return Err(format!("{} is {}", refusal.what, refusal.value).into());
                }
            }
        }
        let test = state.evaluate(Split::Test)?.score;
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        println!("epoch {}: train loss {mean:.4}, test accuracy {:.1}%", epoch + 1, 100.0 * test.accuracy);
        state.save(folder.path())?;
    }
    Ok(())
}
