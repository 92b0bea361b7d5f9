//! What a component and a family are, and the macro that makes a family's enum of a list.

use std::any::Any;
use std::fmt::Debug;

use toml::{Table, Value};

use crate::{ArgumentError, NoEffect, ReadError};

/// The arguments of one component. A family's own trait has this one as its supertrait.
pub trait Component: Any + Debug + Send + Sync {
    /// Checks the arguments by themselves.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] for the first wrong one.
    fn validate(&self) -> Result<(), ArgumentError> {
        Ok(())
    }

    /// Arguments that were given and change nothing beside the others. No mistake, but whoever gave them should be told.
    fn without_effect(&self) -> Vec<NoEffect> {
        Vec::new()
    }
}

/// What [`components!`](crate::components) makes of a list: one type for every component of a family.
pub trait Family: Sized {
    /// What messages call a component of this family: `optimizer`.
    const KIND: &'static str;

    /// Every name, registered ones last.
    fn names() -> Vec<&'static str>;

    /// The component called `name` with these arguments; none if there is no such component.
    fn read_named(name: &str, arguments: Table) -> Option<Result<Self, ReadError>>;
}

/// Reads a component: a table with a `name` and the arguments, or the name alone.
///
/// # Errors
///
/// [`ReadError`] with the path to what is wrong: no name, an unknown one, an argument.
pub fn read_family<F: Family>(value: Value) -> Result<F, ReadError> {
    let (name, arguments) = match value {
        Value::String(name) => (name, Table::new()),
        Value::Table(mut table) => match table.remove("name") {
            Some(Value::String(name)) => (name, table),
            Some(other) => {
                let message =
                    format!("expected the name of {}, got {}", article(F::KIND), article(other.type_str()));
                return Err(ReadError::new("name", message));
            }
            None => return Err(ReadError::new("", format!("{} has no `name`", article(F::KIND)))),
        },
        other => {
            let message = format!(
                "expected {} such as {{ name = \"..\" }}, got {}",
                article(F::KIND),
                article(other.type_str())
            );
            return Err(ReadError::new("", message));
        }
    };
    F::read_named(&name, arguments).unwrap_or_else(|| {
        let names: Vec<String> = F::names().iter().map(|name| format!("`{name}`")).collect();
        let message = format!("unknown {} `{name}`, expected one of {}", F::KIND, names.join(", "));
        Err(ReadError::new("name", message))
    })
}

/// The word with its article: `an integer`, `a table`.
pub fn article(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}

