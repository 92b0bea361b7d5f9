//! One loss on plain arrays, by name: what the `loss` command and the golden tests run.

use burn::tensor::Device;

use crate::config::LossConfig;
use crate::error::LossError;
use crate::session::{Evaluation, Inputs, Session, explanation};

/// Runs a loss on arrays and gives its output and, with `backward`, the gradients.
///
/// Arrays of shape `[]` are single numbers, and one sample without a batch dimension is taken where
/// torch takes it.
///
/// # Errors
///
/// If the arguments are wrong, an input is missing or unknown, or anything the loss itself refuses.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::{Device, TensorData};
/// use firebrick_loss::{Inputs, LossConfig, evaluate};
///
/// let loss = LossConfig::default_named("l1").ok_or("no such loss")?;
/// let inputs = Inputs::from([
///     ("input".to_owned(), TensorData::from([1.0f32, 2.0])),
///     ("target".to_owned(), TensorData::from([0.0f32, 5.0])),
/// ]);
/// let result = evaluate(&loss, &inputs, true, &Device::flex())?;
/// assert_eq!(result.output.try_to_vec::<f32>()?, [2.0]);
/// assert_eq!(result.gradients["input"].try_to_vec::<f32>()?, [0.5, -0.5]);
/// # Ok(())
/// # }
/// ```
pub fn evaluate(
    config: &LossConfig,
    inputs: &Inputs,
    backward: bool,
    device: &Device,
) -> Result<Evaluation, LossError> {
    config.check()?;
    let session = Session::new(config.name(), config.inputs(), inputs, backward, device)?;
    config.evaluate(session)
}

/// The steps from the inputs to the loss, one a line; none if this loss, these arguments or this many
/// numbers have no short explanation.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use burn::tensor::TensorData;
/// use firebrick_loss::{Inputs, LossConfig, explain};
///
/// let loss = LossConfig::default_named("l1").ok_or("no such loss")?;
/// let inputs = Inputs::from([
///     ("input".to_owned(), TensorData::from([[1.0f32, 1.0], [1.0, 1.0]])),
///     ("target".to_owned(), TensorData::from([[0.0f32, 1.0], [2.0, 3.0]])),
/// ]);
/// assert_eq!(
///     explain(&loss, &inputs).ok_or("no explanation")?,
///     ["|0-1| + |1-1| + |2-1| + |3-1| = 4", "4 / 4 = 1"],
/// );
/// # Ok(())
/// # }
/// ```
pub fn explain(config: &LossConfig, inputs: &Inputs) -> Option<Vec<String>> {
    Some(explanation::steps(config.reduction(), &config.terms(inputs)?))
}
