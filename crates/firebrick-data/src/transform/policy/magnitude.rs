//! How strong an operation is: torchvision's tables of magnitudes.

use rand_chacha::ChaCha8Rng;

use crate::random::below;
use crate::shape::ImageSize;
use crate::transform::functional::Operation;

/// What RandAugment and TrivialAugment draw from, in torchvision's order.
pub(in crate::transform) const RANDOM_OPERATIONS: [Operation; 14] = [
    Operation::Identity,
    Operation::ShearX,
    Operation::ShearY,
    Operation::TranslateX,
    Operation::TranslateY,
    Operation::Rotate,
    Operation::Brightness,
    Operation::Color,
    Operation::Contrast,
    Operation::Sharpness,
    Operation::Posterize,
    Operation::Solarize,
    Operation::AutoContrast,
    Operation::Equalize,
];

/// The strongest magnitudes of a policy; the weakest are 0.
pub(in crate::transform) struct Space {
    shear: f64,
    /// A part of the image's side, or pixels.
    translate: Reach,
    rotate: f64,
    /// Brightness, color, contrast, sharpness.
    enhance: f64,
    /// Bits of the weakest posterization, and how many fewer the strongest keeps.
    posterize: [f64; 2],
}

enum Reach {
    Part(f64),
    Pixels(f64),
}

/// AutoAugment's and RandAugment's.
pub(in crate::transform) const AUTO: Space = Space {
    shear: 0.3,
    translate: Reach::Part(150.0 / 331.0),
    rotate: 30.0,
    enhance: 0.9,
    posterize: [8.0, 4.0],
};

/// TrivialAugmentWide's.
pub(in crate::transform) const WIDE: Space = Space {
    shear: 0.99,
    translate: Reach::Pixels(32.0),
    rotate: 135.0,
    enhance: 0.99,
    posterize: [8.0, 6.0],
};

/// AugMix's.
pub(in crate::transform) const MIX: Space = Space {
    shear: 0.3,
    translate: Reach::Part(1.0 / 3.0),
    rotate: 30.0,
    enhance: 0.9,
    posterize: [4.0, 4.0],
};

impl Space {
    /// The magnitude number `bin` of `num_bins`, at least 2, for an image of size `size`, and whether it may be negative.
    pub(in crate::transform) fn magnitude(
        &self,
        operation: Operation,
        bin: usize,
        num_bins: usize,
        size: ImageSize,
    ) -> (f64, bool) {
        let up_to = |most: f64| (linspace(0.0, most, bin, num_bins), true);
        let reach = |side: usize| match self.translate {
            Reach::Part(part) => part * side as f64,
            Reach::Pixels(pixels) => pixels,
        };
        match operation {
            Operation::ShearX | Operation::ShearY => up_to(self.shear),
            Operation::TranslateX => up_to(reach(size.width)),
            Operation::TranslateY => up_to(reach(size.height)),
            Operation::Rotate => up_to(self.rotate),
            Operation::Brightness | Operation::Color | Operation::Contrast | Operation::Sharpness => {
                up_to(self.enhance)
            }
            Operation::Posterize => {
                let [bits, fewer] = self.posterize;
                let step = (num_bins - 1) as f64 / fewer;
                (bits - f64::from(bin as f32 / step as f32).round_ties_even(), false)
            }
            Operation::Solarize => (linspace(255.0, 0.0, bin, num_bins), false),
            Operation::AutoContrast | Operation::Equalize | Operation::Invert | Operation::Identity => {
                (0.0, false)
            }
        }
    }
}

/// The magnitude, with a sign drawn evenly where it may have one.
pub(in crate::transform) fn signed(
    (magnitude, may_be_negative): (f64, bool),
    generator: &mut ChaCha8Rng,
) -> f64 {
    let is_negative = may_be_negative && below(generator, 2) == 1;
    if is_negative { -magnitude } else { magnitude }
}

/// Number `bin` of `num_bins` numbers evenly from `start` to `end`.
///
/// # Source
///
/// `torch.linspace`: f32, from the nearer end.
fn linspace(start: f64, end: f64, bin: usize, num_bins: usize) -> f64 {
    let (start, end) = (start as f32, end as f32);
    let step = (end - start) / (num_bins - 1) as f32;
    let value = match bin < num_bins / 2 {
        true => start + step * bin as f32,
        false => end - step * (num_bins - 1 - bin) as f32,
    };
    f64::from(value)
}