/// Makes a family's enum: one variant for each line, and one for what a program registers.
///
/// ```text
/// components! {
///     /// Whatever `[optimizer] name = ".."` may say.
///     pub enum OptimizerConfig: dyn Rule, "optimizer" {
///         /// Stochastic gradient descent, with momentum.
///         Sgd(SgdConfig) = "sgd",
///     }
/// }
/// ```
///
/// `Rule` is the family's trait (object safe, with [`Component`] as a supertrait); `SgdConfig` implements it and
/// `Clone`, `Debug`, `PartialEq`, `Serialize`, `Deserialize`. The enum dereferences to `dyn Rule`, is a
/// [`Family`], reads and writes itself with serde as a table with a `name`, and has `NAMES`, `name`,
/// `into_component`, `deserialize_named`, `register` and `From<SgdConfig>`.
#[macro_export]
macro_rules! components {
    (
        $(#[$enum_doc:meta])*
        $visibility:vis enum $family:ident: dyn $trait:path, $kind:literal {
            $($(#[$doc:meta])* $variant:ident($config:ty) = $name:literal,)*
        }
    ) => {
        $(#[$enum_doc])*
        #[derive(Clone, Debug, PartialEq, $crate::private::serde::Serialize)]
        #[serde(tag = "name", crate = "firebrick_component::private::serde")]
        $visibility enum $family {
            $($(#[$doc])* #[serde(rename = $name)] $variant($config),)*
            /// What the program has registered under a name of its own.
            #[serde(untagged)]
            Registered($crate::Registered<dyn $trait>),
        }

        const _: () = {
            static REGISTRY: $crate::Registry<dyn $trait> = $crate::Registry::new();

            impl $family {
                /// The names of all components that Firebrick brings along.
                pub const NAMES: &'static [&'static str] = &[$($name),*];

                /// The name in a config.
                pub fn name(&self) -> &'static str {
                    match self {
                        $(Self::$variant(_) => $name,)*
                        Self::Registered(component) => component.name(),
                    }
                }

                /// The component alone, without its name.
                pub fn into_component(self) -> Box<dyn $trait> {
                    match self {
                        $(Self::$variant(config) => Box::new(config),)*
                        Self::Registered(component) => component.into_component(),
                    }
                }

                /// Reads the arguments of the component called `name`; none if there is no such component.
                ///
                /// # Errors
                ///
                /// The deserializer's own, for an unknown argument or one of the wrong type.
                pub fn deserialize_named<'de, D: $crate::private::serde::Deserializer<'de>>(
                    name: &str,
                    arguments: D,
                ) -> Option<Result<Self, D::Error>> {
                    use $crate::private::serde::Deserialize;
                    match name {
                        $($name => Some(<$config>::deserialize(arguments).map(Self::$variant)),)*
                        _ if REGISTRY.names().contains(&name) => {
                            let arguments = match $crate::private::toml::Table::deserialize(arguments) {
                                Ok(arguments) => arguments,
                                Err(error) => return Some(Err(error)),
                            };
                            let registered = REGISTRY.read(name, arguments)?;
                            Some(registered.map(Self::Registered).map_err($crate::private::serde::de::Error::custom))
                        }
                        _ => None,
                    }
                }

                /// Adds a component under a name that a config can use from now on, in this process.
                ///
                /// # Errors
                ///
                /// `RegisterError` if another component has the name.
                pub fn register<C>(name: &'static str) -> Result<(), $crate::RegisterError>
                where
                    C: $trait + Clone + PartialEq + $crate::private::serde::Serialize
                        + $crate::private::serde::de::DeserializeOwned,
                {
                    fn concrete<C: 'static>(component: &dyn $trait) -> &C {
                        let component: &dyn ::std::any::Any = component;
                        component.downcast_ref().unwrap_or_else(|| {
                            unreachable!("bug: a registered {} is not of the type it was registered with", $kind)
                        })
                    }
                    REGISTRY.add($kind, Self::NAMES, $crate::Kind {
                        name,
                        type_id: ::std::any::TypeId::of::<C>(),
                        read: |arguments| {
                            let component: C = $crate::read($crate::private::toml::Value::Table(arguments))?;
                            Ok(Box::new(component))
                        },
                        write: |component| {
                            $crate::private::toml::Table::try_from(concrete::<C>(component))
                                .map_err(|error| error.to_string())
                        },
                        clone: |component| Box::new(concrete::<C>(component).clone()),
                        equal: |left, right| {
                            let right: &dyn ::std::any::Any = right;
                            right.downcast_ref() == Some(concrete::<C>(left))
                        },
                    })
                }
            }

            impl $crate::Family for $family {
                const KIND: &'static str = $kind;

                fn names() -> Vec<&'static str> {
                    Self::NAMES.iter().copied().chain(REGISTRY.names()).collect()
                }

                fn read_named(
                    name: &str,
                    arguments: $crate::private::toml::Table,
                ) -> Option<Result<Self, $crate::ReadError>> {
                    let value = $crate::private::toml::Value::Table;
                    match name {
                        $($name => Some($crate::read::<$config>(value(arguments)).map(Self::$variant)),)*
                        _ => Some(REGISTRY.read(name, arguments)?.map(Self::Registered)),
                    }
                }
            }

            impl ::std::ops::Deref for $family {
                type Target = dyn $trait;

                fn deref(&self) -> &(dyn $trait + 'static) {
                    match self {
                        $(Self::$variant(config) => config,)*
                        Self::Registered(component) => &**component,
                    }
                }
            }

            impl ::std::ops::DerefMut for $family {
                fn deref_mut(&mut self) -> &mut (dyn $trait + 'static) {
                    match self {
                        $(Self::$variant(config) => config,)*
                        Self::Registered(component) => &mut **component,
                    }
                }
            }

            impl<'de> $crate::private::serde::Deserialize<'de> for $family {
                fn deserialize<D: $crate::private::serde::Deserializer<'de>>(
                    deserializer: D,
                ) -> Result<Self, D::Error> {
                    use $crate::private::serde::Deserialize;
                    let value = $crate::private::toml::Value::deserialize(deserializer)?;
                    $crate::read_family(value).map_err($crate::private::serde::de::Error::custom)
                }
            }

            $(impl From<$config> for $family {
                fn from(config: $config) -> Self {
                    Self::$variant(config)
                }
            })*
        };
    };
}
