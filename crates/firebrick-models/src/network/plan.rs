//! A network whose layers are known to fit together, before it has parameters.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;

use firebrick_component::ArgumentError;

use super::fuse::{Step, fuse};
use super::node::{Node, NodeKind, Residual, ShortcutWhen};
use super::print::Level;
use super::tree::{NetworkLayer, Tree};
use crate::layer::{Gives, Init, Layer, ParameterSpec, PlacedLayer};
use crate::shape::{MAX_ACTIVATIONS, MAX_CLASSES, MAX_PARAMETERS, MAX_SIZE, Shape};

/// Most layers and blocks in one network, repeated ones counted as often as they are there.
pub const MAX_NODES: usize = 10_000;

/// Everything about a network but its parameters: its layers in order, how they are connected, and which of them are
/// fused. Shapes fit.
#[derive(Debug, Clone)]
pub struct NetworkPlan {
    pub(super) name: String,
    /// See [`Self::held_in`].
    pub(super) attribute: Option<&'static str>,
    pub(super) input_shape: [usize; 3],
    pub(super) num_classes: usize,
    pub(super) layers: Vec<NetworkLayer>,
    pub(super) tree: Vec<Tree>,
    pub(super) levels: Vec<Level>,
    pub(super) steps: Vec<Step>,
}

impl NetworkPlan {
    /// Infers the shapes and refuses what does not fit. `name` is the class name of the PyTorch original;
    /// `input_shape` is `[channels, height, width]`; the last layer gives one number for each class.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`] whose key is the path of the wrong argument: `layers[2].body[0].kernel_size`.
    pub fn new(name: &str, input_shape: [usize; 3], layers: Vec<Node>) -> Result<Self, ArgumentError> {
        let image = Shape::Image(input_shape);
        let fits = input_shape.iter().all(|size| (1..=MAX_SIZE).contains(size));
        if !fits || image.num_elements() > MAX_ACTIVATIONS {
            let expected = format!(
                "[channels, height, width], each 1 to {MAX_SIZE} and {MAX_ACTIVATIONS} together at most"
            );
            return Err(ArgumentError::new("input_shape", expected, format!("{input_shape:?}")));
        }
        if layers.is_empty() {
            return Err(ArgumentError::new("layers", "a `linear` at least", "none"));
        }
        let mut builder = Builder::default();
        let (tree, output) = builder.list(&layers, "", "layers", image)?;
        let expected = format!("1 to {MAX_CLASSES} features at the end, one for each class");
        let num_classes = match output {
            Shape::Features(num_classes) if num_classes <= MAX_CLASSES => num_classes,
            other => return Err(ArgumentError::new("layers", expected, other)),
        };
        let Builder { layers, levels, .. } = builder;
        let steps = fuse(&tree, &layers);
        Ok(Self {
            name: name.to_owned(),
            attribute: None,
            input_shape,
            num_classes,
            layers,
            tree,
            levels,
            steps,
        })
    }

    /// The same network, whose PyTorch original holds its layers in one attribute, as in
    /// `self.model1 = nn.Sequential(...)`, so that its parameters have that name in front.
    #[must_use]
    pub fn held_in(self, attribute: &'static str) -> Self {
        Self { attribute: Some(attribute), ..self }
    }

    /// The attribute of the PyTorch original that holds its layers, if there is one.
    pub fn attribute(&self) -> Option<&'static str> {
        self.attribute
    }

    /// The same with other first values: `rule` gives them for a parameter, with the path of its layer, where they are
    /// not torch's default for that layer.
    #[must_use]
    pub fn initialised(mut self, rule: impl Fn(&str, &ParameterSpec) -> Option<Init>) -> Self {
        for layer in &mut self.layers {
            let mut placed = PlacedLayer::clone(&layer.placed);
            for spec in &mut placed.parameters {
                spec.init = rule(&layer.path, spec).unwrap_or(spec.init);
            }
            layer.placed = Arc::new(placed);
        }
        self
    }

    /// Class name of the PyTorch original.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `[channels, height, width]` of one image.
    pub fn input_shape(&self) -> [usize; 3] {
        self.input_shape
    }

    /// How many numbers the last layer gives.
    pub fn num_classes(&self) -> usize {
        self.num_classes
    }

    /// Whether the network ends in a layer whose numbers are probabilities by themselves, such as a sigmoid.
    pub fn gives_probabilities(&self) -> bool {
        self.gives() == Gives::Probabilities
    }

    /// What the network's outputs are, as its last layers say.
    pub fn gives(&self) -> Gives {
        // Sums, products and images themselves may be anything.
        let of_part = |part: &Tree| match part {
            Tree::Layer(layer) => self.layers[*layer].layer.gives(),
            Tree::Residual { .. } | Tree::Concat(_) | Tree::Split(_) | Tree::Gate(_) => Gives::Scores,
        };
        let known = self.tree.iter().rev().map(of_part).find(|gives| *gives != Gives::SameAsInput);
        known.unwrap_or(Gives::Scores)
    }

    /// Every layer, in the order of their parameters.
    pub fn layers(&self) -> &[NetworkLayer] {
        &self.layers
    }

    /// Whether every layer takes what the one before it gives, as in torch's `nn.Sequential`.
    pub fn is_series(&self) -> bool {
        self.tree.iter().all(|part| matches!(part, Tree::Layer(_)))
    }

    /// How the layers are connected.
    pub fn tree(&self) -> &[Tree] {
        &self.tree
    }
}

