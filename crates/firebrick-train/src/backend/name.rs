//! A backend by its name.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
use serde::{Serialize, Serializer};

use super::entry::{Auto, Entry};
use super::error::BackendError;
use super::list::LIST;

/// One of the backends that Firebrick knows, whether or not this build holds it.
#[derive(Clone, Copy)]
pub struct BackendName(&'static Entry);

impl BackendName {
    /// Every backend, in the order in which they are listed.
    pub const ALL: [Self; LIST.len()] = {
        let mut all = [Self(LIST[0]); LIST.len()];
        let mut index = 0;
        while index < LIST.len() {
            all[index] = Self(LIST[index]);
            index += 1;
        }
        all
    };

    /// As written in a config.
    pub fn as_str(self) -> &'static str {
        self.0.name
    }

    /// Whether this build holds it.
    pub fn is_compiled(self) -> bool {
        self.0.is_compiled
    }

    /// Whether equal runs give equal bits: true for the CPU backends.
    pub fn is_deterministic(self) -> bool {
        self.0.is_deterministic
    }

    /// The devices of this backend on this machine, in the order of their index.
    ///
    /// Empty when it is not compiled in or finds nothing.
    pub fn devices(self) -> Vec<Device> {
        (self.0.devices)()
    }

    /// What to do when it finds no device.
    pub fn hint_for_missing_adapter(self) -> &'static str {
        self.0.hint_for_missing_adapter
    }

    /// The deterministic backend of this build that `auto` would prefer: one that every machine has, for what needs
    /// no speed. None if the build holds none.
    pub fn cpu() -> Option<Self> {
        Self::in_order_of_auto().into_iter().find(|name| name.is_compiled() && name.is_deterministic())
    }

    /// All of them, those that `auto` asks first in front.
    pub(super) fn in_order_of_auto() -> [Self; LIST.len()] {
        let mut all = Self::ALL;
        all.sort_by_key(|name| name.0.auto);
        all
    }

    /// Whether `auto` takes it only for the sake of a card.
    pub(super) fn needs_real_gpu(self) -> bool {
        matches!(self.0.auto, Auto::RealGpu(_))
    }
}

impl FromStr for BackendName {
    type Err = BackendError;

    fn from_str(text: &str) -> Result<Self, BackendError> {
        let found = Self::ALL.into_iter().find(|name| name.as_str() == text);
        found.ok_or_else(|| BackendError::unknown(text, text))
    }
}

impl PartialEq for BackendName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for BackendName {}

impl fmt::Debug for BackendName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for BackendName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for BackendName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
