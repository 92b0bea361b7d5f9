//! Convolution and its gradients: right for any shape, and the same bits however they are computed.

use firebrick_kernels::cpu::{
    ConvGradients, ConvShape, Engine, FusedActivation, Isa, OutputGradient, Parameters, Wanted, WeightOrder,
};
use proptest::prelude::*;

use crate::reference::{any_shape, engines, error_of_sums, naive, single_pixels, values, with_threads};

/// Output and all gradients of one engine.
fn run(engine: Engine, shape: &ConvShape, [x, w, b, g]: [&[f32]; 4]) -> [Vec<f32>; 4] {
    let output = engine.forward(shape, x, w, Some(b), FusedActivation::None).unwrap();
    let gradient = OutputGradient::Plain(g);
    let wanted = Wanted { input: true, parameters: Some(Parameters::WeightAndBias) };
    let (input_gradient, parameters) = engine.gradients(shape, x, w, gradient, wanted).unwrap();
    let ConvGradients { weight, bias } = parameters.unwrap();
    [output, input_gradient.unwrap(), weight, bias.unwrap()]
}

fn bits(found: &[Vec<f32>; 4]) -> Vec<u32> {
    found.iter().flatten().map(|value| value.to_bits()).collect()
}

/// Check one shape on every engine with 1 to 4 threads; returns the largest relative error.
fn check(shape: &ConvShape) -> Result<f64, TestCaseError> {
    let [x, w, b, g] = [shape.input_len(), shape.weight_len(), shape.out_channels, shape.output_len()]
        .map(|len| values(len as u64, len));
    let expected = naive(shape, &x, &w, &b, &g);
    let expected =
        [expected.output, expected.input_gradient, expected.weight_gradient, expected.bias_gradient];
    let [height, width] = shape.output();
    let (taps, pixels) = (shape.kernel[0] * shape.kernel[1], shape.batch * height * width);
    let terms = [shape.group_in() * taps, shape.group_out() * taps, pixels, pixels];
    let mut worst = 0.0f64;
    for winograd in [false, true] {
        let mut fused = None;
        for engine in engines().into_iter().filter(|engine| engine.winograd == winograd) {
            let first = with_threads(1, || run(engine, shape, [&x, &w, &b, &g]));
            for ((found, expected), terms) in first.iter().zip(&expected).zip(terms) {
                let error = error_of_sums(found, expected, terms);
                prop_assert!(error <= 1e-5, "{engine:?} is off by {error:e} on {shape:?}");
                worst = worst.max(error);
            }
            // Whatever else is wanted.
            for (input, parameters) in [(true, None), (false, Some(Parameters::Weight))] {
                let wanted = Wanted { input, parameters };
                let (of_input, of_parameters) =
                    engine.gradients(shape, &x, &w, OutputGradient::Plain(&g), wanted).unwrap();
                prop_assert!(of_input.is_none_or(|found| found == first[1]), "{engine:?} {shape:?}");
                if let Some(ConvGradients { weight, bias }) = of_parameters {
                    prop_assert!(weight == first[2] && bias.is_none(), "{engine:?} {shape:?}");
                }
            }
            for threads in 2..=4 {
                let found = with_threads(threads, || run(engine, shape, [&x, &w, &b, &g]));
                prop_assert!(
                    bits(&found) == bits(&first),
                    "{engine:?} with {threads} threads differs on {shape:?}"
                );
            }
            // Sets with fused multiply-add agree with one another.
            if engine.isa != Isa::Portable {
                let expected = fused.get_or_insert_with(|| bits(&first));
                prop_assert!(*expected == bits(&first), "{engine:?} differs from a wider one on {shape:?}");
            }
        }
    }
    Ok(worst)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_convolution_agrees_with_the_definition_and_with_itself(shape in any_shape()) {
        check(&shape)?;
    }
}

#[test]
fn layers_of_tudui_lenet_and_resnet_are_exact_enough() {
    let layer = |in_channels, out_channels, size: usize, kernel: usize, stride, padding| ConvShape {
        batch: 3,
        in_channels,
        out_channels,
        input: [size, size],
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [padding; 2],
        extra_padding: [0, 0],
        dilation: [1, 1],
        groups: 1,
        order: WeightOrder::OutIn,
    };
    let layers = [
        layer(3, 32, 32, 5, 1, 2),
        layer(32, 32, 16, 5, 1, 2),
        layer(32, 64, 8, 5, 1, 2),
        layer(1, 6, 32, 5, 1, 0),
        layer(6, 16, 14, 5, 1, 0),
        layer(64, 64, 8, 3, 1, 1),
        layer(64, 96, 8, 3, 2, 1),
        layer(64, 96, 8, 1, 2, 0),
        layer(128, 128, 4, 3, 1, 1),
        // Wide ones walk otherwise: pixels apart, blocks brought together, blocks shared among threads.
        layer(128, 160, 9, 3, 2, 1),
        layer(130, 140, 5, 1, 1, 0),
        layer(256, 260, 4, 3, 1, 1),
        ConvShape::linear(64, 400, 120),
        ConvShape::linear(12, 1100, 528),
        ConvShape::linear(300, 84, 10),
        ConvShape::linear(1, 1024, 64),
        ConvShape::linear(4, 70, 41),
    ];
    for shape in layers {
        check(&shape).unwrap();
    }
}

#[test]
fn single_pixels_agree_with_the_definition() {
    for shape in single_pixels() {
        check(&shape).unwrap();
    }
}

#[test]
fn an_instruction_set_is_in_use_and_the_widest_unless_forced() {
    let current = Isa::current();
    match std::env::var(firebrick_kernels::cpu::ISA_VARIABLE) {
        Ok(name) if Isa::available().iter().any(|isa| isa.name() == name) => assert_eq!(current.name(), name),
        _ => assert_eq!(Some(&current), Isa::available().first()),
    }
}
