//! What can be read of a network: its layers, and how they are connected.

use std::ops::Deref;
use std::sync::Arc;

use crate::layer::PlacedLayer;

/// A layer of a network.
#[derive(Debug, Clone)]
pub struct NetworkLayer {
    /// Names from the network down to it, with dots between them: `layer1.0.conv1`.
    pub path: String,
    /// Whether the PyTorch original calls it as a function in `forward`, so that `print(net)` does not list it.
    pub is_functional: bool,
    pub(super) placed: Arc<PlacedLayer>,
}

/// The layer's arguments, shapes and parameters.
impl Deref for NetworkLayer {
    type Target = PlacedLayer;

    fn deref(&self) -> &PlacedLayer {
        &self.placed
    }
}

/// One part of a series of layers. Numbers are positions in [`NetworkPlan::layers`](super::NetworkPlan::layers).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// One layer.
    Layer(usize),
    /// `body(x) + shortcut(x)`; an empty shortcut is `x` itself.
    Residual {
        /// One after another.
        body: Vec<Tree>,
        /// One after another.
        shortcut: Vec<Tree>,
    },
    /// Every branch's output for the same input, channels behind one another; an empty branch is the input itself.
    Concat(Vec<Vec<Tree>>),
    /// As `Concat`, but each branch gets an equal share of the input's channels.
    Split(Vec<Vec<Tree>>),
    /// `x * body(x)`.
    Gate(Vec<Tree>),
}
