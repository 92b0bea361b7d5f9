//! From the document's tables to a [`Config`]: known tables, known components, known keys.

use std::ops::Range;
use std::path::PathBuf;

use firebrick_component::Family;
use firebrick_loss::LossConfig;
use firebrick_models::ModelConfig;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error, ValueDeserializer};

use super::source::{Document, closest};
use super::{Config, ConfigError, ModelSection, OutputConfig, TrainerConfig};
use crate::optimizer::OptimizerConfig;
use crate::schedule::ScheduleConfig;

const TABLES: [&str; 7] = ["model", "data", "loss", "optimizer", "schedule", "trainer", "output"];

pub(super) fn config(document: &Document) -> Result<Config, ConfigError> {
    let mut reader = Reader { document, root: document.tables()? };
    reader.refuse_unknown_tables()?;
    Ok(Config {
        model: reader.model()?,
        data: reader.data()?,
        loss: reader.component("loss", None, LossConfig::NAMES, LossConfig::deserialize_named, |loss| {
            loss.validate().map_err(|error| error.to_string())
        })?,
        optimizer: reader.component(
            "optimizer",
            None,
            OptimizerConfig::NAMES,
            OptimizerConfig::deserialize_named,
            |optimizer| optimizer.validate().map_err(|error| error.to_string()),
        )?,
        schedule: reader.component(
            "schedule",
            Some("none"),
            ScheduleConfig::NAMES,
            ScheduleConfig::deserialize_named,
            |schedule| schedule.validate().map_err(|error| error.to_string()),
        )?,
        trainer: reader.trainer()?,
        output: reader.plain::<OutputConfig>("output")?.0,
    })
}

/// Takes the tables of a document one by one.
struct Reader<'d> {
    document: &'d Document,
    root: DeTable<'d>,
}

/// One component's table: its name and the arguments that are left.
struct Component<'d> {
    name: Spanned<String>,
    arguments: Spanned<DeTable<'d>>,
}

impl<'d> Reader<'d> {
    fn refuse_unknown_tables(&self) -> Result<(), ConfigError> {
        for (key, value) in &self.root {
            let name = key.get_ref().as_ref();
            if !TABLES.contains(&name) {
                let hint = closest(name, TABLES.into_iter()).map(|best| format!("did you mean `{best}`?"));
                let message = format!("unknown table `{name}`, expected one of {}", listed(&TABLES));
                return Err(self.document.invalid(key.span(), message, hint));
            }
            if !value.get_ref().is_table() {
                let message = format!("expected a table `[{name}]`, got a {}", value.get_ref().type_str());
                return Err(self.document.invalid(value.span(), message, None));
            }
        }
        Ok(())
    }

