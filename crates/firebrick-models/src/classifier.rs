//! What every network is, written as data or by hand.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::network::Network;

/// A network that gives each image of a batch one score per class.
///
/// # Shapes
///
/// Every implementation takes `images_nchw` of shape `[n, channels, height, width]` with
/// `[channels, height, width]` equal to [`input_shape`](Self::input_shape), and gives `logits_nk`
/// of shape `[n, num_classes]`. Burn panics on any other shape, so callers check the shape once,
/// before the first batch.
pub trait ImageClassifier: Module + Sync {
    /// The class name of the PyTorch original, as `print(net)` shows it.
    fn name(&self) -> String;

    /// Scores before softmax.
    ///
    /// # Shapes
    ///
    /// - `images_nchw`: `[n, channels, height, width]`
    /// - result `logits_nk`: `[n, num_classes]`
    fn forward(&self, images_nchw: Tensor<4>) -> Tensor<2>;

    /// `[channels, height, width]` of one image.
    fn input_shape(&self) -> [usize; 3];

    /// How many classes the last layer tells apart.
    fn num_classes(&self) -> usize;

    /// Whether `forward` gives each class a probability by itself, as behind a sigmoid; otherwise its softmax is the
    /// probability.
    fn gives_probabilities(&self) -> bool {
        self.network().is_some_and(|network| network.plan().gives_probabilities())
    }

    /// The network as data, from which its layers can be read; none for one whose `forward` is written by hand.
    fn network(&self) -> Option<&Network> {
        None
    }
}

impl ImageClassifier for Network {
    fn name(&self) -> String {
        self.plan().name().to_owned()
    }

    fn forward(&self, images_nchw: Tensor<4>) -> Tensor<2> {
        Self::forward(self, images_nchw)
    }

    fn input_shape(&self) -> [usize; 3] {
        self.plan().input_shape()
    }

    fn num_classes(&self) -> usize {
        self.plan().num_classes()
    }

    fn network(&self) -> Option<&Network> {
        Some(self)
    }
}
