//! Activation functions, layer normalisation and factors against their definitions in f64, on every instruction set and
//! number of threads.

use firebrick_kernels::cpu::{Activation, Engine, Isa, ScaleShape, ShapeError};
use proptest::prelude::*;

use crate::reference::{error, error_of_sums, values, with_threads};

const FUNCTIONS: [Activation; 8] = [
    Activation::None,
    Activation::Relu,
    Activation::Relu6,
    Activation::Hardsigmoid,
    Activation::Hardswish,
    Activation::Sigmoid,
    Activation::Silu,
    Activation::Gelu,
];

/// erf by its Taylor series, or its continued fraction where that converges faster.
fn erf(x: f64) -> f64 {
    if x.abs() < 3.0 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return sum * std::f64::consts::FRAC_2_SQRT_PI;
    }
    let fraction = (1..=60).rev().fold(0.0, |below, k| f64::from(k) / 2.0 / (x.abs() + below));
    (1.0 - (-x * x).exp() / (x.abs() + fraction) / std::f64::consts::PI.sqrt()).copysign(x)
}

/// The function and its derivative.
fn exact(activation: Activation, x: f64) -> [f64; 2] {
    let sigmoid = 1.0 / (1.0 + (-x).exp());
    let hard = ((x + 3.0) / 6.0).clamp(0.0, 1.0);
    let inside = |low: f64, high: f64| f64::from(u8::from(x > low && x < high));
    match activation {
        Activation::None => [x, 1.0],
        Activation::Relu => [x.max(0.0), inside(0.0, f64::INFINITY)],
        Activation::Relu6 => [x.clamp(0.0, 6.0), inside(0.0, 6.0)],
        Activation::Hardsigmoid => [hard, inside(-3.0, 3.0) / 6.0],
        Activation::Hardswish => {
            let slope = if x >= 3.0 { 1.0 } else { inside(-3.0, 3.0) * (x / 3.0 + 0.5) };
            [x * hard, slope]
        }
        Activation::Sigmoid => [sigmoid, sigmoid * (1.0 - sigmoid)],
        Activation::Silu => [x * sigmoid, sigmoid * (1.0 + x * (1.0 - sigmoid))],
        Activation::Gelu => {
            let probability = 0.5 * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2));
            let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
            [x * probability, probability + x * density]
        }
    }
}

/// Results of every instruction set and several numbers of threads, which must be the same bits; the portable one's may
/// differ from the others'.
fn results(run: impl Fn(Engine) -> Vec<f32> + Sync) -> Vec<Vec<f32>> {
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let mut fused: Option<Vec<u32>> = None;
    let mut all = Vec::new();
    for isa in Isa::available() {
        let engine = Engine { isa, ..Engine::current() };
        let first = with_threads(1, || run(engine));
        for threads in 2..=3 {
            assert_eq!(
                bits(&with_threads(threads, || run(engine))),
                bits(&first),
                "{threads} threads on {isa:?}"
            );
        }
        if isa != Isa::Portable {
            let expected = fused.get_or_insert_with(|| bits(&first));
            assert_eq!(*expected, bits(&first), "{isa:?} differs from a wider one");
        }
        all.push(first);
    }
    all
}

#[test]
fn functions_are_within_units_of_the_last_place() {
    // From far below to far above, and every kink.
    let grid = (-40_000..=40_000).map(|step| step as f32 / 2000.0);
    let input: Vec<f32> = grid.chain([0.0, -0.0, 3.0, -3.0, 6.0, 1e4, -1e4, 88.0, -88.0, 1e-30]).collect();
    let gradient = vec![1.0f32; input.len()];
    for activation in FUNCTIONS {
        for found in results(|engine| engine.activate(&input, activation)) {
            for (x, found) in input.iter().zip(found) {
                let [expected, _] = exact(activation, f64::from(*x));
                let off = (f64::from(found) - expected).abs();
                // Of the value, or of what cancels in it.
                assert!(
                    off <= 4e-7 * (expected.abs() + f64::from(x.abs())),
                    "{activation:?}({x}) = {found}, {expected}"
                );
            }
        }
        for found in results(|engine| engine.activate_gradient(&gradient, &input, activation).unwrap()) {
            for (x, found) in input.iter().zip(found) {
                let [_, expected] = exact(activation, f64::from(*x));
                assert!(
                    (f64::from(found) - expected).abs() <= 1e-6,
                    "{activation:?}'({x}) = {found}, {expected}"
                );
            }
        }
    }
}

#[test]
fn not_a_number_stays_one() {
    for activation in FUNCTIONS {
        let found = Engine::current().activate(&[f32::NAN; 3], activation);
        assert!(found.iter().all(|value| value.is_nan()), "{activation:?}: {found:?}");
    }
}

