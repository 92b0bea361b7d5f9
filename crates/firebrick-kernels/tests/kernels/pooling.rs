//! Pooling against its definition, on every instruction set.

use firebrick_kernels::cpu::{Engine, Isa, PoolShape};
use proptest::prelude::*;

use crate::reference::{error, values, with_threads};

fn any_pool() -> impl Strategy<Value = PoolShape> {
    let pair = |range: std::ops::RangeInclusive<usize>| [range.clone(), range];
    (1usize..=3, 1usize..=40, pair(1..=9), pair(1..=4), pair(1..=3), pair(0..=2), pair(1..=2))
        .prop_map(|(batch, channels, input, kernel, stride, padding, dilation)| PoolShape {
            batch,
            channels,
            input,
            kernel,
            stride,
            padding,
            dilation,
        })
        .prop_filter("a shape that exists", |shape| shape.validate().is_ok())
}

/// The input indices under an output index.
fn window(s: &PoolShape, at: usize) -> Vec<usize> {
    let [height, width] = s.output();
    let (c, pixel) = (at % s.channels, at / s.channels);
    let (x, y, n) = (pixel % width, pixel / width % height, pixel / width / height);
    let mut found = Vec::new();
    for ky in 0..s.kernel[0] {
        for kx in 0..s.kernel[1] {
            let iy = (y * s.stride[0] + ky * s.dilation[0]).wrapping_sub(s.padding[0]);
            let ix = (x * s.stride[1] + kx * s.dilation[1]).wrapping_sub(s.padding[1]);
            if iy < s.input[0] && ix < s.input[1] {
                found.push(((n * s.input[0] + iy) * s.input[1] + ix) * s.channels + c);
            }
        }
    }
    found
}

fn check(shape: &PoolShape) -> Result<(), TestCaseError> {
    let [height, width] = shape.output();
    let input = values(3, shape.batch * shape.input[0] * shape.input[1] * shape.channels);
    let gradient = values(4, shape.batch * height * width * shape.channels);
    let (mut largest, mut average) = (Vec::new(), Vec::new());
    let mut gradients = [vec![0.0f64; input.len()], vec![0.0f64; input.len()]];
    for (at, g) in gradient.iter().enumerate() {
        let window = window(shape, at);
        let best = window.iter().copied().reduce(|best, at| if input[at] > input[best] { at } else { best });
        largest.push(best.map_or(f64::NEG_INFINITY, |best| f64::from(input[best])));
        if let Some(best) = best {
            gradients[0][best] += f64::from(*g);
        }
        let count = window.len().max(1) as f64;
        average.push(window.iter().map(|at| f64::from(input[*at])).sum::<f64>() / count);
        for at in &window {
            gradients[1][*at] += f64::from(*g) / count;
        }
    }
    for isa in Isa::available() {
        let engine = Engine { isa, ..Engine::current() };
        let pooled = with_threads(3, || engine.max_pool(shape, &input).unwrap());
        let found: Vec<f64> = pooled.values.iter().map(|value| f64::from(*value)).collect();
        prop_assert_eq!(&found, &largest);
        let back = engine.max_pool_gradient(shape, &gradient, &pooled.codes).unwrap();
        prop_assert!(error(&back, &gradients[0]) < 1e-6);
        let found = engine.average_pool(shape, &input, false).unwrap();
        prop_assert!(error(&found, &average) < 1e-6);
        let back = engine.average_pool_gradient(shape, &gradient, false).unwrap();
        prop_assert!(error(&back, &gradients[1]) < 1e-6);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_pooling_agrees_with_the_definition(shape in any_pool()) {
        check(&shape)?;
    }
}

#[test]
fn a_window_with_a_nan_gives_the_nan() {
    let shape = PoolShape {
        batch: 1,
        channels: 1,
        input: [2, 2],
        kernel: [2, 2],
        stride: [2, 2],
        padding: [0, 0],
        dilation: [1, 1],
    };
    for isa in Isa::available() {
        let engine = Engine { isa, ..Engine::current() };
        for nan_at in 0..4 {
            let mut input = [1.0, 2.0, 3.0, 4.0];
            input[nan_at] = f32::NAN;
            let pooled = engine.max_pool(&shape, &input).unwrap();
            assert!(pooled.values[0].is_nan());
            assert_eq!(pooled.codes[0], nan_at as f32);
        }
    }
}

/// One chain of additions over a whole image would be off by some 1e-5.
#[test]
fn averages_of_large_windows_round_little() {
    let channels = 3;
    let shape = PoolShape {
        batch: 1,
        channels,
        input: [56; 2],
        kernel: [56; 2],
        stride: [1; 2],
        padding: [0; 2],
        dilation: [1; 2],
    };
    let input: Vec<f32> = values(5, 56 * 56 * channels).into_iter().map(|value| value + 1.5).collect();
    for isa in Isa::available() {
        let found = Engine { isa, ..Engine::current() }.average_pool(&shape, &input, false).unwrap();
        for (channel, found) in found.into_iter().enumerate() {
            let sum: f64 = input.iter().skip(channel).step_by(channels).map(|value| f64::from(*value)).sum();
            let expected = sum / (56.0 * 56.0);
            assert!((f64::from(found) - expected).abs() < 5e-7 * expected, "{isa:?}: {found}, {expected}");
        }
    }
}
