//! Random shapes, element types and values for every loss: never a panic, never a broadcast.
//!
//! Whether a combination is right is decided here by a second, separate set of rules, from torch's
//! documentation. Where it is wrong the loss has to say so, and name what it got.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{DType, Device, TensorData};
use firebrick_loss::{InputKind, Inputs, LossConfig, evaluate};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::support::{flex, ndarray};

/// An input as it is drawn: where it deviates from the others, if it does.
#[derive(Clone, Debug)]
struct Draw {
    shape: Vec<usize>,
    dtype: DType,
    seed: u32,
}

const DTYPES: [DType; 9] = [
    DType::F32,
    DType::F32,
    DType::F64,
    DType::F16,
    DType::BF16,
    DType::I64,
    DType::I32,
    DType::U8,
    DType::U64,
];

fn shape() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0usize..4, 0..5)
}

/// Sometimes the shape asked for, sometimes another one.
fn near(shape_wanted: Vec<usize>) -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![6 => Just(shape_wanted), 1 => shape()]
}

fn dtype(kind: InputKind) -> impl Strategy<Value = DType> {
    let usual = match kind {
        InputKind::Index => DType::I64,
        _ => DType::F32,
    };
    prop_oneof![12 => Just(usual), 1 => prop::sample::select(DTYPES.to_vec())]
}

