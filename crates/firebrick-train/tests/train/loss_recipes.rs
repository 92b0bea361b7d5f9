//! Losses that were not made for classes train a classifier all the same: recipes, each for all of the digits.

use firebrick_train::config::Override;
use firebrick_train::run_folder::RunLocation;
use firebrick_train::{Config, Control, Event, Plan, fit};

use crate::loss_runs::LENET_LAYERS;

const CONFIG: &str = r#"
    model = { name = "lenet" }
    data = { dataset = "digits", batch_size = 32 }
    loss = { name = "mse" }
    optimizer = { name = "adam", lr = 0.003 }
    schedule = { name = "cosine", per = "step" }
    trainer = { epochs = 10, backend = "flex" }
"#;

/// At least 95% of the test split are right at the end.
#[track_caller]
fn assert_learns(sets: &[(&str, &str)]) {
    let sets: Vec<Override> = sets.iter().map(|(key, value)| Override::new(*key, *value)).collect();
    let plan = Plan::new(Config::from_toml("recipe", CONFIG, &sets).unwrap(), "recipe", &()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let location = RunLocation { run_dir: Some(folder.path().join("run")), ..RunLocation::default() };
    let model = plan.initial_model(&plan.backend.device).unwrap();
    let outcome = fit(&plan, model, &location, &mut |_: &Event| Control::Continue).unwrap();
    let accuracy = outcome.summary.last.unwrap().accuracy;
    assert!(accuracy >= 0.95, "{accuracy}");
}

#[test]
fn mse_of_the_outputs_and_ones_and_zeros_learns_the_digits() {
    assert_learns(&[("loss.name", "mse")]);
}

#[test]
fn bce_with_logits_learns_the_digits() {
    assert_learns(&[("loss.name", "bce_with_logits")]);
}

#[test]
fn kl_div_of_log_softmax_learns_the_digits() {
    let layers = format!("[{LENET_LAYERS}{{ name = \"log_softmax\" }}]");
    let model = format!(
        "{{ name = \"sequential\", input_shape = [1, 32, 32], layers = {} }}",
        layers.replace('\n', " ")
    );
    assert_learns(&[("loss.name", "kl_div"), ("model", &model)]);
}
