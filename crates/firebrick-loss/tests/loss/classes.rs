//! Losses that train a classifier: on hard and on soft targets, batch by batch and over a whole split.

use std::collections::BTreeMap;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use firebrick_loss::*;
use serde_json::{Value, json};

use crate::support::{flex, ndarray};

const NUM_CLASSES: usize = 4;
/// The classes of eleven images, cut into batches of different sizes. With `ignore_index = 2` the second batch
/// is ignored as a whole.
const LABELS: [i64; 11] = [1, 0, 3, 2, 1, 2, 0, 0, 3, 2, 1];
const BATCHES: [usize; 4] = [5, 1, 4, 1];

/// What the network's output means.
#[derive(Clone, Copy)]
enum Output {
    Logits,
    Probabilities,
    LogProbabilities,
}

/// How torch's own loss wants the target of an image of one class.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Index,
    /// A list of classes that ends at -1.
    List,
    /// 0 and 1, or anything between.
    Probabilities,
    /// -1 and 1, or anything between.
    Signs,
    /// -1 and 1.
    HardSigns,
}

impl Form {
    fn takes_soft(self, loss: &str) -> bool {
        matches!(self, Self::Probabilities | Self::Signs) || loss == "cross_entropy"
    }
}

struct Case {
    loss: &'static str,
    args: Value,
    output: Output,
    form: Form,
}

fn usual(loss: &'static str) -> (Output, Form) {
    use Output::{LogProbabilities, Logits, Probabilities};
    match loss {
        "cross_entropy" | "multi_margin" | "focal" => (Logits, Form::Index),
        "nll" => (LogProbabilities, Form::Index),
        "multilabel_margin" => (Logits, Form::List),
        "kl_div" => (LogProbabilities, Form::Probabilities),
        "bce" | "l1" | "mse" => (Probabilities, Form::Probabilities),
        "soft_margin" => (Logits, Form::Signs),
        "hinge_embedding" => (Probabilities, Form::HardSigns),
        _ => (Logits, Form::Probabilities),
    }
}

/// Every loss that can train, with every reduction, plain and with the arguments that make a difference.
fn cases() -> Vec<Case> {
    let per_class = json!([0.5, 2.0, 0.0, 1.5]);
    // With a weight of 0 and smoothing, a batch of that class alone has an infinite mean, in torch too.
    let above_zero = json!([0.5, 2.0, 0.25, 1.5]);
    let mut more: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    more.insert(
        "cross_entropy",
        vec![
            json!({"weight": per_class}),
            json!({"label_smoothing": 0.1}),
            json!({"weight": above_zero, "label_smoothing": 0.2}),
            json!({"ignore_index": 2}),
            json!({"weight": per_class, "label_smoothing": 0.2, "ignore_index": 2}),
        ],
    );
    for loss in ["nll", "focal"] {
        more.insert(
            loss,
            vec![json!({"weight": per_class}), json!({"weight": per_class, "ignore_index": 2})],
        );
    }
    more.insert("multi_margin", vec![json!({"weight": per_class, "p": 2, "margin": 0.5})]);
    for loss in ["bce", "bce_with_logits", "multilabel_soft_margin"] {
        more.insert(loss, vec![json!({"weight": per_class}), json!({"weight": 3.0})]);
    }
    more.entry("bce_with_logits").or_default().push(json!({"pos_weight": per_class}));
    more.insert("poisson_nll", vec![json!({"full": true})]);
    more.insert("smooth_l1", vec![json!({"beta": 0.3})]);
    more.insert("huber", vec![json!({"delta": 0.3})]);
    let mut cases = Vec::new();
    for loss in usable() {
        let (output, form) = usual(loss);
        let mut variants = more.remove(loss).unwrap_or_default();
        variants.push(json!({}));
        for variant in variants {
            let reductions: &[&str] =
                if loss == "kl_div" { &["mean", "sum", "batchmean"] } else { &["mean", "sum"] };
            for &reduction in reductions {
                let mut args = variant.clone();
                args["reduction"] = json!(reduction);
                cases.push(Case { loss, args, output, form });
            }
        }
    }
    assert!(more.is_empty(), "{more:?}");
    cases
}

