//! Matching without names: a layer of the file for each layer of the model, by order and shape.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::file::WeightsFile;
use super::names::split_leaf;
use super::targets::{Match, Target, Targets, is_counter};

/// For each parameter its tensor: layer by layer, the first unused layer of the file whose tensors
/// have the same shapes.
pub(super) fn match_layers(file: &WeightsFile, targets: &Targets) -> Vec<Option<Match>> {
    let layers = FileLayer::group(file);
    let mut used = HashSet::new();
    let mut tensors = vec![None; targets.parameters.len()];
    for members in group_targets(targets) {
        let shapes: Vec<&[usize]> = members.iter().map(|(_, target)| target.file_shape.as_slice()).collect();
        let alike: Vec<usize> = (0..layers.len()).filter(|i| layers[*i].has_shapes(file, &shapes)).collect();
        if let Some(first) = alike.iter().copied().find(|i| !used.contains(i)) {
            used.insert(first);
            for ((target, _), tensor) in members.iter().zip(&layers[first].tensors) {
                tensors[*target] = Some(Match { tensor: *tensor, by_order_alone: alike.len() > 1 });
            }
        }
    }
    tensors
}

/// For each parameter the first unused tensor of its shape, for names that show no layers.
pub(super) fn match_single_tensors(file: &WeightsFile, targets: &Targets) -> Vec<Option<Match>> {
    let mut alike: HashMap<&[usize], Vec<usize>> = HashMap::new();
    for (i, tensor) in file.tensors.iter().enumerate() {
        if !is_counter(&tensor.name) {
            alike.entry(&tensor.shape).or_default().push(i);
        }
    }
    let mut used: HashMap<&[usize], usize> = HashMap::new();
    let shapes = targets.parameters.iter().map(|target| &target.file_shape);
    shapes
        .map(|shape| {
            let candidates = alike.get(shape.as_slice())?;
            let next = used.entry(shape.as_slice()).or_default();
            let tensor = *candidates.get(*next)?;
            *next += 1;
            Some(Match { tensor, by_order_alone: candidates.len() > 1 })
        })
        .collect()
}

/// The layers of the model in order, each with its parameters in the order that shapes give them.
fn group_targets(targets: &Targets) -> Vec<Vec<(usize, &Target)>> {
    let mut groups: Vec<(&str, Vec<(usize, &Target)>)> = Vec::new();
    for (i, target) in targets.parameters.iter().enumerate() {
        let layer = split_leaf(&target.info.name).0;
        match groups.iter_mut().find(|(name, _)| *name == layer) {
            Some((_, members)) => members.push((i, target)),
            None => groups.push((layer, vec![(i, target)])),
        }
    }
    for (_, members) in &mut groups {
        members.sort_by_key(|(_, t)| leaf_rank(&t.file_shape, &t.info.name));
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

/// The tensors of a file that share a name up to the last dot.
struct FileLayer {
    tensors: Vec<usize>,
}

impl FileLayer {
    fn group(file: &WeightsFile) -> Vec<Self> {
        let mut layers: Vec<Self> = Vec::new();
        let mut positions: HashMap<&str, usize> = HashMap::new();
        for (i, tensor) in file.tensors.iter().enumerate() {
            if is_counter(&tensor.name) {
                continue;
            }
            let position = *positions.entry(layer_of(&tensor.name)).or_insert(layers.len());
            match layers.get_mut(position) {
                Some(layer) => layer.tensors.push(i),
                None => layers.push(Self { tensors: vec![i] }),
            }
        }
        for layer in &mut layers {
            let rank = |i: &usize| leaf_rank(&file.tensors[*i].shape, &file.tensors[*i].name);
            layer.tensors.sort_by_key(rank);
        }
        layers
    }

    fn has_shapes(&self, file: &WeightsFile, shapes: &[&[usize]]) -> bool {
        let own = self.tensors.iter().map(|i| file.tensors[*i].shape.as_slice());
        self.tensors.len() == shapes.len() && own.eq(shapes.iter().copied())
    }
}

/// The part of a name that a layer's weight and bias share: up to the last dot, or, where there are
/// no dots, up to the last `_` or `/`.
fn layer_of(name: &str) -> &str {
    let dot = name.rfind('.').or_else(|| name.rfind(['_', '/']));
    dot.map_or("", |dot| &name[..dot])
}

/// More dimensions first, which puts a weight before its bias whatever they are called.
fn leaf_rank(shape: &[usize], name: &str) -> (Reverse<usize>, String) {
    (Reverse(shape.len()), split_leaf(name).1.to_owned())
}
