//! `data.dataset`: a data set, and the way in which the config spells its arguments.

use std::ops::Deref;

use firebrick_component::{ArgumentError, Family, ReadError, read_family};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use toml::{Table, Value};

use crate::source::DatasetConfig;

/// A data set as the config names it.
///
/// `dataset = "cifar10"` is one without arguments, or with all their defaults. Arguments stand beside
/// the name, `dataset = { name = "synthetic", train = 100 }`, or in a table of `[data]` that is called like the
/// data set, `[data.synthetic]`. It is written as it was spelled, so that written configs can be compared.
#[derive(Clone, Debug)]
pub struct DatasetChoice {
    config: DatasetConfig,
    spelling: Spelling,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    /// The name alone.
    Name,
    /// The name, and the arguments in a table of that name.
    Table,
    /// Name and arguments together.
    Inline,
}

impl DatasetChoice {
    /// Checks the data set's arguments.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] with the path inside `[data]`, as it is spelled: `dataset.train` or `synthetic.train`.
    pub fn validate(&self) -> Result<(), ArgumentError> {
        let parent = match self.spelling {
            Spelling::Inline => "dataset",
            Spelling::Name | Spelling::Table => self.config.name(),
        };
        self.config.validate().map_err(|error| error.within(parent))
    }

    /// `dataset` as it is written, and the table beside it, if there is one.
    ///
    /// # Errors
    ///
    /// Arguments that TOML cannot hold.
    pub(crate) fn written(&self) -> Result<(Value, Option<Table>), toml::ser::Error> {
        let name = Value::String(self.config.name().to_owned());
        let mut arguments = Table::try_from(&self.config)?;
        if arguments.len() == 1 {
            return Ok((name, None)); // the name is all there is
        }
        if self.spelling == Spelling::Inline {
            return Ok((Value::Table(arguments), None));
        }
        arguments.remove("name");
        let is_table = self.spelling == Spelling::Table || !self.has_defaults();
        Ok((name, is_table.then_some(arguments)))
    }

    fn has_defaults(&self) -> bool {
        arguments_of(self.config.name(), Table::new()).is_ok_and(|default| default == self.config)
    }
}

/// Equal when the data sets are, however they are spelled.
impl PartialEq for DatasetChoice {
    fn eq(&self, other: &Self) -> bool {
        self.config == other.config
    }
}

impl From<DatasetConfig> for DatasetChoice {
    fn from(config: DatasetConfig) -> Self {
        Self { config, spelling: Spelling::Name }
    }
}

impl Deref for DatasetChoice {
    type Target = DatasetConfig;

    fn deref(&self) -> &DatasetConfig {
        &self.config
    }
}

impl Serialize for DatasetChoice {
    /// Without the table that may stand beside it, which the whole of `[data]` writes.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (value, _) = self.written().map_err(ser::Error::custom)?;
        value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DatasetChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spelled = Spelled::deserialize(deserializer)?;
        spelled.with_tables(Vec::new()).map_err(de::Error::custom)
    }
}

/// The value of `dataset`, before the tables of `[data]` are known.
pub(crate) enum Spelled {
    /// A name that exists. Its arguments stand elsewhere, or nowhere.
    Name(String),
    /// Name and arguments.
    Inline(DatasetConfig),
}

impl Spelled {
    /// The data set, with the tables of `[data]` that are called like data sets.
    ///
    /// # Errors
    ///
    /// [`ReadError`] with the path inside `[data]`: a table of another data set, or arguments in two places; and
    /// arguments that are missing everywhere.
    pub(crate) fn with_tables(self, tables: Vec<(String, Table)>) -> Result<DatasetChoice, ReadError> {
        let got = match &self {
            Self::Name(name) => name.as_str(),
            Self::Inline(config) => config.name(),
        };
        if let Some((other, _)) = tables.iter().find(|(name, _)| name != got) {
            let message =
                format!("expected no such table unless dataset = \"{other}\", got dataset = \"{got}\"");
            return Err(ReadError::new(other.as_str(), message));
        }
        match (self, tables.into_iter().next()) {
            (Self::Inline(config), None) => Ok(DatasetChoice { config, spelling: Spelling::Inline }),
            (Self::Inline(_), Some((name, _))) => {
                let message = format!("expected the arguments of `{name}` here or in `dataset`, got both");
                Err(ReadError::new(name, message))
            }
            (Self::Name(name), Some((_, arguments))) => {
                let config = arguments_of(&name, arguments).map_err(|error| error.within(&name))?;
                Ok(DatasetChoice { config, spelling: Spelling::Table })
            }
            (Self::Name(name), None) => {
                let config = arguments_of(&name, Table::new()).map_err(|error| error.within("dataset"))?;
                Ok(DatasetChoice { config, spelling: Spelling::Name })
            }
        }
    }
}

impl<'de> Deserialize<'de> for Spelled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(name) if is_dataset(&name) => Ok(Self::Name(name)),
            other => read_family(other).map(Self::Inline).map_err(de::Error::custom),
        }
    }
}

/// Whether there is a data set of this name.
pub(crate) fn is_dataset(name: &str) -> bool {
    DatasetConfig::names().contains(&name)
}

/// The data set called `name`, which exists, with these arguments.
pub(crate) fn arguments_of(name: &str, arguments: Table) -> Result<DatasetConfig, ReadError> {
    let read = DatasetConfig::read_named(name, arguments);
    read.unwrap_or_else(|| unreachable!("bug: there is no data set `{name}`"))
}
