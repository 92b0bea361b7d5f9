//! What each layer makes of the shape that comes in, and every way in which it does not fit.

use std::fmt;

use super::layer_config::{
    AdaptiveAvgPool2dConfig, Conv2dConfig, DropoutConfig, LayerConfig, LinearConfig, Pool2dConfig,
};
use super::pair::Pair;
use crate::batch_norm::BatchNorm2dConfig;
use crate::registry::{MAX_CLASSES, ModelError};
use crate::window::Window;

/// Largest count or size in an argument; larger ones are typing errors.
pub const MAX_SIZE: usize = 1 << 16;

/// Most numbers that one image may become between two layers, 1 GiB as f32.
pub const MAX_ACTIVATIONS: usize = 1 << 28;

/// Most parameters that a network may have, 4 GiB as f32.
pub const MAX_PARAMETERS: usize = 1 << 30;

/// What goes from layer to layer, without the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `[channels, height, width]`, before `flatten`.
    Image([usize; 3]),
    /// After it.
    Features(usize),
}

impl Shape {
    /// torch's `in_channels`, `num_features` or `in_features`.
    pub(super) fn channels(self) -> usize {
        match self {
            Self::Image([channels, _, _]) => channels,
            Self::Features(count) => count,
        }
    }

    fn num_elements(self) -> usize {
        match self {
            Self::Image(sizes) => product(&sizes),
            Self::Features(count) => count,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image([channels, height, width]) => write!(f, "an image of {channels}x{height}x{width}"),
            Self::Features(count) => write!(f, "{count} features"),
        }
    }
}

/// The shape behind every layer.
///
/// # Errors
///
/// [`ModelError`] names the first layer that does not fit.
pub(super) fn infer(input_shape: [usize; 3], layers: &[LayerConfig]) -> Result<Vec<Shape>, ModelError> {
    let mut shape = Shape::Image(input_shape);
    if input_shape.iter().any(|size| !(1..=MAX_SIZE).contains(size)) || shape.num_elements() > MAX_ACTIVATIONS
    {
        return Err(ModelError::InputShape { input_shape });
    }
    let mut shapes = Vec::with_capacity(layers.len());
    let mut num_parameters = 0_usize;
    for (index, layer) in layers.iter().enumerate() {
        let refused = |problem| ModelError::Layer { index, layer: layer.name(), problem };
        num_parameters = num_parameters.saturating_add(num_parameters_of(layer, shape));
        shape = output(layer, shape).map_err(refused)?;
        if shape.num_elements() > MAX_ACTIVATIONS {
            return Err(refused(format!("expected at most {MAX_ACTIVATIONS} numbers an image, got {shape}")));
        }
        if num_parameters > MAX_PARAMETERS {
            let problem =
                format!("expected at most {MAX_PARAMETERS} parameters, got {num_parameters} so far");
            return Err(refused(problem));
        }
        shapes.push(shape);
    }
    match layers.last() {
        None => Err(ModelError::NoLayers),
        Some(LayerConfig::Linear(_)) => Ok(shapes),
        Some(other) => Err(ModelError::Layer {
            index: layers.len() - 1,
            layer: other.name(),
            problem: "expected a `linear` as the last layer, with one of out_features for each class"
                .to_owned(),
        }),
    }
}

fn output(layer: &LayerConfig, input: Shape) -> Result<Shape, String> {
    match layer {
        LayerConfig::Conv2d(conv) => conv2d(conv, image(input)?),
        LayerConfig::BatchNorm2d(norm) => batch_norm2d(norm, image(input)?),
        LayerConfig::MaxPool2d(pool) | LayerConfig::AvgPool2d(pool) => pool2d(pool, image(input)?),
        LayerConfig::AdaptiveAvgPool2d(pool) => adaptive_avg_pool2d(pool, image(input)?),
        LayerConfig::Dropout(dropout) => check_dropout(dropout).map(|()| input),
        LayerConfig::Relu(_) => Ok(input),
        LayerConfig::Flatten(_) => Ok(Shape::Features(input.num_elements())),
        LayerConfig::Linear(linear_config) => linear(linear_config, input),
    }
}

fn image(input: Shape) -> Result<[usize; 3], String> {
    match input {
        Shape::Image(sizes) => Ok(sizes),
        Shape::Features(_) => Err(format!("expected an image, got {input}; put it before `flatten`")),
    }
}

