//! What a batch of images is compared with: classes or probabilities.

use burn::tensor::{Int, Tensor};

use crate::error::LossError;
use crate::{check, classes};

/// What a batch of images is compared with.
///
/// Class indices were checked when they were read: nothing that takes these targets reads them back from
/// the device.
#[derive(Clone, Debug)]
pub enum Targets {
    /// The class of each image, `[n]`, each in `0..k`.
    Classes(Tensor<1, Int>),
    /// The probability of each class for each image, `[n, k]`; rows sum to 1. Batch transforms such as mixup
    /// make them.
    Probabilities(Tensor<2>),
}

impl Targets {
    /// The class indices `[n]`, for a loss that takes nothing else.
    ///
    /// # Errors
    ///
    /// [`LossError::SoftTargets`] for probabilities; `loss` is the name in its message.
    pub fn into_classes(self, loss: &'static str) -> Result<Tensor<1, Int>, LossError> {
        match self {
            Self::Classes(labels_n) => Ok(labels_n),
            Self::Probabilities(_) => Err(LossError::SoftTargets { loss }),
        }
    }

    /// The probabilities `[n, k]`; of a class index 1 for the class and 0 elsewhere (one-hot). They have the
    /// shape, element type and device of `outputs_nk`.
    ///
    /// # Errors
    ///
    /// [`LossError::Shape`], [`LossError::DType`] or [`LossError::Device`] if the targets do not fit the
    /// outputs; `loss` is the name in the message.
    pub fn into_probabilities(
        self,
        loss: &'static str,
        outputs_nk: &Tensor<2>,
    ) -> Result<Tensor<2>, LossError> {
        match self {
            Self::Classes(labels_n) => {
                let [count, num_classes] = outputs_nk.dims();
                classes::check_target_shape(loss, &[count, num_classes], &labels_n.dims())?;
                check::same_device(loss, ("input", outputs_nk), ("target", &labels_n))?;
                let is_class = classes::is_class(classes::flat_indices(labels_n), num_classes);
                let zeros = Tensor::zeros([count, num_classes], (&outputs_nk.device(), outputs_nk.dtype()));
                Ok(zeros.mask_fill(is_class, 1.0))
            }
            Self::Probabilities(targets_nk) => {
                check::same(loss, ("input", outputs_nk), ("target", &targets_nk))?;
                Ok(targets_nk)
            }
        }
    }

    /// As [`into_probabilities`](Self::into_probabilities), scaled from 0..=1 to -1..=1: 1 for the class and
    /// -1 elsewhere.
    ///
    /// # Errors
    ///
    /// As [`into_probabilities`](Self::into_probabilities).
    pub fn into_signs(self, loss: &'static str, outputs_nk: &Tensor<2>) -> Result<Tensor<2>, LossError> {
        Ok(self.into_probabilities(loss, outputs_nk)?.mul_scalar(2.0).sub_scalar(1.0))
    }
}
