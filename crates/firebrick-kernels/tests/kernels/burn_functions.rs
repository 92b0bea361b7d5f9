//! Activation functions, layer normalisation, factors and zeros on one side, on Burn's tensors: what Burn's own operations
//! give, values and gradients.

use burn::tensor::Tensor;
use burn::tensor::activation::{relu as burn_relu, sigmoid as burn_sigmoid};
use burn::tensor::module::{batch_norm_train as burn_batch_norm_train, conv2d as burn_conv2d};
use burn::tensor::ops::ConvOptions;
use firebrick_kernels::{
    Activation, AfterNorm, Conv2dOptions, Pool, batch_norm_train, conv2d, conv2d_block, gelu, hardsigmoid,
    hardswish, layer_norm, linear, relu, relu6, scale, scale_add, sigmoid, silu,
};

use crate::burn_tensors::{close, devices, run, tensor};

const ALL: [Activation; 8] = [
    Activation::None,
    Activation::Relu,
    Activation::Relu6,
    Activation::Hardsigmoid,
    Activation::Hardswish,
    Activation::Sigmoid,
    Activation::Silu,
    Activation::Gelu,
];

/// Of numbers without a kink among them.
fn by_burn<const D: usize>(x: Tensor<D>, activation: Activation) -> Tensor<D> {
    let hard = |x: Tensor<D>| ((x + 3.0) / 6.0).clamp(0.0, 1.0);
    match activation {
        Activation::None => x,
        Activation::Relu => burn_relu(x),
        Activation::Relu6 => x.clamp(0.0, 6.0),
        Activation::Hardsigmoid => hard(x),
        Activation::Hardswish => x.clone() * hard(x),
        Activation::Sigmoid => burn_sigmoid(x),
        Activation::Silu => x.clone() * burn_sigmoid(x),
        Activation::Gelu => x.clone() * ((x * std::f64::consts::FRAC_1_SQRT_2).erf() + 1.0) * 0.5,
    }
}

fn by_function<const D: usize>(x: Tensor<D>, activation: Activation) -> Tensor<D> {
    match activation {
        Activation::None => x,
        Activation::Relu => relu(x),
        Activation::Relu6 => relu6(x),
        Activation::Hardsigmoid => hardsigmoid(x),
        Activation::Hardswish => hardswish(x),
        Activation::Sigmoid => sigmoid(x),
        Activation::Silu => silu(x),
        Activation::Gelu => gelu(x),
    }
}

#[test]
fn functions_of_images_and_rows_agree_with_burn() {
    for device in devices() {
        let (rows, images) = (tensor(1, [5, 7], &device) * 8.0, tensor(2, [2, 5, 3, 4], &device) * 8.0);
        let (other_rows, other_images) = (tensor(3, [5, 7], &device), tensor(4, [2, 5, 3, 4], &device));
        let bias = tensor(5, [1], &device);
        for activation in ALL {
            let all = |ours: bool| {
                let of = move |x: Tensor<2>| {
                    if ours { by_function(x, activation) } else { by_burn(x, activation) }
                };
                run(|x, y, b| of(x) + y + b.unsqueeze(), (&rows, &other_rows, &bias))
            };
            let images = |ours: bool| {
                let of = move |x: Tensor<4>| {
                    if ours { by_function(x, activation) } else { by_burn(x, activation) }
                };
                run(|x, y, b| of(x) + y + b.reshape([1, 1, 1, 1]), (&images, &other_images, &bias))
            };
            let found = all(true).into_iter().chain(images(true));
            for (ours, burns) in found.zip(all(false).into_iter().chain(images(false))) {
                close(ours, burns, &format!("{activation:?} on {device:?}"));
            }
        }
    }
}

#[test]
fn normalisations_with_functions_agree_with_burn() {
    for device in devices() {
        let (x, shift) = (tensor(1, [3, 20, 6, 5], &device), tensor(2, [3, 20, 6, 5], &device));
        // Wide enough for every function's parts.
        let (weight, bias) = (tensor(3, [20], &device) * 4.0 + 5.0, tensor(4, [20], &device));
        for activation in ALL {
            for adds in [false, true] {
                if adds && !activation.is_known_by_results() {
                    continue;
                }
                let ours = run(
                    |x, s, b| {
                        let after = AfterNorm { residual: adds.then(|| s.clone()), activation };
                        batch_norm_train(x, weight.clone(), b, 1e-3, after).output + s
                    },
                    (&x, &shift, &bias),
                );
                let burns = run(
                    |x, s, b| {
                        let y = burn_batch_norm_train(x, weight.clone(), b, 1e-3).output;
                        by_burn(if adds { y + s.clone() } else { y }, activation) + s
                    },
                    (&x, &shift, &bias),
                );
                for (ours, burns) in ours.into_iter().zip(burns) {
                    close(ours, burns, &format!("{activation:?}, added {adds}, on {device:?}"));
                }
            }
        }
    }
}

