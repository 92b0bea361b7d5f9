//! The networks that a config can name, one file each, and the list of them.

mod lenet;
pub mod sequential;
mod tudui;

use firebrick_component::components;

use crate::network::NetworkConfig;

pub use lenet::LeNetConfig;
pub use sequential::SequentialConfig;
pub use tudui::TuduiConfig;

components! {
    /// The `[model]` table of a config: which network, with which arguments.
    pub enum ModelConfig: dyn NetworkConfig, "model" {
        /// The PyTorch course's network for 3x32x32 images.
        Tudui(TuduiConfig) = "tudui",
        /// LeNet-5 for 1x32x32 images.
        LeNet(LeNetConfig) = "lenet",
        /// The layers that the config lists.
        Sequential(SequentialConfig) = "sequential",
    }
}

impl ModelConfig {
    /// The same model with another class count, for data whose classes are counted when read.
    #[must_use]
    pub fn with_num_classes(mut self, num_classes: usize) -> Self {
        self.set_num_classes(num_classes);
        self
    }
}