/// The losses of this crate that can train; other tests register their own.
fn usable() -> Vec<&'static str> {
    LossConfig::names_for_classes().into_iter().filter(|name| LossConfig::NAMES.contains(name)).collect()
}

impl Case {
    fn config(&self) -> LossConfig {
        LossConfig::deserialize_named(self.loss, self.args.clone()).unwrap().unwrap()
    }

    fn text(&self) -> String {
        format!("{} {}", self.loss, self.args)
    }

    /// `[n, k]` outputs in f64, of the meaning that the loss wants.
    fn outputs(&self) -> Vec<f64> {
        let raw = |index: usize| (index as f64 * 1.7).sin() * 1.5;
        let mut outputs: Vec<f64> = (0..LABELS.len() * NUM_CLASSES).map(raw).collect();
        for row in outputs.chunks_exact_mut(NUM_CLASSES) {
            let total = row.iter().map(|x| x.exp()).sum::<f64>();
            for x in row {
                *x = match self.output {
                    Output::Logits => *x,
                    Output::Probabilities => x.exp() / total,
                    Output::LogProbabilities => *x - total.ln(),
                };
            }
        }
        outputs
    }

    /// Soft targets, `[n, k]`, as mixup would make them.
    fn soft() -> Vec<f64> {
        let mut targets = vec![0.0; LABELS.len() * NUM_CLASSES];
        for (image, &label) in LABELS.iter().enumerate() {
            let share = 0.25 + 0.05 * image as f64;
            targets[image * NUM_CLASSES + label as usize] += share;
            targets[image * NUM_CLASSES + (label as usize + 1) % NUM_CLASSES] += 1.0 - share;
        }
        targets
    }

    /// The target as torch's own loss takes it.
    fn torch_target(&self, is_soft: bool) -> TensorData {
        let shape = [LABELS.len(), NUM_CLASSES];
        let one_hot = || {
            let is_class = |&label: &i64| (0..NUM_CLASSES).map(move |class| class as i64 == label);
            LABELS.iter().flat_map(is_class).map(|yes| f64::from(u8::from(yes))).collect::<Vec<f64>>()
        };
        let probabilities = || if is_soft { Self::soft() } else { one_hot() };
        match self.form {
            Form::Index if is_soft => TensorData::new(Self::soft(), shape),
            Form::Index => TensorData::from(LABELS),
            Form::List => {
                let lists = LABELS.iter().flat_map(|&label| [label, -1, -1, -1]);
                TensorData::new(lists.collect::<Vec<i64>>(), shape)
            }
            Form::Probabilities => TensorData::new(probabilities(), shape),
            Form::Signs | Form::HardSigns => {
                TensorData::new(probabilities().into_iter().map(|p| 2.0 * p - 1.0).collect::<Vec<_>>(), shape)
            }
        }
    }

    /// The images from `start` on, as a batch.
    fn batch(&self, start: usize, count: usize, is_soft: bool, device: &Device) -> (Tensor<2>, Targets) {
        let rows = start * NUM_CLASSES..(start + count) * NUM_CLASSES;
        let tensor = |values: &[f64]| {
            let data = TensorData::new(values[rows.clone()].to_vec(), [count, NUM_CLASSES]);
            Tensor::<2>::from_data(data, (device, DType::F64))
        };
        let targets = if is_soft {
            Targets::Probabilities(tensor(&Self::soft()))
        } else {
            Targets::Classes(Tensor::from_data(TensorData::from(&LABELS[start..start + count]), device))
        };
        (tensor(&self.outputs()), targets)
    }
}

fn sum(tensor: Tensor<1>) -> f64 {
    tensor.into_data().iter::<f64>().sum()
}