/// Walks through the nodes and collects their layers.
#[derive(Default)]
struct Builder {
    layers: Vec<NetworkLayer>,
    levels: Vec<Level>,
    /// The path of every layer with parameters, and where it is written.
    taken: HashMap<String, String>,
    num_nodes: usize,
    num_parameters: usize,
}

impl Builder {
    /// `nodes` one after another: their layers get paths below `level`; `at` is where the list is written.
    fn list(
        &mut self,
        nodes: &[Node],
        level: &str,
        at: &str,
        input: Shape,
    ) -> Result<(Vec<Tree>, Shape), ArgumentError> {
        let (mut tree, mut shape) = (Vec::new(), input);
        for (index, node) in nodes.iter().enumerate() {
            let at = match &node.origin {
                Some(origin) => origin.place.clone(),
                None => format!("{at}[{index}]"),
            };
            self.num_nodes += 1;
            if self.num_nodes > MAX_NODES {
                return Err(refused(node, &at, format!("at most {MAX_NODES} layers and blocks"), "more"));
            }
            check_name(node, &at)?;
            let level = match (&node.name, &node.kind) {
                _ if node.is_of_block => level.to_owned(),
                (Some(name), _) => join(level, name),
                (None, NodeKind::Layer(_)) => join(level, &index.to_string()),
                (None, _) => level.to_owned(),
            };
            shape = self.node(node, &level, &at, shape, &mut tree)?;
        }
        Ok((tree, shape))
    }

    fn node(
        &mut self,
        node: &Node,
        level: &str,
        at: &str,
        input: Shape,
        tree: &mut Vec<Tree>,
    ) -> Result<Shape, ArgumentError> {
        if node.name.is_some() && !matches!(node.kind, NodeKind::Layer(_)) {
            let block = node.origin.as_ref().and_then(|origin| origin.block.as_deref());
            self.levels.push(Level { path: level.to_owned(), class: block.unwrap_or(node.class).to_owned() });
        }
        match &node.kind {
            NodeKind::Layer(layer) => {
                let placed = self.layer(node, layer, level, at, input)?;
                tree.push(Tree::Layer(self.layers.len() - 1));
                Ok(placed)
            }
            NodeKind::Sequence(layers) => {
                let (inner, output) = self.list(layers, level, &format!("{at}.layers"), input)?;
                tree.extend(inner);
                Ok(output)
            }
            NodeKind::Residual(residual) => self.residual(node, residual, level, at, input, tree),
            NodeKind::Concat(branches) => {
                let inputs = vec![input; branches.len()];
                let (branches, output) = self.branches(node, branches, level, at, &inputs)?;
                tree.push(Tree::Concat(branches));
                Ok(output)
            }
            NodeKind::Split(branches) => {
                let inputs = split(input, branches.len()).map_err(|error| located(error.within(at), node))?;
                let (branches, output) = self.branches(node, branches, level, at, &inputs)?;
                tree.push(Tree::Split(branches));
                Ok(output)
            }
            NodeKind::Gate(body) => {
                let key = format!("{at}.body");
                let (body, factor) = self.list(body, level, &key, input)?;
                if !gates(factor, input) {
                    return Err(refused(node, &key, format!("a factor for {input}"), factor));
                }
                tree.push(Tree::Gate(body));
                Ok(input)
            }
        }
    }

    /// Gives the shape behind the layer.
    fn layer(
        &mut self,
        node: &Node,
        layer: &Arc<dyn Layer>,
        path: &str,
        at: &str,
        input: Shape,
    ) -> Result<Shape, ArgumentError> {
        let placed =
            PlacedLayer::new(Arc::clone(layer), input).map_err(|error| located(error.within(at), node))?;
        let num_parameters = placed.parameters.iter().map(|spec| spec.num_elements());
        self.num_parameters = num_parameters.fold(self.num_parameters, usize::saturating_add);
        if self.num_parameters > MAX_PARAMETERS {
            let got = format!("{} so far", self.num_parameters);
            return Err(refused(node, at, format!("at most {MAX_PARAMETERS} parameters"), got));
        }
        if !placed.parameters.is_empty()
            && let Some(other) = self.taken.insert(path.to_owned(), at.to_owned())
        {
            let expected = "a path that no other layer with parameters has; give this layer, or a block around it, a name, such as as = \"block1\"";
            return Err(refused(node, at, expected, format!("`{path}`, which {other} has, too")));
        }
        let output = placed.output;
        self.layers.push(NetworkLayer {
            path: path.to_owned(),
            is_functional: node.is_functional,
            placed: Arc::new(placed),
        });
        Ok(output)
    }

