//! Clipping against PyTorch's numbers.

use firebrick_train::clip::{clip_grad_norm, clip_grad_value, grad_norm, validate_norm, validate_value};
use serde::Deserialize;
use serde_json::Value;

use crate::support::{Bag, assert_close, bits, devices, golden, read_gradients};

#[derive(Deserialize)]
struct Extras {
    clip: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    max_norm: Option<f64>,
    norm_type: Option<Value>,
    clip_value: Option<f64>,
    shapes: Vec<Vec<usize>>,
    gradients: Vec<Vec<f32>>,
    norm: Option<f32>,
    clipped: Vec<Vec<f32>>,
}

fn zeros(shapes: &[Vec<usize>], device: &burn::tensor::Device) -> Bag {
    let values: Vec<_> = shapes.iter().map(|shape| vec![0.0; shape.iter().product()]).collect();
    Bag::new(shapes, &values, device)
}

#[test]
fn golden_clipping_by_norm_and_value() {
    let extras: Extras = golden("optim_extras.json");
    assert!(extras.clip.len() >= 7);
    for (backend, device) in devices() {
        for case in &extras.clip {
            let model = zeros(&case.shapes, &device);
            let gradients = model.gradients(&case.gradients);
            let clipped = match (case.max_norm, case.clip_value) {
                (Some(max_norm), _) => {
                    let norm_type = case.norm_type.as_ref().unwrap().as_f64().unwrap_or(f64::INFINITY);
                    let (clipped, norm) = clip_grad_norm(&model, gradients, max_norm, norm_type);
                    let norm: f32 = norm.unwrap().into_scalar();
                    assert_close(&[norm], &[case.norm.unwrap()], 1e-6, "norm");
                    clipped
                }
                (_, clip_value) => clip_grad_value(&model, gradients, clip_value.unwrap()),
            };
            for (actual, expected) in read_gradients(&model, &clipped).iter().zip(&case.clipped) {
                assert_close(actual, expected, 1e-6, backend);
            }
        }
    }
}

#[test]
fn gradients_below_the_limit_keep_their_bits() {
    for (_, device) in devices() {
        let shapes = [vec![2, 2], vec![3]];
        let model = zeros(&shapes, &device);
        let given = vec![vec![0.1, -0.2, 0.3, 0.0], vec![1e-3, -1e-3, 0.25]];
        let (clipped, _) = clip_grad_norm(&model, model.gradients(&given), 10.0, 2.0);
        assert_eq!(bits(&read_gradients(&model, &clipped)), bits(&given));
        let clipped = clip_grad_value(&model, model.gradients(&given), 10.0);
        assert_eq!(bits(&read_gradients(&model, &clipped)), bits(&given));
    }
}

#[test]
fn norm_is_one_over_all_tensors() {
    let (_, device) = devices().remove(0);
    let model = zeros(&[vec![1], vec![1, 1]], &device);
    let gradients = model.gradients(&[vec![3.0], vec![4.0]]);
    let norm: f32 = grad_norm(&model, &gradients, 2.0).unwrap().into_scalar();
    assert_eq!(norm, 5.0);
}

#[test]
fn nan_is_not_hidden_by_clipping() {
    for (backend, device) in devices() {
        let model = zeros(&[vec![2], vec![1]], &device);
        let given = [vec![f32::NAN, 5.0], vec![5.0]];
        let (clipped, norm) = clip_grad_norm(&model, model.gradients(&given), 1.0, 2.0);
        assert!(norm.unwrap().into_scalar::<f32>().is_nan(), "{backend}");
        // As in torch: the factor is NaN, and so is everything.
        assert!(read_gradients(&model, &clipped).iter().flatten().all(|value| value.is_nan()), "{backend}");
        let clipped = clip_grad_value(&model, model.gradients(&given), 1.0);
        let clipped = read_gradients(&model, &clipped);
        assert!(
            clipped[0][0].is_nan() && clipped[0][1] == 1.0 && clipped[1][0] == 1.0,
            "{backend}: {clipped:?}"
        );
    }
}

#[test]
fn no_gradients_have_no_norm() {
    let (_, device) = devices().remove(0);
    let model = zeros(&[vec![2]], &device);
    let (clipped, norm) = clip_grad_norm(&model, burn::optim::GradientsParams::new(), 1.0, 2.0);
    assert!(norm.is_none() && clipped.is_empty());
}

#[test]
fn limits_out_of_range_are_named() {
    validate_norm(1.0, f64::INFINITY).unwrap();
    for (max_norm, norm_type, expected) in [
        (-1.0, 2.0, "max_norm: expected a finite number >= 0, got -1"),
        (f64::NAN, 2.0, "max_norm: expected a finite number >= 0, got NaN"),
        (1.0, 0.0, "norm_type: expected a number > 0, or inf, got 0"),
        (1.0, f64::NAN, "norm_type: expected a number > 0, or inf, got NaN"),
    ] {
        assert_eq!(validate_norm(max_norm, norm_type).unwrap_err().to_string(), expected);
    }
    assert!(validate_value(f64::NAN).is_err() && validate_value(0.0).is_ok());
}