fn conv2d(conv: &Conv2dConfig, image: [usize; 3]) -> Result<Shape, String> {
    let Conv2dConfig { out_channels, kernel_size, stride, padding, dilation, groups, .. } = *conv;
    check_size("out_channels", out_channels, 1, MAX_SIZE)?;
    check_size("groups", groups, 1, MAX_SIZE)?;
    check_pair("kernel_size", kernel_size, 1)?;
    check_pair("stride", stride, 1)?;
    check_pair("padding", padding, 0)?;
    check_pair("dilation", dilation, 1)?;
    let in_channels = image[0];
    if !in_channels.is_multiple_of(groups) {
        return Err(format!(
            "groups: expected a divisor of the {in_channels} channels that come in, got {groups}"
        ));
    }
    if !out_channels.is_multiple_of(groups) {
        return Err(format!("groups: expected a divisor of out_channels = {out_channels}, got {groups}"));
    }
    let window = Window::new(kernel_size.0, stride.0);
    slide(Window { padding: padding.0, dilation: dilation.0, ..window }, out_channels, image)
}

fn batch_norm2d(norm: &BatchNorm2dConfig, image: [usize; 3]) -> Result<Shape, String> {
    if !(norm.eps > 0.0 && norm.eps.is_finite()) {
        return Err(format!("eps: expected a number above 0, got {}", norm.eps));
    }
    if !(0.0..=1.0).contains(&norm.momentum) {
        return Err(format!("momentum: expected 0 to 1, got {}", norm.momentum));
    }
    Ok(Shape::Image(image))
}

fn pool2d(pool: &Pool2dConfig, image: [usize; 3]) -> Result<Shape, String> {
    let Pool2dConfig { kernel_size, padding, .. } = *pool;
    let stride = pool.stride.unwrap_or(kernel_size);
    check_pair("kernel_size", kernel_size, 1)?;
    check_pair("stride", stride, 1)?;
    check_pair("padding", padding, 0)?;
    let half = Pair(kernel_size.0.map(|size| size / 2));
    if padding.0[0] > half.0[0] || padding.0[1] > half.0[1] {
        return Err(format!("padding: expected at most {half}, half of kernel_size, got {padding}"));
    }
    slide(Window { padding: padding.0, ..Window::new(kernel_size.0, stride.0) }, image[0], image)
}

fn adaptive_avg_pool2d(pool: &AdaptiveAvgPool2dConfig, [channels, ..]: [usize; 3]) -> Result<Shape, String> {
    match pool.output_size {
        Pair([1, 1]) => Ok(Shape::Image([channels, 1, 1])),
        other => Err(format!("output_size: expected 1, the average of each channel, got {other}")),
    }
}

fn check_dropout(dropout: &DropoutConfig) -> Result<(), String> {
    match (0.0..1.0).contains(&dropout.p) {
        true => Ok(()),
        false => Err(format!("p: expected 0 to below 1, got {}", dropout.p)),
    }
}

fn linear(linear: &LinearConfig, input: Shape) -> Result<Shape, String> {
    check_size("out_features", linear.out_features, 1, MAX_CLASSES)?;
    match input {
        Shape::Features(_) => Ok(Shape::Features(linear.out_features)),
        Shape::Image(_) => Err(format!("expected features, got {input}; put a `flatten` before it")),
    }
}

/// The image that a window leaves behind.
fn slide(window: Window, channels: usize, image: [usize; 3]) -> Result<Shape, String> {
    let [_, height, width] = image;
    match window.output([height, width]) {
        [0, _] | [_, 0] => {
            let room = Pair(window.padded([height, width]));
            let reach = Pair(window.reach());
            let dilated = if window.dilation == [1, 1] { "" } else { " with its dilation" };
            Err(format!(
                "kernel_size: expected at most {room}, which is {} with its padding, got {reach}{dilated}",
                Shape::Image(image)
            ))
        }
        [height, width] => Ok(Shape::Image([channels, height, width])),
    }
}

fn check_size(argument: &str, size: usize, least: usize, most: usize) -> Result<(), String> {
    match (least..=most).contains(&size) {
        true => Ok(()),
        false => Err(format!("{argument}: expected {least} to {most}, got {size}")),
    }
}

fn check_pair(argument: &str, pair: Pair, least: usize) -> Result<(), String> {
    pair.0.iter().try_for_each(|size| check_size(argument, *size, least, MAX_SIZE))
}

/// Upper bounds will do: biases are counted whether they are there or not.
fn num_parameters_of(layer: &LayerConfig, input: Shape) -> usize {
    let inputs = input.channels();
    match layer {
        LayerConfig::Conv2d(conv) => {
            let [height, width] = conv.kernel_size.0;
            let weights = product(&[conv.out_channels, inputs, height, width]) / conv.groups.max(1);
            weights.saturating_add(conv.out_channels)
        }
        LayerConfig::BatchNorm2d(_) => 2 * inputs,
        LayerConfig::Linear(linear) => product(&[linear.out_features, inputs.saturating_add(1)]),
        _ => 0,
    }
}

fn product(factors: &[usize]) -> usize {
    factors.iter().fold(1, |product: usize, factor| product.saturating_mul(*factor))
}
