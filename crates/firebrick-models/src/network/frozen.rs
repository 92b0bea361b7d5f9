//! The layers in front of the first trained one: they give the same numbers for an image as long as they are frozen.

use burn::module::Module;
use burn::tensor::Tensor;

use super::forward::run;
use super::fuse::Step;
use super::model::Network;
use crate::layer::{Activations, LayerModule};

/// The frozen layers at the beginning of a network.
///
/// They run as in evaluation, without autodiff: dropout and stochastic depth inside them are off. It ends behind the last
/// frozen layer in front of the first trained one, or further on, in front of a layer that draws random numbers in training:
/// a dropout before a trained classifier drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrozenPrefix {
    num_steps: usize,
    num_layers: usize,
}

impl FrozenPrefix {
    /// How many of the network's layers belong to it.
    pub fn num_layers(self) -> usize {
        self.num_layers
    }
}

impl Network {
    /// The frozen layers at the network's beginning; none where the first layer with parameters is trained, or outside of
    /// training, when no layer is.
    pub fn frozen_prefix(&self) -> Option<FrozenPrefix> {
        let (mut num_steps, mut is_open) = (0, false);
        for (index, step) in self.plan.steps.iter().enumerate() {
            let of_step = OfStep::of(step, &self.layers);
            if of_step.trains {
                break;
            }
            is_open = of_step.is_frozen || (is_open && !of_step.is_random);
            if is_open {
                num_steps = index + 1;
            }
        }
        let last = self.plan.steps[..num_steps].iter().flat_map(layers_of).max()?;
        Some(FrozenPrefix { num_steps, num_layers: last + 1 })
    }

    /// What leaves the frozen layers, in evaluation and without autodiff.
    ///
    /// # Shapes
    ///
    /// - `images_nchw`: as [`Network::forward`] takes them; what they carry for autodiff is dropped
    pub fn forward_prefix(&self, prefix: FrozenPrefix, images_nchw: Tensor<4>) -> Activations {
        let layers: Vec<LayerModule> = self.layers[..prefix.num_layers].iter().map(Module::valid).collect();
        let images_nchw = images_nchw.without_autodiff();
        run(&self.plan.steps[..prefix.num_steps], &layers, Activations::Images(images_nchw))
    }

    /// The layers behind the frozen ones. They train if `outputs` is on an autodiff device.
    ///
    /// # Shapes
    ///
    /// - `outputs`: what [`Network::forward_prefix`] gave
    /// - result `logits_nk`: `[n, num_classes]`
    pub fn forward_behind(&self, prefix: FrozenPrefix, outputs: Activations) -> Tensor<2> {
        run(&self.plan.steps[prefix.num_steps..], &self.layers, outputs).features()
    }
}

/// What the layers of a step are in training.
#[derive(Default)]
struct OfStep {
    /// One of them has a trained parameter.
    trains: bool,
    /// One of them has parameters.
    is_frozen: bool,
    is_random: bool,
}

impl OfStep {
    fn of(step: &Step, layers: &[LayerModule]) -> Self {
        layers_of(step).into_iter().map(|layer| &layers[layer]).fold(Self::default(), |known, layer| Self {
            trains: known.trains || layer.trains(),
            is_frozen: known.is_frozen || layer.is_frozen(),
            is_random: known.is_random || layer.placed().layer.is_random(),
        })
    }
}

fn layers_of(step: &Step) -> Vec<usize> {
    let of_all = |steps: &[Step]| steps.iter().flat_map(layers_of).collect::<Vec<_>>();
    match step {
        Step::Layer(step) => vec![step.layer],
        Step::Residual { body, adding, shortcut } => {
            let adding = adding.map(|step| step.layer);
            of_all(body).into_iter().chain(adding).chain(of_all(shortcut)).collect()
        }
        Step::Concat(branches) | Step::Split(branches) => branches.iter().flat_map(|b| of_all(b)).collect(),
        Step::Gate(body) => of_all(body),
    }
}
