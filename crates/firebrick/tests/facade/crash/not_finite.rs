//! NaN and infinity in an image, a loss, a gradient, a weight: no update, no checkpoint, one report.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use firebrick::models::parameters::named_parameters;
use firebrick::models::walk::{Change, ParamRef, change};
use firebrick::models::weights::{NameStyle, save_safetensors};
use firebrick::models::{LeNetConfig, Network, NetworkConfig};
use firebrick::prelude::*;
use firebrick::train::ErrorKind;
use firebrick::train::checkpoint::{Checkpoint, folder_name};
use firebrick::train::run_folder::Resume;

use super::{config, scratch};

/// Where the number appears that is not finite.
#[derive(Debug, Clone, Copy)]
enum Poison {
    Image(f32),
    Logits(f32),
    /// The loss stays finite: the slope of a root at 0, times 0.
    NanGradient,
    /// The loss stays finite: the slope of a root at 0.
    InfiniteGradient,
}

/// A LeNet that goes wrong in one of its forward passes.
#[derive(Module, Debug)]
struct Poisoned {
    inner: Network,
    #[module(skip)]
    poison: Option<(usize, Poison)>,
    #[module(skip)]
    passes: Arc<AtomicUsize>,
}

impl Poisoned {
    fn new(device: &Device, poison: Option<(usize, Poison)>) -> Self {
        Self { inner: LeNetConfig::default().init(0, device), poison, passes: Arc::default() }
    }
}

impl ImageClassifier for Poisoned {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn forward(&self, images_nchw: Tensor<4>) -> Tensor<2> {
        let pass = self.passes.fetch_add(1, Ordering::SeqCst) + 1;
        let poison = self.poison.filter(|(at, _)| *at == pass).map(|(_, poison)| poison);
        let images_nchw = match poison {
            Some(Poison::Image(value)) => images_nchw * value,
            _ => images_nchw,
        };
        let logits_nk = self.inner.forward(images_nchw);
        match poison {
            Some(Poison::Logits(value)) => logits_nk * value,
            Some(Poison::NanGradient) => logits_nk.clone() + (logits_nk * 0.0).sqrt(),
            Some(Poison::InfiniteGradient) => {
                let zeros = logits_nk.clone() - logits_nk.clone().detach();
                logits_nk + zeros.sqrt()
            }
            _ => logits_nk,
        }
    }

    fn input_shape(&self) -> [usize; 3] {
        self.inner.input_shape()
    }

    fn num_classes(&self) -> usize {
        self.inner.num_classes()
    }
}

fn train(run_dir: &Path, poison: Option<(usize, Poison)>) -> Result<Outcome<Poisoned>, TrainError> {
    let config = config(&[("trainer.checkpoint_every", "1"), ("trainer.keep_last", "100")]);
    Trainer::new(config)
        .run_dir(run_dir)
        .resume(Resume::Latest)
        .run_model(|device| Poisoned::new(device, poison))
}

/// Steps of the checkpoints, after a look at every weight in them.
fn finite_checkpoints<M: Module>(run_dir: &Path, model: &M) -> Vec<u64> {
    let steps = (0..100).filter(|step| run_dir.join("checkpoints").join(folder_name(*step)).exists());
    steps
        .inspect(|step| {
            let checkpoint = Checkpoint::read(&run_dir.join("checkpoints").join(folder_name(*step))).unwrap();
            for parameter in named_parameters(&checkpoint.load_model(model.clone()).unwrap()) {
                let finite = parameter.data.iter::<f64>().all(f64::is_finite);
                assert!(finite, "step {step}: {}", parameter.name);
            }
        })
        .collect()
}

#[track_caller]
fn assert_diverged(run_dir: &Path, error: &TrainError, step: u64) {
    assert_eq!(error.kind(), ErrorKind::Diverged, "{error}");
    let report = std::fs::read_to_string(run_dir.join("diverged.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["step"], step, "{report}");
    assert!(error.to_string().contains(&format!("step {step}")), "{error}");
}

#[test]
fn nothing_that_is_not_finite_reaches_a_weight_or_a_checkpoint() {
    let folder = scratch();
    let healthy = Poisoned::new(&Device::flex(), None);
    let expected = train(&folder.path().join("healthy"), None).unwrap().summary;
    let poisons = [
        Poison::Image(f32::NAN),
        Poison::Image(f32::INFINITY),
        Poison::Logits(f32::NAN),
        Poison::Logits(f32::INFINITY),
        Poison::NanGradient,
        Poison::InfiniteGradient,
    ];
    for (number, poison) in poisons.into_iter().enumerate() {
        let run_dir = folder.path().join(number.to_string());
        let error = train(&run_dir, Some((3, poison))).err().unwrap_or_else(|| panic!("{poison:?} trained"));
        assert_diverged(&run_dir, &error, 3);
        assert_eq!(finite_checkpoints(&run_dir, &healthy), [0, 1, 2], "{poison:?}");
        // No trace is left: without the poison the run ends as if there had been none.
        let outcome = train(&run_dir, None).unwrap();
        assert_eq!(outcome.summary.weights_sha256, expected.weights_sha256, "{poison:?}");
        assert_eq!(outcome.summary.ema_sha256, expected.ema_sha256, "{poison:?}");
    }
}

#[test]
fn a_learning_rate_that_breaks_the_weights_leaves_finite_checkpoints() {
    let folder = scratch();
    let run_dir = folder.path().join("run");
    let config = config(&[("optimizer.lr", "1e38"), ("trainer.checkpoint_every", "1")]);
    let error = Trainer::new(config).run_dir(&run_dir).run().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Diverged, "{error}");
    assert!(run_dir.join("diverged.json").exists());
    let steps = finite_checkpoints(&run_dir, &LeNetConfig::default().init(0, &Device::flex()));
    assert!(!steps.is_empty());
}

/// Adds a number to every parameter.
struct AddTo(f32);

impl Change for AddTo {
    fn parameter<const D: usize>(&mut self, _at: &ParamRef, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.map(|tensor| tensor.add_scalar(self.0))
    }
}

#[test]
fn weights_to_start_from_that_are_not_finite_train_nothing() {
    let folder = scratch();
    for (number, value) in [f32::NAN, f32::NEG_INFINITY].into_iter().enumerate() {
        let run_dir = folder.path().join(number.to_string());
        let broken = |device: &Device| change(LeNetConfig::default().init(0, device), &mut AddTo(value));
        let error = Trainer::new(config(&[])).run_dir(&run_dir).run_model(broken).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Diverged, "{error}");
        assert!(run_dir.join("diverged.json").exists());
        assert!(finite_checkpoints(&run_dir, &LeNetConfig::default().init(0, &Device::flex())).is_empty());
    }
}

#[test]
fn a_weights_file_that_is_not_finite_is_refused() {
    let folder = scratch();
    let file = folder.path().join("start.safetensors");
    let model = LeNetConfig::default().init(0, &Device::flex());
    save_safetensors(&model, &file, NameStyle::Firebrick, &Default::default()).unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&file, bytes).unwrap();
    let run_dir = folder.path().join("run");
    let config = config(&[("model.weights", file.to_str().unwrap())]);
    let error = Trainer::new(config).run_dir(&run_dir).run().err().unwrap();
    assert!(error.to_string().contains("not finite"), "{error}");
    assert!(!run_dir.exists(), "nothing was written");
}
