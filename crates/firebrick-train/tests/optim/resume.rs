//! Stopping and going on gives the bits of not having stopped; state that does not fit is refused.

use firebrick_train::optimizer::{Optimizer, OptimizerConfig, OptimizerError, OptimizerState};
use serde_json::json;

use crate::support::{Bag, bits, bound, devices, noise, optimizer_config};

/// Every optimiser, in the settings that remember the most and the least.
fn configs() -> Vec<OptimizerConfig> {
    [
        ("sgd", json!({ "lr": 0.1 })),
        ("sgd", json!({ "lr": 0.1, "momentum": 0.9, "nesterov": true, "weight_decay": 0.01 })),
        ("adam", json!({ "lr": 0.01 })),
        ("adam", json!({ "lr": 0.01, "amsgrad": true })),
        ("adamw", json!({ "lr": 0.01, "amsgrad": true })),
        ("rmsprop", json!({ "lr": 0.01 })),
        ("rmsprop", json!({ "lr": 0.01, "centered": true, "momentum": 0.9 })),
        ("adagrad", json!({ "lr": 0.01, "lr_decay": 0.1 })),
        ("adadelta", json!({})),
        ("adamax", json!({})),
        ("nadam", json!({})),
        ("radam", json!({})),
        ("lion", json!({ "weight_decay": 0.1 })),
        ("muon", json!({})),
    ]
    .into_iter()
    .map(|(name, arguments)| optimizer_config(name, arguments))
    .collect()
}

fn shapes() -> Vec<Vec<usize>> {
    vec![vec![2, 1, 2, 2], vec![3], vec![3, 2]]
}

fn gradients(step: u64) -> Vec<Vec<f32>> {
    shapes()
        .iter()
        .enumerate()
        .map(|(i, shape)| noise(step * 10 + i as u64, shape.iter().product()))
        .collect()
}

fn trained(mut optimizer: Optimizer, mut model: Bag, steps: std::ops::Range<u64>) -> (Optimizer, Bag) {
    for step in steps {
        let gradients = model.gradients(&gradients(step));
        model = optimizer.step(optimizer.config().lr(), model, gradients);
    }
    (optimizer, model)
}

#[test]
fn resumed_run_gives_the_bits_of_an_uninterrupted_one() {
    for (backend, device) in devices() {
        for config in configs() {
            let model = Bag::new(&shapes(), &gradients(99), &device);
            let (_, whole) = trained(bound(&config, &model), model.clone(), 0..8);

            let (first_half, model) = trained(bound(&config, &model), model, 0..3);
            let bytes = first_half.state().unwrap().to_bytes().unwrap();
            // As another process would: other parameter ids, values through host memory.
            let reread = Bag::new(&shapes(), &model.values(), &device);
            let mut second_half = bound(&config, &reread);
            second_half.load_state(OptimizerState::from_bytes(&bytes).unwrap(), &device).unwrap();
            let (_, resumed) = trained(second_half, reread, 3..8);

            assert_eq!(bits(&whole.values()), bits(&resumed.values()), "{} on {backend}", config.name());
        }
    }
}

#[test]
fn forgetting_the_state_would_be_seen() {
    let (_, device) = devices().remove(0);
    for config in
        configs().into_iter().filter(|config| *config != optimizer_config("sgd", json!({ "lr": 0.1 })))
    {
        let model = Bag::new(&shapes(), &gradients(99), &device);
        let (_, whole) = trained(bound(&config, &model), model.clone(), 0..8);
        let (_, model) = trained(bound(&config, &model), model, 0..3);
        let (_, forgetful) = trained(bound(&config, &model), model, 3..8);
        assert_ne!(bits(&whole.values()), bits(&forgetful.values()), "{}", config.name());
    }
}

#[test]
fn state_survives_bytes_exactly() {
    let (_, device) = devices().remove(0);
    for config in configs() {
        let model = Bag::new(&shapes(), &gradients(99), &device);
        let (optimizer, _) = trained(bound(&config, &model), model, 0..3);
        let state = optimizer.state().unwrap();
        assert_eq!(state.parameters.len(), 3);
        assert!(state.parameters.values().all(|parameter| parameter.steps == 3));
        assert_eq!(OptimizerState::from_bytes(&state.to_bytes().unwrap()).unwrap(), state);
    }
}

#[test]
fn state_before_the_first_step_can_be_restored() {
    let (_, device) = devices().remove(0);
    let config = optimizer_config("adam", json!({}));
    let model = Bag::new(&shapes(), &gradients(99), &device);
    let state = bound(&config, &model).state().unwrap();
    assert_eq!(state.parameters.keys().collect::<Vec<_>>(), ["items.0", "items.1", "items.2"]);
    bound(&config, &model).load_state(state, &device).unwrap();
}

