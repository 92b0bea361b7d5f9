//! Naive references in f64, and what the tests share.

use firebrick_kernels::cpu::{Broadcast, ConvShape, Engine, Isa, WeightOrder, with_spinning_worker};
use proptest::prelude::*;

/// Values in [-1, 1), the same for the same seed.
pub fn values(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// Results of the reference.
pub struct Naive {
    pub output: Vec<f64>,
    pub input_gradient: Vec<f64>,
    pub weight_gradient: Vec<f64>,
    pub bias_gradient: Vec<f64>,
}

/// A convolution and its gradients by the definition.
pub fn naive(s: &ConvShape, x: &[f32], w: &[f32], b: &[f32], g: &[f32]) -> Naive {
    let [oh, ow] = s.output();
    let (gi, go) = (s.group_in(), s.group_out());
    let mut found = Naive {
        output: vec![0.0; s.output_len()],
        input_gradient: vec![0.0; s.input_len()],
        weight_gradient: vec![0.0; s.weight_len()],
        bias_gradient: vec![0.0; s.out_channels],
    };
    for (at, &g) in g.iter().enumerate() {
        let (o, pixel) = (at % s.out_channels, at / s.out_channels);
        let (ox, oy, n) = (pixel % ow, pixel / ow % oh, pixel / ow / oh);
        found.output[at] = f64::from(b[o]);
        found.bias_gradient[o] += f64::from(g);
        for ky in 0..s.kernel[0] {
            for kx in 0..s.kernel[1] {
                let y = (oy * s.stride[0] + ky * s.dilation[0]).wrapping_sub(s.padding[0]);
                let x_at = (ox * s.stride[1] + kx * s.dilation[1]).wrapping_sub(s.padding[1]);
                if y >= s.input[0] || x_at >= s.input[1] {
                    continue;
                }
                for c in 0..gi {
                    let xi = ((n * s.input[0] + y) * s.input[1] + x_at) * s.in_channels + o / go * gi + c;
                    let filter = match s.order {
                        WeightOrder::OutIn => o * gi + c,
                        WeightOrder::InOut => c * s.out_channels + o,
                    };
                    let wi = (filter * s.kernel[0] + ky) * s.kernel[1] + kx;
                    found.output[at] += f64::from(x[xi]) * f64::from(w[wi]);
                    found.input_gradient[xi] += f64::from(g) * f64::from(w[wi]);
                    found.weight_gradient[wi] += f64::from(g) * f64::from(x[xi]);
                }
            }
        }
    }
    found
}

/// The largest difference, relative to the largest expected value.
pub fn error(found: &[f32], expected: &[f64]) -> f64 {
    error_of_sums(found, expected, 0)
}

/// As [`error`] for sums of so many products of [`values`]: where all of them happen to cancel, relative to what such
/// a sum usually is.
pub fn error_of_sums(found: &[f32], expected: &[f64], terms: usize) -> f64 {
    assert_eq!(found.len(), expected.len());
    let usual = 0.3 * (terms as f64).sqrt();
    let scale = expected.iter().fold(usual.max(1e-30), |scale, value| scale.max(value.abs()));
    let differences =
        found.iter().zip(expected).map(|(found, expected)| (f64::from(*found) - expected).abs());
    differences.fold(
        0.0,
        |worst, difference| if difference.is_nan() { f64::INFINITY } else { worst.max(difference) },
    ) / scale
}

/// Run with a number of threads; with even numbers one of them spins, as in a training step.
pub fn with_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| if threads.is_multiple_of(2) { with_spinning_worker(run) } else { run() })
}

/// Every engine of this machine.
pub fn engines() -> Vec<Engine> {
    let mut engines = Vec::new();
    for isa in Isa::available() {
        // Only the widest registers have tiles of two forms.
        let broadcasts = if isa == Isa::Avx512 { &Broadcast::ALL[..] } else { &Broadcast::ALL[..1] };
        for &broadcast in broadcasts {
            engines.extend([false, true].map(|winograd| Engine { isa, broadcast, winograd }));
        }
    }
    engines
}

