//! Each convolution layer of the networks by itself, as a part of what the CPU's multiply-add units can do.
//!
//! The peak, the kernels' inner loop by itself, the direct kernels and the kernels in use (Winograd's where it is
//! chosen) take turns. On a machine that shares its cores with others, the inner loop says when they were there: turns
//! in which it ran at the peak's speed, before and after, are counted by themselves.

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use firebrick_kernels::cpu::{
    ConvShape, Engine, FusedActivation, OutputGradient, Parameters, ShapeError, WeightOrder,
    with_spinning_worker,
};

use crate::failure::Failure;
use crate::run::root;
use crate::worker::Worker;

/// A measurement takes at least this long, in seconds.
const TURN_S: f64 = 0.02;

/// Rounds of multiply-adds on registers alone.
const PEAK_ROUNDS: usize = 1 << 20;

/// Rounds of the inner loop by itself: long enough to notice a neighbour on the same core.
const LOOP_ROUNDS: usize = 1 << 12;

/// Part of the peak from which on the inner loop by itself counts as undisturbed.
const UNDISTURBED: f64 = 0.95;

/// Undisturbed turns from which on their median is worth printing.
const ENOUGH_TURNS: usize = 5;

/// After its work PyTorch's second thread keeps a core busy for about this long, waiting for more.
const SPINNING: Duration = Duration::from_millis(50);

/// Prints the table, measured where a training step runs: in the kernels' thread pool.
pub fn recipe(rounds: u64, only: Option<&str>, with_pytorch: bool) -> Result<(), Failure> {
    // As the `train` binary does.
    firebrick::train::backend::own_process();
    let pytorch = if with_pytorch { Some(pytorch()?) } else { None };
    rayon::scope(|_| table(rounds, only, pytorch).map_err(|failure| failure.to_string()))?;
    Ok(())
}

/// PyTorch with as many threads, to take turns with.
fn pytorch() -> Result<Worker, Failure> {
    let mut command = Command::new("python3");
    command.arg(root().join("crates/xtask/pytorch/bench_layers.py"));
    command.args(["--threads", &rayon::current_num_threads().to_string()]);
    Worker::start(command)
}

