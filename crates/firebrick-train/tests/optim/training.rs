//! Steps with gradients from a real backward pass: what a step must leave as it was.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use firebrick_train::accumulate::Accumulator;
use firebrick_train::schedule::{Schedule, ScheduleConfig};
use serde::Deserialize;
use serde_json::json;

use crate::support::{
    Bag, assert_close, bits, bound, devices, golden, gradients_for, noise, optimizer_config, read_gradients,
    values_of, with_values,
};

#[derive(Module, Debug)]
struct TwoLayers {
    first: Linear,
    second: Linear,
}

fn two_layers(device: &Device) -> TwoLayers {
    let model = TwoLayers {
        first: LinearConfig::new(3, 4).init(device),
        second: LinearConfig::new(4, 2).init(device),
    };
    with_values(model, &[noise(1, 12), noise(2, 4), noise(3, 8), noise(4, 2)])
}

fn gradients(model: &TwoLayers, seed: u64, num_samples: usize) -> GradientsParams {
    let device = model.first.weight.val().device();
    let data = burn::tensor::TensorData::new(noise(seed, 3 * num_samples), [num_samples, 3]);
    let inputs_nc = Tensor::<2>::from_data(data, &device);
    let outputs_nk = model.second.forward(model.first.forward(inputs_nc).tanh());
    GradientsParams::from_grads(outputs_nk.square().mean().backward(), model)
}

#[test]
fn parameters_stay_leaves_with_their_ids_and_devices() {
    for (backend, device) in devices() {
        for name in firebrick_train::optimizer::OptimizerConfig::NAMES {
            let config = optimizer_config(name, json!({}));
            let mut model = two_layers(&device);
            let ids = [model.first.weight.id, model.second.weight.id];
            let mut optimizer = bound(&config, &model);
            for seed in 0..3 {
                let gradients = gradients(&model, seed, 5);
                assert_eq!(gradients.len(), 4, "{name} on {backend}: every parameter gets a gradient again");
                model = optimizer.step(config.lr(), model, gradients);
            }
            assert_eq!([model.first.weight.id, model.second.weight.id], ids);
            let weight = model.first.weight.val();
            assert!(weight.is_require_grad() && weight.is_autodiff() && weight.device() == device);
            assert!(values_of(&model).iter().flatten().all(|value| value.is_finite()));
        }
    }
}

#[test]
fn frozen_parameters_and_those_without_gradient_keep_their_bits_and_have_no_state() {
    let (_, device) = devices().remove(0);
    let mut model = two_layers(&device);
    model.first = model.first.freeze();
    let before = values_of(&model);
    let config = optimizer_config("adamw", json!({ "weight_decay": 0.5 }));
    let mut optimizer = bound(&config, &model);
    let gradients = gradients(&model, 1, 5);
    let model = optimizer.step(0.1, model, gradients);
    let after = values_of(&model);
    assert_eq!(bits(&before[..2]), bits(&after[..2]));
    assert_ne!(bits(&before[2..]), bits(&after[2..]));
    assert!(!model.first.weight.is_require_grad());
    let state = optimizer.state().unwrap();
    assert_eq!(state.parameters.keys().collect::<Vec<_>>(), ["second.bias", "second.weight"]);
}

#[test]
fn parameter_that_misses_a_step_does_not_count_it() {
    let (_, device) = devices().remove(0);
    let model = two_layers(&device);
    let mut optimizer = bound(&optimizer_config("adam", json!({})), &model);
    let mut some = gradients(&model, 1, 5);
    some.remove::<2>(model.first.weight.id).unwrap();
    let model = optimizer.step(0.1, model, some);
    let all = gradients(&model, 2, 5);
    optimizer.step(0.1, model, all);
    let state = optimizer.state().unwrap();
    assert_eq!(state.parameters["first.weight"].steps, 1);
    assert_eq!(state.parameters["first.bias"].steps, 2);
}

#[test]
fn accumulated_batches_are_one_large_batch() {
    for (backend, device) in devices() {
        let model = two_layers(&device);
        let values = noise(7, 3 * 12);
        let batch = |range: std::ops::Range<usize>| {
            let data = burn::tensor::TensorData::new(
                values[3 * range.start..3 * range.end].to_vec(),
                [range.len(), 3],
            );
            let inputs_nc = Tensor::<2>::from_data(data, &device);
            let outputs_nk = model.second.forward(model.first.forward(inputs_nc).tanh());
            GradientsParams::from_grads(outputs_nk.square().mean().backward(), &model)
        };
        let mut accumulator = Accumulator::new();
        for range in [0..5, 5..10, 10..12] {
            accumulator.add(&model, batch(range.clone()), range.len() as f64);
        }
        let average = read_gradients(&model, &accumulator.take(&model, 12.0));
        let whole = read_gradients(&model, &batch(0..12));
        for (a, w) in average.iter().zip(&whole) {
            assert_close(a, w, 1e-6, backend);
        }
        assert!(accumulator.take(&model, 12.0).is_empty());
    }
}

