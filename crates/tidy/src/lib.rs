//! Rules about the workspace's sources that no compiler checks; the tests of this crate hold them.
//!
//! [`Workspace`] reads every crate's `src` as tokens. [`Imports`] finds which file of a crate uses what another
//! file defines, and [`circles`] the files that import each other in a circle. Code under `#[cfg(test)]` and
//! comments do not count.
//!
//! The crate depends on nothing, so that its tests run within seconds of a change to any crate.

mod circle;
mod imports;
mod modules;
mod resolve;
mod token;
mod workspace;

pub use circle::{Arrow, Circle, circles};
pub use imports::Imports;
pub use token::{Kind, Token};
pub use workspace::{Crate, SourceFile, Workspace};
