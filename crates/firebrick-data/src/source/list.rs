//! The list of data sets: one line each.

use firebrick_component::components;

use super::cifar10::Cifar10Config;
use super::cifar100::Cifar100Config;
use super::digits::DigitsConfig;
use super::fashion_mnist::FashionMnistConfig;
use super::image_folder::ImageFolderConfig;
use super::interface::DatasetSource;
use super::mnist::MnistConfig;
use super::synthetic::SyntheticConfig;

components! {
    /// A data set by name with its arguments: `data.dataset`.
    pub enum DatasetConfig: dyn DatasetSource, "dataset" {
        /// CIFAR-10: 32x32 colour images of 10 classes.
        Cifar10(Cifar10Config) = "cifar10",
        /// CIFAR-100: 32x32 colour images, 100 fine classes.
        Cifar100(Cifar100Config) = "cifar100",
        /// MNIST: 28x28 grey handwritten digits, or any ten classes in its IDX format.
        Mnist(MnistConfig) = "mnist",
        /// Fashion-MNIST: 28x28 grey pictures of clothes.
        FashionMnist(FashionMnistConfig) = "fashion_mnist",
        /// 1,797 handwritten digits of 8x8, compiled into the program.
        Digits(DigitsConfig) = "digits",
        /// A folder of image files, `train/<class>/*` and `test/<class>/*`.
        ImageFolder(ImageFolderConfig) = "image_folder",
        /// Separable made-up classes, for tests.
        Synthetic(SyntheticConfig) = "synthetic",
    }
}
