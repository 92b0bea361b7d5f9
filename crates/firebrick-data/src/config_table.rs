//! Reading `[data]`, in which the data set's arguments may stand in a table of its own name.
//!
//! That table may come before or after `dataset`, whose arguments are known only when all keys have been read. So
//! `dataset` is put aside when it is met, and handed on as the last key.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess};
use toml::{Table, Value};

use crate::dataset_choice::{DatasetChoice, Spelled, arguments_of, is_dataset};

const DATASET: &str = "dataset";

/// The keys of `[data]`, the tables of data sets left out and `dataset` last.
pub(crate) struct DataKeys<M> {
    keys: M,
    spelled: Option<Spelled>,
    tables: Vec<(String, Table)>,
    choice: Option<DatasetChoice>,
    /// `dataset` has been handed on as a key, its value not yet.
    is_value_due: bool,
}

impl<M> DataKeys<M> {
    pub(crate) fn new(keys: M) -> Self {
        Self { keys, spelled: None, tables: Vec::new(), choice: None, is_value_due: false }
    }

    /// The data set, once all keys have been read.
    pub(crate) fn choice(self) -> Option<DatasetChoice> {
        self.choice
    }
}

impl<'de, M: MapAccess<'de>> MapAccess<'de> for DataKeys<M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, M::Error> {
        let mut seed = Some(seed);
        loop {
            match self.keys.next_key_seed(Key(&mut seed))? {
                Some(Found::Plain(key)) => return Ok(Some(key)),
                Some(Found::Dataset) => self.spelled = Some(self.keys.next_value()?),
                Some(Found::Table(name)) => {
                    let arguments = self.keys.next_value_seed(Arguments { name: &name })?;
                    self.tables.push((name, arguments));
                }
                None => break,
            }
        }
        let Some(spelled) = self.spelled.take() else { return Ok(None) };
        let tables = std::mem::take(&mut self.tables);
        self.choice = Some(spelled.with_tables(tables).map_err(M::Error::custom)?);
        self.is_value_due = true;
        taken(&mut seed).deserialize(DATASET.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, M::Error> {
        match &self.choice {
            Some(choice) if std::mem::take(&mut self.is_value_due) => {
                let value = Value::try_from(&**choice).map_err(M::Error::custom)?;
                seed.deserialize(value).map_err(M::Error::custom)
            }
            _ => self.keys.next_value_seed(seed),
        }
    }
}

/// Reads a key. The seed is asked while the key is being read, so that its error has the key's place; it
/// stays for a later key where this one is not for it.
struct Key<'a, K>(&'a mut Option<K>);

enum Found<V> {
    /// A key for the seed.
    Plain(V),
    /// `dataset`.
    Dataset,
    /// The name of a data set.
    Table(String),
}

fn taken<K>(seed: &mut Option<K>) -> K {
    seed.take().unwrap_or_else(|| unreachable!("bug: a seed was asked for two keys"))
}

impl<'de, K: DeserializeSeed<'de>> DeserializeSeed<'de> for Key<'_, K> {
    type Value = Found<K::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let key = String::deserialize(deserializer)?;
        if key == DATASET {
            return Ok(Found::Dataset);
        }
        if is_dataset(&key) {
            return Ok(Found::Table(key));
        }
        taken(self.0).deserialize(key.into_deserializer()).map(Found::Plain)
    }
}

/// Reads the arguments of the data set called `name`; those that cannot be are refused here, at their place.
struct Arguments<'a> {
    name: &'a str,
}

impl<'de> DeserializeSeed<'de> for Arguments<'_> {
    type Value = Table;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Table, D::Error> {
        let arguments = Table::deserialize(deserializer)?;
        arguments_of(self.name, arguments.clone()).map_err(D::Error::custom)?;
        Ok(arguments)
    }
}