#[derive(Deserialize)]
struct Extras {
    accumulation: Vec<AccumulationCase>,
}

/// torch's gradients of some batches, and of one batch that holds them all.
#[derive(Deserialize)]
struct AccumulationCase {
    sizes: Vec<usize>,
    shape: Vec<usize>,
    batches: Vec<Vec<f32>>,
    whole: Vec<f32>,
}

#[test]
fn golden_accumulated_gradients() {
    let extras: Extras = golden("optim_extras.json");
    assert!(!extras.accumulation.is_empty());
    for (backend, device) in devices() {
        for case in &extras.accumulation {
            let zeros = vec![0.0; case.whole.len()];
            let model = Bag::new(std::slice::from_ref(&case.shape), &[zeros], &device);
            let mut accumulator = Accumulator::new();
            for (size, gradient) in case.sizes.iter().zip(&case.batches) {
                accumulator.add(&model, model.gradients(std::slice::from_ref(gradient)), *size as f64);
            }
            let images = case.sizes.iter().sum::<usize>() as f64;
            let average = read_gradients(&model, &accumulator.take(&model, images));
            assert_close(&average[0], &case.whole, 1e-6, backend);
        }
    }
}

#[test]
fn accumulating_equal_batches_is_torchs_division_of_the_loss() {
    let (_, device) = devices().remove(0);
    let model = two_layers(&device);
    let one = vec![vec![4.0; 12], vec![4.0; 4], vec![4.0; 8], vec![4.0; 2]];
    let two = vec![vec![8.0; 12], vec![8.0; 4], vec![8.0; 8], vec![8.0; 2]];
    let mut accumulator = Accumulator::new();
    accumulator.add(&model, gradients_for(&model, &one), 64.0);
    accumulator.add(&model, gradients_for(&model, &two), 64.0);
    let average = read_gradients(&model, &accumulator.take(&model, 128.0));
    assert!(average.iter().flatten().all(|value| *value == 6.0), "{average:?}");
}

#[test]
fn one_batch_alone_stays_as_it_is() {
    let (_, device) = devices().remove(0);
    let model = two_layers(&device);
    let given = vec![noise(1, 12), noise(2, 4), noise(3, 8), noise(4, 2)];
    let mut accumulator = Accumulator::new();
    accumulator.add(&model, gradients_for(&model, &given), 7.0);
    assert_eq!(bits(&read_gradients(&model, &accumulator.take(&model, 7.0))), bits(&given));
}

#[test]
fn schedule_moves_rates_and_momentum_through_step_at() {
    let (_, device) = devices().remove(0);
    let arguments = json!({ "base_lr": 0.1, "max_lr": 0.5, "step_size_up": 2, "base_momentum": 0.2, "max_momentum": 0.6 });
    let config = ScheduleConfig::deserialize_named("cyclic", arguments).unwrap().unwrap();
    let schedule = Schedule::new(&config, 1.0, 10, 1).unwrap();
    let optimizer_config =
        optimizer_config("sgd", json!({ "lr": 1.0, "groups": [{ "match": "first*", "lr": 9.0 }] }));
    config.validate_with(&optimizer_config).unwrap();
    let mut model =
        with_values(two_layers(&device), &[vec![0.0; 12], vec![0.0; 4], vec![0.0; 8], vec![0.0; 2]]);
    let mut optimizer = bound(&optimizer_config, &model);
    for step in 0..2 {
        let gradients = gradients_for(&model, &[vec![1.0; 12], vec![1.0; 4], vec![1.0; 8], vec![1.0; 2]]);
        model = optimizer.step_at(&schedule.at(step), model, gradients);
    }
    // 0.1 * 1, then 0.3 * (0.4 * 1 + 1), for both groups.
    for values in values_of(&model) {
        assert_close(&values, &vec![-0.52; values.len()], 1e-6, "cyclic");
    }
}

/// Rows are outputs in torch and inputs in Burn's `Linear`; the rate depends on which is which.
#[test]
fn muon_fits_the_rate_to_outputs_by_inputs() {
    #[derive(Module, Debug)]
    struct Plain {
        weight: burn::module::Param<Tensor<2>>,
    }
    for (backend, device) in devices() {
        let config = optimizer_config("muon", json!({ "lr": 0.1 }));
        let layer = LinearConfig::new(2, 6).with_bias(false).init(&device);
        let weight = layer.weight.val().inner();
        let as_in_torch = Tensor::<2>::from_data(weight.transpose().into_data(), &device);
        let plain = Plain { weight: burn::module::Param::from_tensor(as_in_torch) };
        let plain_gradient = noise(3, 12);
        let layer_gradient = (0..12).map(|i| plain_gradient[(i % 6) * 2 + i / 6]).collect();

        let gradients = gradients_for(&layer, &[layer_gradient]);
        let layer = bound(&config, &layer).step(0.1, layer, gradients);
        let gradients = gradients_for(&plain, &[plain_gradient]);
        let plain = bound(&config, &plain).step(0.1, plain, gradients);

        let transposed = values_of(&Plain { weight: layer.weight.map(|weight| weight.transpose().detach()) });
        assert_close(&transposed[0], &values_of(&plain)[0], 1e-6, backend);
    }
}

