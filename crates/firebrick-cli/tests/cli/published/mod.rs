//! `model.weights = "imagenet"` of the real binaries, against a server on this machine.

mod fetching;
mod file;
#[path = "../../../../firebrick-models/tests/models/pt_file.rs"]
#[allow(dead_code)]
mod pt_file;
mod server;
mod using;

use std::path::PathBuf;
use std::process::Command;

use server::Server;

use super::sandbox::{Ended, Sandbox};

/// The name of the file that is fetched.
const FILE: &str = "squeezenet1_1-b8a52dc0.pth";

/// SqueezeNet on a few made images of three classes: a step in a second.
const CONFIG: &str = r#"
[model]
name = "squeezenet1_1"
input_shape = [3, 64, 64]
weights = "imagenet"

[data]
dataset = { name = "synthetic", num_classes = 3, train = 4, test = 2 }
batch_size = 2

[loss]
name = "cross_entropy"

[optimizer]
name = "sgd"
lr = 0.001

[trainer]
epochs = 1
max_steps = 1
backend = "flex"
"#;

/// A folder with a cache of its own, and `squeeze.toml`.
struct Place {
    sandbox: Sandbox,
}

impl Place {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("squeeze.toml", CONFIG);
        Self { sandbox }
    }

    /// A binary that knows the sandbox's cache, and the server as a mirror if there is one.
    fn command(&self, binary: &str, server: Option<&Server>) -> Command {
        let mut command = self.sandbox.command(binary);
        if let Some(server) = server {
            command.env("FIREBRICK_MIRROR", server.url());
        }
        command
    }

    /// Trains by `squeeze.toml` into `run`.
    fn train(&self, server: Option<&Server>, run: &str, more: &[&str]) -> Ended {
        let mut command = self.command(env!("CARGO_BIN_EXE_train"), server);
        self.sandbox.run(&mut command, &[&["--config", "squeeze.toml", "--run-dir", run], more].concat())
    }

    fn firebrick(&self, server: Option<&Server>, arguments: &[&str]) -> Ended {
        self.sandbox.run(&mut self.command(env!("CARGO_BIN_EXE_firebrick"), server), arguments)
    }

    /// Where the file belongs.
    fn whole(&self) -> PathBuf {
        self.sandbox.path("cache/weights").join(FILE)
    }

    /// Where it grows.
    fn part(&self) -> PathBuf {
        self.sandbox.path("cache/weights").join(format!("{FILE}.part"))
    }

    /// The names in the cache.
    fn cached(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.sandbox.path("cache/weights"));
        let names =
            entries.into_iter().flatten().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}
