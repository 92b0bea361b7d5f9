//! The parts of the library that no golden file reaches.

use burn::tensor::{Int, Tensor, TensorData};
use firebrick_loss::*;
use serde_json::json;

use crate::support::{flex, golden};

fn vector(tensor: Tensor<1>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

#[test]
fn the_five_lessons_give_their_numbers() {
    let data = |json: serde_json::Value| -> TensorData {
        let rows: Vec<f32> = serde_json::from_value(json).unwrap();
        TensorData::from(rows.as_slice())
    };
    let square = |values: [f32; 4]| TensorData::new(values.to_vec(), [2, 2]);
    let lessons = [
        ("l1", square([1.0; 4]), square([0.0, 1.0, 2.0, 3.0]), 1.0),
        ("smooth_l1", square([1.0; 4]), square([0.0, 1.0, 2.0, 3.0]), 0.625),
        ("mse", square([1.0; 4]), square([0.0, 1.0, 2.0, 3.0]), 1.5),
        ("l1", data(json!([1, 2, 3])), data(json!([1, 2, 5])), 2.0 / 3.0),
        ("mse", data(json!([1, 2, 3])), data(json!([1, 2, 5])), 4.0 / 3.0),
        ("cross_entropy", data(json!([0.1, 0.2, 0.3])), TensorData::from([1i64]), 1.101_942_8),
    ];
    for (name, input, target, want) in lessons {
        let inputs = Inputs::from([("input".to_owned(), input), ("target".to_owned(), target)]);
        let loss = LossConfig::default_named(name).unwrap();
        let output = evaluate(&loss, &inputs, false, &flex()).unwrap().output;
        let got = output.iter::<f32>().next().unwrap();
        assert!((got - want).abs() < 1e-6, "{name}: {got}, want {want}");
    }
}

#[test]
fn explanations_end_in_the_loss() {
    let mut explained = std::collections::BTreeSet::new();
    for case in golden("losses.json", "cases") {
        let config = case.config().unwrap();
        let inputs = case.inputs(burn::tensor::DType::F32);
        let Some(steps) = explain(&config, &inputs) else { continue };
        let want = case.output.as_ref().unwrap().values.iter().copied();
        let last = |line: &String| line.rsplit("= ").next().unwrap().parse::<f64>().unwrap();
        let got: Vec<f64> = match config.reduction() {
            Reduction::None => steps.iter().map(last).collect(),
            _ => vec![last(steps.last().unwrap())],
        };
        for (got, want) in got.into_iter().zip(want) {
            assert!((got - want).abs() < 6e-5, "{}: {steps:?}, want {want}", case.name);
        }
        explained.insert(case.loss);
    }
    let names: Vec<_> = explained.iter().map(String::as_str).collect();
    let want = ["bce_with_logits", "cross_entropy", "huber", "l1", "mse", "nll", "smooth_l1"];
    assert_eq!(names.iter().filter(|n| want.contains(n)).count(), names.len());
    assert!(names.len() >= 6, "{names:?}");
}

#[test]
fn configs_survive_a_round_trip() {
    for &name in LossConfig::NAMES {
        let config = LossConfig::default_named(name).unwrap();
        assert_eq!(config.name(), name);
        assert!(config.validate().is_ok());
        let json = serde_json::to_value(&config).unwrap();
        assert_eq!(json["name"], name);
        assert_eq!(serde_json::from_value::<LossConfig>(json).unwrap(), config);
    }
    let weight = json!({"weight": [[1.0, 2.0], [3.0, 4.0]], "reduction": "sum"});
    let config = LossConfig::deserialize_named("bce", weight.clone()).unwrap().unwrap();
    let LossConfig::Bce(bce) = &config else { unreachable!() };
    assert_eq!(serde_json::to_value(bce).unwrap(), weight);
}

#[test]
fn defaults_are_torchs() {
    let json = |name: &str| serde_json::to_value(LossConfig::default_named(name).unwrap()).unwrap();
    assert_eq!(json("l1"), json!({"name": "l1", "reduction": "mean"}));
    assert_eq!(json("smooth_l1")["beta"], 1.0);
    assert_eq!(json("huber")["delta"], 1.0);
    assert_eq!(json("cross_entropy")["ignore_index"], -100);
    assert_eq!(json("cross_entropy")["label_smoothing"], 0.0);
    assert_eq!(
        json("poisson_nll"),
        json!({"name": "poisson_nll", "log_input": true, "full": false, "eps": 1e-8, "reduction": "mean"})
    );
    assert_eq!(json("gaussian_nll")["eps"], 1e-6);
    assert_eq!(json("hinge_embedding")["margin"], 1.0);
    assert_eq!(json("margin_ranking")["margin"], 0.0);
    assert_eq!(json("cosine_embedding")["margin"], 0.0);
    assert_eq!(json("multi_margin")["p"], 1);
    assert_eq!(
        json("triplet_margin"),
        json!({"name": "triplet_margin", "margin": 1.0, "p": 2.0, "eps": 1e-6, "swap": false, "reduction": "mean"})
    );
    assert_eq!(json("ctc"), json!({"name": "ctc", "blank": 0, "zero_infinity": false, "reduction": "mean"}));
    assert_eq!(json("sigmoid_focal")["alpha"], 0.25);
    assert_eq!(json("kl_div")["reduction"], "mean");
}

/// The entry points for training steps give the same numbers as the checking ones.
#[test]
fn trusted_is_the_same_arithmetic() {
    let device = flex();
    let logits = Tensor::<2>::from_floats([[0.5, -1.0, 2.0], [0.1, 0.2, 0.3]], &device);
    let labels = Tensor::<1, Int>::from_ints([2, 0], &device);
    let three = Tensor::<1, Int>::from_ints([2, 0, 1], &device);
    macro_rules! check {
        ($config:ident) => {
            let loss = $config::default().init().unwrap();
            let checked = vector(loss.forward(logits.clone(), labels.clone()).unwrap());
            let trusted = vector(loss.forward_trusted(logits.clone(), labels.clone()).unwrap());
            let unreduced = vector(loss.forward_unreduced(logits.clone(), labels.clone()).unwrap());
            assert_eq!(checked, trusted);
            assert!((checked[0] - unreduced.iter().sum::<f32>() / 2.0).abs() < 1e-6);
            assert!(loss.forward_trusted(logits.clone(), three.clone()).is_err());
        };
    }
    check!(CrossEntropyLossConfig);
    check!(NllLossConfig);
    check!(MultiMarginLossConfig);
    check!(FocalLossConfig);
    let (p, t) = (logits.clone().exp().recip().clamp(0.0, 1.0), logits.clone().greater_scalar(0.0).float());
    let loss = BceLossConfig::default().init().unwrap();
    let checked = vector(loss.forward(p.clone(), t.clone()).unwrap());
    assert_eq!(checked, vector(loss.forward_trusted(p, t).unwrap()));
    // Values are not looked at: what forward refuses costs nothing to find out here.
    let outside = logits.clone().add_scalar(5.0);
    assert!(loss.forward(outside.clone(), outside.clone()).is_err());
    assert!(loss.forward_trusted(outside.clone(), outside).is_ok());
    let loss = GaussianNllLossConfig::default().init().unwrap();
    let zeros = logits.zeros_like();
    assert!(loss.forward(zeros.clone(), zeros.clone(), logits.clone()).is_err());
    assert!(loss.forward_trusted(zeros.clone(), zeros, logits).is_ok());
}

/// Labels come as bytes from image files, and as 64 bits from elsewhere.
#[test]
fn labels_of_any_integer_type_are_the_same_labels() {
    use burn::tensor::{DType, IntDType};
    let device = flex();
    let logits = Tensor::<2>::from_floats([[0.5, -1.0, 2.0], [0.1, 0.2, 0.3]], &device);
    let loss = CrossEntropyLossConfig::default().init().unwrap();
    let labels = Tensor::<1, Int>::from_ints([2, 0], &device);
    let want = vector(loss.forward(logits.clone(), labels.clone()).unwrap());
    for dtype in [IntDType::U8, IntDType::I32, IntDType::U32, IntDType::I64] {
        let labels = Tensor::<1, Int>::from_data(labels.to_data(), (&device, DType::from(dtype)));
        assert_eq!(vector(loss.forward_trusted(logits.clone(), labels).unwrap()), want);
    }
}

#[test]
fn one_more_dimension_needs_one_more_for_the_result() {
    let device = flex();
    let logits = Tensor::<3>::zeros([2, 3, 4], &device);
    let loss = CrossEntropyLossConfig::default().init().unwrap();
    let losses = loss.forward_probabilities_unreduced::<3, 2>(logits.clone(), logits.clone());
    assert_eq!(losses.unwrap().dims(), [2, 4]);
    assert!(loss.forward_probabilities_unreduced::<3, 1>(logits.clone(), logits).is_err());
}

/// torch.nn.functional.triplet_margin_loss(p=inf), with a tie and without.
#[test]
fn largest_coordinate_is_the_infinite_norm() {
    let device = flex().autodiff();
    let rows = |values: [[f32; 2]; 2]| Tensor::<2>::from_floats(values, &device).require_grad();
    let (anchor, positive, negative) =
        (rows([[0.0, 0.0], [1.0, 2.0]]), rows([[0.0, 0.0], [1.5, 2.0]]), rows([[0.0, 1.0], [2.0, 1.0]]));
    let config = TripletMarginLossConfig { p: f64::INFINITY, ..Default::default() };
    let losses = config.init().unwrap();
    let losses = losses.forward_unreduced(anchor.clone(), positive, negative).unwrap();
    let values = vector(losses.clone().inner());
    assert!((values[0] - 2e-6).abs() < 1e-6 && (values[1] - 0.499_998).abs() < 1e-6, "{values:?}");
    let gradient = anchor.grad(&losses.sum().backward()).unwrap().into_data();
    assert_eq!(gradient.try_to_vec::<f32>().unwrap(), [0.5, 1.5, -1.0, -1.0]);
}

#[test]
fn a_distance_of_ones_own_must_give_one_number_a_row() {
    let device = flex();
    let rows = Tensor::<2>::ones([3, 2], &device);
    let loss = TripletMarginLossConfig::default().init().unwrap();
    let zero = |x: Tensor<2>, _: Tensor<2>| Tensor::<1>::zeros([x.dims()[0]], &x.device());
    let got = loss.forward_with_distance(rows.clone(), rows.clone(), rows.clone(), zero).unwrap();
    assert_eq!(vector(got), [1.0]);
    let flat = |x: Tensor<2>, _: Tensor<2>| x.flatten::<1>(0, 1);
    let error = loss.forward_with_distance(rows.clone(), rows.clone(), rows, flat).unwrap_err();
    assert!(error.to_string().contains("`distance` has shape [6], expected [3]"), "{error}");
}

/// With no focus the focal losses are the cross-entropies.
#[test]
fn focal_losses_without_focus_are_cross_entropies() {
    let device = flex();
    let logits = Tensor::<2>::from_floats([[0.5, -1.0, 2.0], [0.1, 0.2, 0.3]], &device);
    let labels = Tensor::<1, Int>::from_ints([2, 0], &device);
    let focal = FocalLossConfig { gamma: 0.0, ..Default::default() }.init().unwrap();
    let plain = CrossEntropyLossConfig::default().init().unwrap();
    let (a, b) = (
        focal.forward(logits.clone(), labels.clone()).unwrap(),
        plain.forward(logits.clone(), labels).unwrap(),
    );
    assert!((a.into_scalar::<f32>() - b.into_scalar::<f32>()).abs() < 1e-6);
    let targets = logits.clone().greater_scalar(0.2).float();
    let focal = SigmoidFocalLossConfig { gamma: 0.0, alpha: -1.0, ..Default::default() }.init().unwrap();
    let plain = BceWithLogitsLossConfig::default().init().unwrap();
    let (a, b) =
        (focal.forward(logits.clone(), targets.clone()).unwrap(), plain.forward(logits, targets).unwrap());
    assert!((a.into_scalar::<f32>() - b.into_scalar::<f32>()).abs() < 1e-6);
}

/// A target may be learned too, as in distillation.
#[test]
fn targets_have_gradients_where_torch_has_them() {
    let device = flex().autodiff();
    let input = Tensor::<1>::from_floats([0.5, 0.2], &device);
    let target = Tensor::<1>::from_floats([0.25, 0.5], &device).require_grad();
    let loss = MseLossConfig::default().init().unwrap().forward(input.clone(), target.clone()).unwrap();
    let gradient = target.grad(&loss.backward()).unwrap().into_data();
    assert_eq!(gradient.try_to_vec::<f32>().unwrap(), [-0.25, 0.3]);
    let target = Tensor::<1>::from_floats([0.25, 0.5], &device).require_grad();
    let loss = KlDivLossConfig::default().init().unwrap().forward(input, target.clone()).unwrap();
    let gradient = target.grad(&loss.backward()).unwrap().into_data();
    let got: Vec<f32> = gradient.try_to_vec().unwrap();
    let want = [0.25f32, 0.5].iter().zip([0.5, 0.2]).map(|(t, x)| (t.ln() + 1.0 - x) / 2.0);
    assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-6), "{got:?}");
}

/// The table in README names every loss, torch's name for it, and its arguments.
#[test]
fn readme_table_is_complete() {
    let readme = include_str!("../../README.md");
    for &name in LossConfig::NAMES {
        let config = LossConfig::default_named(name).unwrap();
        let row = readme.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("README has no row for {name}"));
        match config.torch_name() {
            Some(torch) => assert!(row.contains(torch.rsplit('.').next().unwrap()), "{row}: no {torch}"),
            None => assert_eq!(name, "focal"),
        }
        let json = serde_json::to_value(&config).unwrap();
        for argument in json.as_object().unwrap().keys() {
            let is_named = row.contains(&format!("`{argument}`"));
            assert!(is_named || argument == "name" || argument == "reduction", "{row}: no {argument}");
        }
    }
}