#[track_caller]
fn assert_close(got: f64, want: f64, what: &str) {
    assert!((got - want).abs() <= 1e-10 * want.abs().max(1.0), "{what}: {got}, want {want}");
}

/// One loss on one kind of targets: the loss for classes, batch by batch and at once, beside the loss by name
/// on arrays in torch's form.
fn check(case: &Case, is_soft: bool, device: &Device) {
    let what = format!("{}, {} targets", case.text(), if is_soft { "soft" } else { "hard" });
    let config = case.config();
    let loss = config.for_classes(NUM_CLASSES).unwrap();
    let inputs = Inputs::from([
        ("input".to_owned(), TensorData::new(case.outputs(), [LABELS.len(), NUM_CLASSES])),
        ("target".to_owned(), case.torch_target(is_soft)),
    ]);
    let torch = evaluate(&config, &inputs, true, device).unwrap();
    let want = torch.output.iter::<f64>().next().unwrap();

    // All images at once, value and gradient.
    let (outputs_nk, targets) = case.batch(0, LABELS.len(), is_soft, &device.clone().autodiff());
    let outputs_nk = outputs_nk.require_grad();
    let forward = loss.forward(outputs_nk.clone(), targets).unwrap();
    assert_eq!(forward.dims(), [1]);
    let gradient = outputs_nk.grad(&forward.backward()).unwrap().into_data();
    assert_close(sum(forward.inner()), want, &what);
    for (got, want) in gradient.iter::<f64>().zip(torch.gradients["input"].iter::<f64>()) {
        assert_close(got, want, &format!("gradient of {what}"));
    }

    // Batch by batch. The losses of all images, divided once, and the batches' own losses, each with its share, are both
    // the loss of all images: an evaluation adds up the first, gradient accumulation the second.
    let (mut sum_of_losses, mut all, mut start) = (0.0, Counted::default(), 0);
    let mut batches = Vec::new();
    for count in BATCHES {
        let (outputs_nk, targets) = case.batch(start, count, is_soft, device);
        let per_image = loss.per_image(outputs_nk.clone(), targets.clone()).unwrap();
        assert_eq!(per_image.dims(), [count]);
        let counted = match is_soft {
            true => Counted::unweighted(count),
            false => {
                let labels = LABELS[start..start + count].iter();
                Counted { weights: labels.map(|label| loss.weight(*label as usize)).sum(), images: count }
            }
        };
        let forward = sum(loss.forward(outputs_nk, targets).unwrap());
        let of_batch = sum(per_image.clone()) / loss.divisor(counted);
        assert!(forward.is_nan() == of_batch.is_nan(), "{what}: {forward}, {of_batch}");
        if !forward.is_nan() {
            assert_close(of_batch, forward, &format!("one batch of {what}"));
        }
        batches.push((loss.divisor(counted), forward));
        sum_of_losses += sum(per_image);
        all = all.and(counted);
        start += count;
    }
    assert_eq!(start, LABELS.len());
    assert_close(sum_of_losses / loss.divisor(all), want, &format!("over the split: {what}"));
    let counted = batches.iter().filter(|(divisor, _)| *divisor > 0.0);
    let accumulated: f64 = counted.map(|(divisor, forward)| divisor / loss.divisor(all) * forward).sum();
    assert_close(accumulated, want, &format!("accumulated: {what}"));
}

fn check_on(device: &Device) {
    let cases = cases();
    for case in &cases {
        check(case, false, device);
        // A class that is ignored is none of a distribution's.
        if case.form.takes_soft(case.loss) && case.args.get("ignore_index").is_none() {
            check(case, true, device);
        }
    }
    assert!(cases.len() > 60, "{}", cases.len());
}

#[test]
fn batches_add_up_to_torchs_loss_of_the_split_on_flex() {
    check_on(&flex());
}

#[test]
fn batches_add_up_to_torchs_loss_of_the_split_on_ndarray() {
    check_on(&ndarray());
}

