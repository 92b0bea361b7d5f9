//! Convolution.
//!
//! # Source
//!
//! `torch.nn.Conv2d`.

use firebrick_component::{ArgumentError, Component, check};
use firebrick_kernels::{Conv2dOptions, conv2d_block};
use serde::{Deserialize, Serialize};

use super::base::{Activations, Epilogue, Gives, Layer};
use super::pair::Pair;
use super::parameters::{Init, ParameterSpec, Parameters};
use super::python;
use super::window::Window;
use crate::shape::{MAX_SIZE, Shape};
use crate::walk::Role;

/// `nn.Conv2d`; `in_channels` follows from what comes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv2d {
    /// Channels of the output.
    pub out_channels: usize,
    /// Height and width of the window.
    pub kernel_size: Pair,
    /// Steps between windows.
    #[serde(default = "Pair::one")]
    pub stride: Pair,
    /// Zeros added on both sides of height and width.
    #[serde(default = "Pair::zero")]
    pub padding: Pair,
    /// Steps between the elements of a window.
    #[serde(default = "Pair::one")]
    pub dilation: Pair,
    /// Blocks of channels that do not see each other.
    #[serde(default = "one_group")]
    pub groups: usize,
    /// Whether there is a bias.
    #[serde(default = "yes")]
    pub bias: bool,
}

fn one_group() -> usize {
    1
}

fn yes() -> bool {
    true
}

impl Conv2d {
    /// `nn.Conv2d(_, out_channels, kernel_size)`.
    pub fn new(out_channels: usize, kernel_size: impl Into<Pair>) -> Self {
        Self {
            out_channels,
            kernel_size: kernel_size.into(),
            stride: Pair::one(),
            padding: Pair::zero(),
            dilation: Pair::one(),
            groups: one_group(),
            bias: yes(),
        }
    }

    /// The same with another `stride`.
    #[must_use]
    pub fn stride(self, stride: impl Into<Pair>) -> Self {
        Self { stride: stride.into(), ..self }
    }

    /// The same with another `padding`.
    #[must_use]
    pub fn padding(self, padding: impl Into<Pair>) -> Self {
        Self { padding: padding.into(), ..self }
    }

    /// The same with another number of `groups`.
    #[must_use]
    pub fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// The same with or without a `bias`.
    #[must_use]
    pub fn bias(self, bias: bool) -> Self {
        Self { bias, ..self }
    }

    fn window(&self) -> Window {
        let Self { kernel_size, stride, padding, dilation, .. } = *self;
        Window { kernel_size, stride, padding, dilation }
    }

    /// The padding, and that at the bottom and on the right besides, with more zeros around the image; none if there would be
    /// more of them at the top or on the left.
    fn padding_with(&self, [left, right, top, bottom]: [usize; 4]) -> Option<[[usize; 2]; 2]> {
        let [vertical, horizontal] = self.padding.0;
        let extra = [bottom.checked_sub(top)?, right.checked_sub(left)?];
        Some([[vertical + top, horizontal + left], extra])
    }

    /// `[out, in / groups, height, width]`.
    fn weight_shape(&self, input: Shape) -> [usize; 4] {
        let [height, width] = self.kernel_size.0;
        [self.out_channels, input.channels() / self.groups, height, width]
    }
}

impl Component for Conv2d {
    fn validate(&self) -> Result<(), ArgumentError> {
        check::in_range("out_channels", self.out_channels, 1, MAX_SIZE)?;
        self.window().validate()?;
        check::in_range("groups", self.groups, 1, MAX_SIZE)?;
        let expected = format!("a divisor of out_channels = {}", self.out_channels);
        check::that(self.out_channels.is_multiple_of(self.groups), "groups", self.groups, expected)
    }
}

impl Layer for Conv2d {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        let image = input.image()?;
        let expected = format!("a divisor of the {} channels that come in", image[0]);
        check::that(image[0].is_multiple_of(self.groups), "groups", self.groups, expected)?;
        self.window().slide(self.out_channels, image)
    }

    fn parameters(&self, input: Shape) -> Vec<ParameterSpec> {
        let weight = self.weight_shape(input);
        let init = Init::KaimingUniform { fan_in: weight[1..].iter().product() };
        let mut specs = vec![ParameterSpec::new("weight", Role::Weight, weight, init)];
        if self.bias {
            specs.push(ParameterSpec::new("bias", Role::Bias, [self.out_channels], init));
        }
        specs
    }

    fn forward(&self, parameters: &Parameters, x: Activations) -> Activations {
        self.forward_fused(parameters, x, Epilogue::default(), None)
    }

    /// torch leaves out padding, dilation, groups and bias where they have their default.
    fn repr(&self, input: Shape) -> String {
        let mut text = format!(
            "Conv2d({}, {}, kernel_size={}, stride={}",
            input.channels(),
            self.out_channels,
            python::tuple(self.kernel_size.0),
            python::tuple(self.stride.0)
        );
        if self.padding != Pair::zero() {
            text += &format!(", padding={}", python::tuple(self.padding.0));
        }
        if self.dilation != Pair::one() {
            text += &format!(", dilation={}", python::tuple(self.dilation.0));
        }
        if self.groups != one_group() {
            text += &format!(", groups={}", self.groups);
        }
        if !self.bias {
            text += ", bias=False";
        }
        text + ")"
    }

    fn gives(&self) -> Gives {
        Gives::Scores
    }

    fn multiply_adds(&self, input: Shape, output: Shape) -> u64 {
        let per_output: usize = self.weight_shape(input)[1..].iter().product();
        per_output as u64 * output.num_elements() as u64
    }

    fn fuses(&self, epilogue: Epilogue) -> bool {
        !epilogue.residual
            && epilogue.activation.fused().is_some()
            && self.padding_with(epilogue.zeros_before).is_some()
    }

    fn forward_fused(
        &self,
        parameters: &Parameters,
        x: Activations,
        epilogue: Epilogue,
        _residual: Option<Activations>,
    ) -> Activations {
        let bias = self.bias.then(|| parameters.vector(1));
        let Some([padding, extra_padding]) = self.padding_with(epilogue.zeros_before) else {
            unreachable!("bug: {self:?} was given {epilogue:?}, which it does not fuse")
        };
        let options = Conv2dOptions {
            stride: self.stride.0,
            padding,
            extra_padding,
            dilation: self.dilation.0,
            groups: self.groups,
        };
        let weight_oihw = parameters.kernel(0);
        conv2d_block(x.images(), weight_oihw, bias, options, epilogue.activation, epilogue.pool).into()
    }
}
