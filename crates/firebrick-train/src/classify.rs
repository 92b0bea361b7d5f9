//! The classes of one image, as a network sees them.

use burn::tensor::{Device, Tensor, TensorData};
use firebrick_data::{Image, Preprocess};
use firebrick_models::ImageClassifier;

use crate::error::TrainError;
use crate::read_back::{f32_values, read_back_f32};
use crate::softmax::Probabilities;

/// The probability of one class.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Position among the classes.
    pub class: usize,
    /// The class's name.
    pub name: String,
    /// 0 to 1: the softmax of the network's outputs, or the output itself where the network ends in a sigmoid.
    pub probability: f64,
}

/// Class probabilities of one image, the most probable first. `class_names` are those of the network's outputs.
///
/// # Errors
///
/// [`TrainError::Data`] when the image cannot be brought to the network's input; [`TrainError::Device`].
pub(crate) fn predict<M: ImageClassifier>(
    model: &M,
    preprocess: &Preprocess,
    class_names: &[String],
    image: &Image,
    device: &Device,
) -> Result<Vec<Prediction>, TrainError> {
    let pixels = preprocess.apply(image)?;
    let [channels, height, width] = model.input_shape();
    let data = TensorData::new(pixels, [1, channels, height, width]);
    let images_nchw = Tensor::<4>::from_data(data, device);
    let logits = read_back_f32(model.forward(images_nchw), "the logits")?;
    let scores = f32_values(&logits);
    let probabilities = Probabilities::of(scores, model.gives_probabilities());
    let named = scores.iter().zip(class_names).enumerate();
    let mut predictions: Vec<Prediction> = named
        .map(|(class, (score, name))| Prediction {
            class,
            name: name.clone(),
            probability: probabilities.of_score(*score),
        })
        .collect();
    predictions.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    Ok(predictions)
}