fn adam_state() -> (Optimizer, OptimizerState, burn::tensor::Device) {
    let (_, device) = devices().remove(0);
    let config = optimizer_config("adam", json!({}));
    let model = Bag::new(&shapes(), &gradients(99), &device);
    let (optimizer, model) = trained(bound(&config, &model), model, 0..2);
    (bound(&config, &model), optimizer.state().unwrap(), device)
}

#[test]
fn every_misfit_is_listed_in_one_error() {
    let (mut optimizer, mut state, device) = adam_state();
    let first = state.parameters.remove("items.0").unwrap();
    state.parameters.insert("items.7".to_owned(), first.clone());
    let second = state.parameters.get_mut("items.1").unwrap();
    second.tensors.remove("exp_avg_sq");
    let third = state.parameters.get_mut("items.2").unwrap();
    third.tensors.insert("exp_avg".to_owned(), first.tensors["exp_avg"].clone());

    let message = optimizer.load_state(state, &device).unwrap_err().to_string();
    assert_eq!(
        message,
        "the saved optimizer state does not fit the model: \
         items.7 is in the state but is not a trainable parameter of the model; \
         items.0 is missing in the state; \
         items.1 has the tensors [exp_avg] after 2 steps: expected [exp_avg, exp_avg_sq]; \
         items.2/exp_avg has the shape [2, 1, 2, 2]: expected [3, 2]"
    );
}

#[test]
fn missing_number_is_refused() {
    let (_, device) = devices().remove(0);
    let config = optimizer_config("nadam", json!({}));
    let model = Bag::new(&shapes(), &gradients(99), &device);
    let (mut optimizer, _) = trained(bound(&config, &model), model, 0..2);
    let mut state = optimizer.state().unwrap();
    state.parameters.get_mut("items.0").unwrap().scalars.clear();
    let message = optimizer.load_state(state, &device).unwrap_err().to_string();
    assert!(message.ends_with("items.0 has the numbers []: expected [mu_product]"), "{message}");
}

#[test]
fn refused_state_changes_nothing() {
    let (_, device) = devices().remove(0);
    let config = optimizer_config("adam", json!({}));
    let model = Bag::new(&shapes(), &gradients(99), &device);
    let (mut optimizer, _) = trained(bound(&config, &model), model, 0..2);
    let before = optimizer.state().unwrap();
    let mut other = before.clone();
    other.parameters.remove("items.1");
    optimizer.load_state(other, &device).unwrap_err();
    assert_eq!(optimizer.state().unwrap(), before);
}

#[test]
fn state_of_another_optimizer_is_refused() {
    let (_, state, device) = adam_state();
    let config = optimizer_config("sgd", json!({}));
    let model = Bag::new(&shapes(), &gradients(99), &device);
    let error = bound(&config, &model).load_state(state, &device).unwrap_err();
    assert!(matches!(error, OptimizerError::OtherOptimizer { .. }));
    assert!(error.to_string().contains("is of \"adam\", the config says \"sgd\""), "{error}");
}

#[test]
fn unbound_optimizer_takes_no_state() {
    let (bound, state, device) = adam_state();
    let mut optimizer = Optimizer::new(bound.config()).unwrap();
    assert!(matches!(optimizer.load_state(state, &device), Err(OptimizerError::NotBound)));
}

#[test]
fn rubbish_bytes_are_an_error_and_never_a_panic() {
    let (_, state, device) = adam_state();
    let good = state.to_bytes().unwrap();
    for length in 0..good.len().min(2_000) {
        assert!(OptimizerState::from_bytes(&good[..length]).is_err(), "cut to {length} bytes");
    }
    for seed in 0..3_000u64 {
        let mut bytes = good.clone();
        let at = (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16) as usize % bytes.len().min(1_500);
        bytes[at] ^= 1 << (seed % 8);
        // Some changes hit only values or padding; what is readable must still be safe to load.
        if let Ok(state) = OptimizerState::from_bytes(&bytes) {
            let _ = bound_adam(&device).load_state(state, &device);
        }
    }
    for seed in 0..500 {
        let bytes: Vec<u8> = noise(seed, 300).iter().map(|value| (value * 127.0) as i8 as u8).collect();
        assert!(OptimizerState::from_bytes(&bytes).is_err());
    }
}

fn bound_adam(device: &burn::tensor::Device) -> Optimizer {
    let model = Bag::new(&shapes(), &gradients(99), device);
    bound(&optimizer_config("adam", json!({})), &model)
}
