//! f64 tensors against the f64 oracle, and against central differences.

use burn::tensor::{DType, Device};
use firebrick_loss::{LossConfig, evaluate};

use crate::oracle;
use crate::support::{Array, Case, DOUBLE, GPU, Tolerance, difference, flex, golden, is_close, ndarray};

/// All cases without NaN and infinity: there the dual numbers have nothing to say.
fn finite_cases() -> Vec<Case> {
    let finite = |array: &Array| array.values.iter().all(|value| value.is_finite());
    let mut cases = golden("losses.json", "cases");
    cases.extend(golden("losses_edge.json", "cases"));
    cases.retain(|case| {
        let arrays = case.inputs.iter().chain(&case.gradients).map(|(_, array)| array);
        arrays.chain(&case.output).all(finite)
    });
    cases
}

fn disagreement(case: &Case, device: &Device, tolerance: Tolerance) -> Option<String> {
    let got = match case.run(DType::F64, device) {
        Ok(got) => got,
        Err(error) => return Some(error.to_string()),
    };
    let names: Vec<&str> = case.gradients.iter().map(|(name, _)| name.as_str()).collect();
    let (output, gradients) = oracle::solve(case, &names);
    difference("output", &Array::from_data(&got.output), &output, tolerance).or_else(|| {
        gradients.iter().find_map(|(name, want)| {
            let gradient = Array::from_data(&got.gradients[name]);
            difference(&format!("gradient of {name}"), &gradient, want, tolerance)
        })
    })
}

fn check(device: &Device) {
    let cases = finite_cases();
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| Some(format!("{}: {}", case.name, disagreement(case, device, DOUBLE)?)))
        .collect();
    let (bad, all) = (failures.len(), cases.len());
    assert!(failures.is_empty(), "{bad} of {all} cases differ:\n{}", failures.join("\n"));
}

#[test]
fn f64_agrees_with_the_oracle_on_flex() {
    check(&flex());
}

#[test]
fn f64_agrees_with_the_oracle_on_ndarray() {
    check(&ndarray());
}

/// The oracle itself against PyTorch's numbers, as far as f32 kept their digits: a wrong oracle must
/// not vouch for a wrong loss.
#[test]
fn oracle_agrees_with_the_golden_numbers() {
    for case in finite_cases() {
        let names: Vec<&str> = case.gradients.iter().map(|(name, _)| name.as_str()).collect();
        let (output, gradients) = oracle::solve(&case, &names);
        let want = case.output.as_ref().unwrap();
        let wrong = difference("output", &output, want, GPU).or_else(|| {
            let pairs = gradients.iter().zip(&case.gradients);
            pairs.into_iter().find_map(|((name, got), (_, want))| difference(name, got, want, GPU))
        });
        // A target of nearly 1 at f32 precision: f32 has lost the digits that f64 keeps.
        let lost_digits = case.name.starts_with("bce/corners");
        assert!(wrong.is_none() || lost_digits, "{}: {wrong:?}", case.name);
    }
}

/// The sum of the output as a function of one element of one input.
fn sum_at(case: &Case, input: usize, element: usize, shift: f64) -> f64 {
    let mut inputs = case.inputs(DType::F64);
    let (name, array) = &case.inputs[input];
    let mut moved = array.clone();
    moved.values[element] += shift;
    inputs.insert(name.clone(), moved.to_data(DType::F64));
    let config: LossConfig = case.config().unwrap();
    let output = evaluate(&config, &inputs, false, &flex()).unwrap().output;
    output.iter::<f64>().sum()
}

/// Central differences of the losses themselves. Where the one-sided slopes differ there is a kink,
/// and nothing to compare.
#[test]
fn gradients_agree_with_central_differences() {
    const STEP: f64 = 1e-5;
    let tolerance = Tolerance { relative: 1e-6, absolute: 1e-7 };
    let mut compared = std::collections::BTreeMap::<String, usize>::new();
    for case in golden("losses.json", "cases") {
        // CTC's gradient is that of the logits, and bce's is not the derivative where it is cut off.
        let is_convention = case.loss == "ctc" || case.name.contains("saturated");
        let finite = case.output.as_ref().unwrap().values.iter().all(|v| v.is_finite());
        if is_convention || !finite || case.args["reduction"] == "mean" {
            continue;
        }
        let got = case.run(DType::F64, &flex()).unwrap();
        for (input, (name, _)) in case.inputs.iter().enumerate() {
            let Some(gradient) = got.gradients.get(name) else { continue };
            let gradient: Vec<f64> = gradient.iter::<f64>().collect();
            for (element, &gradient) in gradient.iter().enumerate() {
                let at = |shift| sum_at(&case, input, element, shift);
                let (left, middle, right) = (at(-STEP), at(0.0), at(STEP));
                if ((right - middle) - (middle - left)).abs() > 1e-2 * STEP {
                    continue;
                }
                let slope = (right - left) / (2.0 * STEP);
                let agrees = is_close(slope, gradient, tolerance)
                    || (slope - gradient).abs() < 1e-6 * middle.abs().max(1.0);
                assert!(agrees, "{}: {name}[{element}] {slope} {}", case.name, gradient);
                *compared.entry(case.loss.clone()).or_default() += 1;
            }
        }
    }
    let too_few: Vec<_> = compared.iter().filter(|(_, count)| **count < 20).collect();
    assert!(compared.len() >= 19 && too_few.is_empty(), "{compared:?}");
}

/// CTC behind a log-softmax: there its gradient is the derivative.
#[test]
fn ctc_gradient_agrees_with_central_differences_of_logits() {
    use burn::tensor::activation::log_softmax;
    use burn::tensor::{Int, Tensor, TensorData};
    use firebrick_loss::CtcLossConfig;

    let device = flex().autodiff();
    let values: Vec<f64> = (0..5 * 2 * 4).map(|i| (f64::from(i) * 1.7).sin()).collect();
    let run = |values: &[f64]| {
        let data = TensorData::new(values.to_vec(), [5, 2, 4]);
        let logits = Tensor::<3>::from_data(data, (&device, DType::F64)).require_grad();
        let targets = Tensor::<2, Int>::from_ints([[1, 1], [3, 0]], &device);
        let loss = CtcLossConfig::default().init().unwrap();
        let loss = loss.forward(log_softmax(logits.clone(), 2), targets, &[5, 3], &[2, 1]);
        (logits, loss.unwrap())
    };
    let (logits, loss) = run(&values);
    let gradient = logits.grad(&loss.backward()).unwrap().into_data();
    for (index, slope) in gradient.iter::<f64>().enumerate() {
        let at = |shift: f64| {
            let mut moved = values.clone();
            moved[index] += shift;
            run(&moved).1.into_scalar::<f64>()
        };
        let want = (at(1e-5) - at(-1e-5)) / 2e-5;
        assert!((slope - want).abs() < 1e-8, "{index}: {slope} {want}");
    }
}
