//! From a backend's name to a device: what was compiled in, and what this machine has.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
pub use firebrick_kernels::join_kernel_threads;
#[cfg(feature = "mimalloc")]
pub use firebrick_kernels::keep_freed_memory;
use firebrick_kernels::near_kernels;
use serde::Serialize;
use thiserror::Error;

/// The backends Firebrick knows, whether or not this build holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendName {
    /// Burn's ndarray backend, on the CPU.
    NdArray,
    /// Burn's flex backend, on the CPU.
    Flex,
    /// Any GPU through wgpu; which graphics API is wgpu's choice.
    Wgpu,
    /// NVIDIA GPUs through CUDA.
    Cuda,
    /// wgpu pinned to Vulkan.
    Vulkan,
    /// wgpu pinned to Metal.
    Metal,
    /// AMD GPUs through ROCm.
    Rocm,
    /// CubeCL's own CPU runtime.
    Cpu,
}

impl BackendName {
    /// Every backend, in the order in which they are listed.
    pub const ALL: [Self; 8] =
        [Self::NdArray, Self::Flex, Self::Wgpu, Self::Cuda, Self::Vulkan, Self::Metal, Self::Rocm, Self::Cpu];

    /// As written in a config.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NdArray => "ndarray",
            Self::Flex => "flex",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
            Self::Vulkan => "vulkan",
            Self::Metal => "metal",
            Self::Rocm => "rocm",
            Self::Cpu => "cpu",
        }
    }

    /// Whether this build holds it.
    pub fn is_compiled(self) -> bool {
        match self {
            Self::NdArray => cfg!(feature = "ndarray"),
            Self::Flex => cfg!(feature = "flex"),
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Vulkan => cfg!(feature = "vulkan"),
            Self::Metal => cfg!(feature = "metal"),
            Self::Rocm => cfg!(feature = "rocm"),
            Self::Cpu => cfg!(feature = "cpu"),
        }
    }

    /// Whether equal runs give equal bits: true for the CPU backends.
    pub fn is_deterministic(self) -> bool {
        matches!(self, Self::NdArray | Self::Flex)
    }

    /// The devices of this backend on this machine, in the order of their index.
    ///
    /// Empty when it is not compiled in or finds nothing.
    pub fn devices(self) -> Vec<Device> {
        match self {
            #[cfg(feature = "ndarray")]
            #[allow(deprecated)] // Gone in Burn 0.23; 0.22.1 is pinned because of it.
            Self::NdArray => vec![Device::ndarray()],
            #[cfg(feature = "flex")]
            Self::Flex => vec![Device::flex()],
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec(),
            #[cfg(feature = "cuda")]
            Self::Cuda => Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec(),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => Device::enumerate(burn::tensor::DeviceType::Vulkan).into_vec(),
            #[cfg(feature = "metal")]
            Self::Metal => Device::enumerate(burn::tensor::DeviceType::Metal).into_vec(),
            #[cfg(feature = "rocm")]
            Self::Rocm => Device::enumerate(burn::tensor::DeviceType::Rocm).into_vec(),
            #[cfg(feature = "cpu")]
            Self::Cpu => Device::enumerate(burn::tensor::DeviceType::Cpu).into_vec(),
            #[allow(unreachable_patterns)]
            _ => Vec::new(),
        }
    }

    fn hint_for_missing_adapter(self) -> &'static str {
        match self {
            Self::Wgpu | Self::Vulkan => {
                "install the GPU's Vulkan driver (or Mesa's software one: `apt-get install mesa-vulkan-drivers`), \
                 or use --backend flex"
            }
            Self::Cuda => "check `nvidia-smi` and the CUDA runtime libraries, or use --backend flex",
            Self::Rocm => "check `rocminfo`, or use --backend flex",
            _ => "use --backend flex",
        }
    }
}

impl fmt::Display for BackendName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

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

