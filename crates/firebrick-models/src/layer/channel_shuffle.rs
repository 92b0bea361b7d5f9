//! Channels of several groups dealt out in turns.
//!
//! # Source
//!
//! X. Zhang et al., "ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices", 2017;
//! `torch.nn.ChannelShuffle`.

use firebrick_component::{ArgumentError, Component, check};
use serde::{Deserialize, Serialize};

use super::base::{Activations, Gives, Layer};
use super::parameters::Parameters;
use crate::shape::{MAX_SIZE, Shape};

/// `nn.ChannelShuffle`: the first channel of each group, then the second of each, and so on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelShuffle {
    /// How many groups the channels are in before.
    pub groups: usize,
}

impl Component for ChannelShuffle {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("groups", self.groups, 1, MAX_SIZE)
    }
}

impl Layer for ChannelShuffle {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        let image = input.image()?;
        let expected = format!("a divisor of the {} channels that come in", image[0]);
        check::that(image[0].is_multiple_of(self.groups), "groups", self.groups, expected)?;
        Ok(input)
    }

    /// With the channels last, as they lie in memory on the CPU.
    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        let images_nchw = x.images();
        let [n, c, h, w] = images_nchw.dims();
        let groups = images_nchw.permute([0, 2, 3, 1]).reshape([n * h * w, self.groups, c / self.groups]);
        groups.swap_dims(1, 2).reshape([n, h, w, c]).permute([0, 3, 1, 2]).into()
    }

    fn repr(&self, _input: Shape) -> String {
        format!("ChannelShuffle(groups={})", self.groups)
    }

    fn gives(&self) -> Gives {
        Gives::SameAsInput
    }
}