    fn residual(
        &mut self,
        node: &Node,
        residual: &Residual,
        level: &str,
        at: &str,
        input: Shape,
        tree: &mut Vec<Tree>,
    ) -> Result<Shape, ArgumentError> {
        let (body, output) = self.list(&residual.body, level, &format!("{at}.body"), input)?;
        let key = format!("{at}.shortcut");
        let has_layers = residual.shortcut_when == ShortcutWhen::Always || output != input;
        let (shortcut, other) = match has_layers {
            true => self.list(&residual.shortcut, level, &key, input)?,
            false => (Vec::new(), input),
        };
        if other != output {
            let got = match residual.shortcut.is_empty() {
                true => format!("no layers, which leave {other}"),
                false => other.to_string(),
            };
            return Err(refused(node, &key, format!("{output}, as the body gives"), got));
        }
        tree.push(Tree::Residual { body, shortcut });
        let (after, output) = self.list(&residual.after, level, &format!("{at}.after"), output)?;
        tree.extend(after);
        Ok(output)
    }

    fn branches(
        &mut self,
        node: &Node,
        branches: &[Vec<Node>],
        level: &str,
        at: &str,
        inputs: &[Shape],
    ) -> Result<(Vec<Vec<Tree>>, Shape), ArgumentError> {
        if branches.len() < 2 {
            return Err(refused(node, &format!("{at}.branches"), "two branches at least", branches.len()));
        }
        let (mut trees, mut together) = (Vec::new(), None);
        for (index, (branch, input)) in branches.iter().zip(inputs).enumerate() {
            let key = format!("{at}.branches[{index}]");
            let (tree, output) = self.list(branch, level, &key, *input)?;
            trees.push(tree);
            together = Some(beside(together, output).map_err(|error| located(error.within(&key), node))?);
        }
        match together {
            Some(output) => Ok((trees, output)),
            None => unreachable!("bug: there are two branches"),
        }
    }
}

/// `left` and `right` with the channels of one behind those of the other.
fn beside(left: Option<Shape>, right: Shape) -> Result<Shape, ArgumentError> {
    let together = match (left, right) {
        (None, right) => right,
        (Some(Shape::Features(left)), Shape::Features(right)) => Shape::Features(left.saturating_add(right)),
        (Some(Shape::Image([left, h, w])), Shape::Image([right, height, width]))
            if [h, w] == [height, width] =>
        {
            Shape::Image([left.saturating_add(right), h, w])
        }
        (Some(left), right) => {
            let expected = match left {
                Shape::Image([_, h, w]) => format!("an image of {h}x{w}, as the branches before it give"),
                Shape::Features(_) => "features, as the branches before it give".to_owned(),
            };
            return Err(ArgumentError::new("", expected, right));
        }
    };
    if together.num_elements() > MAX_ACTIVATIONS {
        let expected =
            format!("at most {MAX_ACTIVATIONS} numbers for each image with the branches before it");
        return Err(ArgumentError::new("", expected, together));
    }
    Ok(together)
}

/// An equal share of the channels for each branch.
fn split(input: Shape, num_branches: usize) -> Result<Vec<Shape>, ArgumentError> {
    let [channels, height, width] = input.image()?;
    if num_branches == 0 || channels % num_branches != 0 {
        let expected = format!("a number of branches that divides the {channels} channels that come in");
        return Err(ArgumentError::new("branches", expected, num_branches));
    }
    Ok(vec![Shape::Image([channels / num_branches, height, width]); num_branches])
}

/// Whether `input` can be multiplied by `factor`.
fn gates(factor: Shape, input: Shape) -> bool {
    let one_a_channel = match input {
        Shape::Image([channels, ..]) => Shape::Image([channels, 1, 1]),
        features => features,
    };
    factor == input || factor == one_a_channel
}

fn check_name(node: &Node, at: &str) -> Result<(), ArgumentError> {
    let Some(name) = &node.name else { return Ok(()) };
    let is_word = |part: &str| {
        !part.is_empty() && part.chars().all(|letter| letter.is_alphanumeric() || "_-".contains(letter))
    };
    if name.split('.').all(is_word) {
        return Ok(());
    }
    let expected = "letters, digits, `_` and `-`, perhaps in several parts with dots between them";
    Err(refused(node, &format!("{at}.as"), expected, format!("`{name}`")))
}

fn refused(node: &Node, key: &str, expected: impl Into<String>, got: impl Display) -> ArgumentError {
    located(ArgumentError::new(key, expected, got), node)
}

/// In a block of a config: where the value comes from, or which use of the block brought the error about.
fn located(mut error: ArgumentError, node: &Node) -> ArgumentError {
    let Some(origin) = &node.origin else { return error };
    if let Some((_, source)) = origin.sources.iter().find(|(argument, _)| *argument == error.key) {
        error.key.clone_from(source);
    }
    if let Some(used_at) = &origin.used_at
        && !error.key.starts_with(used_at)
    {
        error.got += &format!(" in the block as {used_at} uses it");
    }
    error
}

fn join(level: &str, name: &str) -> String {
    if level.is_empty() { name.to_owned() } else { format!("{level}.{name}") }
}
