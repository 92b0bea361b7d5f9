//! Ten epochs of Tudui on CIFAR-10 beside PyTorch: the same weights, the same order, three runs.
//!
//! Two runs of PyTorch with different numbers of threads add in different orders, and over thousands of
//! steps the last bits grow to visible differences. How far those two are apart is the yardstick: ours
//! should be no further from PyTorch than PyTorch is from itself.
//!
//! Each run leaves its result in the folder `out`; what is there already is not run again.

use std::path::Path;
use std::process::Command;

use firebrick_report::{LineChart, Series};
use serde_json::{Value, json};

use crate::Failure;
use crate::parity::golden;
use crate::run::{Run, config, root};

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
    for threads in [1, 2] {
        let file = out.join(format!("pytorch-{threads}.json"));
        if !file.exists() {
            pytorch(data, &file, threads, epochs)?;
        }
        courses.push(Course::read(format!("PyTorch, threads: {threads}"), &file)?);
    }
    let file = out.join("firebrick.json");
    if !file.exists() {
        firebrick(data, &file, backend, epochs)?;
    }
    courses.push(Course::read(format!("Firebrick, {backend}"), &file)?);
    let chart = chart(&courses).to_svg()?;
    std::fs::write(out.join("loss.svg"), chart)?;
    print_table(&courses);
    judge(&courses)
}

fn pytorch(data: &Path, file: &Path, threads: usize, epochs: usize) -> Result<(), Failure> {
    let mut command = Command::new("python3");
    command.arg(root().join(SCRIPT)).arg(data.join("cifar-10-batches-bin"));
    command.arg(golden("firebrick-models", "tudui.safetensors")).arg(file);
    command.args(["--threads", &threads.to_string(), "--epochs", &epochs.to_string()]);
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
    let scores = run.numbers("eval", "loss").into_iter().zip(run.numbers("eval", "accuracy"));
    let evaluations: Vec<Value> =
        scores.map(|(loss, accuracy)| json!({ "loss": loss, "accuracy": accuracy })).collect();
    let seconds = &run.summary["seconds"];
    let document = json!({ "seconds": seconds, "losses": run.losses(), "evaluations": evaluations });
    std::fs::write(file, document.to_string())?;
    Ok(())
}

impl Course {
    fn read(name: String, file: &Path) -> Result<Self, Failure> {
        let document: Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
        let list = |key: &str| document[key].as_array().cloned().unwrap_or_default();
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        let losses: Vec<f64> = list("losses").iter().map(number).collect();
        let evaluations: Vec<(f64, f64)> = list("evaluations")
            .iter()
            .map(|evaluation| (number(&evaluation["loss"]), number(&evaluation["accuracy"])))
            .collect();
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

fn chart(courses: &[Course]) -> LineChart {
    let series = |course: &Course| Series { name: course.name.clone(), points: course.smoothed() };
    LineChart {
        title: "Tudui on CIFAR-10, SGD 0.01 with momentum 0.9: the same weights, the same order".to_owned(),
        x_label: "step".to_owned(),
        y_label: format!("training loss, mean of {SMOOTHED_STEPS} steps"),
        series: courses.iter().map(series).collect(),
    }
}

fn print_table(courses: &[Course]) {
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

/// One pair is one draw of a random distance, so ours may be up to twice as far before it says anything.
const FACTOR: f64 = 2.0;

fn judge(courses: &[Course]) -> Result<(), Failure> {
    let [one, two, ours] = courses else { return Err("expected three runs".into()) };
    let yardstick = Distance::between(one, two);
    println!(
        "\n| root mean square difference | training loss | test loss, last half | accuracy, last half |"
    );
    println!("|---|---|---|---|");
    let mut distances = vec![(one, two, Distance::between(one, two))];
    distances.extend([(ours, one), (ours, two)].map(|(a, b)| (a, b, Distance::between(a, b))));
    for (a, b, Distance { training, test_loss, accuracy }) in &distances {
        println!("| {} to {} | {training:.4} | {test_loss:.4} | {:.2}% |", a.name, b.name, 100.0 * accuracy);
    }
    for (a, b, distance) in &distances {
        let is_near = distance.training <= FACTOR * yardstick.training
            && distance.test_loss <= FACTOR * yardstick.test_loss
            && distance.accuracy <= FACTOR * yardstick.accuracy;
        if !is_near {
            let text =
                format!("{} is further from {} than {FACTOR} times PyTorch from itself", a.name, b.name);
            return Err(text.into());
        }
    }
    Ok(())
}
