//! `trainer.checkpoint_every`.

use serde::{Deserialize, Serialize};

/// `trainer.checkpoint_every`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CheckpointEvery {
    /// At the end of each epoch.
    #[default]
    Epoch,
    /// After each so many optimiser steps, and at the end of each epoch.
    Steps(u64),
}

impl Serialize for CheckpointEvery {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Epoch => serializer.serialize_str("epoch"),
            Self::Steps(steps) => serializer.serialize_u64(*steps),
        }
    }
}

impl<'de> Deserialize<'de> for CheckpointEvery {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = CheckpointEvery;

            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("\"epoch\" or a number of steps")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<CheckpointEvery, E> {
                match text {
                    "epoch" => Ok(CheckpointEvery::Epoch),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }

            fn visit_i64<E: serde::de::Error>(self, steps: i64) -> Result<CheckpointEvery, E> {
                u64::try_from(steps)
                    .map(CheckpointEvery::Steps)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(steps), &self))
            }

            fn visit_u64<E: serde::de::Error>(self, steps: u64) -> Result<CheckpointEvery, E> {
                Ok(CheckpointEvery::Steps(steps))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
