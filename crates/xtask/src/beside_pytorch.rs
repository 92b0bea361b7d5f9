//! Ten epochs of Tudui on CIFAR-10 beside PyTorch: the same weights, the same order, five runs.
//!
//! Runs of PyTorch with different numbers of threads and memory formats add in different orders, and over thousands of
//! steps the last bits grow to visible differences. How far those are apart is the yardstick: ours
//! should be no further from PyTorch than PyTorch is from itself.
//!
//! Each run leaves its result in the folder `out`; what is there already is not run again.

use std::path::Path;
use std::process::Command;

use firebrick_report::{LineChart, Series};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::parity::golden;
use crate::run::{Run, config, number, numbers, root};

const SCRIPT: &str = "crates/xtask/pytorch/beside_firebrick.py";
/// Losses are averaged over so many steps before they are drawn and compared.
const SMOOTHED_STEPS: usize = 50;

/// What a run gave.
struct Course {
    name: String,
    /// Of each step.
    losses: Vec<f64>,
    /// Test loss and accuracy of each epoch.
    evaluations: Vec<(f64, f64)>,
}

/// Makes the runs that are missing, then the table and `loss.svg`.
pub fn recipe(data: &Path, out: &Path, backend: &str, epochs: usize) -> Result<(), Failure> {
    std::fs::create_dir_all(out)?;
    let mut courses = Vec::new();
    for (format, channels_last) in [("pytorch", false), ("channels-last", true)] {
        for threads in [1, 2] {
            let file = out.join(format!("{format}-{threads}.json"));
            if !file.exists() {
                pytorch(data, &file, threads, channels_last, epochs)?;
            }
            let format = if channels_last { "channels_last, " } else { "" };
            courses.push(Course::read(format!("PyTorch, {format}threads: {threads}"), &file)?);
        }
    }
    let file = out.join("firebrick.json");
    if !file.exists() {
        firebrick(data, &file, backend, epochs)?;
    }
    let ours = Course::read(format!("Firebrick, {backend}"), &file)?;
    let all: Vec<&Course> = courses.iter().chain([&ours]).collect();
    std::fs::write(out.join("loss.svg"), chart(&all).to_svg()?)?;
    print_table(&all);
    judge(&courses, &ours)
}

fn pytorch(
    data: &Path,
    file: &Path,
    threads: usize,
    channels_last: bool,
    epochs: usize,
) -> Result<(), Failure> {
    let mut command = Command::new("python3");
    command.arg(root().join(SCRIPT)).arg(data.join("cifar-10-batches-bin"));
    command.arg(golden("firebrick-models", "tudui.safetensors")).arg(file);
    command.args(["--threads", &threads.to_string(), "--epochs", &epochs.to_string()]);
    if channels_last {
        command.arg("--channels-last");
    }
    // Threads that wait sleep, so that a machine with other work is shared and not fought over.
    command.env("OMP_WAIT_POLICY", "passive");
    let status = command.status().map_err(|error| format!("python3: {error}"))?;
    if !status.success() {
        return Err(format!("{SCRIPT} ended with {status}").into());
    }
    Ok(())
}

fn firebrick(data: &Path, file: &Path, backend: &str, epochs: usize) -> Result<(), Failure> {
    let sets = [
        ("model.weights", golden("firebrick-models", "tudui.safetensors").display().to_string()),
        ("data.root", data.display().to_string()),
        ("data.download", "false".to_owned()),
        ("data.shuffle", "false".to_owned()),
        ("trainer.epochs", epochs.to_string()),
        ("trainer.backend", backend.to_owned()),
    ];
    let run = Run::train(&config("tudui-cifar10.toml"), &sets, true)?;
    let scores = run.numbers("eval", "loss")?.into_iter().zip(run.numbers("eval", "accuracy")?);
    let evaluations: Vec<Value> =
        scores.map(|(loss, accuracy)| json!({ "loss": loss, "accuracy": accuracy })).collect();
    let seconds = &run.summary["seconds"];
    let document = json!({ "seconds": seconds, "losses": run.losses()?, "evaluations": evaluations });
    std::fs::write(file, document.to_string())?;
    Ok(())
}

impl Course {
    fn read(name: String, file: &Path) -> Result<Self, Failure> {
        let document: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
        let refused = |error: Failure| format!("{}: {error}", file.display());
        let losses = numbers(&document, "losses").map_err(refused)?;
        let evaluations: Result<Vec<(f64, f64)>, Failure> = document["evaluations"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|evaluation| Ok((number(evaluation, "loss")?, number(evaluation, "accuracy")?)))
            .collect();
        let evaluations = evaluations.map_err(refused)?;
        if losses.is_empty() || evaluations.is_empty() {
            return Err(format!("{}: expected losses and evaluations", file.display()).into());
        }
        Ok(Self { name, losses, evaluations })
    }

