//! Runs a network's steps.

use burn::tensor::Tensor;
use firebrick_kernels::{scale, used_twice};

use super::fuse::{LayerStep, Step};
use crate::layer::{Activations, LayerModule};

/// The steps one after another.
pub(super) fn run(steps: &[Step], layers: &[LayerModule], x: Activations) -> Activations {
    steps.iter().fold(x, |x, step| run_step(step, layers, x))
}

fn run_step(step: &Step, layers: &[LayerModule], x: Activations) -> Activations {
    match step {
        Step::Layer(step) => run_layer(*step, layers, x, None),
        Step::Residual { body, adding, shortcut } => {
            let [x, before] = twice(x);
            let shortcut = run(shortcut, layers, before);
            let x = run(body, layers, x);
            match adding {
                Some(last) => run_layer(*last, layers, x, Some(shortcut)),
                None => add(x, shortcut),
            }
        }
        Step::Concat(branches) => {
            let inputs = times(x, branches.len());
            concat(branches.iter().zip(inputs).map(|(branch, x)| run(branch, layers, x)).collect())
        }
        Step::Split(branches) => {
            let inputs = shares(x.images(), branches.len());
            concat(branches.iter().zip(inputs).map(|(branch, x)| run(branch, layers, x.into())).collect())
        }
        Step::Gate(body) => {
            let [x, before] = twice(x);
            multiply(before, run(body, layers, x))
        }
    }
}

fn run_layer(
    step: LayerStep,
    layers: &[LayerModule],
    x: Activations,
    residual: Option<Activations>,
) -> Activations {
    let LayerStep { layer, epilogue } = step;
    match epilogue == Default::default() {
        true => layers[layer].forward(x),
        false => layers[layer].forward_fused(x, epilogue, residual),
    }
}

fn twice(x: Activations) -> [Activations; 2] {
    match x {
        Activations::Images(x) => used_twice(x).map(Activations::Images),
        Activations::Features(x) => [x.clone(), x].map(Activations::Features),
    }
}

fn times(x: Activations, count: usize) -> Vec<Activations> {
    let (mut all, mut rest) = (Vec::with_capacity(count), x);
    for _ in 1..count {
        let [one, others] = twice(rest);
        all.push(one);
        rest = others;
    }
    all.push(rest);
    all
}

/// An equal share of the channels for each of `count`.
fn shares(images_nchw: Tensor<4>, count: usize) -> Vec<Tensor<4>> {
    let share = images_nchw.dims()[1] / count;
    (0..count).map(|index| images_nchw.clone().narrow(1, index * share, share)).collect()
}

fn add(left: Activations, right: Activations) -> Activations {
    match (left, right) {
        (Activations::Images(left), Activations::Images(right)) => (left + right).into(),
        (Activations::Features(left), Activations::Features(right)) => (left + right).into(),
        (left, right) => unreachable!("bug: {left:?} is added to {right:?}"),
    }
}

/// `[n, c, h, w]` by as many or by `[n, c, 1, 1]`.
fn multiply(x: Activations, factor: Activations) -> Activations {
    match (x, factor) {
        (Activations::Images(x), Activations::Images(factor)) => scale(x, factor).into(),
        (Activations::Features(x), Activations::Features(factor)) => (x * factor).into(),
        (x, factor) => unreachable!("bug: {x:?} is multiplied by {factor:?}"),
    }
}

/// Behind one another in the channels.
fn concat(parts: Vec<Activations>) -> Activations {
    match parts.first() {
        Some(Activations::Images(_)) => {
            Tensor::cat(parts.into_iter().map(Activations::images).collect(), 1).into()
        }
        _ => Tensor::cat(parts.into_iter().map(Activations::features).collect(), 1).into(),
    }
}