fn table(rounds: u64, only: Option<&str>, mut pytorch: Option<Worker>) -> Result<(), Failure> {
    let [title, line] = if pytorch.is_some() {
        [" channels_last, GFLOP/s | direct / channels_last |", "---|---|"]
    } else {
        ["", ""]
    };
    println!(
        "| layer | pass | MFLOP | direct, GFLOP/s | of peak | inner loop alone | undisturbed turns | of peak in them \
         | in use, ms | as GFLOP/s of direct |{title}"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|{line}");
    let engine = Engine::current();
    let mut peaks = Vec::new();
    for layer in layers() {
        if only.is_some_and(|only| !layer.name.contains(only)) {
            continue;
        }
        let data = Data::new(&layer, engine)?;
        for pass in [Pass::Forward, Pass::InputGradient, Pass::WeightGradient] {
            if let Some(pytorch) = &mut pytorch {
                pytorch.prepare(&layer.for_pytorch(pass))?;
                pytorch.find_pace(TURN_S)?;
            }
            let mut turns = Vec::new();
            for _ in 0..rounds {
                turns.push(Turn::take(&data, pass, engine));
                if let Some(pytorch) = &mut pytorch {
                    pytorch.turn()?;
                    std::thread::sleep(SPINNING);
                }
            }
            peaks.extend(turns.iter().map(|turn| turn.peak));
            let flops = layer.shape.flops() as f64;
            print!("| {} | {} |{}", layer.name, pass.name(), row(&turns, flops));
            if let Some(pytorch) = &pytorch {
                let ours = median(turns.iter().map(|turn| turn.direct).collect());
                print!(" {:.0} | {:.2} |", flops / pytorch.median() / 1e9, pytorch.median() / ours);
            }
            println!();
        }
    }
    if peaks.is_empty() {
        return Err("no layer has such a name".into());
    }
    let threads = rayon::current_num_threads();
    println!(
        "\nn = {rounds} turns; medians; {threads} threads, {} ({} broadcasts), peak {:.0} GFLOP/s; undisturbed: the inner loop alone at \
         {:.0}% of the peak or more, before and after",
        engine.isa.name(),
        engine.broadcast.name(),
        median(peaks) / 1e9,
        100.0 * UNDISTURBED
    );
    Ok(())
}

/// What was measured one after the other.
struct Turn {
    /// Floating-point operations a second around the direct kernel.
    peak: f64,
    /// The inner loop by itself before and after, as parts of the peak.
    inner_loop: [f64; 2],
    /// Seconds of the direct kernel.
    direct: f64,
    /// Seconds of the kernel in use.
    in_use: f64,
}

impl Turn {
    fn take(data: &Data, pass: Pass, engine: Engine) -> Self {
        let direct = Engine { winograd: false, ..engine };
        // The clock of a shared machine wanders: a part is of the peak around it.
        let around =
            || (rate(|| engine.multiply_add_rounds(PEAK_ROUNDS)), rate(|| engine.tile_rounds(LOOP_ROUNDS)));
        let (peak_before, loop_before) = around();
        let seconds_of_direct = seconds(|| data.run(direct, pass));
        let (peak_behind, loop_behind) = around();
        let peak = (peak_before + peak_behind) / 2.0;
        Self {
            peak,
            inner_loop: [loop_before, loop_behind].map(|rate| rate / peak),
            direct: seconds_of_direct,
            in_use: seconds(|| data.run(engine, pass)),
        }
    }

    fn is_undisturbed(&self) -> bool {
        self.inner_loop.iter().all(|part| *part >= UNDISTURBED)
    }
}

/// The table's cells behind the pass.
fn row(turns: &[Turn], flops: f64) -> String {
    let of = |of: &dyn Fn(&Turn) -> f64| median(turns.iter().map(of).collect());
    let part = |turn: &Turn| 100.0 * flops / turn.direct / turn.peak;
    let undisturbed: Vec<f64> = turns.iter().filter(|turn| turn.is_undisturbed()).map(part).collect();
    let count = undisturbed.len();
    let best = if count < ENOUGH_TURNS { "-".to_owned() } else { format!("{:.0}%", median(undisturbed)) };
    format!(
        " {:.0} | {:.0} | {:.0}% | {:.0}% | {count} | {best} | {:.3} | {:.0} |",
        flops / 1e6,
        flops / of(&|turn| turn.direct) / 1e9,
        of(&part),
        100.0 * of(&|turn| turn.inner_loop[0]),
        1e3 * of(&|turn| turn.in_use),
        flops / of(&|turn| turn.in_use) / 1e9,
    )
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
    has_bias: bool,
}

impl Layer {
    /// What `bench_layers.py` is told.
    fn for_pytorch(&self, pass: Pass) -> String {
        let ConvShape { batch, in_channels, out_channels, input, kernel, stride, padding, groups, .. } =
            self.shape;
        let word = match pass {
            Pass::Forward => "forward",
            Pass::InputGradient => "input",
            Pass::WeightGradient => "weight",
        };
        format!(
            "{word} {batch} {in_channels} {out_channels} {} {} {} {} {} {}",
            input[0],
            kernel[0],
            stride[0],
            padding[0],
            groups,
            u8::from(self.has_bias)
        )
    }
}

/// The convolutions of LeNet and Tudui at batch 64, of ResNet-18 at batch 32, and some depthwise ones.
fn layers() -> Vec<Layer> {
    let layer = |network: &str, batch, [from, to]: [usize; 2], size, kernel, stride, padding| Layer {
        name: format!("{network} {from}-{to} {kernel}x{kernel}/{stride} at {size}"),
        // Batch normalisation follows the others' convolutions.
        has_bias: ["lenet", "tudui"].contains(&network),
        shape: ConvShape {
            batch,
            in_channels: from,
            out_channels: to,
            input: [size; 2],
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [padding; 2],
            extra_padding: [0, 0],
            dilation: [1; 2],
            groups: if network == "depthwise" { from } else { 1 },
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
        layer("depthwise", 32, [64, 64], 32, 3, 1, 1),
        layer("depthwise", 32, [64, 64], 32, 3, 2, 1),
        layer("depthwise", 32, [256, 256], 8, 3, 1, 1),
        layer("depthwise", 32, [128, 128], 16, 5, 1, 2),
    ]
}

/// One layer's arrays.
struct Data {
    shape: ConvShape,
    input: Vec<f32>,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    gradient: Vec<f32>,
}

impl Data {
    fn new(layer: &Layer, engine: Engine) -> Result<Self, ShapeError> {
        let shape = &layer.shape;
        // Any numbers do: the kernels do not look at them.
        let values = |len: usize| (0..len).map(|i| (i % 251) as f32 / 251.0 - 0.5).collect::<Vec<f32>>();
        let (input, weight) = (values(shape.input_len()), values(shape.weight_len()));
        let bias = layer.has_bias.then(|| values(shape.out_channels));
        let gradient = engine.forward(shape, &input, &weight, bias.as_deref(), FusedActivation::None)?;
        Ok(Self { shape: *shape, input, weight, bias, gradient })
    }

    fn run(&self, engine: Engine, pass: Pass) {
        let Self { shape, input, weight, bias, gradient } = self;
        let gradient = OutputGradient::Plain(gradient);
        // `new` has run this shape: nothing is refused.
        match pass {
            Pass::Forward => {
                let _ =
                    black_box(engine.forward(shape, input, weight, bias.as_deref(), FusedActivation::None));
            }
            Pass::InputGradient => {
                let _ = black_box(engine.input_gradient(shape, gradient, weight));
            }
            Pass::WeightGradient => {
                let parameters = bias.as_ref().map_or(Parameters::Weight, |_| Parameters::WeightAndBias);
                let _ = black_box(engine.weight_gradient(shape, input, gradient, parameters));
            }
        }
    }
}

/// Floating-point operations a second of all threads.
fn rate(work: impl Fn() -> u64 + Sync) -> f64 {
    let begun = Instant::now();
    let flops: u64 = rayon::broadcast(|_| work()).into_iter().sum();
    flops as f64 / begun.elapsed().as_secs_f64()
}

/// Seconds of one call, where a training step calls.
fn seconds(call: impl Fn() + Sync) -> f64 {
    with_spinning_worker(|| {
        call();
        let begun = Instant::now();
        let mut calls = 0;
        while begun.elapsed().as_secs_f64() < TURN_S {
            call();
            calls += 1;
        }
        begun.elapsed().as_secs_f64() / f64::from(calls)
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
