//! Where samples come from.
//!
//! A data set is one file, which implements [`DatasetSource`], and one line in `list.rs`; a program adds its
//! own by [`DatasetConfig::register`]. Each file says how the data set is found and read, its mean and standard
//! deviation, and what a download fetches. `cifar` and `idx` are the formats that two data sets share,
//! `container` reads named files out of a folder or an archive alike, and [`records`] is the table in memory that
//! all formats of one image size end up in.

mod cifar;
mod cifar10;
mod cifar100;
mod cifar_binary;
mod cifar_pickle;
mod cifar_variant;
mod container;
mod digits;
mod fashion_mnist;
mod idx;
mod image_folder;
mod interface;
mod list;
mod mnist;
pub mod records;
mod synthetic;

pub use cifar10::Cifar10Config;
pub use cifar100::Cifar100Config;
pub use digits::DigitsConfig;
pub use fashion_mnist::FashionMnistConfig;
pub use image_folder::{
    FolderSurvey, ImageFolder, ImageFolderConfig, ImageSizes, SplitSurvey, is_archive, is_image, survey,
};
pub use interface::{DatasetSource, OpenRequest, SampleSet, SharedDataset, Source, Wanted};
pub use list::DatasetConfig;
pub use mnist::MnistConfig;
pub use records::Records;
pub use synthetic::SyntheticConfig;
