//! From what a user asks for to a device.

use std::str::FromStr;

use burn::tensor::Device;

use super::device::{device_name, is_real_gpu};
use super::environment::check_environment;
use super::error::BackendError;
use super::name::BackendName;
use super::scope::scope;

/// What a user may ask for: `auto`, a name, or a name with an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendChoice {
    /// A real GPU if there is one, otherwise the best CPU backend of this build.
    Auto,
    /// This one.
    Named {
        /// Which backend.
        name: BackendName,
        /// Which of its devices; the first when absent.
        index: Option<usize>,
    },
}

/// A backend and one device of it, ready for tensors.
#[derive(Debug, Clone)]
pub struct Backend {
    /// Which backend.
    pub name: BackendName,
    /// Its device, without gradients; `.autodiff()` turns them on.
    pub device: Device,
    /// What the device calls itself.
    pub device_name: String,
}

impl Backend {
    /// Runs `work`, a training step or an evaluated batch, where using this backend costs least: see
    /// [`scope`](super::scope()).
    pub fn scope<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        scope(&self.device, work)
    }
}

impl FromStr for BackendChoice {
    type Err = BackendError;

    fn from_str(text: &str) -> Result<Self, BackendError> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let (name, index) = match text.split_once(':') {
            Some((name, index)) => (name, Some(index)),
            None => (text, None),
        };
        let name: BackendName = name.parse().map_err(|_| BackendError::unknown(text, name))?;
        let index = index
            .map(str::parse)
            .transpose()
            .map_err(|_| BackendError::Index { got: text.to_owned(), name: name.as_str() })?;
        Ok(Self::Named { name, index })
    }
}

impl BackendChoice {
    /// Opens the device.
    ///
    /// # Errors
    ///
    /// [`BackendError`] when it was not compiled in or finds no device, or when an environment variable that the
    /// kernels listen to has a value that means nothing.
    pub fn open(self) -> Result<Backend, BackendError> {
        check_environment()?;
        match self {
            Self::Auto => automatic(),
            Self::Named { name, index } => named(name, index),
        }
    }
}

fn named(backend: BackendName, index: Option<usize>) -> Result<Backend, BackendError> {
    let name = backend.as_str();
    if !backend.is_compiled() {
        return Err(BackendError::NotCompiled { name });
    }
    let devices = backend.devices();
    let count = devices.len();
    if count == 0 {
        return Err(BackendError::NoDevice { name, hint: backend.hint_for_missing_adapter() });
    }
    let index = index.unwrap_or(0);
    let device = devices.into_iter().nth(index).ok_or(BackendError::NoSuchDevice { name, count, index })?;
    Ok(Backend { name: backend, device_name: device_name(&device), device })
}

fn automatic() -> Result<Backend, BackendError> {
    let usable = |name: BackendName| {
        let mut devices = name.devices().into_iter();
        let device = if name.needs_real_gpu() { devices.find(is_real_gpu) } else { devices.next() };
        device.map(|device| Backend { name, device_name: device_name(&device), device })
    };
    BackendName::in_order_of_auto().into_iter().find_map(usable).ok_or(BackendError::NothingUsable)
}
