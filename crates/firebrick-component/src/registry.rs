//! Components that a program adds to a family at run time.

use std::any::TypeId;
use std::fmt::{self, Debug};
use std::ops::{Deref, DerefMut};
use std::sync::{PoisonError, RwLock};

use serde::ser::{Serialize, SerializeMap, Serializer};
use thiserror::Error;
use toml::Table;

use crate::ReadError;

/// A name that cannot be given to a component.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{family} `{name}` exists already; register the component under another name")]
pub struct RegisterError {
    /// What the family is called: `optimizer`.
    pub family: &'static str,
    /// The name.
    pub name: String,
}

/// What is known of one registered component; [`components!`](crate::components) fills it in.
#[derive(Debug)]
#[doc(hidden)]
pub struct Kind<T: ?Sized> {
    pub name: &'static str,
    pub type_id: TypeId,
    pub read: fn(Table) -> Result<Box<T>, ReadError>,
    pub write: fn(&T) -> Result<Table, String>,
    pub clone: fn(&T) -> Box<T>,
    pub equal: fn(&T, &T) -> bool,
}

/// The registered components of one family.
#[derive(Debug)]
#[doc(hidden)]
pub struct Registry<T: ?Sized + 'static> {
    kinds: RwLock<Vec<&'static Kind<T>>>,
}

impl<T: ?Sized + 'static> Default for Registry<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: ?Sized + 'static> Registry<T> {
    /// Nothing registered yet.
    pub const fn new() -> Self {
        Self { kinds: RwLock::new(Vec::new()) }
    }

    /// Adds a component. The same one under the same name again changes nothing.
    pub fn add(&self, family: &'static str, taken: &[&str], kind: Kind<T>) -> Result<(), RegisterError> {
        let mut kinds = self.kinds.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = kinds.iter().find(|other| other.name == kind.name) {
            let is_same = other.type_id == kind.type_id;
            return if is_same { Ok(()) } else { Err(RegisterError { family, name: kind.name.to_owned() }) };
        }
        if taken.contains(&kind.name) {
            return Err(RegisterError { family, name: kind.name.to_owned() });
        }
        // A program registers a handful of components, once, and configs refer to them until it ends.
        kinds.push(Box::leak(Box::new(kind)));
        Ok(())
    }

    /// All names.
    pub fn names(&self) -> Vec<&'static str> {
        let kinds = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
        kinds.iter().map(|kind| kind.name).collect()
    }

    /// The component called `name` with these arguments; none if there is no such component.
    pub fn read(&self, name: &str, arguments: Table) -> Option<Result<Registered<T>, ReadError>> {
        let kinds = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
        let kind = *kinds.iter().find(|kind| kind.name == name)?;
        drop(kinds);
        Some((kind.read)(arguments).map(|component| Registered { kind, component }))
    }
}

/// A component that a program has registered, with its arguments.
pub struct Registered<T: ?Sized + 'static> {
    kind: &'static Kind<T>,
    component: Box<T>,
}

impl<T: ?Sized> Registered<T> {
    /// The name that it was registered under.
    pub fn name(&self) -> &'static str {
        self.kind.name
    }

    /// The component alone.
    pub fn into_component(self) -> Box<T> {
        self.component
    }
}

impl<T: ?Sized> Deref for Registered<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.component
    }
}

impl<T: ?Sized> DerefMut for Registered<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.component
    }
}

impl<T: ?Sized> Clone for Registered<T> {
    fn clone(&self) -> Self {
        Self { kind: self.kind, component: (self.kind.clone)(&self.component) }
    }
}

impl<T: ?Sized> PartialEq for Registered<T> {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && (self.kind.equal)(&self.component, &other.component)
    }
}

impl<T: ?Sized + Debug> Debug for Registered<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.component.fmt(f)
    }
}

impl<T: ?Sized> Serialize for Registered<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let arguments = (self.kind.write)(&self.component).map_err(serde::ser::Error::custom)?;
        let mut map = serializer.serialize_map(Some(1 + arguments.len()))?;
        map.serialize_entry("name", self.name())?;
        for (key, value) in &arguments {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