#[test]
fn these_losses_can_train_a_classifier() {
    let want = [
        "l1",
        "mse",
        "smooth_l1",
        "huber",
        "bce",
        "bce_with_logits",
        "cross_entropy",
        "nll",
        "kl_div",
        "poisson_nll",
        "hinge_embedding",
        "multi_margin",
        "multilabel_margin",
        "multilabel_soft_margin",
        "soft_margin",
        "focal",
        "sigmoid_focal",
    ];
    assert_eq!(usable(), want);
    for &name in LossConfig::NAMES {
        if want.contains(&name) {
            continue;
        }
        let loss = LossConfig::default_named(name).unwrap();
        let message = loss.for_classes(NUM_CLASSES).unwrap_err().to_string();
        let takes: Vec<_> = loss.inputs().iter().map(|slot| slot.name).collect();
        let start =
            format!("{name}: cannot train a classifier: it takes {}; use one of l1, ", takes.join(", "));
        assert!(message.starts_with(&start), "{message}");
    }
}

#[test]
fn soft_targets_are_refused_by_losses_of_indices() {
    for loss in usable() {
        let (output, form) = usual(loss);
        let case = Case { loss, args: json!({}), output, form };
        let (outputs_nk, targets) = case.batch(0, 3, true, &flex());
        let loss = case.config().for_classes(NUM_CLASSES).unwrap();
        let results = [
            loss.forward(outputs_nk.clone(), targets.clone()).err(),
            loss.per_image(outputs_nk, targets).err(),
        ];
        for error in results {
            if form.takes_soft(case.loss) {
                assert!(error.is_none(), "{}", case.loss);
                continue;
            }
            let message = error.unwrap().to_string();
            let start =
                format!("{}: takes class indices [N], and these targets are probabilities", case.loss);
            assert!(message.starts_with(&start), "{message}");
        }
    }
}

#[test]
fn no_loss_trains_without_a_reduction() {
    for name in usable() {
        let config = LossConfig::deserialize_named(name, json!({"reduction": "none"})).unwrap().unwrap();
        let message = config.for_classes(NUM_CLASSES).unwrap_err().to_string();
        assert!(message.contains("`reduction`") && message.starts_with(name), "{message}");
    }
}

#[test]
fn arguments_that_do_not_suit_a_classifier_are_refused() {
    let refused = [
        ("cross_entropy", json!({"weight": [1.0, 2.0]}), "weight"),
        ("nll", json!({"weight": [1.0, 2.0]}), "weight"),
        ("focal", json!({"weight": [1.0, 2.0]}), "weight"),
        ("multi_margin", json!({"weight": [1.0, 2.0]}), "weight"),
        ("bce", json!({"weight": [1.0, 2.0]}), "weight"),
        ("bce", json!({"weight": [[1.0], [2.0]]}), "weight"),
        ("bce_with_logits", json!({"pos_weight": [1.0, 2.0]}), "pos_weight"),
        ("multilabel_soft_margin", json!({"weight": [1.0, 2.0]}), "weight"),
        ("kl_div", json!({"log_target": true}), "log_target"),
        ("huber", json!({"delta": 0.0}), "delta"),
    ];
    for (name, args, key) in refused {
        let config = LossConfig::deserialize_named(name, args).unwrap().unwrap();
        let error = config.for_classes(NUM_CLASSES).unwrap_err();
        let LossError::Argument { loss, source } = error else { panic!("{error}") };
        assert_eq!((loss, source.key.as_str()), (name, key));
    }
}