/// A loss, and inputs that mostly fit it.
fn call() -> impl Strategy<Value = (LossConfig, Vec<(&'static str, Draw)>)> {
    let loss = prop::sample::select(LossConfig::NAMES.to_vec());
    (loss, shape(), any::<bool>()).prop_flat_map(|(name, base, reduce)| {
        let args = serde_json::json!({"reduction": if reduce { "mean" } else { "none" }});
        let config = LossConfig::deserialize_named(name, args).unwrap().unwrap();
        let draws: Vec<_> = config
            .inputs()
            .iter()
            .map(|slot| {
                let wanted = usual_shape(&config, slot.name, &base);
                (near(wanted), dtype(slot.kind), any::<u32>()).prop_map(|(shape, dtype, seed)| Draw {
                    shape,
                    dtype,
                    seed,
                })
            })
            .collect();
        let names: Vec<&'static str> = config.inputs().iter().map(|slot| slot.name).collect();
        draws.prop_map(move |draws| (config.clone(), names.iter().copied().zip(draws).collect()))
    })
}

/// The shape that this input should have when the first one has `base`.
fn usual_shape(config: &LossConfig, name: &str, base: &[usize]) -> Vec<usize> {
    let without_classes = || match base {
        [] | [_] => vec![],
        [batch, _, rest @ ..] => [&[*batch], rest].concat(),
    };
    match (config.name(), name) {
        ("cross_entropy" | "nll" | "focal" | "multi_margin", "target") => without_classes(),
        ("cosine_embedding", "target") => without_classes(),
        ("ctc", "targets") => match base {
            [_, batch, ..] => vec![*batch, 2],
            _ => vec![2],
        },
        ("ctc", "input_lengths" | "target_lengths") => match base {
            [_, batch, _] => vec![*batch],
            _ => vec![],
        },
        _ => base.to_vec(),
    }
}

/// Small numbers of a seed: floats in 0..=1, integers in -1..=3 (or 0..=3).
fn data(draw: &Draw) -> TensorData {
    let count: usize = draw.shape.iter().product();
    let mut state = draw.seed;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    if draw.dtype.is_float() {
        let values: Vec<f32> = (0..count).map(|_| (next() % 1001) as f32 / 1000.0).collect();
        return TensorData::new(values, draw.shape.clone()).convert_dtype(draw.dtype);
    }
    let lowest = i64::from(draw.dtype.is_int() && draw.seed.is_multiple_of(8));
    let values: Vec<i64> = (0..count).map(|_| i64::from(next() % 4) - lowest).collect();
    TensorData::new(values, draw.shape.clone()).convert_dtype(draw.dtype)
}

/// Whether torch's documentation allows this call.
fn is_right(config: &LossConfig, draws: &[(&'static str, Draw)], device: &Device) -> bool {
    let float = |draw: &Draw| draw.dtype.is_float() && device.supports_dtype(draw.dtype);
    let index = |draw: &Draw| draw.dtype.is_int() || draw.dtype.is_uint();
    let shapes: Vec<&[usize]> = draws.iter().map(|(_, draw)| &draw.shape[..]).collect();
    let first = &draws[0].1;
    let last = &draws[draws.len() - 1].1;
    let kinds_fit = |slots: &[InputKind]| {
        let pairs = slots.iter().zip(draws);
        pairs.clone().all(|(kind, (_, draw))| match kind {
            InputKind::Index => index(draw),
            _ => float(draw),
        }) && pairs
            .filter(|(kind, _)| **kind == InputKind::Float)
            .all(|(_, (_, draw))| draw.dtype == first.dtype)
    };
    let same_shapes = shapes.iter().all(|shape| *shape == shapes[0]);
    let num_classes = match shapes[0] {
        [classes] | [_, classes, ..] => *classes,
        [] => 0,
    };
    let positions = match shapes[0] {
        [] | [_] => vec![],
        [batch, _, rest @ ..] => [&[*batch], rest].concat(),
    };
    let one_sample = shapes[0].len() <= 1 && shapes.last().is_some_and(|s| *s == [1]);
    let integers: Vec<i64> = match index(last) {
        true => data(last).iter::<i64>().collect(),
        false => Vec::new(),
    };
    let classes_fit = |low: i64| {
        let range = low..num_classes as i64;
        num_classes > 0 && integers.iter().all(|class| range.contains(class))
    };
    // torch gives 0 or NaN for the loss of nothing; here it is refused.
    if shapes[0].contains(&0) {
        return false;
    }
    use InputKind::{Float, Index};
    match config.name() {
        "cross_entropy" if float(last) => kinds_fit(&[Float, Float]) && same_shapes && num_classes > 0,
        "cross_entropy" | "nll" | "focal" => {
            kinds_fit(&[Float, Index]) && (shapes[1] == positions || one_sample) && classes_fit(0)
        }
        "multi_margin" => {
            kinds_fit(&[Float, Index])
                && (1..=2).contains(&shapes[0].len())
                && (shapes[1] == positions || one_sample)
                && classes_fit(0)
        }
        "multilabel_margin" => {
            kinds_fit(&[Float, Index])
                && (1..=2).contains(&shapes[0].len())
                && same_shapes
                && integers.iter().all(|class| (-1..num_classes as i64).contains(class))
        }
        "multilabel_soft_margin" => {
            kinds_fit(&[Float, Float]) && (1..=2).contains(&shapes[0].len()) && same_shapes
        }
        "triplet_margin" => kinds_fit(&[Float; 3]) && (1..=2).contains(&shapes[0].len()) && same_shapes,
        "cosine_embedding" => {
            kinds_fit(&[Float; 3])
                && (1..=2).contains(&shapes[0].len())
                && shapes[0] == shapes[1]
                && (shapes[2] == positions || one_sample)
        }
        "gaussian_nll" => {
            let (input, var) = (shapes[0], shapes[2]);
            let differ = |(a, b): &(&usize, &usize)| a != b;
            let odd: Vec<_> = input.iter().zip(var).filter(differ).collect();
            let column = input.len() == var.len() && odd.len() == 1 && *odd[0].1 == 1;
            let row = !input.is_empty() && var == &input[..input.len() - 1];
            kinds_fit(&[Float; 3]) && shapes[1] == input && (var == input || column || row)
        }
        "ctc" => is_right_ctc(draws) && kinds_fit(&[Float, Index, Index, Index]),
        "margin_ranking" => kinds_fit(&[Float; 3]) && same_shapes,
        _ => kinds_fit(&[Float, Float]) && same_shapes,
    }
}

fn is_right_ctc(draws: &[(&'static str, Draw)]) -> bool {
    let (log_probs, targets) = (&draws[0].1.shape, &draws[1].1.shape);
    let (steps, batch, classes) = match log_probs[..] {
        [steps, classes] => (steps, 1, classes),
        [steps, batch, classes] => (steps, batch, classes),
        _ => return false,
    };
    if draws[1..].iter().any(|(_, draw)| draw.dtype.is_float()) {
        return false;
    }
    let integers = |place: usize| -> Vec<i64> { data(&draws[place].1).iter::<i64>().collect() };
    let (labels, inputs, lengths) = (integers(1), integers(2), integers(3));
    let fit = |lengths: &[i64], rank: usize, longest: usize| {
        let range = 0..=longest as i64;
        rank <= 1 && lengths.len() == batch && lengths.iter().all(|l| range.contains(l))
    };
    let rows: Vec<Vec<i64>> = match targets[..] {
        [rows, width] if rows == batch => {
            (0..rows).map(|row| labels[row * width..(row + 1) * width].to_vec()).collect()
        }
        [_] if log_probs.len() == 2 => vec![labels],
        [width] => {
            let total: i64 = lengths.iter().sum();
            if lengths.len() != batch || total != width as i64 || lengths.iter().any(|&l| l < 0) {
                return false;
            }
            let mut rest = &labels[..];
            let take = |&length: &i64| {
                let (row, after) = rest.split_at(length as usize);
                rest = after;
                row.to_vec()
            };
            lengths.iter().map(take).collect()
        }
        _ => return false,
    };
    let longest = rows.iter().map(Vec::len).max().unwrap_or(0);
    let longest = if targets.len() == 2 { targets[1] } else { longest };
    if !fit(&inputs, draws[2].1.shape.len(), steps) || !fit(&lengths, draws[3].1.shape.len(), longest) {
        return false;
    }
    let within = |(row, &length): (&Vec<i64>, &i64)| {
        row[..length as usize].iter().all(|label| (0..classes as i64).contains(label))
    };
    classes > 0 && rows.iter().zip(&lengths).all(within)
}

fn runner() -> TestRunner {
    let config = Config { cases: 2000, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    TestRunner::new_with_rng(config, rng)
}

fn check_on(device: &Device) {
    let (mut right, mut wrong) = (0, 0);
    let outcome = runner().run_one_by_one(device, &mut right, &mut wrong);
    assert!(outcome.is_ok(), "{}", outcome.unwrap_err());
    assert!(right >= 100 && wrong >= 100, "{right} right, {wrong} wrong");
}

trait RunOneByOne {
    fn run_one_by_one(&mut self, device: &Device, right: &mut usize, wrong: &mut usize)
    -> Result<(), String>;
}

impl RunOneByOne for TestRunner {
    fn run_one_by_one(
        &mut self,
        device: &Device,
        right: &mut usize,
        wrong: &mut usize,
    ) -> Result<(), String> {
        let counts = std::cell::Cell::new((0, 0));
        let result = self.run(&call(), |(config, draws)| {
            let inputs: Inputs = draws.iter().map(|(name, draw)| ((*name).to_owned(), data(draw))).collect();
            let run = || evaluate(&config, &inputs, true, device);
            let result = catch_unwind(AssertUnwindSafe(run))
                .map_err(|_| TestCaseError::fail(format!("{} panicked", config.name())))?;
            let (right, wrong) = counts.get();
            if is_right(&config, &draws, device) {
                counts.set((right + 1, wrong));
                prop_assert!(result.is_ok(), "{}: {}", config.name(), result.unwrap_err());
                return Ok(());
            }
            counts.set((right, wrong + 1));
            prop_assert!(result.is_err(), "{} was accepted", config.name());
            let message = result.unwrap_err().to_string();
            let names = draws.iter().any(|(name, _)| message.contains(&format!("`{name}`")));
            prop_assert!(names, "names no input: {message}");
            Ok(())
        });
        (*right, *wrong) = counts.get();
        result.map_err(|error| error.to_string())
    }
}

#[test]
fn random_calls_are_right_or_refused_on_flex() {
    check_on(&flex());
}

#[test]
fn random_calls_are_right_or_refused_on_ndarray() {
    check_on(&ndarray());
}