    /// Means of so many steps, with the step at which each ends.
    fn smoothed(&self) -> Vec<(f64, f64)> {
        let groups = self.losses.chunks_exact(SMOOTHED_STEPS).enumerate();
        let mean = |group: &[f64]| group.iter().sum::<f64>() / group.len() as f64;
        groups.map(|(index, group)| (((index + 1) * SMOOTHED_STEPS) as f64, mean(group))).collect()
    }
}

fn chart(courses: &[&Course]) -> LineChart {
    let series = |course: &Course| Series { name: course.name.clone(), points: course.smoothed() };
    LineChart {
        title: "Tudui on CIFAR-10, SGD 0.01 with momentum 0.9: the same weights, the same order".to_owned(),
        x_label: "step".to_owned(),
        y_label: format!("training loss, mean of {SMOOTHED_STEPS} steps"),
        series: courses.iter().copied().map(series).collect(),
    }
}

fn print_table(courses: &[&Course]) {
    let names: Vec<&str> = courses.iter().map(|course| course.name.as_str()).collect();
    println!("| epoch | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len()));
    let num_epochs = courses.iter().map(|course| course.evaluations.len()).min().unwrap_or(0);
    for epoch in 0..num_epochs {
        let cells = courses.iter().map(|course| {
            let (loss, accuracy) = course.evaluations[epoch];
            format!("{loss:.4}, {:.2}%", 100.0 * accuracy)
        });
        println!("| {} | {} |", epoch + 1, cells.collect::<Vec<_>>().join(" | "));
    }
}

/// How far two runs are apart.
struct Distance {
    /// Root mean square of the differences of the smoothed training losses.
    training: f64,
    /// Of the test losses over the second half of the epochs.
    test_loss: f64,
    /// And of the accuracies.
    accuracy: f64,
}

impl Distance {
    fn between(a: &Course, b: &Course) -> Self {
        let late = |course: &Course| course.evaluations[course.evaluations.len() / 2..].to_vec();
        let pairs = || late(a).into_iter().zip(late(b));
        Self {
            training: root_mean_square(a.smoothed().iter().zip(b.smoothed()).map(|(a, b)| a.1 - b.1)),
            test_loss: root_mean_square(pairs().map(|(a, b)| a.0 - b.0)),
            accuracy: root_mean_square(pairs().map(|(a, b)| a.1 - b.1)),
        }
    }
}

fn root_mean_square(differences: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = differences.fold((0.0, 0), |(sum, count), d| (sum + d * d, count + 1));
    (sum / f64::from(count.max(1))).sqrt()
}

/// One pair is one draw of a random distance, so each of ours may be up to so many times as far as PyTorch's middle one
/// before it says anything.
const FACTOR: f64 = 2.0;

fn judge(pytorch: &[Course], ours: &Course) -> Result<(), Failure> {
    let mut of_pytorch = Vec::new();
    for (index, a) in pytorch.iter().enumerate() {
        of_pytorch.extend(pytorch[index + 1..].iter().map(|b| Distance::between(a, b)));
    }
    let of_ours: Vec<Distance> = pytorch.iter().map(|course| Distance::between(ours, course)).collect();
    println!(
        "\n| root mean square difference: median (smallest to largest) | training loss | test loss, last half | accuracy, last half |"
    );
    println!("|---|---|---|---|");
    let yardstick = row("PyTorch from PyTorch", &of_pytorch).map(|[median, _]| median);
    let found = row(&format!("{} from PyTorch", ours.name), &of_ours).map(|[_, largest]| largest);
    let columns = ["the training loss", "the test loss", "the accuracy"];
    for ((column, found), yardstick) in columns.iter().zip(found).zip(yardstick) {
        if found.is_nan() || found > FACTOR * yardstick {
            let text = format!(
                "in {column} {} is {found:.4} from a run of PyTorch, more than {FACTOR} times the {yardstick:.4} that PyTorch's \
                 runs are from one another",
                ours.name
            );
            return Err(text.into());
        }
    }
    Ok(())
}

/// Prints the distances of some pairs; returns the median and the largest of each column.
fn row(name: &str, pairs: &[Distance]) -> [[f64; 2]; 3] {
    let columns: [fn(&Distance) -> f64; 3] =
        [|distance| distance.training, |distance| distance.test_loss, |distance| distance.accuracy];
    print!("| {name}, {} pairs |", pairs.len());
    let mut found = [[f64::NAN; 2]; 3];
    for (index, column) in columns.into_iter().enumerate() {
        let mut values: Vec<f64> = pairs.iter().map(column).collect();
        values.sort_by(f64::total_cmp);
        let [Some(first), Some(last)] = [values.first(), values.last()] else { continue };
        // Of an even number the mean of the middle two.
        let median = f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]);
        found[index] = [median, *last];
        if index < 2 {
            print!(" {median:.4} ({first:.4} to {last:.4}) |");
        } else {
            print!(" {:.2}% ({:.2}% to {:.2}%) |", 100.0 * median, 100.0 * first, 100.0 * last);
        }
    }
    println!();
    found
}
