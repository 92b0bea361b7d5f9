//! The list of augmentations: one line each.

use firebrick_component::components;

use super::aug_mix::AugMixConfig;
use super::auto_augment::AutoAugmentConfig;
use super::center_crop::CenterCropConfig;
use super::color_jitter::ColorJitterConfig;
use super::cutout::CutoutConfig;
use super::gaussian_blur::GaussianBlurConfig;
use super::interface::Transform;
use super::pad::PadConfig;
use super::rand_augment::RandAugmentConfig;
use super::random_adjust_sharpness::RandomAdjustSharpnessConfig;
use super::random_affine::RandomAffineConfig;
use super::random_apply::RandomApplyConfig;
use super::random_autocontrast::RandomAutocontrastConfig;
use super::random_choice::RandomChoiceConfig;
use super::random_crop::RandomCropConfig;
use super::random_equalize::RandomEqualizeConfig;
use super::random_erasing::RandomErasingConfig;
use super::random_grayscale::RandomGrayscaleConfig;
use super::random_horizontal_flip::RandomHorizontalFlipConfig;
use super::random_invert::RandomInvertConfig;
use super::random_perspective::RandomPerspectiveConfig;
use super::random_posterize::RandomPosterizeConfig;
use super::random_resized_crop::RandomResizedCropConfig;
use super::random_rotation::RandomRotationConfig;
use super::random_solarize::RandomSolarizeConfig;
use super::random_vertical_flip::RandomVerticalFlipConfig;
use super::resize::ResizeConfig;
use super::trivial_augment::TrivialAugmentConfig;

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
        /// Brightness, contrast, saturation and hue changed a little.
        ColorJitter(ColorJitterConfig) = "color_jitter",
        /// A rectangle painted over, now and then.
        RandomErasing(RandomErasingConfig) = "random_erasing",
        /// A border round the image.
        Pad(PadConfig) = "pad",
        /// Top becomes bottom, now and then.
        RandomVerticalFlip(RandomVerticalFlipConfig) = "random_vertical_flip",
        /// Turned by a random angle.
        RandomRotation(RandomRotationConfig) = "random_rotation",
        /// Turned, moved, scaled and sheared at random.
        RandomAffine(RandomAffineConfig) = "random_affine",
        /// The corners moved inwards, now and then.
        RandomPerspective(RandomPerspectiveConfig) = "random_perspective",
        /// The colours taken away, now and then.
        RandomGrayscale(RandomGrayscaleConfig) = "random_grayscale",
        /// Blurred by a random width.
        GaussianBlur(GaussianBlurConfig) = "gaussian_blur",
        /// The colours inverted, now and then.
        RandomInvert(RandomInvertConfig) = "random_invert",
        /// Fewer bits for each value, now and then.
        RandomPosterize(RandomPosterizeConfig) = "random_posterize",
        /// Bright values inverted, now and then.
        RandomSolarize(RandomSolarizeConfig) = "random_solarize",
        /// An even histogram for each channel, now and then.
        RandomEqualize(RandomEqualizeConfig) = "random_equalize",
        /// Each channel stretched to all values, now and then.
        RandomAutocontrast(RandomAutocontrastConfig) = "random_autocontrast",
        /// Sharper or smoother, now and then.
        RandomAdjustSharpness(RandomAdjustSharpnessConfig) = "random_adjust_sharpness",
        /// Squares painted over.
        Cutout(CutoutConfig) = "cutout",
        /// One operation of a random strength.
        TrivialAugment(TrivialAugmentConfig) = "trivial_augment",
        /// A few operations of one strength.
        RandAugment(RandAugmentConfig) = "rand_augment",
        /// A pair of operations that was learned on a data set.
        AutoAugment(AutoAugmentConfig) = "auto_augment",
        /// Several chains of operations, mixed with the image.
        AugMix(AugMixConfig) = "aug_mix",
        /// A list of augmentations, all of them or none.
        RandomApply(RandomApplyConfig<TransformConfig>) = "random_apply",
        /// One augmentation of a list.
        RandomChoice(RandomChoiceConfig<TransformConfig>) = "random_choice",
    }
}
