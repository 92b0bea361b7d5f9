//! A network as it is described: layers and blocks, some with names.

use std::sync::Arc;

use crate::layer::Layer;

/// A layer or a block of a network, perhaps with a name.
///
/// Names make the paths of the parameters, `layer1.0.conv1.weight`: a layer without a name is called by its position
/// in its list, a block without one adds nothing.
#[derive(Debug, Clone)]
pub struct Node {
    pub(super) kind: NodeKind,
    pub(super) name: Option<String>,
    pub(super) is_functional: bool,
    /// Whether a layer's path is that of the block around it.
    pub(super) is_of_block: bool,
    /// What `print(net)` calls the module that the name makes of a block.
    pub(super) class: &'static str,
    pub(super) origin: Option<Origin>,
}

/// Where a config has a node.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// Path of its table: `layers[2]`, `blocks.basic.layers[0]`.
    pub(crate) place: String,
    /// Path of what uses the block of the config that it is in.
    pub(crate) used_at: Option<String>,
    /// The name of the block that it is, for `print(net)`.
    pub(crate) block: Option<String>,
    /// Paths of its arguments that stand for arguments of the block, each with the path of the value that was given.
    pub(crate) sources: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
pub(super) enum NodeKind {
    Layer(Arc<dyn Layer>),
    Sequence(Vec<Node>),
    Residual(Residual),
    Concat(Vec<Vec<Node>>),
    Split(Vec<Vec<Node>>),
    Gate(Vec<Node>),
}

#[derive(Debug, Clone)]
pub(super) struct Residual {
    pub(super) body: Vec<Node>,
    pub(super) shortcut: Vec<Node>,
    pub(super) after: Vec<Node>,
    pub(super) shortcut_when: ShortcutWhen,
}

/// When a residual block's shortcut has layers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShortcutWhen {
    /// Where the body changes the shape; elsewhere the input is added as it is.
    #[default]
    ShapeChanges,
    /// Everywhere.
    Always,
}

impl Node {
    fn new(kind: NodeKind, class: &'static str) -> Self {
        Self { kind, name: None, is_functional: false, is_of_block: false, class, origin: None }
    }

    /// One layer.
    pub fn layer(layer: Arc<dyn Layer>) -> Self {
        Self::new(NodeKind::Layer(layer), "")
    }

    /// Layers one after another.
    pub fn sequence(layers: Vec<Self>) -> Self {
        Self::new(NodeKind::Sequence(layers), "Sequential")
    }

    /// `after(body(x) + shortcut(x))`. An empty shortcut is `x` itself; so is one under
    /// [`ShortcutWhen::ShapeChanges`] where the body keeps the shape.
    pub fn residual(
        body: Vec<Self>,
        shortcut: Vec<Self>,
        after: Vec<Self>,
        shortcut_when: ShortcutWhen,
    ) -> Self {
        Self::new(NodeKind::Residual(Residual { body, shortcut, after, shortcut_when }), "Residual")
    }

    /// The branches' outputs for the same input, their channels behind one another. An empty branch is the input itself.
    pub fn concat(branches: Vec<Vec<Self>>) -> Self {
        Self::new(NodeKind::Concat(branches), "Concat")
    }

    /// As [`concat`](Self::concat), but every branch gets its share of the input's channels.
    pub fn split(branches: Vec<Vec<Self>>) -> Self {
        Self::new(NodeKind::Split(branches), "Split")
    }

    /// `x * body(x)`, where the body gives one number for each channel or for each number of `x`.
    pub fn gate(body: Vec<Self>) -> Self {
        Self::new(NodeKind::Gate(body), "Gate")
    }

    /// The same block, which `print(net)` calls `class` where it has a name.
    #[must_use]
    pub fn class(self, class: &'static str) -> Self {
        Self { class, ..self }
    }

    /// A layer whose parameters belong to the block around it, as in a PyTorch module that has parameters of its own
    /// beside its layers: their paths are the block's and their own names.
    #[must_use]
    pub fn of_block(self) -> Self {
        Self { is_of_block: true, is_functional: true, ..self }
    }

    /// The same node where a config has it.
    pub(crate) fn with_origin(self, origin: Origin) -> Self {
        Self { origin: Some(origin), ..self }
    }

    pub(crate) fn has_name(&self) -> bool {
        self.name.is_some()
    }
}

impl<L: Layer> From<L> for Node {
    fn from(layer: L) -> Self {
        Self::layer(Arc::new(layer))
    }
}

/// Names for layers and blocks.
pub trait Named: Into<Node> {
    /// The layer or block under a name of its own; one with dots in it counts as several, one inside the other.
    fn named(self, name: impl Into<String>) -> Node {
        Node { name: Some(name.into()), ..self.into() }
    }

    /// As [`named`](Self::named), for a step that the PyTorch original calls as a function in `forward`: `print(net)`
    /// does not list it.
    fn functional(self, name: impl Into<String>) -> Node {
        Node { is_functional: true, ..self.named(name) }
    }
}

impl<T: Into<Node>> Named for T {}
