//! A network is data: a tree of named layers, and everything that is read off it.
//!
//! | file | its one job |
//! |---|---|
//! | `node.rs` | a network as it is described |
//! | `plan.rs` | names and shapes, and every way in which layers do not fit together |
//! | `tree.rs` | what can be read of the result |
//! | `fuse.rs` | which neighbours run as one operation |
//! | `forward.rs` | runs them |
//! | `model.rs` | the plan with its parameters, a Burn module |
//! | `frozen.rs` | the frozen layers at its beginning |
//! | `depth.rs` | which layers learn at the same rate, by depth |
//! | `print.rs` | `print(net)` |
//! | `config.rs` | the trait of what a config describes |

mod config;
mod depth;
mod forward;
mod frozen;
mod fuse;
mod model;
mod node;
mod plan;
mod print;
mod tree;

pub use config::NetworkConfig;
pub use depth::LayerDepths;
pub use frozen::FrozenPrefix;
pub use model::Network;
pub(crate) use node::Origin;
pub use node::{Named, Node, ShortcutWhen};
pub use plan::{MAX_NODES, NetworkPlan};
pub use tree::{NetworkLayer, Tree};
