//! A program's own loop on `TrainState`, and a network written by hand.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use firebrick_models::{ImageClassifier, LeNetConfig, NetworkConfig};
use firebrick_train::checkpoint::{Checkpoint, Which};
use firebrick_train::config::Override;
use firebrick_train::event::WeightsKind;
use firebrick_train::run_folder::RunLocation;
use firebrick_train::step::Verdict;
use firebrick_train::trained::TrainedRun;
use firebrick_train::weights_hash::weights_sha256;
use firebrick_train::{Config, Control, Event, Plan, Split, TrainState, fit};

const CONFIG: &str = r#"
    model = { name = "lenet" }
    data = { dataset = "digits", batch_size = 16, limit = { train = 72, test = 40 } }
    loss = { name = "cross_entropy" }
    optimizer = { name = "adamw", lr = 0.01 }
    schedule = { name = "cosine", per = "step" }
    trainer = { epochs = 2, backend = "flex", accumulate_grad_batches = 2, ema = { decay = 0.9 } }
"#;

fn plan(sets: &[(&str, &str)]) -> Plan {
    let sets: Vec<Override> = sets.iter().map(|(key, value)| Override::new(*key, *value)).collect();
    Plan::new(Config::from_toml("state", CONFIG, &sets).unwrap(), "state", &()).unwrap()
}

fn ignore(_: &Event) -> Control {
    Control::Continue
}

#[test]
fn a_loop_by_hand_gives_the_bits_of_fit_also_when_it_is_saved_and_restored() {
    let plan = plan(&[]);
    let folder = tempfile::tempdir().unwrap();
    let initial = || plan.initial_model(&plan.backend.device).unwrap();
    let location = RunLocation { run_dir: Some(folder.path().join("run")), ..RunLocation::default() };
    let fitted = fit(&plan, initial(), &location, &mut ignore).unwrap();

    let mut state = TrainState::new(&plan, initial()).unwrap();
    while !state.is_finished() {
        for batches in state.batches() {
            assert!(matches!(state.step(batches.unwrap()).unwrap(), Verdict::Applied(_)));
            // In the middle of each epoch a new state goes on with what the old one has saved.
            if state.progress().position.step % 3 == 2 {
                let saved = state.save(folder.path()).unwrap();
                state = TrainState::new(&plan, initial()).unwrap();
                state.restore(&Checkpoint::read(&saved.path).unwrap()).unwrap();
            }
        }
    }
    assert_eq!(weights_sha256(&state.trained()), fitted.summary.weights_sha256);
    assert_eq!(Some(weights_sha256(&state.averaged().unwrap())), fitted.summary.ema_sha256);
    assert_eq!(Some(state.evaluate(Split::Test).unwrap().score), fitted.summary.last);
    assert!(state.evaluate(Split::Validation).unwrap_err().to_string().contains("no validation split"));
}

#[test]
fn batches_that_cannot_be_trained_on_are_refused_and_change_nothing() {
    let plan = plan(&[]);
    let model = plan.initial_model(&plan.backend.device).unwrap();
    let mut state = TrainState::new(&plan, model).unwrap();
    let before = weights_sha256(&state.trained());
    let error = state.step(Vec::new()).unwrap_err().to_string();
    assert!(error.contains("expected at least one image"), "{error}");
    for label in [10, -1] {
        let mut batches = plan.training_batches(0, 0).next().unwrap().unwrap();
        batches[1].labels[3] = label;
        let image = batches[1].sample_indices[3];
        let error = state.step(batches).unwrap_err().to_string();
        let expected = format!("image {image} of the batch: expected a label from 0 to 9, got {label}");
        assert_eq!(error, expected);
    }
    assert_eq!(weights_sha256(&state.trained()), before);
    assert_eq!(state.progress().position.step, 0);
    // And it trains on.
    state.step(plan.training_batches(0, 0).next().unwrap().unwrap()).unwrap();
}

/// A network that no config names.
#[derive(Module, Debug)]
struct ByHand {
    linear: Linear,
}

impl ByHand {
    fn new(device: &Device) -> Self {
        Self { linear: LinearConfig::new(64, 10).init(device) }
    }
}

impl ImageClassifier for ByHand {
    fn name(&self) -> String {
        "ByHand".to_owned()
    }

    fn forward(&self, images_nchw: Tensor<4>) -> Tensor<2> {
        self.linear.forward(images_nchw.flatten(1, 3))
    }

    fn input_shape(&self) -> [usize; 3] {
        [1, 8, 8]
    }

    fn num_classes(&self) -> usize {
        10
    }
}

#[test]
fn a_network_written_by_hand_is_trained_and_opened_again() {
    // The config's network gives the input shape alone.
    let model = "{ name = \"sequential\", input_shape = [1, 8, 8], \
                 layers = [{ name = \"flatten\" }, { name = \"linear\", out_features = 10 }] }";
    let plan = plan(&[("model", model)]);
    let folder = tempfile::tempdir().unwrap();
    let run_dir = folder.path().join("run");
    let location = RunLocation { run_dir: Some(run_dir.clone()), ..RunLocation::default() };
    let device = &plan.backend.device;
    let outcome = fit(&plan, ByHand::new(device), &location, &mut ignore).unwrap();
    let open = |weights| {
        TrainedRun::open_with(&run_dir, Which::Best, weights, device, |_, device| ByHand::new(device))
    };
    let run = open(WeightsKind::Raw).unwrap();
    assert_eq!(weights_sha256(&run.model), outcome.summary.weights_sha256);
    let average = open(WeightsKind::Ema).unwrap();
    assert_eq!(Some(weights_sha256(&average.model)), outcome.summary.ema_sha256);
    let error = TrainedRun::open_with(&run_dir, Which::Best, WeightsKind::Raw, device, |_, device| {
        LeNetConfig::default().init(0, device)
    });
    assert!(error.err().unwrap().to_string().contains("another network's"));
}