#[test]
fn muon_gives_what_is_no_matrix_to_adamw() {
    let (_, device) = devices().remove(0);
    let adamw = json!({ "lr": 0.02, "betas": [0.8, 0.9], "weight_decay": 0.3 });
    let muon = optimizer_config("muon", json!({ "lr": 0.1, "adamw": adamw.clone() }));
    let adamw = optimizer_config("adamw", adamw);
    let given = [noise(5, 12), noise(6, 4), noise(7, 8), noise(8, 2)];
    let model = two_layers(&device);
    let by_muon = bound(&muon, &model).step(0.1, model.clone(), gradients_for(&model, &given));
    let by_adamw = bound(&adamw, &model).step(0.02, model.clone(), gradients_for(&model, &given));
    let (by_muon, by_adamw) = (values_of(&by_muon), values_of(&by_adamw));
    assert_eq!(
        bits(&[by_muon[1].clone(), by_muon[3].clone()]),
        bits(&[by_adamw[1].clone(), by_adamw[3].clone()])
    );
    assert_ne!(bits(&by_muon), bits(&by_adamw));
}

#[test]
fn momentum_that_only_the_schedule_switches_on_is_resumed_too() {
    let (_, device) = devices().remove(0);
    let config = ScheduleConfig::deserialize_named("one_cycle", json!({ "max_lr": 0.5 })).unwrap().unwrap();
    let schedule = Schedule::new(&config, 0.1, 10, 1).unwrap();
    for name in ["sgd", "rmsprop"] {
        let plain = optimizer_config(name, json!({ "lr": 0.1 }));
        let mut model = two_layers(&device);
        let mut optimizer = bound(&plain, &model);
        for step in 0..10 {
            if step == 4 {
                let state = optimizer.state().unwrap();
                assert!(state.parameters["first.bias"].tensors.contains_key("momentum_buffer"), "{name}");
                let mut resumed = bound(&plain, &model);
                resumed.load_state(state, &device).unwrap();
                let gradients =
                    || gradients_for(&model, &[noise(5, 12), noise(6, 4), noise(7, 8), noise(8, 2)]);
                let whole = optimizer.step_at(&schedule.at(step), model.clone(), gradients());
                let other = resumed.step_at(&schedule.at(step), model.clone(), gradients());
                assert_eq!(bits(&values_of(&whole)), bits(&values_of(&other)), "{name}");
            }
            let gradients = gradients(&model, step, 5);
            model = optimizer.step_at(&schedule.at(step), model, gradients);
        }
    }
}

#[test]
fn state_and_gradients_follow_the_parameters_device() {
    let [(_, flex), (_, ndarray)] = devices().try_into().unwrap();
    let config = optimizer_config("adam", json!({ "lr": 0.01 }));
    let model = two_layers(&flex);
    let mut optimizer = bound(&config, &model);
    let model = optimizer.step(0.01, model.clone(), gradients(&model, 1, 5));
    let state = optimizer.state().unwrap();
    let mut elsewhere = bound(&config, &model);
    elsewhere.load_state(state, &ndarray).unwrap();
    let there = gradients(&model, 2, 5).to_device(&ndarray, &model);
    let moved = elsewhere.step(0.01, model.clone(), there);
    assert_eq!(moved.first.weight.val().device(), flex);
    let stayed = optimizer.step(0.01, model.clone(), gradients(&model, 2, 5));
    for (moved, stayed) in values_of(&moved).iter().zip(&values_of(&stayed)) {
        assert_close(moved, stayed, 1e-6, "moved");
    }
}

#[test]
fn another_model_under_the_same_paths_starts_afresh() {
    let (_, device) = devices().remove(0);
    let config = optimizer_config("adam", json!({}));
    let model = two_layers(&device);
    let mut optimizer = bound(&config, &model);
    optimizer.step(0.01, model.clone(), gradients(&model, 1, 5));
    let wider = TwoLayers {
        first: LinearConfig::new(3, 5).init(&device),
        second: LinearConfig::new(5, 2).init(&device),
    };
    optimizer.step(0.01, wider.clone(), gradients(&wider, 1, 5));
    let state = optimizer.state().unwrap();
    assert_eq!(state.parameters["first.weight"].steps, 1);
    assert_eq!(state.parameters["second.bias"].steps, 2);
}
