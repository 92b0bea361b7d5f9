//! The extension for a backend whose tensors are slices.

/// Implement the extension for a CPU backend.
macro_rules! implement_kernels_for {
    ($backend:ty) => {
        impl crate::backend::kernel_backend::KernelBackend for $backend {
            fn kernel_block(
                input: burn::backend::tensor::FloatTensor<Self>,
                weight: burn::backend::tensor::FloatTensor<Self>,
                block: crate::operation::Block,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::block::forward::<Self>(input, weight, None, block).0
            }

            fn kernel_block_with_bias(
                input: burn::backend::tensor::FloatTensor<Self>,
                weight: burn::backend::tensor::FloatTensor<Self>,
                bias: burn::backend::tensor::FloatTensor<Self>,
                block: crate::operation::Block,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::block::forward::<Self>(input, weight, Some(bias), block).0
            }

            fn kernel_to_nchw(
                input: burn::backend::tensor::FloatTensor<Self>,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                <Self as crate::backend::native_floats::NativeFloats>::to_nchw(input)
            }

            fn kernel_activation(
                input: burn::backend::tensor::FloatTensor<Self>,
                activation: crate::cpu::Activation,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::activation::forward::<Self>(input, activation).0
            }

            fn kernel_layer_norm(
                input: burn::backend::tensor::FloatTensor<Self>,
                weight: burn::backend::tensor::FloatTensor<Self>,
                bias: burn::backend::tensor::FloatTensor<Self>,
                eps: f64,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::layer_norm::forward::<Self>(input, weight, bias, eps).0
            }

            fn kernel_scale(
                input: burn::backend::tensor::FloatTensor<Self>,
                factors: burn::backend::tensor::FloatTensor<Self>,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::scale::forward::<Self>(input, factors, None).0
            }

            fn kernel_scale_add(
                input: burn::backend::tensor::FloatTensor<Self>,
                factors: burn::backend::tensor::FloatTensor<Self>,
                added: burn::backend::tensor::FloatTensor<Self>,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::scale::forward::<Self>(input, factors, Some(added)).0
            }

            fn kernel_pooling(
                input: burn::backend::tensor::FloatTensor<Self>,
                pooling: crate::operation::Pooling,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::pooling::forward::<Self>(input, pooling).0
            }

            fn kernel_cross_entropy(
                logits: burn::backend::tensor::FloatTensor<Self>,
                classes: crate::operation::Classes,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::cross_entropy::forward::<Self>(logits, classes).0
            }

            fn kernel_scaled_sum(
                a: burn::backend::tensor::FloatTensor<Self>,
                b: burn::backend::tensor::FloatTensor<Self>,
                factors: [f32; 2],
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::vector::scaled_sum::<Self>(a, b, factors)
            }

            fn kernel_two_scaled_sums(
                a: burn::backend::tensor::FloatTensor<Self>,
                b: burn::backend::tensor::FloatTensor<Self>,
                c: burn::backend::tensor::FloatTensor<Self>,
                factors: [f32; 4],
            ) -> (burn::backend::tensor::FloatTensor<Self>, burn::backend::tensor::FloatTensor<Self>) {
                crate::backend::vector::two_scaled_sums::<Self>(a, b, c, factors)
            }

            fn kernel_l2_norm(
                tensor: burn::backend::tensor::FloatTensor<Self>,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                crate::backend::vector::l2_norm::<Self>(tensor)
            }

            fn kernel_statistics(
                input: burn::backend::tensor::FloatTensor<Self>,
            ) -> (burn::backend::tensor::FloatTensor<Self>, burn::backend::tensor::FloatTensor<Self>) {
                crate::backend::batch_norm::statistics::<Self>(input)
            }

            fn kernel_norm(
                input: burn::backend::tensor::FloatTensor<Self>,
                weight: burn::backend::tensor::FloatTensor<Self>,
                bias: burn::backend::tensor::FloatTensor<Self>,
                mean: burn::backend::tensor::FloatTensor<Self>,
                variance: burn::backend::tensor::FloatTensor<Self>,
                norm: crate::operation::Norm,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                let parameters = [weight, bias, mean, variance];
                crate::backend::batch_norm::forward::<Self>(input, parameters, None, norm).0
            }

            fn kernel_norm_add(
                input: burn::backend::tensor::FloatTensor<Self>,
                residual: burn::backend::tensor::FloatTensor<Self>,
                weight: burn::backend::tensor::FloatTensor<Self>,
                bias: burn::backend::tensor::FloatTensor<Self>,
                mean: burn::backend::tensor::FloatTensor<Self>,
                variance: burn::backend::tensor::FloatTensor<Self>,
                norm: crate::operation::Norm,
            ) -> burn::backend::tensor::FloatTensor<Self> {
                let parameters = [weight, bias, mean, variance];
                crate::backend::batch_norm::forward::<Self>(input, parameters, Some(residual), norm).0
            }
        }
    };
}
pub(super) use implement_kernels_for;
