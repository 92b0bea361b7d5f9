//! Fused ReLU and pooling give exactly what the steps give one by one.

use firebrick_kernels::cpu::{ConvShape, Engine, FusedActivation, OutputGradient, Parameters, Wanted};
use proptest::prelude::*;

use crate::reference::{any_shape, engines, single_pixels, values};

/// 2x2 max pooling and the full-size gradient, by the definition.
fn pool_by_hand(shape: &ConvShape, results: &[f32], gradient: &[f32], relu: bool) -> (Vec<f32>, Vec<f32>) {
    let ([height, width], channels) = (shape.output(), shape.out_channels);
    let mut pooled = Vec::new();
    let mut full = vec![0.0; results.len()];
    for n in 0..shape.batch {
        for y in 0..height / 2 {
            for x in 0..width / 2 {
                for c in 0..channels {
                    let four = [0, 1, 2, 3]
                        .map(|i| ((n * height + 2 * y + i / 2) * width + 2 * x + i % 2) * channels + c);
                    let best = four
                        .into_iter()
                        .fold(four[0], |best, at| if results[at] > results[best] { at } else { best });
                    if !(relu && results[best] <= 0.0) {
                        full[best] = gradient[pooled.len()];
                    }
                    pooled.push(results[best]);
                }
            }
        }
    }
    (pooled, full)
}

fn check(engine: Engine, shape: &ConvShape) -> Result<(), TestCaseError> {
    let [x, w, b, g] = [shape.input_len(), shape.weight_len(), shape.out_channels, shape.output_len()]
        .map(|len| values(len as u64 + 7, len));
    let plain = engine.forward(shape, &x, &w, Some(&b), FusedActivation::None).unwrap();
    let rectified = engine.forward(shape, &x, &w, Some(&b), FusedActivation::Relu).unwrap();
    prop_assert_eq!(
        &rectified,
        &plain.iter().map(|value| if *value < 0.0 { 0.0 } else { *value }).collect::<Vec<_>>()
    );
    let masked: Vec<f32> = g.iter().zip(&rectified).map(|(g, y)| if *y <= 0.0 { 0.0 } else { *g }).collect();
    let mut pairs = vec![(OutputGradient::AfterRelu(&g, &rectified), masked)];
    let pools = shape.output().iter().all(|size| *size >= 2);
    let mut kept = Vec::new();
    if pools {
        for activation in [FusedActivation::None, FusedActivation::Relu] {
            let relu = activation == FusedActivation::Relu;
            let pooled = engine.forward_pooled(shape, &x, &w, Some(&b), activation).unwrap();
            let (values, full) = pool_by_hand(shape, if relu { &rectified } else { &plain }, &g, relu);
            prop_assert_eq!(&pooled.values, &values, "{:?} {:?}", engine, shape);
            kept.push((g[..values.len()].to_vec(), pooled.codes, full));
        }
    }
    pairs.extend(kept.iter().map(|(g, codes, full)| (OutputGradient::Pooled(g, codes), full.clone())));
    for (fused, full) in pairs {
        let by_steps = OutputGradient::Plain(&full);
        // Both at once, as a training step asks for them, and each by itself.
        let wanted = Wanted { input: true, parameters: Some(Parameters::WeightAndBias) };
        let (of_input, of_parameters) = engine.gradients(shape, &x, &w, fused, wanted).unwrap();
        let (of_input, of_parameters) = (of_input.unwrap(), of_parameters.unwrap());
        prop_assert_eq!(&of_input, &engine.input_gradient(shape, by_steps, &w).unwrap());
        prop_assert_eq!(of_input, engine.input_gradient(shape, fused, &w).unwrap());
        for gradient in [by_steps, fused] {
            let alone = engine.weight_gradient(shape, &x, gradient, Parameters::WeightAndBias).unwrap();
            prop_assert_eq!(&of_parameters.weight, &alone.weight);
            prop_assert_eq!(&of_parameters.bias, &alone.bias);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fused_steps_equal_single_steps(shape in any_shape()) {
        for engine in engines() {
            check(engine, &shape)?;
        }
    }
}

#[test]
fn fused_steps_of_single_pixels_equal_single_steps() {
    for shape in single_pixels() {
        for engine in engines() {
            check(engine, &shape).unwrap();
        }
    }
}
