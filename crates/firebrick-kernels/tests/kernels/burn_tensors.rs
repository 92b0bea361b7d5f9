//! The layers' functions on Burn's tensors give what Burn's own operations give, values and gradients.

use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::module::{
    avg_pool2d as burn_avg_pool2d, batch_norm as burn_batch_norm, batch_norm_train as burn_batch_norm_train,
    conv2d as burn_conv2d, linear as burn_linear, max_pool2d as burn_max_pool2d,
};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Int, Tensor, TensorData};
use firebrick_kernels::{
    Activation, AfterNorm, Conv2dOptions, Pool, Pool2dOptions, Total, avg_pool2d, batch_norm,
    batch_norm_train, conv2d_block, cross_entropy, flatten, flattened, global_avg_pool2d, l2_norm, linear,
    max_pool2d, near_kernels, scaled_sum, two_scaled_sums, unflattened, used_twice,
};

use crate::reference::values;

#[allow(deprecated)]
pub fn devices() -> Vec<Device> {
    vec![Device::flex().autodiff(), Device::ndarray().autodiff()]
}

pub fn tensor<const D: usize>(seed: u64, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values(seed, shape.iter().product()), shape), device)
}

pub fn close(found: TensorData, expected: TensorData, what: &str) {
    assert_eq!(found.shape(), expected.shape(), "{what}");
    let (found, expected) = (found.try_into_vec::<f32>().unwrap(), expected.try_into_vec::<f32>().unwrap());
    let scale = expected.iter().fold(1e-3f32, |scale, value| scale.max(value.abs()));
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!(
            (found - expected).abs() <= 2e-5 * scale,
            "{what}: value {index} is {found}, Burn says {expected}"
        );
    }
}

/// Value and gradients of a function of an input, a weight and a bias; the loss weighs every result differently.
pub fn run<const D: usize>(
    function: impl Fn(Tensor<D>, Tensor<D>, Tensor<1>) -> Tensor<D>,
    inputs: (&Tensor<D>, &Tensor<D>, &Tensor<1>),
) -> [TensorData; 4] {
    let (x, w, b) =
        (inputs.0.clone().require_grad(), inputs.1.clone().require_grad(), inputs.2.clone().require_grad());
    let output = function(x.clone(), w.clone(), b.clone());
    let weights = tensor(99, output.dims(), &output.device());
    let gradients = (output.clone() * weights).sum().backward();
    [
        output.into_data(),
        x.grad(&gradients).unwrap().into_data(),
        w.grad(&gradients).unwrap().into_data(),
        b.grad(&gradients).unwrap().into_data(),
    ]
}

