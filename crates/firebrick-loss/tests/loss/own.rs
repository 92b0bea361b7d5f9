//! A loss of a program's own: one file, and no line in any list.

use std::sync::Arc;

use burn::tensor::activation::softmax;
use burn::tensor::{Int, Tensor, TensorData};
use firebrick_loss::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{flex, ndarray};

const NAME: &str = "brier";

/// Brier's score: the squared distance between the softmax of the logits and the target probabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Brier {
    scale: f64,
}

impl Default for Brier {
    fn default() -> Self {
        Self { scale: 1.0 }
    }
}

impl Component for Brier {
    fn validate(&self) -> Result<(), ArgumentError> {
        if self.scale > 0.0 {
            return Ok(());
        }
        Err(ArgumentError::new("scale", "a number above 0", self.scale))
    }
}

impl Loss for Brier {
    fn reduction(&self) -> Reduction {
        Reduction::Mean
    }

    fn classification(
        &self,
        _num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        Ok(Some(Arc::new(self.clone())))
    }
}

impl ClassificationLoss for Brier {
    fn forward(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        Ok(self.per_image(outputs_nk, targets)?.mean())
    }

    fn per_image(&self, outputs_nk: Tensor<2>, targets: Targets) -> Result<Tensor<1>, LossError> {
        let targets_nk = targets.into_probabilities(NAME, &outputs_nk)?;
        let distances_nk = (softmax(outputs_nk, 1) - targets_nk).square().mul_scalar(self.scale);
        Ok(distances_nk.sum_dim(1).squeeze_dim::<1>(1))
    }

    fn divisor(&self, counted: Counted) -> f64 {
        counted.divisor(Reduction::Mean)
    }
}

fn number(tensor: Tensor<1>) -> f32 {
    tensor.into_scalar::<f32>()
}

#[test]
fn a_loss_of_ones_own_is_read_by_name_and_trains() {
    LossConfig::register::<Brier>(NAME).unwrap();
    LossConfig::register::<Brier>(NAME).unwrap();
    assert!(LossConfig::register::<Brier>("mse").unwrap_err().to_string().contains("`mse`"));
    assert!(LossConfig::names_for_classes().ends_with(&[NAME]));

    let config: LossConfig = serde_json::from_value(json!({"name": NAME, "scale": 2.0})).unwrap();
    assert_eq!(config.name(), NAME);
    let written = serde_json::to_value(&config).unwrap();
    assert_eq!(written, json!({"name": NAME, "scale": 2.0}));
    assert_eq!(serde_json::from_value::<LossConfig>(written).unwrap(), config);
    let loss = config.for_classes(2).unwrap();

    for device in [flex(), ndarray()] {
        let logits_nk = Tensor::<2>::from_floats([[0.0, 0.0]], &device);
        let labels_n = Tensor::<1, Int>::from_ints([1], &device);
        let half = Tensor::<2>::from_floats([[0.5, 0.5]], &device);
        let hard = loss.forward(logits_nk.clone(), Targets::Classes(labels_n)).unwrap();
        // 2 ((1/2)^2 + (1/2)^2)
        assert_eq!(number(hard), 1.0);
        assert_eq!(number(loss.forward(logits_nk, Targets::Probabilities(half)).unwrap()), 0.0);
    }
}

#[test]
fn a_loss_of_ones_own_is_checked_as_all_others_are() {
    LossConfig::register::<Brier>(NAME).unwrap();
    let config = LossConfig::deserialize_named(NAME, json!({"scale": 0.0})).unwrap().unwrap();
    let message = config.for_classes(2).unwrap_err().to_string();
    assert_eq!(message, "brier: argument `scale` must be a number above 0, got 0");
    let unknown = serde_json::from_value::<LossConfig>(json!({"name": NAME, "size": 1.0})).unwrap_err();
    assert!(unknown.to_string().contains("unknown field `size`"), "{unknown}");
}

/// It says nothing of arrays, and is computed from them by what it says of batches.
#[test]
fn a_loss_of_ones_own_is_computed_from_arrays() {
    LossConfig::register::<Brier>(NAME).unwrap();
    let config = LossConfig::default_named(NAME).unwrap();
    let run = |input: TensorData, target: TensorData| {
        let inputs = Inputs::from([("input".to_owned(), input), ("target".to_owned(), target)]);
        evaluate(&config, &inputs, true, &flex())
    };
    let logits = TensorData::from([[0.0f32, 0.0]]);
    let result = run(logits.clone(), TensorData::from([0i64])).unwrap();
    assert_eq!(result.output.try_to_vec::<f32>().unwrap(), [0.5]);
    assert!(result.output.shape().is_empty());
    assert_eq!(result.gradients["input"].try_to_vec::<f32>().unwrap(), [-0.5, 0.5]);
    let soft = run(logits.clone(), TensorData::from([[0.5f32, 0.5]])).unwrap();
    assert_eq!(soft.output.try_to_vec::<f32>().unwrap(), [0.0]);
    let error = run(logits, TensorData::from([2i64])).unwrap_err().to_string();
    assert!(error.starts_with("brier: `target` must hold integers in 0..=1"), "{error}");
}
