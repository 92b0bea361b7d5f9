//! Decides, once for each network, which neighbours run as one operation.
//!
//! A layer says what it is as the end of another operation ([`Layer::as_epilogue`](crate::layer::Layer::as_epilogue)),
//! and the layer before it whether it takes that ([`Layer::fuses`](crate::layer::Layer::fuses)). Nothing here knows a
//! layer by name.

use super::tree::{NetworkLayer, Tree};
use crate::layer::{Epilogue, EpilogueStep};

/// What `forward` does one after another. Numbers are positions among the network's layers.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Layer(LayerStep),
    Residual {
        body: Vec<Step>,
        /// The last layer of the body, if the addition is part of it.
        adding: Option<LayerStep>,
        shortcut: Vec<Step>,
    },
    Concat(Vec<Vec<Step>>),
    Split(Vec<Vec<Step>>),
    Gate(Vec<Step>),
}

/// A layer with what has become a part of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LayerStep {
    pub(super) layer: usize,
    pub(super) epilogue: Epilogue,
}

impl LayerStep {
    /// Makes `step` a part of the layer's operation if the layer can do that.
    fn absorbs(&mut self, step: EpilogueStep, layers: &[NetworkLayer]) -> bool {
        let Some(epilogue) = self.epilogue.then(step) else { return false };
        let is_fused = layers[self.layer].layer.fuses(epilogue);
        if is_fused {
            self.epilogue = epilogue;
        }
        is_fused
    }
}

impl LayerStep {
    /// Makes the zeros around what comes in a part of the layer's operation if the layer can do that.
    fn takes_zeros(&mut self, zeros_before: [usize; 4], layers: &[NetworkLayer]) -> bool {
        let epilogue = Epilogue { zeros_before, ..self.epilogue };
        let takes_them = layers[self.layer].layer.fuses(epilogue);
        if takes_them {
            self.epilogue = epilogue;
        }
        takes_them
    }
}

/// The zeros that a step puts around images, if it does nothing else.
fn zeros(step: &Step, layers: &[NetworkLayer]) -> Option<[usize; 4]> {
    match step {
        Step::Layer(step) if step.epilogue == Epilogue::default() => layers[step.layer].layer.as_zeros(),
        _ => None,
    }
}

/// The steps of a series.
pub(super) fn fuse(series: &[Tree], layers: &[NetworkLayer]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for part in series {
        let step = match part {
            Tree::Layer(layer) => {
                let last = steps.last_mut().and_then(last_layer);
                let epilogue = layers[*layer].layer.as_epilogue();
                if let (Some(last), Some(epilogue)) = (last, epilogue)
                    && last.absorbs(epilogue, layers)
                {
                    continue;
                }
                let mut step = LayerStep { layer: *layer, epilogue: Epilogue::default() };
                if let Some(before) = steps.last().and_then(|step| zeros(step, layers))
                    && step.takes_zeros(before, layers)
                {
                    steps.pop();
                }
                Step::Layer(step)
            }
            Tree::Residual { body, shortcut } => residual(fuse(body, layers), fuse(shortcut, layers), layers),
            Tree::Concat(branches) => Step::Concat(branches.iter().map(|b| fuse(b, layers)).collect()),
            Tree::Split(branches) => Step::Split(branches.iter().map(|b| fuse(b, layers)).collect()),
            Tree::Gate(body) => Step::Gate(fuse(body, layers)),
        };
        steps.push(step);
    }
    steps
}

/// The layer whose output is the step's.
fn last_layer(step: &mut Step) -> Option<&mut LayerStep> {
    match step {
        Step::Layer(layer) => Some(layer),
        Step::Residual { adding, .. } => adding.as_mut(),
        Step::Concat(_) | Step::Split(_) | Step::Gate(_) => None,
    }
}

fn residual(mut body: Vec<Step>, shortcut: Vec<Step>, layers: &[NetworkLayer]) -> Step {
    let mut adding = None;
    if let Some(Step::Layer(last)) = body.last_mut()
        && last.absorbs(EpilogueStep::Add, layers)
    {
        adding = Some(*last);
        body.pop();
    }
    Step::Residual { body, adding, shortcut }
}
