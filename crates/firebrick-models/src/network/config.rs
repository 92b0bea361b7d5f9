//! What `[model]` of a config may hold: the trait of every network's arguments.

use burn::tensor::Device;
use firebrick_component::{ArgumentError, Component};

use super::model::Network;
use super::plan::NetworkPlan;
use crate::published::PublishedWeights;
use crate::whitening::Whitening;

/// A network's arguments, and the network that they describe.
///
/// Its [`validate`](Component::validate) refuses whatever [`build`](Self::build) does; `self.build().map(drop)` will do.
pub trait NetworkConfig: Component {
    /// `[channels, height, width]` of the images that the network takes.
    fn input_shape(&self) -> [usize; 3];

    /// Classes that the network tells apart.
    fn num_classes(&self) -> usize;

    /// The path of the argument that the class count comes from.
    fn num_classes_key(&self) -> String {
        "num_classes".to_owned()
    }

    /// Another class count, for data whose classes are counted when read.
    fn set_num_classes(&mut self, num_classes: usize);

    /// Weights that are published for the network with its default arguments; the last are the ones to take. None for most
    /// networks.
    fn published(&self) -> &'static [PublishedWeights] {
        &[]
    }

    /// The network's layers, checked.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] for the first argument that is wrong.
    fn build(&self) -> Result<NetworkPlan, ArgumentError>;

    /// The first convolution whose weight is made from the training images, if there is one.
    fn whitening(&self) -> Option<Whitening> {
        None
    }

    /// The network with torch's default initialisation; the same bits for the same `seed` on every device.
    ///
    /// # Panics
    ///
    /// If `validate` refuses the arguments.
    fn init(&self, seed: u64, device: &Device) -> Network {
        match self.build() {
            Ok(plan) => plan.init(seed, device),
            Err(error) => {
                unreachable!("bug: a network was made of arguments that were not validated: {error}")
            }
        }
    }
}
