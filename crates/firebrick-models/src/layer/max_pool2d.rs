//! Maximum of the windows of an image.
//!
//! # Source
//!
//! `torch.nn.MaxPool2d`.

use firebrick_component::{ArgumentError, Component};
use firebrick_kernels::{Pool, max_pool2d};
use serde::{Deserialize, Serialize};

use super::base::{Activations, EpilogueStep, Gives, Layer};
use super::pair::Pair;
use super::parameters::Parameters;
use super::python::int_or_tuple;
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
}

impl MaxPool2d {
    /// `nn.MaxPool2d(kernel_size)`.
    pub fn new(kernel_size: impl Into<Pair>) -> Self {
        Self { kernel_size: kernel_size.into(), stride: None, padding: Pair::zero() }
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
        let image = input.image()?;
        self.window().slide(image[0], image)
    }

    fn forward(&self, _parameters: &Parameters, x: Activations) -> Activations {
        max_pool2d(x.images(), self.window().pool_options()).into()
    }

    fn repr(&self, _input: Shape) -> String {
        let Window { kernel_size, stride, padding, dilation } = self.window();
        format!(
            "MaxPool2d(kernel_size={}, stride={}, padding={}, dilation={}, ceil_mode=False)",
            int_or_tuple(kernel_size.0),
            int_or_tuple(stride.0),
            int_or_tuple(padding.0),
            int_or_tuple(dilation.0),
        )
    }

    fn gives(&self) -> Gives {
        Gives::SameAsInput
    }

    fn as_epilogue(&self) -> Option<EpilogueStep> {
        let Window { kernel_size, stride, padding, .. } = self.window();
        let is_2x2 = [kernel_size, stride, padding] == [Pair::square(2), Pair::square(2), Pair::zero()];
        is_2x2.then_some(EpilogueStep::Pool(Pool::Max2x2))
    }
}
