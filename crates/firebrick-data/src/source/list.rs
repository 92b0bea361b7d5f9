//! The list of data sets: one line each.

use firebrick_component::components;

use super::cifar10::Cifar10Config;
use super::cifar100::Cifar100Config;
use super::digits::DigitsConfig;
use super::emnist::EmnistConfig;
use super::fashion_mnist::FashionMnistConfig;
use super::image_folder::ImageFolderConfig;
use super::image_list::ImageListConfig;
use super::image_zip::ImageZipConfig;
use super::imagenet::ImagenetConfig;
use super::interface::DatasetSource;
use super::kmnist::KmnistConfig;
use super::mnist::MnistConfig;
use super::numpy::NumpyConfig;
use super::parquet::ParquetConfig;
use super::stl10::Stl10Config;
use super::svhn::SvhnConfig;
use super::synthetic::SyntheticConfig;
use super::tiny_imagenet::TinyImagenetConfig;
use super::webdataset::WebdatasetConfig;

components! {
    /// A data set by name with its arguments: `data.dataset`.
    pub enum DatasetConfig: dyn DatasetSource, "dataset" {
        /// CIFAR-10: 32x32 colour images of 10 classes.
        Cifar10(Cifar10Config) = "cifar10",
        /// CIFAR-100: 32x32 colour images, 100 fine classes or 20 coarse ones.
        Cifar100(Cifar100Config) = "cifar100",
        /// MNIST: 28x28 grey handwritten digits, or any ten classes in its IDX format.
        Mnist(MnistConfig) = "mnist",
        /// Fashion-MNIST: 28x28 grey pictures of clothes.
        FashionMnist(FashionMnistConfig) = "fashion_mnist",
        /// Kuzushiji-MNIST: 28x28 grey handwritten Japanese letters.
        Kmnist(KmnistConfig) = "kmnist",
        /// EMNIST: 28x28 grey handwritten digits and letters.
        Emnist(EmnistConfig) = "emnist",
        /// SVHN: 32x32 colour digits of house numbers.
        Svhn(SvhnConfig) = "svhn",
        /// STL-10: 96x96 colour images of 10 classes.
        Stl10(Stl10Config) = "stl10",
        /// Tiny ImageNet: 64x64 colour images of 200 classes.
        TinyImagenet(TinyImagenetConfig) = "tiny_imagenet",
        /// ImageNet in the layout in which Kaggle gives it.
        Imagenet(ImagenetConfig) = "imagenet",
        /// 1,797 handwritten digits of 8x8, compiled into the program.
        Digits(DigitsConfig) = "digits",
        /// A folder of image files, `train/<class>/*` and `test/<class>/*`, or `<class>/*`.
        ImageFolder(ImageFolderConfig) = "image_folder",
        /// Image files that a `.csv`, `.tsv` or `.jsonl` file lists.
        ImageList(ImageListConfig) = "image_list",
        /// An image folder in a `.zip`.
        ImageZip(ImageZipConfig) = "image_zip",
        /// Parquet files as the Hugging Face hub stores image sets.
        Parquet(ParquetConfig) = "parquet",
        /// Tar archives as WebDataset writes them.
        Webdataset(WebdatasetConfig) = "webdataset",
        /// NumPy's `.npy` and `.npz` files.
        Numpy(NumpyConfig) = "numpy",
        /// Separable made-up classes, for tests.
        Synthetic(SyntheticConfig) = "synthetic",
    }
}
