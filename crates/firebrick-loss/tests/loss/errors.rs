//! What is refused, and in which words.

use burn::tensor::{DType, Int, Tensor, TensorData};
use firebrick_loss::*;
use serde_json::json;

use crate::support::{Case, flex, golden, ndarray};

/// The message of a case that must be refused, by the config or by the loss.
fn refusal(case: &Case) -> Option<String> {
    match case.config() {
        Err(message) => Some(message),
        Ok(config) => {
            evaluate(&config, &case.inputs(DType::F32), true, &flex()).err().map(|error| error.to_string())
        }
    }
}

/// What each message has to name: the argument, and both values.
const NAMED: &[(&str, [&str; 3])] = &[
    ("bce/target outside 0..1 (the old tutorial snippet)", ["`target`", "0..=1", "got 2"]),
    ("bce/input outside 0..1", ["`input`", "0..=1", "got 1.5"]),
    ("bce/shapes differ", ["`target`", "[3]", "[2]"]),
    ("cross_entropy/target class out of range", ["`target`", "0..=2", "got 3"]),
    ("cross_entropy/negative target class that is not ignore_index", ["`target`", "0..=2", "got -1"]),
    ("cross_entropy/batch sizes differ", ["`target`", "[3]", "[2]"]),
    ("cross_entropy/weight has the wrong length", ["`weight`", "[2]", "[3]"]),
    ("cross_entropy/label_smoothing outside 0..1", ["`label_smoothing`", "0..=1", "got 1.5"]),
    ("nll/spatial sizes differ", ["`target`", "[2, 4, 5]", "[2, 4, 4]"]),
    ("smooth_l1/beta is negative", ["`beta`", "0 or above", "got -1"]),
    ("huber/delta is not positive", ["`delta`", "above 0", "got 0"]),
    ("multi_margin/p is not 1 or 2", ["`p`", "1 or 2", "got 3"]),
    ("l1/unknown reduction", ["`reduction`", "\"mean\"", "\"average\""]),
];

#[test]
fn golden_errors_name_the_argument_and_both_values() {
    for case in golden("losses.json", "errors") {
        let message = refusal(&case).unwrap_or_else(|| panic!("{} was accepted", case.name));
        assert!(message.contains('`'), "{}: names no argument: {message}", case.name);
        let named = NAMED.iter().find(|(name, _)| *name == case.name);
        for part in named.map_or(&[][..], |(_, parts)| parts) {
            assert!(message.contains(part), "{}: no {part} in: {message}", case.name);
        }
    }
}

fn config(name: &str, args: serde_json::Value) -> LossConfig {
    LossConfig::deserialize_named(name, args).unwrap().unwrap()
}

#[test]
fn messages_read_as_sentences() {
    let check = |error: LossError, want: &str| assert_eq!(error.to_string(), want);
    check(
        config("smooth_l1", json!({"beta": -1})).check().unwrap_err(),
        "smooth_l1: argument `beta` must be a number, 0 or above, got -1",
    );
    let floats = |shape: &[usize]| TensorData::zeros::<f32, _>(shape.to_vec());
    let inputs = |input, target| Inputs::from([("input".to_owned(), input), ("target".to_owned(), target)]);
    let l1 = config("l1", json!({}));
    check(
        evaluate(&l1, &inputs(floats(&[4, 1]), floats(&[1, 4])), false, &flex()).unwrap_err(),
        "l1: `target` has shape [1, 4], expected [4, 1] to go with `input` of shape [4, 1]",
    );
    check(
        evaluate(&l1, &inputs(floats(&[2]), TensorData::zeros::<f64, _>([2])), false, &flex()).unwrap_err(),
        "l1: `target` is F64, but `input` is F32; cast one of them",
    );
    let cross_entropy = config("cross_entropy", json!({}));
    check(
        evaluate(&cross_entropy, &inputs(floats(&[2, 3]), TensorData::from([0i64, 3])), false, &flex())
            .unwrap_err(),
        "cross_entropy: `target` must hold integers in 0..=2 or ignore_index = -100, got 3 at index [1]",
    );
    check(
        evaluate(&l1, &Inputs::from([("input".to_owned(), floats(&[2]))]), false, &flex()).unwrap_err(),
        "l1: input `target` is missing; this loss takes input, target",
    );
    let mut three = inputs(floats(&[2]), floats(&[2]));
    three.insert("weight".to_owned(), floats(&[2]));
    check(
        evaluate(&l1, &three, false, &flex()).unwrap_err(),
        "l1: there is no input `weight`; this loss takes input, target",
    );
    check(
        config("cross_entropy", json!({"weight": [1.0, 2.0]})).for_classes(3).unwrap_err(),
        "cross_entropy: argument `weight` must be 3 numbers, one a class, got 2 numbers",
    );
}

