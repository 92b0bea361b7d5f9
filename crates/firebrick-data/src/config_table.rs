//! Reading `[data]`, in which a table may be called like the data set and hold its arguments.

use firebrick_component::Family;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess};
use toml::Table;

use crate::source::DatasetConfig;

/// The keys of `[data]` but for those that are names of data sets, whose values are put aside.
pub(crate) struct PlainKeys<'a, M> {
    /// All keys.
    pub(crate) keys: M,
    /// What the data sets' tables say.
    pub(crate) datasets: &'a mut Vec<DatasetConfig>,
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for PlainKeys<'_, M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, M::Error> {
        let mut seed = seed;
        loop {
            match self.keys.next_key_seed(Key(seed))? {
                None => return Ok(None),
                Some(Found::Plain(key)) => return Ok(Some(key)),
                Some(Found::Dataset(name, unused)) => {
                    self.datasets.push(self.keys.next_value_seed(Arguments { name })?);
                    seed = unused;
                }
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, M::Error> {
        self.keys.next_value_seed(seed)
    }
}

/// Reads a key: the name of a data set, or one for the seed. The seed is asked while the key is being read, so
/// that its error has the key's place.
struct Key<K>(K);

enum Found<V, K> {
    Plain(V),
    Dataset(String, K),
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for Key<K> {
    type Value = Found<K::Value, K>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let key = String::deserialize(deserializer)?;
        if DatasetConfig::names().contains(&key.as_str()) {
            return Ok(Found::Dataset(key, self.0));
        }
        self.0.deserialize(key.into_deserializer()).map(Found::Plain)
    }
}

/// Reads the arguments of the data set called `name`.
struct Arguments {
    name: String,
}

impl<'de> DeserializeSeed<'de> for Arguments {
    type Value = DatasetConfig;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<DatasetConfig, D::Error> {
        let arguments = Table::deserialize(deserializer)?;
        let read = DatasetConfig::read_named(&self.name, arguments);
        read.unwrap_or_else(|| unreachable!("bug: data set `{}` has gone", self.name))
            .map_err(D::Error::custom)
    }
}