#[test]
fn targets_that_do_not_fit_are_refused() {
    let device = flex();
    let outputs_nk = Tensor::<2>::from_floats([[0.1, 0.2], [0.3, 0.4]], &device);
    let labels_n = Tensor::<1, Int>::from_ints([0, 1, 1], &device);
    let wide_nk = Tensor::<2>::from_floats([[0.1, 0.2, 0.7], [0.3, 0.4, 0.3]], &device);
    let double_nk = outputs_nk.clone().cast(DType::F64);
    for name in usable() {
        let loss = LossConfig::default_named(name).unwrap().for_classes(2).unwrap();
        let all = [
            Targets::Classes(labels_n.clone()),
            Targets::Probabilities(wide_nk.clone()),
            Targets::Probabilities(double_nk.clone()),
        ];
        for targets in all {
            let message = loss.forward(outputs_nk.clone(), targets.clone()).unwrap_err().to_string();
            assert!(message.starts_with(name), "{message}");
            assert!(loss.per_image(outputs_nk.clone(), targets).is_err(), "{name}");
        }
    }
}

/// The loss of every config until now: bit for bit, the gradient too.
#[test]
fn cross_entropy_trains_by_the_same_bits_as_forward_trusted() {
    for device in [flex(), ndarray()] {
        let device = device.autodiff();
        let values: Vec<f32> = (0..64 * 10).map(|index| (index as f32 * 0.37).sin() * 4.0).collect();
        let labels: Vec<i64> = (0..64).map(|index| index * 7 % 10).collect();
        let labels_n = Tensor::<1, Int>::from_data(TensorData::from(labels.as_slice()), &device);
        let run = |loss: &dyn Fn(Tensor<2>) -> Tensor<1>| {
            let logits_nk = Tensor::<2>::from_data(TensorData::new(values.clone(), [64, 10]), &device);
            let logits_nk = logits_nk.require_grad();
            let loss = loss(logits_nk.clone());
            let gradient = logits_nk.grad(&loss.backward()).unwrap();
            (loss.into_data().try_to_vec::<f32>().unwrap(), gradient.into_data().try_to_vec::<f32>().unwrap())
        };
        let config = CrossEntropyLossConfig::default();
        let own = config.init().unwrap();
        let for_classes = LossConfig::from(config).for_classes(10).unwrap();
        let targets = Targets::Classes(labels_n.clone());
        assert_eq!(
            run(&|logits_nk| own.forward_trusted(logits_nk, labels_n.clone()).unwrap()),
            run(&|logits_nk| for_classes.forward(logits_nk, targets.clone()).unwrap()),
        );
    }
}

/// Nobody reads the outputs back, so a network without its sigmoid has to show in the loss.
#[test]
fn bce_of_outputs_that_are_no_probabilities_is_nan() {
    let device = flex();
    let loss = LossConfig::default_named("bce").unwrap().for_classes(2).unwrap();
    for outputs in [[[0.5, 1.5]], [[-0.1, 0.5]]] {
        let outputs_nk = Tensor::<2>::from_floats(outputs, &device);
        let targets = Targets::Classes(Tensor::from_ints([1], &device));
        assert!(sum(loss.forward(outputs_nk, targets).unwrap()).is_nan());
    }
}

/// Labels come as bytes from image files; there may be one class only.
#[test]
fn labels_of_any_integer_type_become_targets() {
    use burn::tensor::IntDType;
    let device = flex();
    for name in usable() {
        let (output, form) = usual(name);
        let case = Case { loss: name, args: json!({}), output, form };
        let loss = case.config().for_classes(NUM_CLASSES).unwrap();
        let (outputs_nk, targets) = case.batch(0, 5, false, &device);
        let want = sum(loss.forward(outputs_nk.clone(), targets.clone()).unwrap());
        let labels_n = targets.into_classes(name).unwrap().cast(IntDType::U8);
        let got = sum(loss.forward(outputs_nk, Targets::Classes(labels_n)).unwrap());
        assert_eq!(got, want, "{name}");
        let one = LossConfig::default_named(name).unwrap().for_classes(1).unwrap();
        let outputs_nk = Tensor::<2>::from_floats([[0.5], [0.25]], &device);
        let labels_n = Tensor::<1, Int>::from_ints([0, 0], &device);
        assert!(sum(one.forward(outputs_nk, Targets::Classes(labels_n)).unwrap()).is_finite(), "{name}");
    }
}
