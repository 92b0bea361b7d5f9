//! The trait of the family: what every loss says about itself.

use std::sync::Arc;

use burn::tensor::{Int, Tensor};
use firebrick_component::{ArgumentError, Component};

use crate::classes;
use crate::classification::ClassificationLoss;
use crate::error::LossError;
use crate::reduction::Reduction;
use crate::session::{Evaluation, InputSlot, Inputs, Session, Term};
use crate::targets::Targets;

/// What a loss takes the outputs of a classifier for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Numbers of any meaning, or nothing that can be said.
    Anything,
    /// Scores that the loss makes probabilities of by itself, often called logits.
    Scores,
    /// Numbers from 0 to 1.
    Probabilities,
    /// Logarithms of probabilities, none above 0.
    LogProbabilities,
    /// Numbers from 0.
    NonNegative,
}

/// The config of a loss: its arguments, and what can be made of them.
///
/// The trait is open. A program implements it for a loss of its own and makes it known to configs by
/// [`LossConfig::register`](crate::LossConfig::register). Only [`reduction`](Self::reduction), and
/// [`classification`](Self::classification) to train with it, are needed for that; with the defaults of the other
/// methods the loss can be computed from arrays too, of outputs `[N, C]` and classes or probabilities.
pub trait Loss: Component {
    /// The class or function of PyTorch that gives the same numbers, if there is one.
    fn torch_name(&self) -> Option<&'static str> {
        None
    }

    /// How the losses become one number.
    fn reduction(&self) -> Reduction;

    /// What the network has to give for the loss to mean anything.
    fn takes(&self) -> Takes {
        Takes::Anything
    }

    /// Whether the loss begins with a softmax over the classes, to which log-probabilities are as good as scores.
    fn begins_with_softmax(&self) -> bool {
        false
    }

    /// The loss that trains a classifier of `num_classes` classes; none if it takes anything but a network's
    /// outputs and classes. The arguments have been validated.
    ///
    /// [`LossConfig::for_classes`](crate::LossConfig::for_classes) is the one to call.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] for an argument that does not suit a classifier, or not this number of classes.
    fn classification(
        &self,
        num_classes: usize,
    ) -> Result<Option<Arc<dyn ClassificationLoss>>, ArgumentError> {
        let _ = num_classes;
        Ok(None)
    }

    /// The arrays that the loss is computed from, in the order of torch's `forward`.
    fn inputs(&self) -> &'static [InputSlot] {
        InputSlot::CLASS_TARGET
    }

    /// Computes the loss from the arrays of a session, which are those of [`inputs`](Self::inputs).
    /// [`evaluate`](crate::evaluate) is the one to call.
    ///
    /// # Errors
    ///
    /// [`LossError`] for whatever is wrong with the arrays.
    fn evaluate(&self, mut session: Session<'_>) -> Result<Evaluation, LossError> {
        let loss = session.loss();
        let outputs_nk = session.rows("input", "input")?;
        let [count, num_classes] = outputs_nk.dims();
        let targets = if session.is_float("target") {
            Targets::Probabilities(session.rows("target", "input")?)
        } else {
            let labels_n: Tensor<1, Int> = session.index("target", "input", &[count, num_classes])?;
            classes::check_target_values(loss, &labels_n, num_classes, None)?;
            Targets::Classes(labels_n)
        };
        let criterion = self
            .classification(num_classes)
            .map_err(|source| LossError::Argument { loss, source })?
            .ok_or(LossError::NotEvaluable { loss })?;
        if self.reduction() == Reduction::None {
            let mut shape = session.shape("input");
            shape.pop();
            return session.finish(criterion.per_image(outputs_nk, targets)?, shape);
        }
        let loss = criterion.forward(outputs_nk, targets)?;
        session.finish(loss, Vec::new())
    }

    /// The arithmetic, one term for each loss before the reduction; none if this loss, these arguments or this
    /// many numbers have no short one.
    fn terms(&self, inputs: &Inputs) -> Option<Vec<Term>> {
        let _ = inputs;
        None
    }
}
