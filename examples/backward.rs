//! The lesson on `loss.backward()`: no gradient before it, one for every parameter after it, and
//! one SGD step lowers the loss.
//!
//! `cargo run --example backward`

#![allow(clippy::print_stdout)]

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use firebrick::data::source::DigitsConfig;
use firebrick::data::{DataConfig, DataLoader, InputShape, LoaderOptions, Targets, open};
use firebrick::loss::CrossEntropyLossConfig;
use firebrick::models::walk::{ParamRef, Visit, visit};
use firebrick::models::{NetworkConfig, TuduiConfig};
use firebrick::train::optimizer::{Optimizer, OptimizerConfig, SgdConfig};

const LR: f64 = 0.01;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex().autodiff();
    let model = TuduiConfig { num_classes: 10 }.init(0, &device);
    let criterion = CrossEntropyLossConfig::default().init()?;

    let [channels, height, width] = TuduiConfig::INPUT_SHAPE;
    let datasets = open(&DataConfig::new(DigitsConfig {}), InputShape { channels, height, width }, 0, &())?;
    let options = LoaderOptions { batch_size: 64, shuffle: true, seed: 0, workers: 0, drop_last: true };
    let loader = DataLoader::new(datasets.train, options);
    let batch = loader.epoch(0, 0).next().ok_or("no batch")??.to_tensors(&device);

    // PyTorch's `.grad` is None until a loss that depends on the parameter is differentiated. This one
    // does not: it never went through the network.
    let unrelated = Tensor::<1>::ones([1], &device).require_grad();
    let none = GradientsParams::from_grads(unrelated.backward(), &model);
    report("before backward()", &model, &none);
    if !none.is_empty() {
        return Err("a parameter has a gradient before backward()".into());
    }

    let Targets::Classes(labels_n) = batch.targets else { return Err("the images are mixed".into()) };
    let logits_nk = model.forward(batch.images_nchw.clone());
    let before = criterion.forward(logits_nk, labels_n.clone())?;
    let gradients = GradientsParams::from_grads(before.backward(), &model);
    report("after backward()", &model, &gradients);

    let mut optimizer = Optimizer::new(&OptimizerConfig::Sgd(SgdConfig { lr: LR, ..SgdConfig::default() }))?;
    let model = optimizer.step(LR, model, gradients);
    let after = criterion.forward(model.forward(batch.images_nchw), labels_n)?;

    let (before, after) = (before.into_scalar::<f32>(), after.into_scalar::<f32>());
    println!("loss before the step {before:.4}, after it {after:.4}");
    if after >= before {
        return Err("the step did not lower the loss".into());
    }
    Ok(())
}

/// Prints each parameter with the L2 norm of its gradient, or `None` as PyTorch's `.grad` has it.
fn report<M: Module>(title: &str, model: &M, gradients: &GradientsParams) {
    println!("{title}");
    visit(model, &mut Report { gradients });
}

struct Report<'a> {
    gradients: &'a GradientsParams,
}

impl Visit for Report<'_> {
    fn parameter<const D: usize>(&mut self, at: &ParamRef, parameter: &Param<Tensor<D>>) {
        let norm = self.gradients.get::<D>(parameter.id).map(|gradient| {
            let squares = gradient.powf_scalar(2.0).sum().into_scalar::<f32>();
            format!("norm {:.6}", squares.sqrt())
        });
        println!("  {:<14} grad: {}", at.path, norm.unwrap_or_else(|| "None".to_owned()));
    }
}