    fn take(&mut self, table: &str) -> Option<Spanned<DeTable<'d>>> {
        let value = self.root.remove(table)?;
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) => Some(Spanned::new(span, table)),
            _ => None,
        }
    }

    /// A table that is one plain struct; defaults when it is absent.
    fn plain<T: for<'de> Deserialize<'de>>(&mut self, table: &str) -> Result<(T, Range<usize>), ConfigError> {
        let found = self.take(table).unwrap_or_else(|| Spanned::new(0..0, DeTable::new()));
        let span = found.span();
        Ok((self.deserialize(found)?, span))
    }

    fn deserialize<T: for<'de> Deserialize<'de>>(
        &self,
        table: Spanned<DeTable<'d>>,
    ) -> Result<T, ConfigError> {
        T::deserialize(deserializer(table)).map_err(|error| self.document.error(&error))
    }

    fn trainer(&mut self) -> Result<TrainerConfig, ConfigError> {
        let places = self.key_spans("trainer");
        let (trainer, span) = self.plain::<TrainerConfig>("trainer")?;
        trainer.validate().map_err(|(key, message)| {
            let place = places.iter().find(|(name, _)| name == key).map_or(span, |(_, span)| span.clone());
            self.document.invalid(place, format!("trainer.{key}: {message}"), None)
        })?;
        Ok(trainer)
    }

    fn data(&mut self) -> Result<firebrick_data::DataConfig, ConfigError> {
        let (data, span) = self.plain::<firebrick_data::DataConfig>("data")?;
        data.validate().map_err(|error| self.document.invalid(span, error.to_string(), None))?;
        Ok(data)
    }

    fn key_spans(&self, table: &str) -> Vec<(String, Range<usize>)> {
        match self.root.get(table).map(Spanned::get_ref) {
            Some(DeValue::Table(keys)) => {
                keys.iter().map(|(key, value)| (key.get_ref().to_string(), value.span())).collect()
            }
            _ => Vec::new(),
        }
    }

    fn model(&mut self) -> Result<ModelSection, ConfigError> {
        let mut component = self.named("model", None)?;
        let arguments = component.arguments.get_mut();
        let weights = self.argument::<PathBuf>(arguments, "weights")?;
        let strict = self.argument::<bool>(arguments, "strict")?.unwrap_or(true);
        let names = ModelConfig::names();
        let network = self.build("model", component, &names, ModelConfig::deserialize_named, |model| {
            model.validate().map_err(|error| error.to_string())
        })?;
        Ok(ModelSection { network, weights, strict })
    }

    fn argument<T: for<'de> Deserialize<'de>>(
        &self,
        arguments: &mut DeTable<'d>,
        key: &str,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = arguments.remove(key) else {
            return Ok(None);
        };
        T::deserialize(ValueDeserializer::from(value)).map(Some).map_err(|error| self.document.error(&error))
    }

    fn component<T>(
        &mut self,
        table: &str,
        default: Option<&str>,
        names: &[&str],
        deserialize_named: impl FnOnce(&str, ValueDeserializer<'d>) -> Option<Result<T, Error>>,
        validate: impl FnOnce(&T) -> Result<(), String>,
    ) -> Result<T, ConfigError> {
        let component = self.named(table, default)?;
        self.build(table, component, names, deserialize_named, validate)
    }

    fn named(&mut self, table: &str, default: Option<&str>) -> Result<Component<'d>, ConfigError> {
        let Some(arguments) = self.take(table) else {
            let Some(default) = default else {
                let message = format!("missing table `[{table}]`");
                let hint = format!("add `[{table}]` with a `name`");
                return Err(self.document.invalid(0..0, message, Some(hint)));
            };
            return Ok(Component {
                name: Spanned::new(0..0, default.to_owned()),
                arguments: Spanned::new(0..0, DeTable::new()),
            });
        };
        self.component_of(&format!("`[{table}]`"), arguments)
    }

    /// A table that has a `name`; `what` is what messages call it.
    fn component_of(
        &self,
        what: &str,
        mut arguments: Spanned<DeTable<'d>>,
    ) -> Result<Component<'d>, ConfigError> {
        let span = arguments.span();
        let Some(name) = arguments.get_mut().remove("name") else {
            let message = format!("{what} has no `name`");
            return Err(self.document.invalid(span, message, None));
        };
        let name_span = name.span();
        let name = String::deserialize(ValueDeserializer::from(name))
            .map_err(|error| self.document.error(&error))?;
        Ok(Component { name: Spanned::new(name_span, name), arguments })
    }

    fn build<T>(
        &self,
        table: &str,
        component: Component<'d>,
        names: &[&str],
        deserialize_named: impl FnOnce(&str, ValueDeserializer<'d>) -> Option<Result<T, Error>>,
        validate: impl FnOnce(&T) -> Result<(), String>,
    ) -> Result<T, ConfigError> {
        let name = component.name.get_ref().clone();
        let span = component.name.span();
        let built = deserialize_named(&name, deserializer(component.arguments)).ok_or_else(|| {
            let message = format!("unknown {table} `{name}`, expected one of {}", listed(names));
            let hint = closest(&name, names.iter().copied()).map(|best| format!("did you mean `{best}`?"));
            self.document.invalid(span.clone(), message, hint)
        })?;
        let built = built.map_err(|error| self.document.error(&error))?;
        validate(&built).map_err(|message| self.document.invalid(span, message, None))?;
        Ok(built)
    }
}

fn deserializer(table: Spanned<DeTable<'_>>) -> ValueDeserializer<'_> {
    let span = table.span();
    ValueDeserializer::from(Spanned::new(span, DeValue::Table(table.into_inner())))
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