/// Images of one pixel; those with a border are not a linear layer.
pub fn single_pixels() -> Vec<ConvShape> {
    let borders = [([0, 0], 1), ([1, 1], 1), ([1, 1], 3), ([0, 2], 2)];
    let shape = |rows, (padding, stride)| ConvShape {
        padding,
        extra_padding: [0, 0],
        stride: [stride; 2],
        ..ConvShape::linear(rows, 12, 48)
    };
    [2, 20].into_iter().flat_map(|rows| borders.map(|border| shape(rows, border))).collect()
}

/// Any shape of moderate size; some dense, some grouped, some depthwise, some as in common networks.
pub fn any_shape() -> impl Strategy<Value = ConvShape> {
    let pair = |range: std::ops::RangeInclusive<usize>| [range.clone(), range];
    let any = (
        (1usize..=6, 1usize..=3, 1usize..=12, 1usize..=24),
        (pair(1..=14), pair(1..=5), pair(1..=3), pair(0..=3), pair(0..=1), pair(1..=2)),
    )
        .prop_map(
            |(
                (batch, groups, group_in, group_out),
                (input, kernel, stride, padding, extra_padding, dilation),
            )| ConvShape {
                batch,
                in_channels: groups * group_in,
                out_channels: groups * group_out,
                input,
                kernel,
                stride,
                padding,
                extra_padding,
                dilation,
                groups,
                order: WeightOrder::OutIn,
            },
        );
    let depthwise = (
        (1usize..=9, 1usize..=100, prop_oneof![4 => Just(1usize), 1 => Just(2)], pair(5..=10)),
        (pair(1..=5), pair(1..=3), pair(0..=3), pair(0..=1), pair(1..=2)),
    )
        .prop_map(
            |((batch, channels, multiplier, input), (kernel, stride, padding, extra_padding, dilation))| {
                ConvShape {
                    batch,
                    in_channels: channels,
                    out_channels: channels * multiplier,
                    input,
                    kernel,
                    stride,
                    padding,
                    extra_padding,
                    dilation,
                    groups: channels,
                    order: WeightOrder::OutIn,
                }
            },
        );
    let order = prop_oneof![Just(WeightOrder::OutIn), Just(WeightOrder::InOut)];
    let common = (1usize..=9, 1usize..=70, 1usize..=70, 2usize..=12, 2usize..=12, 1usize..=2, order)
        .prop_map(|(batch, in_channels, out_channels, height, width, half, order)| ConvShape {
            batch,
            in_channels,
            out_channels,
            input: [height, width],
            kernel: [2 * half + 1; 2],
            stride: [1, 1],
            padding: [half; 2],
            extra_padding: [0, 0],
            dilation: [1, 1],
            groups: 1,
            order,
        });
    // Enough images and channels for batch blocks of eight images.
    let channels = || prop_oneof![(1usize..=3).prop_map(|panels| 32 * panels), 20usize..=70];
    let order = prop_oneof![Just(WeightOrder::OutIn), Just(WeightOrder::InOut)];
    let batch_blocked = (
        (7usize..=18, channels(), channels(), order),
        (pair(1..=6), pair(1..=4), pair(1..=3), pair(0..=3), pair(1..=2)),
    )
        .prop_map(
            |((batch, in_channels, out_channels, order), (input, kernel, stride, padding, dilation))| {
                ConvShape {
                    batch,
                    in_channels,
                    out_channels,
                    input,
                    kernel,
                    stride,
                    padding,
                    extra_padding: [0, 0],
                    dilation,
                    groups: 1,
                    order,
                }
            },
        );
    let linear = (1usize..=200, 1usize..=300, 1usize..=150)
        .prop_map(|(rows, inputs, outputs)| ConvShape::linear(rows, inputs, outputs));
    prop_oneof![any, depthwise, common, batch_blocked, linear]
        .prop_filter("a shape that exists", |shape| shape.validate().is_ok())
}