/// Values and gradients of layer normalisation by the definition.
fn naive_layer_norm([input, weight, bias, gradient]: [&[f32]; 4], eps: f64) -> [Vec<f64>; 4] {
    let channels = weight.len();
    let (mut of_weight, mut of_bias) = (vec![0.0; channels], vec![0.0; channels]);
    let (mut values, mut of_input) = (Vec::new(), Vec::new());
    for (row, gradient) in input.chunks(channels).zip(gradient.chunks(channels)) {
        let count = channels as f64;
        let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
        let variance = row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / count;
        let deviation = (variance + eps).sqrt();
        let normal: Vec<f64> = row.iter().map(|x| (f64::from(*x) - mean) / deviation).collect();
        let scaled: Vec<f64> =
            gradient.iter().zip(weight).map(|(g, w)| f64::from(*g) * f64::from(*w)).collect();
        let sum = scaled.iter().sum::<f64>() / count;
        let product = scaled.iter().zip(&normal).map(|(g, n)| g * n).sum::<f64>() / count;
        for at in 0..channels {
            values.push(normal[at] * f64::from(weight[at]) + f64::from(bias[at]));
            of_input.push((scaled[at] - sum - normal[at] * product) / deviation);
            of_weight[at] += f64::from(gradient[at]) * normal[at];
            of_bias[at] += f64::from(gradient[at]);
        }
    }
    [values, of_input, of_weight, of_bias]
}

fn check_layer_norm(rows: usize, channels: usize) {
    let len = rows * channels;
    let input: Vec<f32> = values(1, len).iter().map(|value| value * 0.5 + 3.0).collect();
    let [gradient, weight, bias] = [values(2, len), values(3, channels), values(4, channels)];
    let expected = naive_layer_norm([&input, &weight, &bias, &gradient], 1e-6);
    let ends = [len, len, channels, channels];
    let run = |engine: Engine| {
        let forward = engine.layer_norm(&input, &weight, &bias, 1e-6).unwrap();
        let back = engine.layer_norm_gradient(&gradient, &input, &forward.statistics, &weight).unwrap();
        [forward.values, back.input, back.weight, back.bias].concat()
    };
    for found in results(run) {
        let mut start = 0;
        for (index, (expected, len)) in expected.iter().zip(ends).enumerate() {
            // Only the parameters' gradients are sums of both signs over many rows.
            let terms = if index < 2 { 0 } else { 3 * rows };
            let error = error_of_sums(&found[start..start + len], expected, terms);
            assert!(error <= 1e-5, "result {index} is off by {error:e}, {rows} rows of {channels}");
            start += len;
        }
    }
}

#[test]
fn layer_norm_agrees_with_the_definition() {
    for (rows, channels) in [(4, 5), (7, 3), (33, 17), (50, 96), (300, 48), (9, 768), (5, 3000)] {
        check_layer_norm(rows, channels);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn factors_agree_with_the_definition(
        batch in 1usize..=5, pixels in 1usize..=60, channels in 1usize..=400,
        by_image: bool, by_channel: bool, with_added: bool,
    ) {
        let shape = ScaleShape { batch, pixels, channels, by_image, by_channel };
        let len = batch * pixels * channels;
        let [input, added, gradient] = [1, 2, 3].map(|seed| values(seed, len));
        let factors = values(4, shape.num_factors());
        let factor = |at: usize| {
            let image = if by_image { at / (pixels * channels) } else { 0 };
            if by_channel { image * channels + at % channels } else { image }
        };
        let mut of_factors = vec![0.0f64; factors.len()];
        let mut expected = Vec::new();
        for at in 0..len {
            let more = if with_added { f64::from(added[at]) } else { 0.0 };
            expected.push(f64::from(input[at]) * f64::from(factors[factor(at)]) + more);
            of_factors[factor(at)] += f64::from(gradient[at]) * f64::from(input[at]);
        }
        let added = with_added.then_some(added.as_slice());
        for found in results(|engine| engine.scale(&shape, &input, &factors, added).unwrap()) {
            prop_assert!(error(&found, &expected) <= 1e-6);
        }
        for found in results(|engine| engine.scale_gradient(&shape, &gradient, &input).unwrap()) {
            prop_assert!(error_of_sums(&found, &of_factors, len / factors.len()) <= 1e-5);
        }
    }
}

#[test]
fn arrays_that_do_not_fit_are_refused() {
    let engine = Engine::current();
    let length = |what, expected, got| Some(ShapeError::Length { what, expected, got });
    let refused = engine.activate_gradient(&[1.0; 2], &[1.0; 3], Activation::Silu).err();
    assert_eq!(refused, length("the output's gradient", 3, 2));
    assert_eq!(engine.layer_norm(&[1.0], &[], &[], 1e-5).err(), Some(ShapeError::Zero { what: "channels" }));
    assert_eq!(engine.layer_norm(&[1.0; 4], &[1.0; 2], &[1.0], 1e-5).err(), length("the bias", 2, 1));
    let shape = ScaleShape { batch: 1, pixels: 2, channels: 3, by_image: true, by_channel: true };
    assert_eq!(engine.scale(&shape, &[1.0; 6], &[1.0; 2], None).err(), length("the factors", 3, 2));
    let none = ScaleShape { pixels: 0, ..shape };
    assert_eq!(engine.scale(&none, &[], &[1.0; 3], None).err(), Some(ShapeError::Zero { what: "pixels" }));
}
