//! Every state that a run's folder can be in, times every command that touches one: the table in docs/durability.md is
//! the test's data. A cell is one word for what happens; whichever it is, nothing that a person may still want is gone.

mod commands;
mod files;
mod states;

use std::path::{Path, PathBuf};

use firebrick::Trainer;
use firebrick::train::Config;
use firebrick::train::config::Override;

use commands::COMMANDS;
use files::copy_tree;
pub use files::files as contents;
use states::STATES;

/// Eight steps in four epochs of a network that is quick to save; a checkpoint an epoch, the last three stay.
pub const CONFIG: &str = r#"
[model]
name = "sequential"
input_shape = [1, 8, 8]
layers = [{ name = "flatten" }, { name = "linear", out_features = 10 }]
[data]
dataset = "digits"
batch_size = 16
workers = 0
limit = { train = 32, test = 16 }
[loss]
name = "cross_entropy"
[optimizer]
name = "sgd"
lr = 0.05
momentum = 0.9
[trainer]
epochs = 4
backend = "flex"
keep_last = 3
"#;

fn config(overrides: &[(&str, &str)]) -> Config {
    let overrides: Vec<Override> = overrides.iter().map(|(key, value)| Override::new(*key, *value)).collect();
    Config::from_toml("states", CONFIG, &overrides).unwrap()
}

/// A finished run, and one of another learning rate.
struct Runs {
    folder: tempfile::TempDir,
}

impl Runs {
    fn new() -> Self {
        let runs = Self { folder: scratch() };
        Trainer::new(config(&[])).run_dir(runs.finished()).run().unwrap();
        Trainer::new(config(&[("optimizer.lr", "0.01")])).run_dir(runs.other()).run().unwrap();
        runs
    }

    fn finished(&self) -> PathBuf {
        self.folder.path().join("finished")
    }

    fn other(&self) -> PathBuf {
        self.folder.path().join("other")
    }
}

/// In memory where there is such a place: hundreds of folders are written, each flushed to the disk.
fn scratch() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn checkpoint(run: &Path, step: u64) -> PathBuf {
    run.join(format!("checkpoints/step-{step:09}"))
}

/// A row of the table: the state's name, and a word for each command.
struct Row {
    state: String,
    words: Vec<String>,
}

/// The table below the heading of docs/durability.md, without its head.
fn documented() -> Vec<Row> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/durability.md");
    let text = std::fs::read_to_string(file).unwrap();
    let (_, section) = text.split_once("## What a run folder can look like").unwrap();
    let lines =
        section.lines().skip_while(|line| !line.starts_with("| ")).take_while(|line| line.starts_with('|'));
    let rows = lines.skip(2).map(|line| {
        let mut cells = line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned());
        Row { state: cells.next().unwrap(), words: cells.collect() }
    });
    rows.collect()
}

#[test]
fn every_cell_of_the_table_in_docs_durability_is_true() {
    let rows = documented();
    let runs = Runs::new();
    let mut wrong = Vec::new();
    let mut found = String::new();
    let mut cells = 0;
    for (name, make) in STATES {
        let row = rows.iter().find(|row| row.state == *name);
        found.push_str(&format!("| {name}"));
        for (index, (command, run)) in COMMANDS.iter().enumerate() {
            let folder = scratch();
            let run_dir = folder.path().join("run");
            copy_tree(&runs.finished(), &run_dir);
            make(&runs, &run_dir);
            let word = run(folder.path(), &run_dir).unwrap_or_else(|lost| format!("LOST: {lost}"));
            let expected = row.and_then(|row| row.words.get(index));
            if expected != Some(&word) {
                wrong.push(format!("{name}, {command}: documented {expected:?}, got {word}"));
            }
            found.push_str(&format!(" | {word}"));
            cells += 1;
        }
        found.push_str(" |\n");
    }
    assert!(wrong.is_empty(), "{}\n\nthe table as it is:\n{found}", wrong.join("\n"));
    assert_eq!(rows.len(), STATES.len());
    assert!(cells >= 150, "{cells} cells");
}
