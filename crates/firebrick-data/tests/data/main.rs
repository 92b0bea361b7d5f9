//! One test binary for the crate: every binary links all of Burn.

#![allow(clippy::unwrap_used, missing_docs)]

mod augment;
mod augment_loader;
mod bad_arguments;
mod bad_cifar;
mod bad_idx;
mod bad_image_folder;
mod bad_pickle;
mod bad_sources;
mod balance;
mod cifar;
mod cutmix;
mod damaged_images;
mod download;
mod draws;
mod functional;
mod idx;
mod image_folder;
mod large_images;
mod loader;
mod mixup;
mod on_bad_image;
mod own;
mod same_samples;
mod shared_download;
mod small_sources;
mod splits;
mod steps;
mod support;
mod transform;
mod wrong_values;
