//! Averaged weights: PyTorch's numbers, BatchNorm, and checkpoints.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use firebrick_train::ema::{Ema, EmaConfig, EmaError};
use serde::Deserialize;

use crate::support::{Bag, assert_close, bits, devices, golden, noise, values_of, with_values};

#[derive(Deserialize)]
struct Extras {
    ema: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    decay: f64,
    shape: Vec<usize>,
    weights: Vec<Vec<f32>>,
    averages: Vec<Vec<f32>>,
}

fn ema(decay: f64) -> Ema {
    Ema::new(&EmaConfig { decay }).unwrap()
}

#[test]
fn golden_averaged_weights() {
    let extras: Extras = golden("optim_extras.json");
    assert!(!extras.ema.is_empty());
    for (backend, device) in devices() {
        for case in &extras.ema {
            let mut model = Bag::new(std::slice::from_ref(&case.shape), &case.weights[..1], &device);
            let mut ema = ema(case.decay);
            for (weights, average) in case.weights.iter().zip(&case.averages) {
                model = with_values(model, std::slice::from_ref(weights));
                ema.update(&model);
                assert_close(&ema.averaged(&model).values()[0], average, 1e-6, backend);
                assert_eq!(
                    bits(&model.values()),
                    bits(std::slice::from_ref(weights)),
                    "the live model keeps its weights"
                );
            }
            assert_eq!(ema.num_updates(), case.weights.len() as u64);
        }
    }
}

#[derive(Module, Debug)]
struct WithNorm {
    linear: Linear,
    norm: BatchNorm,
}

impl WithNorm {
    fn new(device: &Device) -> Self {
        Self { linear: LinearConfig::new(2, 3).init(device), norm: BatchNormConfig::new(3).init(device) }
    }

    fn forward(&self, seed: u64) -> Vec<f32> {
        let device = self.linear.weight.val().device();
        let like = self.linear.weight.val();
        let inputs = Tensor::<2>::from_data(TensorData::new(noise(seed, 8), [4, 2]), &device);
        let inputs = if like.is_autodiff() { inputs.autodiff() } else { inputs.inner() };
        self.norm.forward(self.linear.forward(inputs)).into_data().try_to_vec().unwrap()
    }
}

/// Values of the running mean and variance: the last two of the model.
fn statistics<M: Module>(model: &M) -> Vec<Vec<u32>> {
    let values = values_of(model);
    bits(&values[values.len() - 2..])
}

#[test]
fn average_shares_no_running_statistics_with_the_live_model() {
    for (backend, device) in devices() {
        let model = WithNorm::new(&device);
        let mut ema = ema(0.5);
        model.forward(1);
        model.forward(2);
        ema.update(&model);
        let averaged = ema.averaged(&model);
        assert!(!averaged.linear.weight.val().is_autodiff(), "{backend}: the average is for evaluation");

        let of_average = statistics(&averaged);
        let of_live = statistics(&model);
        assert_eq!(of_average, of_live, "{backend}: the statistics come from the live model");
        let before = averaged.forward(9);

        // Training goes on: the average must not notice.
        model.forward(3);
        model.forward(4);
        let _ = model.valid();
        assert_ne!(statistics(&model), of_live, "{backend}");
        assert_eq!(statistics(&averaged), of_average, "{backend}");
        assert_eq!(averaged.forward(9), before, "{backend}");

        // And evaluating the average must not reach the live model.
        let of_live = statistics(&model);
        averaged.forward(5);
        let _ = ema.averaged(&model);
        assert_eq!(statistics(&model), of_live, "{backend}");
    }
}

#[test]
fn average_has_the_newest_statistics_not_those_of_one_step_ago() {
    let (_, device) = devices().remove(0);
    let model = WithNorm::new(&device);
    let mut ema = ema(0.5);
    ema.update(&model);
    model.forward(1);
    let averaged = ema.averaged(&model);
    assert_eq!(statistics(&averaged), statistics(&model.valid()));
    assert_ne!(statistics(&averaged), statistics(&WithNorm::new(&device)));
}

#[test]
fn resumed_average_gives_the_bits_of_an_uninterrupted_one() {
    for (backend, device) in devices() {
        let mut model = WithNorm::new(&device);
        let next = |model: WithNorm, seed: u64| {
            with_values(model, &[noise(seed, 6), noise(seed + 1, 3), noise(seed + 2, 3), noise(seed + 3, 3)])
        };
        let mut whole = ema(0.9);
        for seed in 0..3 {
            model = next(model, seed);
            whole.update(&model);
        }
        let bytes = whole.to_bytes().unwrap();
        let mut resumed = ema(0.9);
        resumed.load_bytes(&bytes, &model, &device).unwrap();
        assert_eq!(resumed.num_updates(), 3);
        for seed in 3..6 {
            model = next(model, seed);
            whole.update(&model);
            resumed.update(&model);
        }
        let (whole, resumed) = (values_of(&whole.averaged(&model)), values_of(&resumed.averaged(&model)));
        assert_eq!(bits(&whole), bits(&resumed), "{backend}");
    }
}

#[test]
fn average_of_another_model_is_refused_with_every_difference() {
    let (_, device) = devices().remove(0);
    let model = WithNorm::new(&device);
    let mut ema = ema(0.9);
    ema.update(&model);
    let bytes = ema.to_bytes().unwrap();
    let other = Bag::new(&[vec![2]], &[vec![1.0, 2.0]], &device);
    let message = ema.load_bytes(&bytes, &other, &device).unwrap_err().to_string();
    assert_eq!(
        message,
        "the saved averaged weights do not fit the model: items.0 is missing; \
         linear.bias is not a trainable parameter of the model; \
         linear.weight is not a trainable parameter of the model; \
         norm.beta is not a trainable parameter of the model; \
         norm.gamma is not a trainable parameter of the model"
    );
    assert!(matches!(ema.load_bytes(&bytes[..50], &model, &device), Err(EmaError::State(_))));
}

#[test]
fn average_before_the_first_update_is_the_model_itself() {
    let (_, device) = devices().remove(0);
    let model = WithNorm::new(&device);
    let ema = ema(0.9);
    assert_eq!(bits(&values_of(&ema.averaged(&model))), bits(&values_of(&model)));
    let mut resumed = Ema::new(&EmaConfig::default()).unwrap();
    resumed.load_bytes(&ema.to_bytes().unwrap(), &model, &device).unwrap();
    assert_eq!(resumed.num_updates(), 0);
}

#[test]
fn decay_out_of_range_is_named() {
    for decay in [-0.1, 1.1, f64::NAN] {
        let message = EmaConfig { decay }.validate().unwrap_err().to_string();
        assert!(message.starts_with("decay: expected a number from 0 to 1, got "), "{message}");
    }
}
