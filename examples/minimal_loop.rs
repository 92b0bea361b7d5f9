//! The training loop by hand, on Firebrick's public crates: what `train` does, without run folder,
//! events and checkpoints.
//!
//! `cargo run --example minimal_loop`

#![allow(clippy::print_stdout)]

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use firebrick::data::source::DigitsConfig;
use firebrick::data::{DataConfig, DataLoader, InputShape, LoaderOptions, Targets, open};
use firebrick::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use firebrick::models::{LeNetConfig, NetworkConfig};
use firebrick::train::optimizer::{Optimizer, OptimizerConfig, SgdConfig};

const SEED: u64 = 0;
const EPOCHS: u64 = 5;
const BATCH_SIZE: usize = 32;
const LR: f64 = 0.02;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex();

    // Data: the bundled digits, prepared as LeNet wants them.
    let config = DataConfig::new(DigitsConfig {});
    let [channels, height, width] = LeNetConfig::INPUT_SHAPE;
    let input = InputShape { channels, height, width };
    let datasets = open(&config, input, SEED, &())?;
    let loader = |split, shuffle| {
        let options =
            LoaderOptions { batch_size: BATCH_SIZE, shuffle, seed: SEED, workers: 1, drop_last: false };
        DataLoader::new(split, options)
    };
    let train = loader(datasets.train, true);
    let test = loader(datasets.test, false);

    // Model, loss, optimiser.
    let mut model = LeNetConfig { num_classes: 10 }.init(SEED, &device).train();
    let criterion: CrossEntropyLoss = CrossEntropyLossConfig::default().init()?;
    let mut optimizer =
        Optimizer::new(&OptimizerConfig::Sgd(SgdConfig { lr: LR, momentum: 0.9, ..SgdConfig::default() }))?;
    println!("{model}");

    for epoch in 0..EPOCHS {
        let mut loss_sum = 0.0;
        for batch in train.epoch(epoch, 0) {
            let batch = batch?.to_tensors(&device.clone().autodiff());
            let Targets::Classes(labels_n) = batch.targets else { return Err("the images are mixed".into()) };
            let logits_nk = model.forward(batch.images_nchw);
            let loss = criterion.forward(logits_nk, labels_n)?;
            loss_sum += loss.clone().into_scalar::<f32>();
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(LR, model, gradients);
        }

        let trained = model.valid();
        let mut correct = 0;
        for batch in test.epoch(0, 0) {
            let batch = batch?.to_tensors(&device);
            let Targets::Classes(labels_n) = batch.targets else { return Err("the images are mixed".into()) };
            let predicted_n = trained.forward(batch.images_nchw).argmax(1).squeeze_dim::<1>(1);
            correct += predicted_n.equal(labels_n).int().sum().into_scalar::<i64>();
        }
        println!(
            "epoch {}: train loss {:.4}, test accuracy {:.1}%",
            epoch + 1,
            loss_sum / train.num_batches() as f32,
            100.0 * correct as f64 / test.num_samples() as f64
        );
    }
    Ok(())
}
