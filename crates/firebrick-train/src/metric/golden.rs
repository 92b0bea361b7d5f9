//! The metrics beside scikit-learn's: `tests/golden/metrics.json`, made by `make_metrics.py` beside it.
#![allow(clippy::unwrap_used)]

use serde_json::Value;

use super::{AccuracyConfig, MacroF1Config, Metric, TopKConfig, confusion};
use crate::image_record::{ImageRecord, MAX_TOP};
use crate::softmax::Probabilities;

const TOLERANCE: f64 = 1e-12;

#[test]
fn golden_metrics_agree_with_scikit_learn() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/metrics.json");
    let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for (number, case) in document["cases"].as_array().unwrap().iter().enumerate() {
        let num_classes = case["num_classes"].as_u64().unwrap() as usize;
        let images = records(case);
        let check = |name: &str, found: f64, expected: &Value| {
            let expected = expected.as_f64().unwrap();
            assert!((found - expected).abs() <= TOLERANCE, "case {number}: {name}: {found}, not {expected}");
        };
        check("accuracy", AccuracyConfig {}.compute(&images, num_classes), &case["accuracy"]);
        check("macro F1", MacroF1Config {}.compute(&images, num_classes), &case["f1_present"]);
        for (k, expected) in (1..=MAX_TOP).zip(case["top_k"].as_array().unwrap()) {
            check(&format!("top {k}"), TopKConfig { k }.compute(&images, num_classes), expected);
        }
        assert_eq!(serde_json::to_value(confusion(&images, num_classes)).unwrap(), case["confusion"]);
    }
}

fn records(case: &Value) -> Vec<ImageRecord> {
    let pairs = case["labels"].as_array().unwrap().iter().zip(case["scores"].as_array().unwrap());
    pairs
        .enumerate()
        .map(|(index, (label, scores))| {
            let scores: Vec<f32> =
                scores.as_array().unwrap().iter().map(|score| score.as_f64().unwrap() as f32).collect();
            let probabilities = Probabilities::of(&scores, false);
            ImageRecord::new(index, label.as_u64().unwrap() as usize, &scores, &probabilities, [0.0, 1.0])
        })
        .collect()
}
