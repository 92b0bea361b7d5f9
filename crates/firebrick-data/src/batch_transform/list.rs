//! The list of batch transforms: one line each.

use firebrick_component::components;

use super::cutmix::CutmixConfig;
use super::interface::BatchTransform;
use super::mixup::MixupConfig;
use super::random_choice::BatchRandomChoiceConfig;

components! {
    /// One step of a training batch's preparation, by name with its arguments: an entry of
    /// `data.batch_augment`.
    pub enum BatchTransformConfig: dyn BatchTransform, "batch transform" {
        /// Each image mixed with another one of its batch.
        Mixup(MixupConfig) = "mixup",
        /// Each image with a rectangle of another one of its batch.
        Cutmix(CutmixConfig) = "cutmix",
        /// One batch transform of a list.
        RandomChoice(BatchRandomChoiceConfig<BatchTransformConfig>) = "random_choice",
    }
}
