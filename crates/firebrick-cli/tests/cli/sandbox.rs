//! A folder in which one test runs the binaries.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// LeNet on a few digits: a second or less.
pub const TINY: &str = r#"
[model]
name = "lenet"
num_classes = 10

[data]
dataset = "digits"
batch_size = 32
limit = { train = 96, test = 64 }

[loss]
name = "cross_entropy"

[optimizer]
name = "sgd"
lr = 0.02
momentum = 0.9

[trainer]
epochs = 2
backend = "flex"
"#;

/// An empty folder that goes away with the test.
pub struct Sandbox {
    folder: TempDir,
}

/// How a binary ended, as text.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Sandbox {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With `tiny.toml` in it.
    pub fn with_tiny_config() -> Self {
        let sandbox = Self::new();
        sandbox.write("tiny.toml", TINY);
        sandbox
    }

    /// With the finished run `run` of `tiny.toml` in it.
    pub fn with_run() -> Self {
        let sandbox = Self::with_tiny_config();
        sandbox.train(&["--config", "tiny.toml", "--run-dir", "run", "--quiet"]).succeeds();
        sandbox
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn read_json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// The records of `metrics.jsonl`.
    pub fn metrics(&self, run: &str) -> Vec<serde_json::Value> {
        let text = self.read(&format!("{run}/metrics.jsonl"));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Every file and folder, relative, sorted.
    pub fn entries(&self) -> Vec<String> {
        let mut entries = Vec::new();
        list(self.folder.path(), self.folder.path(), &mut entries);
        entries.sort();
        entries
    }

    pub fn train(&self, arguments: &[&str]) -> Ended {
        self.run(&mut self.command(env!("CARGO_BIN_EXE_train")), arguments)
    }

    pub fn firebrick(&self, arguments: &[&str]) -> Ended {
        self.run(&mut self.command(env!("CARGO_BIN_EXE_firebrick")), arguments)
    }

    pub fn run(&self, command: &mut Command, arguments: &[&str]) -> Ended {
        Ended::of(command.args(arguments).output().unwrap())
    }

    /// A binary that knows nothing of Cargo or of the terminal the tests run in.
    pub fn command(&self, binary: &str) -> Command {
        let mut command = Command::new(binary);
        command.current_dir(self.folder.path()).env("FIREBRICK_CACHE", self.folder.path().join("cache"));
        for name in [
            "FIREBRICK_MIRROR",
            "FIREBRICK_OFFLINE",
            "CARGO_MANIFEST_DIR",
            "NO_COLOR",
            "CLICOLOR_FORCE",
            "RUST_BACKTRACE",
        ] {
            command.env_remove(name);
        }
        command
    }
}

impl Ended {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub fn succeeds(self) -> Self {
        self.ends_with(0)
    }

    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        self
    }

    /// The JSON that is all of standard output.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

fn list(root: &Path, folder: &Path, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        into.push(path.strip_prefix(root).unwrap().display().to_string());
        if path.is_dir() {
            list(root, &path, into);
        }
    }
}
