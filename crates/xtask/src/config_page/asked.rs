//! What the code itself says of a table: which keys it has, which it must be given, and what the others are without.

use std::collections::BTreeMap;

use firebrick::component::{Family, ReadError, read};
use serde::Serialize;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::failure::Failure;

/// A key that no table has.
const NO_KEY: &str = "no such key";

/// What stands in for a required argument, until one is taken.
fn stand_ins() -> [Value; 6] {
    let list = |value: Value| Value::Array(vec![value.clone(), value]);
    [
        Value::Integer(1),
        Value::String("x".to_owned()),
        Value::Float(0.5),
        list(Value::Float(0.5)),
        Value::Array(vec![Value::Integer(1); 4]),
        Value::Table(Table::new()),
    ]
}

/// The same made of a name that a message lists: a choice, and a list of one component.
fn stand_ins_of(message: &str) -> Vec<Value> {
    let Some((_, names)) = message.split_once("expected one of `") else { return Vec::new() };
    let Some((name, _)) = names.split_once('`') else { return Vec::new() };
    let component = Table::from_iter([("name".to_owned(), Value::String(name.to_owned()))]);
    vec![Value::String(name.to_owned()), Value::Array(vec![Value::Table(component)])]
}

/// What a key is when it is left out.
#[derive(Debug, Clone, PartialEq)]
pub enum Default {
    /// It cannot be left out.
    Required,
    /// There is none.
    Nothing,
    /// This.
    Value(Value),
}

/// Reads a table and writes what was read.
pub struct Asked<'a> {
    read: Box<dyn Fn(Table) -> Result<Table, ReadError> + 'a>,
    /// Required arguments that no stand-in will do for.
    given: Table,
}

impl<'a> Asked<'a> {
    fn new(read: impl Fn(Table) -> Result<Table, ReadError> + 'a) -> Self {
        Self { read: Box::new(read), given: Table::new() }
    }

    /// With these arguments.
    pub fn given(self, given: Table) -> Self {
        Self { given, ..self }
    }

    /// A table with a type of its own.
    pub fn table<T: DeserializeOwned + Serialize>() -> Self {
        Self::new(|table| read::<T>(Value::Table(table)).and_then(|value| written(&value)))
    }

    /// A component of a family, by name.
    pub fn component<F: Family + Serialize>(name: &'a str) -> Self {
        Self::new(move |table| {
            let read = F::read_named(name, table);
            let component =
                read.unwrap_or_else(|| Err(ReadError::new("name", "there is no such component")))?;
            let mut table = written(&component)?;
            table.remove("name");
            Ok(table)
        })
    }

    /// The table that stands under `key` of this one, beside what is required there.
    pub fn inside(&'a self, key: &'a str, is_list: bool) -> Self {
        Self::new(move |table| {
            let value = Value::Table(table);
            let value = if is_list { Value::Array(vec![value]) } else { value };
            let mut outer = self.given.clone();
            outer.insert(key.to_owned(), value);
            let (_, outer) = self.filled(outer, key).map_err(|mut error| {
                let inner = error.path.strip_prefix(key).unwrap_or(&error.path);
                let inner = if is_list { inner.strip_prefix("[0]").unwrap_or(inner) } else { inner };
                error.path = inner.trim_start_matches('.').to_owned();
                error
            })?;
            match outer.get(key) {
                Some(Value::Table(table)) => Ok(table.clone()),
                Some(Value::Array(tables)) => match tables.first() {
                    Some(Value::Table(table)) => Ok(table.clone()),
                    _ => Err(ReadError::new(key, "expected a list of tables")),
                },
                _ => Err(ReadError::new(key, "is not written as a table")),
            }
        })
    }

    /// Every key, as the message for an unknown one lists them.
    pub fn keys(&self) -> Result<Vec<String>, Failure> {
        self.keys_beside(&Table::new())
    }

    /// The same where these arguments must be there.
    pub fn keys_beside(&self, given: &Table) -> Result<Vec<String>, Failure> {
        let mut table = given.clone();
        table.insert(NO_KEY.to_owned(), Value::Boolean(true));
        match (self.read)(table) {
            Ok(_) => Err("an unknown key was taken".into()),
            Err(error) => {
                let (_, known) = error
                    .message
                    .split_once(&format!("unknown field `{NO_KEY}`"))
                    .ok_or_else(|| format!("expected a message about an unknown key, got: {error}"))?;
                Ok(known.split('`').skip(1).step_by(2).map(str::to_owned).collect())
            }
        }
    }

    /// What each of `keys` is when it is left out. `unwritten` are the values of keys that are not written when they
    /// have their default; whether they are that is checked here.
    pub fn defaults(
        &self,
        keys: &[String],
        unwritten: &dyn Fn(&str) -> Option<Value>,
    ) -> Result<BTreeMap<String, Default>, Failure> {
        let (given, written) = self.filled(self.given.clone(), "")?;
        keys.iter()
            .map(|key| {
                let default = match (given.contains_key(key), written.get(key), unwritten(key)) {
                    (true, _, _) => Default::Required,
                    (false, Some(value), _) => Default::Value(value.clone()),
                    (false, None, Some(value)) => {
                        let mut with = given.clone();
                        with.insert(key.clone(), value.clone());
                        if (self.read)(with)? != written {
                            return Err(format!("{key}: {value} is not the default any more").into());
                        }
                        Default::Value(value)
                    }
                    (false, None, None) => Default::Nothing,
                };
                Ok((key.clone(), default))
            })
            .collect()
    }

    /// Adds what is required until the table can be read: the table, and what is written of it.
    fn filled(&self, mut table: Table, own: &str) -> Result<(Table, Table), ReadError> {
        let mut next: Vec<(String, usize, Vec<Value>)> = Vec::new();
        loop {
            let error = match (self.read)(table.clone()) {
                Ok(written) => return Ok((table, written)),
                Err(error) => error,
            };
            let missing = error.message.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
            let key = match missing {
                Some((key, _)) if error.path.is_empty() => key.to_owned(),
                _ => error.path.split(['.', '[']).next().unwrap_or_default().to_owned(),
            };
            let is_own = key == own || key.is_empty();
            if next.last().is_none_or(|(last, ..)| *last != key) {
                next.push((key.clone(), 0, stand_ins().to_vec()));
            }
            let Some((_, tried, candidates)) = next.last_mut().filter(|_| !is_own) else { return Err(error) };
            let named = stand_ins_of(&error.message);
            candidates
                .extend(named.into_iter().filter(|value| !candidates.contains(value)).collect::<Vec<_>>());
            let Some(stand_in) = candidates.get(*tried).cloned() else { return Err(error) };
            *tried += 1;
            table.insert(key, stand_in);
        }
    }
}

fn written(value: &impl Serialize) -> Result<Table, ReadError> {
    Table::try_from(value).map_err(|error| ReadError::new("", error.to_string()))
}
