//! Published weights: which file a network has, and how its images are prepared.
//!
//! A network names its own in its file ([`NetworkConfig::published`](crate::NetworkConfig::published)). Nothing is fetched
//! here; `firebrick_train::published` does that.
//!
//! # Source
//!
//! The `Weights` enums of `torchvision.models`: addresses, preprocessing, accuracy. `tests/golden/make_published.py`
//! writes them down, and a test compares. A file's name ends in the first digits of its SHA-256, as `torch.hub` has it.

/// Where torchvision's files lie.
const TORCHVISION: &str = "https://download.pytorch.org/models";

/// Mean of ImageNet's pixels / 255, red, green and blue.
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Their standard deviation.
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

/// Classes of ImageNet-1K, which all published weights tell apart.
pub const NUM_IMAGENET_CLASSES: usize = 1000;

/// Weights that somebody has published for a network. They have ImageNet's 1000 classes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PublishedWeights {
    /// What `model.weights` calls them: `imagenet1k_v1`, `imagenet1k_v2`.
    pub name: &'static str,
    /// The file's name, which ends in the first digits of its SHA-256: `resnet18-f37072fd.pth`.
    pub file: &'static str,
    /// Where it is had.
    pub address: Address,
    /// Its size in MiB.
    pub mebibytes: f64,
    /// How their images are prepared.
    pub recipe: Recipe,
    /// Accuracy on ImageNet's validation images as published, in percent; none where nothing is published.
    pub top1: Option<f64>,
}

/// Where a file of published weights is had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// Under this address, without the file's name.
    Url(&'static str),
    /// There is no plain address; this says in words how to get the file.
    ByHand(&'static str),
}

/// How images are prepared for published weights, in training, evaluation and prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// What the shorter side becomes, pixels.
    pub shorter: usize,
    /// Side of the square that is cut out of the middle, pixels.
    pub crop: usize,
    /// How pixels are interpolated.
    pub interpolation: Interpolation,
    /// Mean of pixels / 255 that is taken away.
    pub mean: [f32; 3],
    /// Standard deviation that is divided by.
    pub std: [f32; 3],
}

/// How pixels are interpolated when an image is made smaller; every source pixel counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interpolation {
    /// A triangle.
    Bilinear,
    /// A cubic.
    Bicubic,
}

impl Recipe {
    /// Most files': shorter side 256, the middle 224 of it, bilinear, ImageNet's mean and deviation.
    pub const IMAGENET: Self = Self {
        shorter: 256,
        crop: 224,
        interpolation: Interpolation::Bilinear,
        mean: IMAGENET_MEAN,
        std: IMAGENET_STD,
    };

    /// What the shorter side becomes for a network that takes images of another size: the part that the crop keeps stays
    /// the same.
    ///
    /// `height` and `width` are those of the network's images.
    pub fn shorter_for(&self, height: usize, width: usize) -> usize {
        let side = height.max(width);
        (side * self.shorter).div_ceil(self.crop).max(side)
    }
}

impl PublishedWeights {
    /// torchvision's `IMAGENET1K_V1`; most are prepared as [`Recipe::IMAGENET`].
    pub const fn v1(file: &'static str, mebibytes: f64, top1: f64) -> Self {
        Self::torchvision("imagenet1k_v1", file, mebibytes, top1)
    }

    /// torchvision's `IMAGENET1K_V2`, of its later recipe for training: a shorter side of 232.
    pub const fn v2(file: &'static str, mebibytes: f64, top1: f64) -> Self {
        Self::torchvision("imagenet1k_v2", file, mebibytes, top1).shorter(232)
    }

    const fn torchvision(name: &'static str, file: &'static str, mebibytes: f64, top1: f64) -> Self {
        let address = Address::Url(TORCHVISION);
        Self { name, file, address, mebibytes, recipe: Recipe::IMAGENET, top1: Some(top1) }
    }

    /// With another shorter side before the crop.
    pub const fn shorter(mut self, shorter: usize) -> Self {
        self.recipe.shorter = shorter;
        self
    }

    /// With bicubic interpolation.
    pub const fn bicubic(mut self) -> Self {
        self.recipe.interpolation = Interpolation::Bicubic;
        self
    }

    /// The first digits of the file's SHA-256, which its name has.
    ///
    /// # Source
    ///
    /// `torch.hub.HASH_REGEX`: what stands between the last `-` and the dot.
    ///
    /// # Panics
    ///
    /// If the name has none, which is a mistake of whoever published it in the network's file.
    pub fn sha256_prefix(&self) -> &'static str {
        let stem = self.file.rsplit_once('.').map_or(self.file, |(stem, _ending)| stem);
        match stem.rsplit_once('-') {
            Some((_, digits)) if is_hash(digits) => digits,
            _ => unreachable!("bug: `{}` does not end in digits of its SHA-256", self.file),
        }
    }
}

fn is_hash(digits: &str) -> bool {
    digits.len() >= 8 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// The names of ImageNet's 1000 classes, in the order of the networks' outputs. Two names stand twice in it.
///
/// # Source
///
/// `torchvision.models._meta._IMAGENET_CATEGORIES`.
pub fn imagenet_classes() -> impl Iterator<Item = &'static str> {
    include_str!("published/imagenet_classes.txt").lines()
}
