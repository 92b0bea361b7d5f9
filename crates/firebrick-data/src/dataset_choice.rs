//! `data.dataset`: a data set, and the way in which the config spells its arguments.

use std::ops::Deref;

use firebrick_component::{ArgumentError, Family, read_family};
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

    /// Takes the arguments that stand in `[data.<name>]`.
    ///
    /// # Errors
    ///
    /// What is wrong with that table being there.
    pub(crate) fn take_table(&mut self, arguments: DatasetConfig) -> Result<(), String> {
        let (wanted, got) = (arguments.name(), self.config.name());
        if wanted != got {
            return Err(format!(
                "expected no such table unless dataset = \"{wanted}\", got dataset = \"{got}\""
            ));
        }
        if self.spelling == Spelling::Inline {
            return Err(format!("expected the arguments of `{got}` here or in `dataset`, got both"));
        }
        *self = Self { config: arguments, spelling: Spelling::Table };
        Ok(())
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
        let default = DatasetConfig::read_named(self.config.name(), Table::new());
        default.is_some_and(|default| default.is_ok_and(|default| default == self.config))
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
        let value = Value::deserialize(deserializer)?;
        let spelling = if value.is_str() { Spelling::Name } else { Spelling::Inline };
        let config = read_family(value).map_err(de::Error::custom)?;
        Ok(Self { config, spelling })
    }
}
