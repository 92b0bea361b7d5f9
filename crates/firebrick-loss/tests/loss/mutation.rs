//! Whether the golden cases would notice: every number an argument can change is changed by 1e-3, and
//! every output and gradient is made wrong by one part in a thousand.
//!
//! The constants inside the losses are changed in the source by the script `tests/mutations.sh`.

use std::collections::BTreeMap;

use burn::tensor::{DType, TensorData};
use firebrick_loss::Evaluation;
use serde_json::Value;

use crate::support::{CPU, Case, differences, flex, golden};

fn cases() -> Vec<Case> {
    let mut cases = golden("losses.json", "cases");
    cases.extend(golden("losses_edge.json", "cases"));
    cases
}

fn scaled(data: &TensorData, factor: f32) -> TensorData {
    let values: Vec<f32> = data.iter::<f32>().map(|value| value * factor).collect();
    TensorData::new(values, data.shape().clone())
}

#[test]
fn one_part_in_a_thousand_is_noticed_in_every_loss() {
    let mut noticed: BTreeMap<String, [bool; 2]> = BTreeMap::new();
    for case in cases() {
        let right = case.run(DType::F32, &flex()).unwrap();
        let wrong_output =
            Evaluation { output: scaled(&right.output, 1.001), gradients: right.gradients.clone() };
        let wrong_gradients = right.gradients.iter();
        let wrong_gradients = wrong_gradients.map(|(name, data)| (name.clone(), scaled(data, 1.001)));
        let wrong_gradient =
            Evaluation { output: right.output.clone(), gradients: wrong_gradients.collect() };
        let found = noticed.entry(case.loss.clone()).or_default();
        found[0] |= differences(&case, &wrong_output, CPU).is_some();
        found[1] |= differences(&case, &wrong_gradient, CPU).is_some();
    }
    let missed: Vec<_> = noticed.iter().filter(|(_, found)| **found != [true; 2]).collect();
    assert!(missed.is_empty() && noticed.len() >= 19, "{missed:?}");
}

/// The argument changed by 1e-3; none if it is no number.
fn nudged(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) if number.is_f64() => Some(Value::from(number.as_f64()? + 1e-3)),
        Value::Array(rows) => {
            let mut rows = rows.clone();
            let first = rows.first_mut()?;
            *first = nudged(first)?;
            Some(Value::Array(rows))
        }
        _ => None,
    }
}

#[test]
fn every_argument_changed_by_a_thousandth_is_noticed() {
    // The epsilons keep things finite and are far below a thousandth: adding one shows, too.
    let mut noticed: BTreeMap<(String, String), bool> = BTreeMap::new();
    for case in cases() {
        for (argument, value) in case.args.as_object().unwrap() {
            let Some(changed) = nudged(value) else { continue };
            let mut args = case.args.clone();
            args[argument] = changed;
            let changed = Case { args, ..copy(&case) };
            let is_noticed = match changed.run(DType::F32, &flex()) {
                Ok(got) => differences(&case, &got, CPU).is_some(),
                Err(_) => false,
            };
            *noticed.entry((case.loss.clone(), argument.clone())).or_default() |= is_noticed;
        }
    }
    let missed: Vec<_> = noticed.iter().filter(|(_, found)| !**found).collect();
    assert!(missed.is_empty() && noticed.len() >= 18, "{missed:?} of {noticed:?}");
}

fn copy(case: &Case) -> Case {
    Case {
        name: case.name.clone(),
        loss: case.loss.clone(),
        args: case.args.clone(),
        inputs: case.inputs.clone(),
        output: case.output.clone(),
        gradients: case.gradients.clone(),
    }
}
