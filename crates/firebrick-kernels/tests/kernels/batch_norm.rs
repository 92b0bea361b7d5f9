//! Batch normalisation against its definition in f64, on every instruction set and number of threads.

use firebrick_kernels::cpu::{Activation, Engine, Isa, NormGradients, NormSaved, Normalisation, ShapeError};
use proptest::prelude::*;

use crate::reference::{error, error_of_sums, values, with_threads};

const EPS: f64 = 1e-5;

/// What one normalisation is made of; all NHWC or `[channels]`.
struct Case {
    channels: usize,
    input: Vec<f32>,
    residual: Vec<f32>,
    gradient: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    with_residual: bool,
    relu: bool,
}

impl Case {
    fn new(pixels: usize, channels: usize, with_residual: bool, relu: bool) -> Self {
        let len = pixels * channels;
        // Away from zero, so that a variance computed from squares would lose its digits.
        let input = values(1, len).iter().map(|value| value * 0.5 + 3.0).collect();
        let [residual, gradient] = [2, 3].map(|seed| values(seed, len));
        let [weight, bias] = [4, 5].map(|seed| values(seed, channels));
        Self { channels, input, residual, gradient, weight, bias, with_residual, relu }
    }

    fn added(&self) -> Option<&[f32]> {
        self.with_residual.then_some(&self.residual)
    }
}

/// Everything that is compared.
#[derive(Debug)]
struct Results {
    mean: Vec<f32>,
    variance: Vec<f32>,
    output: Vec<f32>,
    gradients: NormGradients,
}