#[test]
fn blocks_agree_with_burn_in_value_and_gradient() {
    for device in devices() {
        for (channels, out, kernel, padding, stride, groups) in [
            (3, 32, 5, 2, 1, 1),
            (32, 20, 5, 2, 1, 1),
            (16, 16, 3, 1, 1, 1),
            (6, 8, 3, 1, 2, 2),
            (1, 6, 5, 0, 1, 1),
            (24, 24, 3, 1, 1, 24),
        ] {
            let x = tensor(1, [2, channels, 12, 10], &device);
            let w = tensor(2, [out, channels / groups, kernel, kernel], &device);
            let b = tensor(3, [out], &device);
            let options = Conv2dOptions {
                stride: [stride; 2],
                padding: [padding; 2],
                groups,
                ..Conv2dOptions::default()
            };
            for activation in [Activation::None, Activation::Relu] {
                for pool in [Pool::None, Pool::Max2x2] {
                    let ours =
                        run(|x, w, b| conv2d_block(x, w, Some(b), options, activation, pool), (&x, &w, &b));
                    let burns = run(
                        |x, w, b| {
                            let options = ConvOptions::new([stride; 2], [padding; 2], [1, 1], groups);
                            let y = burn_conv2d(x, w, Some(b), options);
                            let y = if activation == Activation::Relu { relu(y) } else { y };
                            if pool == Pool::None {
                                y
                            } else {
                                burn_max_pool2d(y, MaxPoolOptions::new([2, 2]))
                            }
                        },
                        (&x, &w, &b),
                    );
                    let names = ["output", "input gradient", "weight gradient", "bias gradient"];
                    for ((ours, burns), name) in ours.into_iter().zip(burns).zip(names) {
                        close(
                            ours,
                            burns,
                            &format!("{name} of {channels}->{out} {activation:?} {pool:?} on {device:?}"),
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn linear_layers_agree_with_burn_in_value_and_gradient() {
    for device in devices() {
        for (rows, inputs, outputs) in [(64, 400, 120), (5, 84, 10), (1, 1024, 64), (33, 7, 3)] {
            for activation in [Activation::None, Activation::Relu] {
                let x = tensor(1, [inputs, rows], &device).transpose();
                let w = tensor(2, [inputs, outputs], &device);
                let b = tensor(3, [outputs], &device);
                let found = run(|x, w, b| linear(x, w, Some(b), activation), (&x, &w, &b));
                let by_burn = |x: Tensor<2>, w: Tensor<2>, b: Tensor<1>| {
                    let output = burn_linear(x, w, Some(b));
                    if activation == Activation::Relu { relu(output) } else { output }
                };
                let expected = run(by_burn, (&x, &w, &b));
                for ((found, expected), what) in
                    found.into_iter().zip(expected).zip(["output", "input", "weight", "bias"])
                {
                    close(found, expected, &format!("{what} of {rows} x {inputs} x {outputs}"));
                }
                let found = linear(x.clone(), w.clone(), None, activation).into_data();
                let expected = by_burn(x, w, Tensor::zeros([outputs], &device)).into_data();
                close(found, expected, "without bias");
            }
        }
    }
}

#[test]
fn pools_agree_with_burn_in_value_and_gradient() {
    let options = Pool2dOptions { kernel: [3, 2], stride: [2, 2], padding: [1, 1], dilation: [1, 1] };
    for device in devices() {
        let x = tensor(1, [2, 20, 9, 8], &device);
        let (w, b) = (tensor(2, [1, 1, 1, 1], &device), tensor(3, [1], &device));
        // The two unused parameters get a gradient through a term of their own.
        let rest = |y: Tensor<4>, w: Tensor<4>, b: Tensor<1>| y + w * b.reshape([1, 1, 1, 1]);
        let burn_max = MaxPoolOptions::new([3, 2]).with_stride([2, 2]).with_padding([1, 1]);
        let burn_avg = AvgPoolOptions::new([3, 2]).with_stride([2, 2]).with_padding([1, 1]);
        type Function<'a> = Box<dyn Fn(Tensor<4>) -> Tensor<4> + 'a>;
        let pairs: [(Function<'_>, Function<'_>); 4] = [
            (Box::new(|x| max_pool2d(x, options)), Box::new(|x| burn_max_pool2d(x, burn_max.clone()))),
            (Box::new(|x| avg_pool2d(x, options, true)), Box::new(|x| burn_avg_pool2d(x, burn_avg.clone()))),
            (
                Box::new(|x| avg_pool2d(x, options, false)),
                Box::new(|x| burn_avg_pool2d(x, burn_avg.clone().with_count_include_pad(false))),
            ),
            (Box::new(global_avg_pool2d), Box::new(|x| x.mean_dim(2).mean_dim(3))),
        ];
        for (ours, burns) in pairs {
            let ours = run(|x, w, b| rest(ours(x), w, b), (&x, &w, &b));
            let burns = run(|x, w, b| rest(burns(x), w, b), (&x, &w, &b));
            for (ours, burns) in ours.into_iter().zip(burns) {
                close(ours, burns, "pooling");
            }
        }
    }
}

#[test]
fn normalisations_agree_with_burn_in_value_gradient_and_statistics() {
    for device in devices() {
        let (x, shift) = (tensor(1, [3, 20, 6, 5], &device), tensor(2, [3, 20, 6, 5], &device));
        let (weight, bias) = (tensor(3, [20], &device), tensor(4, [20], &device));
        let (mean, variance) = (tensor(5, [20], &device), tensor(6, [20], &device).abs());
        for activation in [Activation::None, Activation::Relu] {
            for adds in [false, true] {
                let after = |shift: Tensor<4>| AfterNorm { residual: adds.then_some(shift), activation };
                // Without an addition the second tensor gets its gradient through a term of its own.
                let finish = |y: Tensor<4>, shift: Tensor<4>| if adds { y } else { y + shift };
                let by_hand = |y: Tensor<4>, shift: Tensor<4>| {
                    let y = if adds { y + shift } else { y };
                    if activation == Activation::Relu { relu(y) } else { y }
                };
                type Function<'a> = Box<dyn Fn(Tensor<4>, Tensor<4>, Tensor<1>) -> Tensor<4> + 'a>;
                let (w, m, v) = (&weight, &mean, &variance);
                let pairs: [(Function<'_>, Function<'_>); 2] = [
                    (
                        Box::new(|x, s, b| {
                            let normed = batch_norm_train(x, w.clone(), b, 1e-3, after(s.clone()));
                            finish(normed.output, s)
                        }),
                        Box::new(|x, s, b| {
                            finish(by_hand(burn_batch_norm_train(x, w.clone(), b, 1e-3).output, s.clone()), s)
                        }),
                    ),
                    (
                        Box::new(|x, s, b| {
                            let parameters = [w.clone(), b, m.clone(), v.clone()];
                            finish(batch_norm(x, parameters, 1e-3, after(s.clone())), s)
                        }),
                        Box::new(|x, s, b| {
                            let y = burn_batch_norm(x, w.clone(), b, m.clone(), v.clone(), 1e-3);
                            finish(by_hand(y, s.clone()), s)
                        }),
                    ),
                ];
                for (ours, burns) in pairs {
                    let ours = run(ours, (&x, &shift, &bias));
                    let burns = run(burns, (&x, &shift, &bias));
                    for (ours, burns) in ours.into_iter().zip(burns) {
                        close(ours, burns, &format!("{activation:?}, added {adds}, on {device:?}"));
                    }
                }
            }
        }
        let ours = batch_norm_train(x.clone(), weight.clone(), bias.clone(), 1e-3, AfterNorm::default());
        let burns = burn_batch_norm_train(x, weight, bias, 1e-3);
        close(ours.mean.into_data(), burns.mean.into_data(), "mean");
        close(ours.variance.into_data(), burns.variance.into_data(), "variance");
    }
}

#[test]
fn gradients_are_computed_only_where_wanted() {
    for device in devices() {
        let (x, w) =
            (tensor::<4>(1, [1, 3, 6, 6], &device), tensor::<4>(2, [4, 3, 3, 3], &device).require_grad());
        let output = firebrick_kernels::conv2d(x.clone(), w.clone(), None, Conv2dOptions::default());
        let gradients = output.sum().backward();
        assert!(x.grad(&gradients).is_none());
        assert_eq!(w.grad(&gradients).unwrap().dims(), [4, 3, 3, 3]);
    }
}

#[test]
fn cross_entropy_agrees_with_burn_in_value_and_gradient() {
    for device in devices() {
        let logits = tensor::<2>(3, [4, 10], &device).mul_scalar(8.0);
        let target = Tensor::<1, Int>::from_ints([3, 9, -1, 0], &device);
        for (total, divisor) in [(Total::Mean, 3.0), (Total::Sum, 1.0)] {
            let (ours, burns) = (logits.clone().require_grad(), logits.clone().require_grad());
            let found = cross_entropy(&ours, &target, -1, total).unwrap();
            // The third row is ignored.
            let kept = burns.clone().mask_fill(target.clone().equal_scalar(-1).reshape([4, 1]), 0.0);
            let picked = log_softmax(kept, 1).gather(1, target.clone().clamp_min(0).reshape([4, 1])).neg();
            let expected = picked.sum().sub_scalar(10f64.ln()).div_scalar(divisor);
            close(found.clone().into_data(), expected.clone().into_data(), "loss");
            // A gradient that is not 1 must pass through.
            let (found, expected) = (found.mul_scalar(-2.5).backward(), expected.mul_scalar(-2.5).backward());
            close(
                ours.grad(&found).unwrap().into_data(),
                burns.grad(&expected).unwrap().into_data(),
                "gradient",
            );
        }
    }
}

#[test]
fn cross_entropy_leaves_what_it_cannot_do_and_passes_on_what_is_not_a_number() {
    for device in devices() {
        let logits = tensor::<2>(3, [2, 10], &device);
        for wrong in [10, -1] {
            let target = Tensor::<1, Int>::from_ints([3, wrong], &device);
            assert!(cross_entropy(&logits, &target, -100, Total::Mean).is_none(), "a target of {wrong}");
        }
        let target = Tensor::<1, Int>::from_ints([3, 4], &device);
        for value in [f32::NAN, f32::INFINITY] {
            let bad = logits.clone().slice_assign([0..1, 7..8], Tensor::full([1, 1], value, &device));
            let loss = cross_entropy(&bad, &target, -100, Total::Mean).unwrap().into_scalar::<f32>();
            assert!(loss.is_nan(), "{value} among the logits gives {loss}");
        }
        let all_ignored = cross_entropy(&logits, &target.mul_scalar(0), 0, Total::Mean).unwrap();
        assert!(all_ignored.into_scalar::<f32>().is_nan());
        let large =
            cross_entropy(&(logits * 1e4), &Tensor::from_ints([3, 4], &device), -100, Total::Mean).unwrap();
        assert!(large.into_scalar::<f32>().is_finite());
    }
}

#[test]
fn a_value_used_twice_is_itself_and_gathers_both_gradients() {
    for device in devices() {
        let inputs = (
            &tensor(1, [2, 32, 6, 5], &device),
            &tensor(2, [32, 32, 3, 3], &device),
            &tensor(3, [32], &device),
        );
        let residual = |[x, before]: [Tensor<4>; 2], w: Tensor<4>, b: Tensor<1>| {
            let options = Conv2dOptions { padding: [1, 1], ..Conv2dOptions::default() };
            conv2d_block(x, w, Some(b), options, Activation::Relu, Pool::None) + before
        };
        let found = run(|x, w, b| residual(used_twice(x), w, b), inputs);
        let expected = run(|x, w, b| residual([x.clone(), x], w, b), inputs);
        assert_eq!(found, expected, "on {device:?}");
    }
}

/// The same values laid out in memory as NHWC, NCHW, and in an order that is neither.
fn orders(x_nchw: &Tensor<4>) -> [Tensor<4>; 3] {
    let one = Tensor::ones([1, 1, 1, 1], &x_nchw.device());
    let laid_out = |axes: [usize; 4], back: [usize; 4]| {
        let moved = x_nchw.clone().permute(axes) * one.clone();
        moved.permute(back)
    };
    [
        laid_out([0, 1, 2, 3], [0, 1, 2, 3]),
        laid_out([0, 2, 3, 1], [0, 3, 1, 2]),
        laid_out([2, 0, 1, 3], [1, 2, 0, 3]),
    ]
}

#[test]
fn flattening_and_pooling_read_every_order_of_memory() {
    for device in devices() {
        for shape in [[3, 5, 4, 6], [2, 8, 3, 3], [1, 1, 7, 2], [2, 3, 1, 1], [1, 4, 1, 5]] {
            let x = tensor(7, shape, &device);
            let expected = x.clone().flatten::<2>(1, 3);
            for x in orders(&x) {
                let x = x.detach().require_grad();
                let flat = flatten(x.clone());
                let weights = tensor(8, flat.dims(), &device);
                let gradients = (flat.clone() * weights.clone()).sum().backward();
                assert_eq!(flat.into_data(), expected.to_data(), "{shape:?}");
                let gradient = x.grad(&gradients).unwrap();
                assert_eq!(gradient.into_data(), weights.inner().reshape(shape).into_data(), "{shape:?}");
                let pooled = max_pool2d(x, Pool2dOptions::new(1));
                assert_eq!(pooled.flatten::<2>(1, 3).into_data(), expected.to_data(), "{shape:?}");
            }
        }
    }
}

#[test]
fn formulas_of_optimisers_agree_with_burn_and_leave_their_arguments_alone() {
    for device in devices() {
        for device in [device.clone(), device.inner()] {
            let (a, b) = (tensor::<1>(1, [1000], &device), tensor::<1>(2, [1000], &device));
            let kept = a.clone();
            let found = scaled_sum(a.clone(), 0.9, b.clone(), -0.1).into_data();
            let expected = a.clone().mul_scalar(0.9).sub(b.clone().mul_scalar(0.1)).into_data();
            assert_eq!(found, expected, "on {device:?}");
            assert_eq!(a.clone().into_data(), kept.clone().into_data());
            let (second, first) = (b.clone(), tensor::<1>(3, [1000], &device));
            let (sum, last) =
                two_scaled_sums(a.clone(), second.clone(), first.clone(), [1.0, 0.9, 0.5, -0.1]);
            let expected = scaled_sum(second.clone(), 0.9, first, 0.5);
            assert_eq!(sum.into_data(), expected.clone().into_data(), "on {device:?}");
            assert_eq!(last.into_data(), scaled_sum(a.clone(), 1.0, expected, -0.1).into_data());
            assert_eq!(
                (a.clone().into_data(), second.into_data()),
                (kept.into_data(), b.clone().into_data())
            );
            close(l2_norm(a.clone()).into_data(), a.square().sum().sqrt().into_data(), "norm");
        }
    }
}

/// Also of values that lie in another order in memory.
#[test]
fn flattened_values_and_their_norm_are_in_the_order_of_the_dimensions() {
    for device in devices() {
        for device in [device.clone(), device.inner()] {
            let x = tensor::<4>(4, [2, 3, 4, 5], &device).permute([0, 3, 1, 2]);
            let flat = flattened(x.clone());
            assert_eq!(flat.clone().into_data(), x.clone().reshape([-1]).into_data(), "on {device:?}");
            close(l2_norm(x.clone()).into_data(), l2_norm(flat.clone()).into_data(), "norm");
            assert_eq!(unflattened(flat.clone(), x.dims()).into_data(), x.into_data(), "on {device:?}");
            assert_eq!(flattened(flat.clone()).into_data(), flat.into_data(), "on {device:?}");
        }
    }
}

#[test]
fn a_scaled_sum_has_gradients() {
    for device in devices() {
        let a = tensor::<1>(1, [5], &device).require_grad();
        let gradients = scaled_sum(a.clone(), 3.0, a.clone().detach(), 2.0).sum().backward();
        let found = a.grad(&gradients).unwrap().into_data();
        assert_eq!(found.try_into_vec::<f32>().unwrap(), [3.0; 5], "on {device:?}");
    }
}

#[test]
fn work_near_the_kernels_runs_in_their_pool() {
    for device in devices() {
        assert!(rayon::current_thread_index().is_none());
        assert!(near_kernels(&device, rayon::current_thread_index).is_some());
    }
}
