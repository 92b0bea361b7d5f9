//! The networks that a config can name, one file for each paper, and the list of them.
//!
//! | file | its one job |
//! |---|---|
//! | `arguments.rs` | what the arguments of published networks have in common |
//! | `parts.rs` | what several of them are made of, with torchvision's names |
//! | `sequential/` | a network that a config describes |
//! | the others | the networks of one paper each |

mod airbench94;
mod alexnet;
mod arguments;
mod convnext;
mod densenet;
mod efficientnet;
mod efficientnet_lite;
mod lenet;
mod mobilenet_v2;
mod mobilenet_v3;
mod parts;
mod regnet;
mod resnet;
pub mod sequential;
mod shufflenet_v2;
mod squeezenet;
mod tudui;
mod vgg;

use firebrick_component::components;

use crate::network::NetworkConfig;

pub use airbench94::Airbench94Config;
pub use alexnet::AlexNetConfig;
pub use convnext::{ConvNextSmallConfig, ConvNextTinyConfig};
pub use densenet::DenseNet121Config;
pub use efficientnet::EfficientNetB0Config;
pub use efficientnet_lite::EfficientNetLite0Config;
pub use lenet::LeNetConfig;
pub use mobilenet_v2::MobileNetV2Config;
pub use mobilenet_v3::{MobileNetV3LargeConfig, MobileNetV3SmallConfig};
pub use regnet::RegNetY400MfConfig;
pub use resnet::{
    ResNeXt50Config, ResNet18Config, ResNet20Config, ResNet34Config, ResNet50Config, ResNet56Config,
    ResNet101Config, ResNet110Config, Stem, WideResNet50Config,
};
pub use sequential::SequentialConfig;
pub use shufflenet_v2::ShuffleNetV2Config;
pub use squeezenet::SqueezeNetConfig;
pub use tudui::TuduiConfig;
pub use vgg::{
    Vgg11BnConfig, Vgg11Config, Vgg13BnConfig, Vgg13Config, Vgg16BnConfig, Vgg16Config, Vgg19BnConfig,
    Vgg19Config,
};

components! {
    /// The `[model]` table of a config: which network, with which arguments.
    pub enum ModelConfig: dyn NetworkConfig, "model" {
        /// The PyTorch course's network for 3x32x32 images.
        Tudui(TuduiConfig) = "tudui",
        /// LeNet-5 for 1x32x32 images.
        LeNet(LeNetConfig) = "lenet",
        /// The layers that the config lists.
        Sequential(SequentialConfig) = "sequential",
        /// ResNet with 20 layers, for CIFAR.
        ResNet20(ResNet20Config) = "resnet20",
        /// ResNet with 56 layers, for CIFAR.
        ResNet56(ResNet56Config) = "resnet56",
        /// ResNet with 110 layers, for CIFAR.
        ResNet110(ResNet110Config) = "resnet110",
        /// airbench94, for CIFAR.
        Airbench94(Airbench94Config) = "airbench94",
        /// ResNet with 18 layers.
        ResNet18(ResNet18Config) = "resnet18",
        /// ResNet with 34 layers.
        ResNet34(ResNet34Config) = "resnet34",
        /// ResNet with 50 layers.
        ResNet50(ResNet50Config) = "resnet50",
        /// ResNet with 101 layers.
        ResNet101(ResNet101Config) = "resnet101",
        /// ResNeXt with 50 layers and 32 groups of 4 channels.
        ResNeXt50(ResNeXt50Config) = "resnext50_32x4d",
        /// ResNet with 50 layers, twice as wide inside.
        WideResNet50(WideResNet50Config) = "wide_resnet50_2",
        /// VGG with 11 layers.
        Vgg11(Vgg11Config) = "vgg11",
        /// VGG with 11 layers and norms.
        Vgg11Bn(Vgg11BnConfig) = "vgg11_bn",
        /// VGG with 13 layers.
        Vgg13(Vgg13Config) = "vgg13",
        /// VGG with 13 layers and norms.
        Vgg13Bn(Vgg13BnConfig) = "vgg13_bn",
        /// VGG with 16 layers.
        Vgg16(Vgg16Config) = "vgg16",
        /// VGG with 16 layers and norms.
        Vgg16Bn(Vgg16BnConfig) = "vgg16_bn",
        /// VGG with 19 layers.
        Vgg19(Vgg19Config) = "vgg19",
        /// VGG with 19 layers and norms.
        Vgg19Bn(Vgg19BnConfig) = "vgg19_bn",
        /// AlexNet.
        AlexNet(AlexNetConfig) = "alexnet",
        /// SqueezeNet 1.1.
        SqueezeNet(SqueezeNetConfig) = "squeezenet1_1",
        /// DenseNet with 121 layers.
        DenseNet121(DenseNet121Config) = "densenet121",
        /// MobileNetV2.
        MobileNetV2(MobileNetV2Config) = "mobilenet_v2",
        /// MobileNetV3, small.
        MobileNetV3Small(MobileNetV3SmallConfig) = "mobilenet_v3_small",
        /// MobileNetV3, large.
        MobileNetV3Large(MobileNetV3LargeConfig) = "mobilenet_v3_large",
        /// ShuffleNetV2.
        ShuffleNetV2(ShuffleNetV2Config) = "shufflenet_v2_x1_0",
        /// RegNetY of 400 million multiply-adds.
        RegNetY400Mf(RegNetY400MfConfig) = "regnet_y_400mf",
        /// EfficientNet-Lite0.
        EfficientNetLite0(EfficientNetLite0Config) = "efficientnet_lite0",
        /// EfficientNet-B0.
        EfficientNetB0(EfficientNetB0Config) = "efficientnet_b0",
        /// ConvNeXt, tiny.
        ConvNextTiny(ConvNextTinyConfig) = "convnext_tiny",
        /// ConvNeXt, small.
        ConvNextSmall(ConvNextSmallConfig) = "convnext_small",
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
