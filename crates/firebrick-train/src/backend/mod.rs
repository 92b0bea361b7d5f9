//! From a backend's name to a device: what was compiled in, and what this machine has.
//!
//! One file is one backend: its name, its devices and what a user should know of it. A new one is such a file, its
//! `mod` below and its line in `list.rs`, and a Cargo feature that turns on Burn's.

mod choice;
mod device;
mod entry;
mod environment;
mod error;
mod list;
mod name;
mod scope;

mod cpu;
mod cuda;
mod flex;
mod metal;
mod ndarray;
mod rocm;
mod vulkan;
mod wgpu;

pub use choice::{Backend, BackendChoice};
pub use device::device_name;
pub use environment::{check_environment, misspelt_variables};
pub use error::BackendError;
pub use name::BackendName;
pub use scope::{own_process, scope};

pub(crate) use error::known;
pub(crate) use scope::slow_build;
