//! Families of named components: optimisers, losses, layers, data sets and the like.
//!
//! A component is one file: a serde struct of its arguments, with torch's names and defaults, that
//! implements its family's trait. [`components!`] makes the family's enum out of a list with one line a
//! component; nothing else lists the family. What the macro makes can be read by name from a config (every
//! error says at which key), written back, checked, and called through the family's trait. A program that
//! embeds Firebrick adds components of its own at run time.
//!
//! ```
//! use firebrick_component::{ArgumentError, Component, check, components};
//! use serde::{Deserialize, Serialize};
//!
//! /// The family: what each of its components can do.
//! pub trait Shape: Component {
//!     fn area(&self) -> f64;
//! }
//!
//! #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
//! #[serde(deny_unknown_fields)]
//! pub struct Square { side: f64 }
//!
//! impl Component for Square {
//!     fn validate(&self) -> Result<(), ArgumentError> {
//!         check::positive("side", self.side)
//!     }
//! }
//!
//! impl Shape for Square {
//!     fn area(&self) -> f64 { self.side * self.side }
//! }
//!
//! components! {
//!     /// Any shape.
//!     pub enum AnyShape: dyn Shape, "shape" {
//!         /// Four equal sides.
//!         Square(Square) = "square",
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let shape: AnyShape = toml::from_str("name = 'square'\nside = 3.0")?;
//! assert_eq!(shape.area(), 9.0);
//! let error = toml::from_str::<AnyShape>("name = 'square'\nside = 'x'").unwrap_err();
//! assert!(error.message().starts_with("at `side`: invalid type"));
//! # Ok(())
//! # }
//! ```

mod argument;
pub mod check;
mod family;
mod read;
mod registry;
mod strict;
pub mod text;

pub use argument::{ArgumentError, NoEffect};
pub use family::{Component, Family, article, read_family};
pub use read::{ReadError, read, take};
pub use registry::{Kind, RegisterError, Registered, Registry};

/// What [`components!`] needs of other crates.
#[doc(hidden)]
pub mod private {
    pub use {serde, toml};
}
