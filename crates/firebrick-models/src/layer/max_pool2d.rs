//! Maximum of the windows of an image.
//!
//! # Source
//!
//! `torch.nn.MaxPool2d`.

use firebrick_component::{ArgumentError, Component};
use firebrick_kernels::{Pool, max_pool2d};
use serde::{Deserialize, Serialize};

use super::base::{Activations, EpilogueStep, Gives, Layer};
use super::border::bordered;
use super::pair::Pair;
use super::parameters::Parameters;
use super::python::{self, int_or_tuple};
use super::window::Window;
use crate::shape::Shape;

/// `nn.MaxPool2d`: the largest number of each window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool2d {
    /// Height and width of the window.
    pub kernel_size: Pair,
    /// Steps between windows; the window's own size when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Pair>,
    /// Minus infinities added on both sides of height and width, at most half a window.
    #[serde(default = "Pair::zero")]
    pub padding: Pair,
    /// Whether there is a last window that reaches beyond the image, where one would begin in it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ceil_mode: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl MaxPool2d {
    /// `nn.MaxPool2d(kernel_size)`.
    pub fn new(kernel_size: impl Into<Pair>) -> Self {
        Self { kernel_size: kernel_size.into(), stride: None, padding: Pair::zero(), ceil_mode: false }
    }

    /// The same with another `stride`.
    #[must_use]
    pub fn stride(self, stride: impl Into<Pair>) -> Self {
        Self { stride: Some(stride.into()), ..self }
    }

    /// The same with another `padding`.
    #[must_use]
    pub fn padding(self, padding: impl Into<Pair>) -> Self {
        Self { padding: padding.into(), ..self }
    }

    /// The same with another `ceil_mode`.
    #[must_use]
    pub fn ceil_mode(self, ceil_mode: bool) -> Self {
        Self { ceil_mode, ..self }
    }

    /// Rows and columns that are missing behind an image for its last window, with `ceil_mode`.
    fn missing(&self, image: [usize; 2]) -> [usize; 2] {
        match self.ceil_mode {
            true => self.window().missing(image),
            false => [0, 0],
        }
    }

    fn window(&self) -> Window {
        Window::of_pool(self.kernel_size, self.stride, self.padding)
    }
}

impl Component for MaxPool2d {
    fn validate(&self) -> Result<(), ArgumentError> {
        self.window().validate_pool()
    }
}

impl Layer for MaxPool2d {
    fn output_shape(&self, input: Shape) -> Result<Shape, ArgumentError> {
        let [channels, height, width] = input.image()?;
        let [below, beside] = self.missing([height, width]);
        self.window().slide(channels, [channels, height + below, width + beside])
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        let images_nchw = x.images();
        let [_, _, height, width] = images_nchw.dims();
        let [below, beside] = self.missing([height, width]);
        if below + beside == 0 {
            return max_pool2d(images_nchw, self.window().pool_options()).into();
        }
        let taller = bordered(images_nchw.permute([0, 2, 3, 1]), 1, [0, below], f32::NEG_INFINITY);
        let images_nhwc = bordered(taller, 2, [0, beside], f32::NEG_INFINITY);
        max_pool2d(images_nhwc.permute([0, 3, 1, 2]), self.window().pool_options()).into()
    }

    fn repr(&self, _input: Shape) -> String {
        let Window { kernel_size, stride, padding, dilation } = self.window();
        format!(
            "MaxPool2d(kernel_size={}, stride={}, padding={}, dilation={}, ceil_mode={})",
            int_or_tuple(kernel_size.0),
            int_or_tuple(stride.0),
            int_or_tuple(padding.0),
            int_or_tuple(dilation.0),
            python::bool(self.ceil_mode),
        )
    }

    fn gives(&self) -> Gives {
        Gives::SameAsInput
    }

    fn as_epilogue(&self) -> Option<EpilogueStep> {
        let Window { kernel_size, stride, padding, .. } = self.window();
        let is_2x2 = [kernel_size, stride, padding] == [Pair::square(2), Pair::square(2), Pair::zero()];
        (is_2x2 && !self.ceil_mode).then_some(EpilogueStep::Pool(Pool::Max2x2))
    }
}