#[test]
fn arguments_out_of_range_are_refused() {
    let refused = [
        ("l1", json!({"reduction": "batchmean"}), "reduction"),
        ("cross_entropy", json!({"reduction": "batchmean"}), "reduction"),
        ("cross_entropy", json!({"label_smoothing": -0.1}), "label_smoothing"),
        ("triplet_margin", json!({"margin": 0}), "margin"),
        ("triplet_margin", json!({"p": -1}), "p"),
        ("ctc", json!({"blank": -1}), "blank"),
        ("sigmoid_focal", json!({"alpha": 1.5}), "alpha"),
        ("sigmoid_focal", json!({"gamma": -1}), "gamma"),
        ("focal", json!({"gamma": -1}), "gamma"),
        ("multi_margin", json!({"p": 0}), "p"),
    ];
    for (name, args, argument) in refused {
        let message = config(name, args).check().unwrap_err().to_string();
        assert!(message.contains(&format!("`{argument}`")), "{message}");
    }
    let numbers = LossConfig::CrossEntropy(CrossEntropyLossConfig {
        weight: Some(vec![1.0, f64::NAN]),
        ..Default::default()
    });
    assert_eq!(
        numbers.check().unwrap_err().to_string(),
        "cross_entropy: argument `weight[1]` must be a finite number, got NaN"
    );
    let rows = config("bce", json!({"weight": [[1.0, 2.0], [3.0, 4.0]]}));
    assert!(rows.check().is_ok());
}

#[test]
fn unknown_names_and_arguments_are_refused() {
    assert!(LossConfig::deserialize_named("l3", json!({})).is_none());
    let error = LossConfig::deserialize_named("l1", json!({"beta": 1.0})).unwrap();
    assert!(error.unwrap_err().to_string().contains("unknown field `beta`"));
    let error = LossConfig::deserialize_named("bce", json!({"weight": [[1.0], [1.0, 2.0]]})).unwrap();
    assert!(error.unwrap_err().to_string().contains("row 1 has [2]"));
}

#[test]
fn none_has_no_single_number() {
    let device = flex();
    let loss = config("l1", json!({"reduction": "none"}));
    let LossConfig::L1(loss) = loss else { unreachable!() };
    let ones = Tensor::<1>::ones([3], &device);
    let error = loss.init().unwrap().forward(ones.clone(), ones).unwrap_err();
    assert!(error.to_string().contains("forward_unreduced"), "{error}");
    let training = config("cross_entropy", json!({"reduction": "none"}));
    assert!(training.for_classes(3).is_err());
}

#[test]
fn tensors_on_two_devices_are_refused() {
    let input = Tensor::<1>::ones([3], &flex());
    let target = Tensor::<1>::ones([3], &ndarray());
    let loss = L1LossConfig::default().init().unwrap();
    let message = loss.forward(input, target).unwrap_err().to_string();
    assert!(message.contains("`target` is on") && message.contains("`input` is on"), "{message}");
}

#[test]
fn integers_too_large_for_the_device_do_not_wrap_into_classes() {
    let inputs = Inputs::from([
        ("input".to_owned(), TensorData::zeros::<f32, _>([1, 3])),
        ("target".to_owned(), TensorData::from([1i64 << 32])),
    ]);
    let error = evaluate(&config("nll", json!({})), &inputs, false, &flex()).unwrap_err();
    assert!(error.to_string().contains("4294967296"), "{error}");
}

#[test]
fn ctc_lengths_and_labels_are_checked() {
    let device = flex();
    let log_probs = Tensor::<3>::zeros([4, 2, 3], &device);
    let targets = Tensor::<2, Int>::from_ints([[1, 2], [2, 9]], &device);
    let loss = CtcLossConfig::default().init().unwrap();
    let refused = |inputs: &[usize], lengths: &[usize]| {
        loss.forward(log_probs.clone(), targets.clone(), inputs, lengths).unwrap_err().to_string()
    };
    assert!(refused(&[5, 4], &[2, 1]).contains("`input_lengths`"));
    assert!(refused(&[4, 4], &[3, 1]).contains("`target_lengths`"));
    assert!(refused(&[4], &[2, 1]).contains("`input_lengths`"));
    assert!(refused(&[4, 4], &[2, 2]).contains("got 9 at index [1, 1]"));
    // What is beyond a target's length is padding.
    assert!(loss.forward(log_probs.clone(), targets.clone(), &[4, 4], &[2, 1]).is_ok());
    let blank = CtcLossConfig { blank: 3, ..Default::default() }.init().unwrap();
    let error = blank.forward(log_probs, targets, &[4, 4], &[2, 1]).unwrap_err();
    assert!(error.to_string().contains("`blank`"), "{error}");
}
