//! Networks as a config would describe them: a stack of depthwise separable convolutions, and linear layers.

use firebrick::models::sequential::{
    AdaptiveAvgPool2dConfig, Conv2dConfig, LayerConfig, LinearConfig, NoArguments, Pair, SequentialConfig,
};

/// A network that cannot be made is a mistake here.
type Failure = Box<dyn std::error::Error>;

const IMAGES: [usize; 3] = [3, 32, 32];

/// MobileNet's beginning for images of 32 by 32.
pub fn mobilenet() -> Result<SequentialConfig, Failure> {
    let mut layers = Vec::new();
    let mut add = |out_channels: usize, kernel: usize, stride: usize, groups: usize| {
        let convolution = Conv2dConfig {
            stride: Pair::square(stride),
            padding: Pair::square(kernel / 2),
            groups,
            bias: false,
            ..Conv2dConfig::new(out_channels, Pair::square(kernel))
        };
        let norm = LayerConfig::BatchNorm2d(Default::default());
        layers.extend([LayerConfig::Conv2d(convolution), norm, LayerConfig::Relu(NoArguments {})]);
    };
    add(32, 3, 1, 1);
    let mut channels = 32;
    for (width, stride) in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] {
        add(channels, 3, stride, channels);
        add(width, 1, 1, 1);
        channels = width;
    }
    layers.push(LayerConfig::AdaptiveAvgPool2d(AdaptiveAvgPool2dConfig { output_size: Pair::square(1) }));
    layers.push(LayerConfig::Flatten(NoArguments {}));
    layers.push(linear(10));
    Ok(SequentialConfig::new(IMAGES, layers, None)?)
}

/// Linear layers of 2048, 1024 and 10 outputs.
pub fn mlp() -> Result<SequentialConfig, Failure> {
    let relu = || LayerConfig::Relu(NoArguments {});
    let flatten = LayerConfig::Flatten(NoArguments {});
    let layers = vec![flatten, linear(2048), relu(), linear(1024), relu(), linear(10)];
    Ok(SequentialConfig::new(IMAGES, layers, None)?)
}

fn linear(out_features: usize) -> LayerConfig {
    LayerConfig::Linear(LinearConfig { out_features, bias: true })
}
