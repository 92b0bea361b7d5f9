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
mod classes;
mod container;
mod digits;
mod emnist;
mod fashion_mnist;
mod idx;
mod image_bytes;
mod image_check;
mod image_files;
mod image_folder;
mod image_list;
mod image_zip;
mod imagenet;
mod interface;
mod kmnist;
mod list;
mod mat;
mod member;
mod mnist;
mod npy;
mod numpy;
mod parquet;
pub mod records;
mod shards;
mod stl10;
mod svhn;
mod synthetic;
mod tar_index;
mod thrift;
mod tiny_imagenet;
mod webdataset;
mod written;
mod zip_index;

pub use cifar10::Cifar10Config;
pub use cifar100::{Cifar100Config, Labels};
pub use digits::DigitsConfig;
pub use emnist::{EmnistConfig, EmnistSplit};
pub use fashion_mnist::FashionMnistConfig;
pub use image_folder::{
    FolderSurvey, ImageFolderConfig, ImageSizes, SplitSurvey, is_archive, is_image, survey,
};
pub use image_list::ImageListConfig;
pub use image_zip::ImageZipConfig;
pub use imagenet::ImagenetConfig;
pub use interface::{DatasetSource, OpenRequest, SampleSet, SharedDataset, Source, Wanted};
pub use kmnist::KmnistConfig;
pub use list::DatasetConfig;
pub use mnist::MnistConfig;
pub use numpy::{Layout, NumpyConfig};
pub use parquet::ParquetConfig;
pub use records::Records;
pub use stl10::Stl10Config;
pub use svhn::SvhnConfig;
pub use synthetic::SyntheticConfig;
pub use tiny_imagenet::TinyImagenetConfig;
pub use webdataset::WebdatasetConfig;