impl Results {
    fn all(&self) -> [(&'static str, &[f32]); 7] {
        [
            ("mean", &self.mean),
            ("variance", &self.variance),
            ("output", &self.output),
            ("input's gradient", &self.gradients.input),
            ("weight's gradient", &self.gradients.weight),
            ("bias's gradient", &self.gradients.bias),
            ("residual's gradient", self.gradients.residual.as_deref().unwrap_or(&[])),
        ]
    }

    fn bits(&self) -> Vec<u32> {
        self.all().iter().flat_map(|(_, values)| values.iter().map(|value| value.to_bits())).collect()
    }
}

fn run(engine: Engine, case: &Case) -> Results {
    let statistics = engine.channel_statistics(case.channels, &case.input).unwrap();
    let by = Normalisation {
        mean: &statistics.mean,
        variance: &statistics.variance,
        weight: &case.weight,
        eps: EPS,
    };
    let activation = if case.relu { Activation::Relu } else { Activation::None };
    let output = engine.normalise(&case.input, by, &case.bias, case.added(), activation).unwrap();
    let saved = NormSaved {
        input: &case.input,
        activation,
        bias: &case.bias,
        results: (case.relu && case.with_residual).then_some(&output),
        own_statistics: true,
        residual: case.with_residual,
    };
    let gradients = engine.normalise_gradient(&case.gradient, saved, by).unwrap();
    Results { mean: statistics.mean, variance: statistics.variance, output, gradients }
}

/// The same by the definition; `results` say where ReLU lets a gradient through.
fn naive(case: &Case, results: &[f32]) -> [Vec<f64>; 7] {
    let Case { channels, .. } = *case;
    let (len, pixels) = (case.input.len(), case.input.len() / channels);
    let mut found =
        [channels, channels, len, len, channels, channels, if case.with_residual { len } else { 0 }]
            .map(|len| vec![0.0f64; len]);
    for channel in 0..channels {
        let at = || (0..pixels).map(|pixel| pixel * channels + channel);
        let count = pixels as f64;
        let x = |at: usize| f64::from(case.input[at]);
        let mean = at().map(x).sum::<f64>() / count;
        let variance = at().map(|at| (x(at) - mean).powi(2)).sum::<f64>() / count;
        let deviation = (variance + EPS).sqrt();
        let weight = f64::from(case.weight[channel]);
        let gradient =
            |at: usize| if case.relu && results[at] <= 0.0 { 0.0 } else { f64::from(case.gradient[at]) };
        let normal = |at: usize| (x(at) - mean) / deviation;
        let of_bias = at().map(gradient).sum::<f64>();
        let of_weight = at().map(|at| gradient(at) * normal(at)).sum::<f64>();
        (found[0][channel], found[1][channel]) = (mean, variance);
        (found[4][channel], found[5][channel]) = (of_weight, of_bias);
        for at in at() {
            let mut value = normal(at) * weight + f64::from(case.bias[channel]);
            if case.with_residual {
                value += f64::from(case.residual[at]);
                found[6][at] = gradient(at);
            }
            found[2][at] = if case.relu { value.max(0.0) } else { value };
            found[3][at] =
                weight / deviation * (gradient(at) - of_bias / count - normal(at) * of_weight / count);
        }
    }
    found
}

fn check(case: &Case) -> Result<(), TestCaseError> {
    let mut fused: Option<Vec<u32>> = None;
    for isa in Isa::available() {
        let engine = Engine { isa, ..Engine::current() };
        let first = with_threads(1, || run(engine, case));
        let expected = naive(case, &first.output);
        // Only the parameters' gradients are sums of both signs. Their terms are those of products with a factor of
        // variance 1 instead of 1/3, as are three times as many.
        let pixels = case.input.len() / case.channels;
        let terms = [0, 0, 0, 0, 3 * pixels, 3 * pixels, 0];
        for (((name, found), expected), terms) in first.all().into_iter().zip(&expected).zip(terms) {
            if !expected.is_empty() {
                let error = error_of_sums(found, expected, terms);
                prop_assert!(
                    error <= 1e-5,
                    "{name} is off by {error:e} on {isa:?}, {} channels",
                    case.channels
                );
            }
        }
        for threads in 2..=4 {
            let found = with_threads(threads, || run(engine, case));
            prop_assert!(found.bits() == first.bits(), "{threads} threads differ on {isa:?}");
        }
        if isa != Isa::Portable {
            let expected = fused.get_or_insert_with(|| first.bits());
            prop_assert!(*expected == first.bits(), "{isa:?} differs from a wider one");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_normalisation_agrees_with_the_definition_and_with_itself(
        pixels in 16usize..=700, channels in 1usize..=140, with_residual: bool, relu: bool,
    ) {
        check(&Case::new(pixels, channels, with_residual, relu))?;
    }
}

#[test]
fn wide_and_large_arrays_are_exact_enough() {
    for (pixels, channels) in [(32 * 32 * 32, 64), (64, 512), (40, 3000)] {
        check(&Case::new(pixels, channels, true, true)).unwrap();
    }
}

#[test]
fn given_statistics_have_no_gradient() {
    let case = Case::new(50, 7, false, false);
    let (mean, variance) = (values(8, 7), vec![0.5; 7]);
    let by = Normalisation { mean: &mean, variance: &variance, weight: &case.weight, eps: EPS };
    let saved = NormSaved {
        input: &case.input,
        activation: Activation::None,
        bias: &case.bias,
        results: None,
        own_statistics: false,
        residual: false,
    };
    let found = Engine::current().normalise_gradient(&case.gradient, saved, by).unwrap();
    let expected: Vec<f64> = case
        .gradient
        .iter()
        .enumerate()
        .map(|(at, gradient)| f64::from(*gradient) * f64::from(case.weight[at % 7]) / (0.5 + EPS).sqrt())
        .collect();
    assert!(error(&found.input, &expected) < 1e-6);
}

#[test]
fn arrays_that_do_not_fit_are_refused() {
    let engine = Engine::current();
    assert_eq!(engine.channel_statistics(0, &[1.0]), Err(ShapeError::Zero { what: "channels" }));
    assert_eq!(
        engine.channel_statistics(3, &[1.0; 7]),
        Err(ShapeError::Length { what: "the input", expected: 6, got: 7 })
    );
    let by = Normalisation { mean: &[0.0; 3], variance: &[1.0; 2], weight: &[1.0; 3], eps: EPS };
    let refused = engine.normalise(&[1.0; 6], by, &[0.0; 3], None, Activation::None);
    assert_eq!(refused, Err(ShapeError::Length { what: "the variance", expected: 3, got: 2 }));
}
