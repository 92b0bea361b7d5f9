//! The list of augmentations: one line each.

use firebrick_component::components;

use super::center_crop::CenterCropConfig;
use super::interface::Transform;
use super::random_crop::RandomCropConfig;
use super::random_horizontal_flip::RandomHorizontalFlipConfig;
use super::random_resized_crop::RandomResizedCropConfig;
use super::resize::ResizeConfig;

components! {
    /// One step of the training images' preparation, by name with its arguments: an entry of
    /// `data.augment`.
    pub enum TransformConfig: dyn Transform, "augmentation" {
        /// A window of the image's own size, out of the image with a border.
        RandomCrop(RandomCropConfig) = "random_crop",
        /// Left becomes right, now and then.
        RandomHorizontalFlip(RandomHorizontalFlipConfig) = "random_horizontal_flip",
        /// A window of random area and proportions, resized.
        RandomResizedCrop(RandomResizedCropConfig) = "random_resized_crop",
        /// Another size.
        Resize(ResizeConfig) = "resize",
        /// The middle of the image.
        CenterCrop(CenterCropConfig) = "center_crop",
    }
}
