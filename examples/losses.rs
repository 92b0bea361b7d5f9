//! The lessons on loss functions: L1, smooth L1, MSE and cross-entropy on numbers that can be checked
//! by hand, and what `backward()` makes of them. Each lesson fails if its number is another one.
//!
//! `cargo run --example losses`
#![allow(clippy::print_stdout)]

use burn::tensor::{Device, Int, Tensor};
use firebrick::loss::{CrossEntropyLossConfig, L1LossConfig, MseLossConfig, Reduction, SmoothL1LossConfig};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let device = Device::flex();
    ones_against_a_square(&device)?;
    three_numbers(&device)?;
    sums_instead_of_means(&device)?;
    cross_entropy(&device)?;
    gradient_of_cross_entropy(&device.autodiff())
}

/// |0 - 1| + |1 - 1| + |2 - 1| + |3 - 1| = 4, and 4 / 4 = 1.
fn ones_against_a_square(device: &Device) -> Outcome {
    println!("1. ones(2, 2) against [[0, 1], [2, 3]]");
    let input = Tensor::<2>::ones([2, 2], device);
    let target = Tensor::<2>::from_floats([[0.0, 1.0], [2.0, 3.0]], device);
    let l1 = L1LossConfig::default().init()?;
    show("l1", l1.forward(input.clone(), target.clone())?, 1.0)?;
    let smooth_l1 = SmoothL1LossConfig::default().init()?;
    show("smooth_l1", smooth_l1.forward(input.clone(), target.clone())?, 0.625)?;
    let mse = MseLossConfig::default().init()?;
    show("mse", mse.forward(input, target)?, 1.5)
}

/// Only the last of three differs, by 2.
fn three_numbers(device: &Device) -> Outcome {
    println!("2. [1, 2, 3] against [1, 2, 5]");
    let input = Tensor::<1>::from_floats([1.0, 2.0, 3.0], device);
    let target = Tensor::<1>::from_floats([1.0, 2.0, 5.0], device);
    let l1 = L1LossConfig::default().init()?;
    show("l1", l1.forward(input.clone(), target.clone())?, 0.6667)?;
    let mse = MseLossConfig::default().init()?;
    show("mse", mse.forward(input, target)?, 1.3333)
}

/// The same with `reduction="sum"`.
fn sums_instead_of_means(device: &Device) -> Outcome {
    println!("3. the same with reduction = sum");
    let reduction = Reduction::Sum;
    let input = Tensor::<1>::from_floats([1.0, 2.0, 3.0], device);
    let target = Tensor::<1>::from_floats([1.0, 2.0, 5.0], device);
    let l1 = L1LossConfig { reduction }.init()?;
    show("l1", l1.forward(input.clone(), target.clone())?, 2.0)?;
    let mse = MseLossConfig { reduction }.init()?;
    show("mse", mse.forward(input, target)?, 4.0)
}

/// -0.2 + log(exp(0.1) + exp(0.2) + exp(0.3)) = 1.1019.
fn cross_entropy(device: &Device) -> Outcome {
    println!("4. logits [0.1, 0.2, 0.3], and the class is 1");
    let logits_nk = Tensor::<2>::from_floats([[0.1, 0.2, 0.3]], device);
    let labels_n = Tensor::<1, Int>::from_ints([1], device);
    let cross_entropy = CrossEntropyLossConfig::default().init()?;
    show("cross_entropy", cross_entropy.forward(logits_nk, labels_n)?, 1.1019)
}

/// The gradient of cross-entropy is the softmax, less 1 at the class.
fn gradient_of_cross_entropy(device: &Device) -> Outcome {
    println!("5. and its gradient after backward()");
    let logits_nk = Tensor::<2>::from_floats([[0.1, 0.2, 0.3]], device).require_grad();
    let labels_n = Tensor::<1, Int>::from_ints([1], device);
    let cross_entropy = CrossEntropyLossConfig::default().init()?;
    let loss = cross_entropy.forward(logits_nk.clone(), labels_n)?;
    let gradient = logits_nk.grad(&loss.backward()).ok_or("no gradient")?;
    for (class, want) in [0.3006, -0.6678, 0.3672].into_iter().enumerate() {
        let component = gradient.clone().narrow(1, class, 1).reshape([1]);
        show(&format!("d loss / d logit {class}"), component, want)?;
    }
    Ok(())
}

fn show(name: &str, number: Tensor<1>, want: f32) -> Outcome {
    let got = number.into_scalar::<f32>();
    println!("   {name:18} {got:.4}");
    if (got - want).abs() > 5e-5 {
        return Err(format!("{name}: expected {want}, got {got}").into());
    }
    Ok(())
}