#[test]
fn layers_with_functions_agree_with_burn() {
    for device in devices() {
        let (x, w) = (tensor(1, [2, 3, 6, 7], &device), tensor(2, [4, 3, 3, 3], &device));
        let bias = tensor(3, [4], &device);
        for (activation, pool) in [(Activation::Silu, Pool::Max2x2), (Activation::Relu6, Pool::None)] {
            let options = Conv2dOptions::default;
            let ours =
                run(|x, w, b| conv2d_block(x, w, Some(b), options(), activation, pool), (&x, &w, &bias));
            let burns = run(
                |x, w, b| {
                    let y = by_burn(conv2d(x, w, Some(b), options()), activation);
                    if pool == Pool::None {
                        y
                    } else {
                        burn::tensor::module::max_pool2d(y, burn::tensor::ops::MaxPoolOptions::new([2, 2]))
                    }
                },
                (&x, &w, &bias),
            );
            for (ours, burns) in ours.into_iter().zip(burns) {
                close(ours, burns, &format!("{activation:?} on {device:?}"));
            }
        }
        let (x, w) = (tensor(1, [5, 3], &device), tensor(2, [3, 4], &device));
        let ours = run(|x, w, b| linear(x, w, Some(b), Activation::Gelu), (&x, &w, &bias));
        let burns = run(
            |x, w, b| by_burn(linear(x, w, Some(b), Activation::None), Activation::Gelu),
            (&x, &w, &bias),
        );
        for (ours, burns) in ours.into_iter().zip(burns) {
            close(ours, burns, &format!("a linear layer on {device:?}"));
        }
    }
}

#[test]
fn layer_norm_of_images_and_rows_agrees_with_burn() {
    for device in devices() {
        let by_hand = |x: Tensor<2>, w: Tensor<1>, b: Tensor<1>| {
            let centred = x.clone() - x.mean_dim(1);
            let variance = (centred.clone() * centred.clone()).mean_dim(1);
            centred / (variance + 1e-3).sqrt() * w.unsqueeze() + b.unsqueeze()
        };
        let (x, w) = (tensor(1, [2, 7, 3, 5], &device), tensor(2, [1, 7, 1, 1], &device));
        let bias = tensor(3, [7], &device);
        let ours = run(|x, w, b| layer_norm(x, w.reshape([7]), b, 1e-3), (&x, &w, &bias));
        let burns = run(
            |x, w, b| {
                let rows = x.permute([0, 2, 3, 1]).reshape([30, 7]);
                by_hand(rows, w.reshape([7]), b).reshape([2, 3, 5, 7]).permute([0, 3, 1, 2])
            },
            (&x, &w, &bias),
        );
        for (ours, burns) in ours.into_iter().zip(burns) {
            close(ours, burns, &format!("pixels on {device:?}"));
        }
        let (x, w) = (tensor(4, [6, 7], &device), tensor(5, [1, 7], &device));
        let ours = run(|x, w, b| layer_norm(x, w.reshape([7]), b, 1e-3), (&x, &w, &bias));
        let burns = run(|x, w, b| by_hand(x, w.reshape([7]), b), (&x, &w, &bias));
        for (ours, burns) in ours.into_iter().zip(burns) {
            close(ours, burns, &format!("rows on {device:?}"));
        }
    }
}

#[test]
fn factors_agree_with_burn() {
    for device in devices() {
        let (x, bias) = (tensor(1, [3, 5, 4, 2], &device), tensor(2, [1], &device));
        for shape in [[1, 5, 1, 1], [3, 1, 1, 1], [3, 5, 1, 1], [1, 1, 1, 1]] {
            let factors = tensor(3, shape, &device);
            let ours = run(|x, f, b| scale(x, f) + b.reshape([1, 1, 1, 1]), (&x, &factors, &bias));
            let burns = run(|x, f, b| x * f + b.reshape([1, 1, 1, 1]), (&x, &factors, &bias));
            for (ours, burns) in ours.into_iter().zip(burns) {
                close(ours, burns, &format!("{shape:?} on {device:?}"));
            }
            let added = tensor(4, [3, 5, 4, 2], &device);
            let b = |b: Tensor<1>| b.reshape([1, 1, 1, 1]);
            let ours = run(|x, y, bias| scale_add(x, factors.clone(), y) + b(bias), (&x, &added, &bias));
            let burns = run(|x, y, bias| x * factors.clone() + y + b(bias), (&x, &added, &bias));
            for (ours, burns) in ours.into_iter().zip(burns) {
                close(ours, burns, &format!("{shape:?}, added, on {device:?}"));
            }
        }
    }
}

#[test]
fn zeros_on_one_side_agree_with_burn() {
    for device in devices() {
        for (channels, groups) in [(3, 1), (40, 1), (24, 24)] {
            let (x, bias) = (tensor(1, [9, channels, 7, 8], &device), tensor(3, [24], &device));
            let w = tensor(2, [24, channels / groups, 3, 3], &device);
            let options = Conv2dOptions {
                stride: [2, 2],
                padding: [1, 0],
                extra_padding: [0, 1],
                groups,
                ..Conv2dOptions::default()
            };
            let ours = run(|x, w, b| conv2d(x, w, Some(b), options), (&x, &w, &bias));
            let burns = run(
                |x, w, b| {
                    let zeros = Tensor::zeros([9, channels, 7, 1], &device);
                    let wide = Tensor::cat(vec![x, zeros], 3);
                    burn_conv2d(wide, w, Some(b), ConvOptions::new([2, 2], [1, 0], [1, 1], groups))
                },
                (&x, &w, &bias),
            );
            for (ours, burns) in ours.into_iter().zip(burns) {
                close(ours, burns, &format!("{channels} channels, {groups} groups, on {device:?}"));
            }
        }
    }
}
