//! Which layers learn at the same rate where the rate falls with the distance from the end.
//!
//! # Source
//!
//! `param_groups_layer_decay` of `timm.optim`, with the groups of timm's `group_matcher` for ResNet and ConvNeXt.

use std::collections::HashMap;

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::plan::NetworkPlan;
use super::tree::Tree;
use crate::walk::{ParamRef, Role, Visit, visit};

/// Levels of a network that hold blocks and are none themselves.
const CONTAINERS: [&str; 4] = ["Sequential", "ModuleList", "AnyStage", "_DenseBlock"];

/// The groups of a network's layers by depth, from the stem, which is 0, to the head.
///
/// A block is a group: a block of the PyTorch original, such as a `BasicBlock`, or a residual block or branches that have no
/// name. The layers in front of the first block are the stem's, those between two blocks the later one's. Behind the last
/// block the last layer is the head, with a normalisation in front of it; a convolution in front of that belongs to the
/// last block. In a network without blocks each convolution and each linear layer is a group, with the normalisation behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LayerDepths {
    groups: HashMap<String, usize>,
    num_groups: usize,
}

/// A layer with parameters.
struct Placed {
    path: String,
    /// A convolution's or a linear layer's; a normalisation has none.
    has_weight: bool,
    block: Option<usize>,
}

impl LayerDepths {
    /// Of a network that is data.
    pub fn of_plan(plan: &NetworkPlan) -> Self {
        let blocks = blocks(plan);
        let layers = plan.layers.iter().zip(blocks).filter(|(layer, _)| layer.num_parameters() > 0);
        let placed = layers.map(|(layer, block)| Placed {
            path: layer.path.clone(),
            has_weight: layer.parameters.iter().any(|spec| is_weight(spec.role, spec.shape.len())),
            block,
        });
        Self::of(placed.collect())
    }

    /// Of any module: a network without blocks.
    pub fn of_module<M: Module>(model: &M) -> Self {
        let mut layers = Layers(Vec::new());
        visit(model, &mut layers);
        Self::of(layers.0)
    }

    /// How many groups there are; at least one for a network with parameters.
    pub fn num_groups(&self) -> usize {
        self.num_groups
    }

    /// How many groups lie behind that of the parameter at `path`: 0 for the head.
    pub fn from_end(&self, path: &str) -> usize {
        self.groups.get(layer_of(path)).map_or(0, |group| self.num_groups - 1 - group)
    }

    fn of(layers: Vec<Placed>) -> Self {
        let first_block = layers.iter().position(|layer| layer.block.is_some());
        let last_block = layers.iter().rposition(|layer| layer.block.is_some());
        let mut found = Self::default();
        match (first_block, last_block) {
            (Some(first), Some(last)) => {
                found.add(&layers[..first]);
                found.add_blocks(&layers[first..=last]);
                let tail = units(&layers[last + 1..]);
                if let Some((head, before)) = tail.split_last() {
                    before.iter().for_each(|unit| found.join_last(unit));
                    found.add(head);
                }
            }
            _ => units(&layers).into_iter().for_each(|unit| found.add(unit)),
        }
        found
    }

    /// A group of these layers, if there are any.
    fn add(&mut self, layers: &[Placed]) {
        if !layers.is_empty() {
            self.num_groups += 1;
            self.join_last(layers);
        }
    }

    fn join_last(&mut self, layers: &[Placed]) {
        let group = self.num_groups - 1;
        self.groups.extend(layers.iter().map(|layer| (layer.path.clone(), group)));
    }

    /// A group for each block; what lies in front of a block belongs to it.
    fn add_blocks(&mut self, layers: &[Placed]) {
        let mut start = 0;
        for (index, layer) in layers.iter().enumerate() {
            let is_last_of_block =
                layer.block.is_some() && layers.get(index + 1).is_none_or(|next| next.block != layer.block);
            if is_last_of_block {
                self.add(&layers[start..=index]);
                start = index + 1;
            }
        }
    }
}

/// The layers cut in front of each that has a weight, but for the first: a normalisation belongs to the convolution before
/// it, and to the one behind it where there is none before it.
fn units(layers: &[Placed]) -> Vec<&[Placed]> {
    let mut found = Vec::new();
    let (mut start, mut has_weight) = (0, false);
    for (index, layer) in layers.iter().enumerate() {
        if layer.has_weight && has_weight {
            found.push(&layers[start..index]);
            start = index;
        }
        has_weight |= layer.has_weight;
    }
    if start < layers.len() {
        found.push(&layers[start..]);
    }
    found
}

fn is_weight(role: Role, num_dimensions: usize) -> bool {
    matches!(role, Role::Weight | Role::LinearWeight) && num_dimensions > 1
}

/// The block that each layer belongs to, if it belongs to one.
fn blocks(plan: &NetworkPlan) -> Vec<Option<usize>> {
    let mut found = vec![None; plan.layers.len()];
    // Blocks without a name: parts of the network that are no single layer.
    for (block, part) in plan.tree.iter().enumerate() {
        if !matches!(part, Tree::Layer(_)) {
            layers_of(part).into_iter().for_each(|layer| found[layer] = Some(block));
        }
    }
    let inside = |path: &str, level: &str| path.strip_prefix(level).is_some_and(|rest| rest.starts_with('.'));
    let mut taken: Vec<&str> = Vec::new();
    for (index, level) in plan.levels.iter().enumerate() {
        let is_inside_block = taken.iter().any(|block| inside(&level.path, block));
        if is_inside_block || CONTAINERS.contains(&level.class.as_str()) {
            continue;
        }
        let is_of_level =
            |layer: &super::tree::NetworkLayer| inside(&layer.path, &level.path) || layer.path == level.path;
        let members: Vec<usize> =
            (0..plan.layers.len()).filter(|layer| is_of_level(&plan.layers[*layer])).collect();
        let weights = members.iter().filter(|layer| {
            plan.layers[**layer].parameters.iter().any(|spec| is_weight(spec.role, spec.shape.len()))
        });
        // One convolution with its normalisation is a layer rather than a block.
        if weights.count() > 1 {
            taken.push(&level.path);
            members.into_iter().for_each(|layer| found[layer] = Some(plan.tree.len() + index));
        }
    }
    found
}

fn layers_of(part: &Tree) -> Vec<usize> {
    let of_all = |parts: &[Tree]| parts.iter().flat_map(layers_of).collect::<Vec<_>>();
    match part {
        Tree::Layer(layer) => vec![*layer],
        Tree::Residual { body, shortcut } => [of_all(body), of_all(shortcut)].concat(),
        Tree::Concat(branches) | Tree::Split(branches) => branches.iter().flat_map(|b| of_all(b)).collect(),
        Tree::Gate(body) => of_all(body),
    }
}

/// The path of the layer that a parameter belongs to.
fn layer_of(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(layer, _)| layer)
}

/// Collects the layers of any module.
struct Layers(Vec<Placed>);

impl Visit for Layers {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, _parameter: &Param<Tensor<D>>) {
        if at.role == Role::Buffer {
            return;
        }
        let path = layer_of(&at.path);
        let has_weight = is_weight(at.role, D);
        match self.0.last_mut().filter(|last| last.path == path) {
            Some(last) => last.has_weight |= has_weight,
            None => self.0.push(Placed { path: path.to_owned(), has_weight, block: None }),
        }
    }
}
