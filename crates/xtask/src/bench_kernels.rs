//! Each convolution layer of the networks by itself, as a part of what the CPU's multiply-add units can do.
//!
//! The peak, the kernels' inner loop by itself, the direct kernels and the kernels in use (Winograd's where it is
//! chosen) take turns.

use std::hint::black_box;
use std::time::Instant;

use firebrick_kernels::cpu::{Activation, ConvShape, Engine, Isa, OutputGradient, ShapeError, WeightOrder};

use crate::Failure;

/// A measurement takes at least this long, in seconds.
const TURN_S: f64 = 0.02;

/// Prints the table, measured where a training step runs: in the kernels' thread pool.
pub fn recipe(rounds: usize, only: Option<&str>) -> Result<(), Failure> {
    Ok(rayon::scope(|_| table(rounds, only))?)
}

fn table(rounds: usize, only: Option<&str>) -> Result<(), ShapeError> {
    println!(
        "| layer | pass | MFLOP | direct, GFLOP/s | of peak | inner loop alone | in use, ms | as GFLOP/s of direct |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let engine = Engine::current();
    let mut peaks = Vec::new();
    for layer in layers() {
        if only.is_some_and(|only| !layer.name.contains(only)) {
            continue;
        }
        let data = Data::new(&layer.shape, engine)?;
        for pass in [Pass::Forward, Pass::InputGradient, Pass::WeightGradient] {
            let direct = Engine { winograd: false, ..engine };
            let flops = layer.shape.flops() as f64;
            let [mut of_direct, mut in_use, mut parts, mut loops] = [(); 4].map(|()| Vec::new());
            for _ in 0..rounds {
                // The clock of a shared machine wanders: a part is of the peak around it.
                let before = peak(engine.isa);
                let seconds_of_direct = seconds(|| data.run(direct, pass));
                let between = peak(engine.isa);
                let around = (before + between) / 2.0;
                let inner_loop = rate(|| engine.isa.tile_rounds(1 << 13));
                loops.push(inner_loop / ((between + peak(engine.isa)) / 2.0));
                parts.push(flops / seconds_of_direct / around);
                of_direct.push(seconds_of_direct);
                in_use.push(seconds(|| data.run(engine, pass)));
                peaks.push(around);
            }
            let [direct, in_use, part, inner_loop] = [of_direct, in_use, parts, loops].map(median);
            println!(
                "| {} | {} | {:.0} | {:.0} | {:.0}% | {:.0}% | {:.3} | {:.0} |",
                layer.name,
                pass.name(),
                flops / 1e6,
                flops / direct / 1e9,
                100.0 * part,
                100.0 * inner_loop,
                in_use * 1e3,
                flops / in_use / 1e9
            );
        }
    }
    let threads = rayon::current_num_threads();
    println!(
        "\nn = {rounds} turns; medians; {threads} threads, {}, peak {:.0} GFLOP/s",
        engine.isa.name(),
        median(peaks) / 1e9
    );
    Ok(())
}

#[derive(Clone, Copy)]
enum Pass {
    Forward,
    InputGradient,
    WeightGradient,
}

impl Pass {
    fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::InputGradient => "input gradient",
            Self::WeightGradient => "weight gradient",
        }
    }
}

struct Layer {
    name: String,
    shape: ConvShape,
}

/// The convolutions of LeNet and Tudui at batch 64, of ResNet-18 at batch 32.
fn layers() -> Vec<Layer> {
    let layer = |network: &str, batch, [from, to]: [usize; 2], size, kernel, stride, padding| Layer {
        name: format!("{network} {from}-{to} {kernel}x{kernel}/{stride} at {size}"),
        shape: ConvShape {
            batch,
            in_channels: from,
            out_channels: to,
            input: [size; 2],
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [padding; 2],
            dilation: [1; 2],
            groups: 1,
            order: WeightOrder::OutIn,
        },
    };
    vec![
        layer("lenet", 64, [1, 6], 32, 5, 1, 0),
        layer("lenet", 64, [6, 16], 14, 5, 1, 0),
        layer("tudui", 64, [3, 32], 32, 5, 1, 2),
        layer("tudui", 64, [32, 32], 16, 5, 1, 2),
        layer("tudui", 64, [32, 64], 8, 5, 1, 2),
        layer("resnet18", 32, [64, 64], 32, 3, 1, 1),
        layer("resnet18", 32, [64, 128], 32, 3, 2, 1),
        layer("resnet18", 32, [64, 128], 32, 1, 2, 0),
        layer("resnet18", 32, [128, 128], 16, 3, 1, 1),
        layer("resnet18", 32, [128, 256], 16, 3, 2, 1),
        layer("resnet18", 32, [256, 256], 8, 3, 1, 1),
        layer("resnet18", 32, [256, 512], 8, 3, 2, 1),
        layer("resnet18", 32, [512, 512], 4, 3, 1, 1),
    ]
}

/// One layer's arrays.
struct Data {
    shape: ConvShape,
    input: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    gradient: Vec<f32>,
}

impl Data {
    fn new(shape: &ConvShape, engine: Engine) -> Result<Self, ShapeError> {
        // Any numbers do: the kernels do not look at them.
        let values = |len: usize| (0..len).map(|i| (i % 251) as f32 / 251.0 - 0.5).collect::<Vec<f32>>();
        let (input, weight) = (values(shape.input_len()), values(shape.weight_len()));
        let bias = values(shape.out_channels);
        let gradient = engine.forward(shape, &input, &weight, Some(&bias), Activation::None)?;
        Ok(Self { shape: *shape, input, weight, bias, gradient })
    }

    fn run(&self, engine: Engine, pass: Pass) {
        let Self { shape, input, weight, bias, gradient } = self;
        let gradient = OutputGradient::Plain(gradient);
        // `new` has run this shape: nothing is refused.
        match pass {
            Pass::Forward => {
                let _ = black_box(engine.forward(shape, input, weight, Some(bias), Activation::None));
            }
            Pass::InputGradient => {
                let _ = black_box(engine.input_gradient(shape, gradient, weight));
            }
            Pass::WeightGradient => {
                let _ = black_box(engine.weight_gradient(shape, input, gradient));
            }
        }
    }
}

/// Floating-point operations a second of all threads, on registers alone.
fn peak(isa: Isa) -> f64 {
    rate(|| isa.multiply_add_rounds(1 << 20))
}

/// Floating-point operations a second of all threads.
fn rate(work: impl Fn() -> u64 + Sync) -> f64 {
    let begun = Instant::now();
    let flops: u64 = rayon::broadcast(|_| work()).into_iter().sum();
    flops as f64 / begun.elapsed().as_secs_f64()
}

/// Seconds of one call.
fn seconds(call: impl Fn()) -> f64 {
    call();
    let begun = Instant::now();
    let mut calls = 0;
    while begun.elapsed().as_secs_f64() < TURN_S {
        call();
        calls += 1;
    }
    begun.elapsed().as_secs_f64() / f64::from(calls)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
