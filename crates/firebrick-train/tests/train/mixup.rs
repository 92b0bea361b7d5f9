//! Mixed images and their soft targets, from the config to the weights.

use std::path::Path;

use firebrick_train::config::Override;
use firebrick_train::run_folder::{Resume, RunLocation};
use firebrick_train::{Config, Control, Event, Plan, Status, fit};

/// Five steps an epoch, the last of eight images.
const CONFIG: &str = r#"
    model = { name = "lenet" }
    data = { dataset = "digits", batch_size = 16, limit = { train = 72, test = 40 } }
    loss = { name = "cross_entropy" }
    optimizer = { name = "sgd", lr = 0.05, momentum = 0.9 }
    trainer = { epochs = 2, backend = "flex" }
"#;

const MIXUP: (&str, &str) = ("data.batch_augment", "[{ name = \"mixup\", alpha = 0.4 }]");

fn plan(sets: &[(&str, &str)]) -> Result<Plan, String> {
    let sets: Vec<Override> = sets.iter().map(|(key, value)| Override::new(*key, *value)).collect();
    Plan::new(Config::from_toml("mixup", CONFIG, &sets).unwrap(), "mixup", &())
        .map_err(|error| error.to_string())
}

/// Trains up to a stop; gives the hash of the weights and the losses of the steps.
fn train(run_dir: &Path, sets: &[(&str, &str)], stop_at: Option<u64>) -> (String, Vec<f64>) {
    let plan = plan(sets).unwrap();
    let location = RunLocation { run_dir: Some(run_dir.to_owned()), resume: Resume::Latest };
    let mut losses = Vec::new();
    let mut observer = |event: &Event| match event {
        Event::Step(step) => {
            losses.push(step.loss);
            if Some(step.step) == stop_at { Control::Stop } else { Control::Continue }
        }
        _ => Control::Continue,
    };
    let model = plan.initial_model(&plan.backend.device).unwrap();
    let outcome = fit(&plan, model, &location, &mut observer).unwrap();
    assert_eq!(outcome.status == Status::Stopped, stop_at.is_some());
    (outcome.summary.weights_sha256, losses)
}

#[test]
fn mixed_batches_train_and_neither_workers_nor_a_resume_change_a_bit() {
    let folder = tempfile::tempdir().unwrap();
    let (weights, losses) = train(&folder.path().join("whole"), &[MIXUP], None);
    assert_eq!(losses.len(), 10);
    assert!(losses.iter().all(|loss| loss.is_finite()), "{losses:?}");
    for workers in ["0", "1", "2"] {
        let run_dir = folder.path().join(workers);
        assert_eq!(
            train(&run_dir, &[MIXUP, ("data.workers", workers)], None),
            (weights.clone(), losses.clone())
        );
    }
    // Inside the first epoch and inside the second.
    let run_dir = folder.path().join("parts");
    let parts = [Some(2), Some(8), None].map(|stop_at| train(&run_dir, &[MIXUP], stop_at));
    assert_eq!(parts.clone().map(|(_, losses)| losses).concat(), losses);
    assert_eq!(parts[2].0, weights);
    let plain = train(&folder.path().join("plain"), &[], None);
    assert!(plain.0 != weights && plain.1[0] != losses[0]);
}

#[test]
fn a_loss_of_class_indices_is_refused_beside_mixup() {
    for loss in ["nll", "focal", "multi_margin"] {
        let set = ("loss.name", loss);
        let message = plan(&[MIXUP, set]).err().unwrap();
        let expected = format!(
            "--set data.batch_augment={}: data.batch_augment[0]: `mixup` makes probabilities of the labels, and the loss `{loss}` takes class \
             indices alone; leave it out, or use a loss that takes probabilities, such as `cross_entropy`",
            MIXUP.1
        );
        assert_eq!(message, expected);
        plan(&[set]).unwrap();
        // Mixup that never mixes makes no probabilities.
        plan(&[("data.batch_augment", "[{ name = \"mixup\", p = 0.0 }]"), set]).unwrap();
    }
}