/// A backend that cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum BackendError {
    /// No such name.
    #[error("unknown backend `{got}`, expected `auto` or one of {}{}", known(),
        suggestion.as_ref().map(|best| format!("; did you mean `{best}`?")).unwrap_or_default())]
    Unknown {
        /// As given.
        got: String,
        /// The closest known name.
        suggestion: Option<&'static str>,
    },
    /// The part after the colon is not a number.
    #[error("backend `{got}`: expected a device number after the colon, as in `{name}:0`")]
    Index {
        /// As given.
        got: String,
        /// The part before the colon.
        name: BackendName,
    },
    /// The Cargo feature was off.
    #[error(
        "backend `{name}` is not part of this build (it has {}); build with `--features {name}`",
        compiled()
    )]
    NotCompiled {
        /// Which backend.
        name: BackendName,
    },
    /// Nothing to run on.
    #[error("backend `{name}` finds no device on this machine; {}", name.hint_for_missing_adapter())]
    NoDevice {
        /// Which backend.
        name: BackendName,
    },
    /// Fewer devices than asked for.
    #[error("backend `{name}` has {count} device(s), got index {index}; see `firebrick devices`")]
    NoSuchDevice {
        /// Which backend.
        name: BackendName,
        /// How many it has.
        count: usize,
        /// What was asked for.
        index: usize,
    },
    /// A build without any CPU backend, on a machine without GPU.
    #[error("no backend of this build ({}) can run here; build with `--features flex`", compiled())]
    NothingUsable,
}

fn known() -> String {
    listed(BackendName::ALL.iter())
}

fn compiled() -> String {
    listed(BackendName::ALL.iter().filter(|name| name.is_compiled()))
}

fn listed<'a>(names: impl Iterator<Item = &'a BackendName>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
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
        let name = BackendName::ALL
            .into_iter()
            .find(|backend| backend.as_str() == name)
            .ok_or_else(|| unknown(text, name))?;
        let index = index
            .map(str::parse)
            .transpose()
            .map_err(|_| BackendError::Index { got: text.to_owned(), name })?;
        Ok(Self::Named { name, index })
    }
}

fn unknown(got: &str, name: &str) -> BackendError {
    let names = BackendName::ALL.iter().map(|backend| backend.as_str());
    let suggestion = crate::config::closest(name, names.chain(["auto"]));
    BackendError::Unknown { got: got.to_owned(), suggestion }
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
    /// Runs `work`, such as a training step, where the backend's kernels are near.
    pub fn scope<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        near_kernels(&self.device, work)
    }
}

impl BackendChoice {
    /// Opens the device.
    ///
    /// # Errors
    ///
    /// [`BackendError`] when it was not compiled in or finds no device.
    pub fn open(self) -> Result<Backend, BackendError> {
        match self {
            Self::Auto => automatic(),
            Self::Named { name, index } => named(name, index),
        }
    }
}

fn named(name: BackendName, index: Option<usize>) -> Result<Backend, BackendError> {
    if !name.is_compiled() {
        return Err(BackendError::NotCompiled { name });
    }
    let devices = name.devices();
    let count = devices.len();
    if count == 0 {
        return Err(BackendError::NoDevice { name });
    }
    let index = index.unwrap_or(0);
    let device = devices.into_iter().nth(index).ok_or(BackendError::NoSuchDevice { name, count, index })?;
    Ok(Backend { name, device_name: device_name(&device), device })
}

fn automatic() -> Result<Backend, BackendError> {
    let gpus =
        [BackendName::Cuda, BackendName::Rocm, BackendName::Metal, BackendName::Vulkan, BackendName::Wgpu];
    for name in gpus {
        if let Some(device) = name.devices().into_iter().find(is_real_gpu) {
            return Ok(Backend { name, device_name: device_name(&device), device });
        }
    }
    [BackendName::Flex, BackendName::NdArray, BackendName::Cpu]
        .into_iter()
        .find_map(|name| named(name, None).ok())
        .ok_or(BackendError::NothingUsable)
}

/// A card on a bus, as opposed to a software renderer.
#[cfg(any(feature = "cuda", feature = "wgpu", feature = "rocm", feature = "cpu"))]
fn is_real_gpu(device: &Device) -> bool {
    device.identity().is_some_and(|identity| identity.physical.is_some())
}

#[cfg(not(any(feature = "cuda", feature = "wgpu", feature = "rocm", feature = "cpu")))]
fn is_real_gpu(_device: &Device) -> bool {
    false
}

/// What a device calls itself; the CPU's model name for the CPU backends.
#[cfg(any(feature = "cuda", feature = "wgpu", feature = "rocm", feature = "cpu"))]
pub fn device_name(device: &Device) -> String {
    device.identity().map_or_else(cpu_name, |identity| identity.name)
}

/// What a device calls itself; the CPU's model name for the CPU backends.
#[cfg(not(any(feature = "cuda", feature = "wgpu", feature = "rocm", feature = "cpu")))]
pub fn device_name(_device: &Device) -> String {
    cpu_name()
}

fn cpu_name() -> String {
    std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            line.split_once(':').map(|(_, name)| name.trim().to_owned())
        })
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}
