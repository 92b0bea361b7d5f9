//! Train convolutional networks from your own program.
//!
//! Firebrick is a training framework on [Burn](https://burn.dev) with PyTorch's numbers. This crate
//! is the one to depend on: the [`Trainer`] runs a config from start to end and tells your closure
//! every step; the modules below it are the libraries, for programs that write their own loop.
//!
//! ```
//! use firebrick::prelude::*;
//!
//! # fn main() -> Result<(), TrainError> {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! let config = Config::from_toml("example", r#"
//!     model = { name = "lenet", num_classes = 10 }
//!     data = { dataset = "digits", limit = { train = 64, test = 32 }, batch_size = 32 }
//!     loss = { name = "cross_entropy" }
//!     optimizer = { name = "sgd", lr = 0.01 }
//!     trainer = { epochs = 1, backend = "flex" }
//! "#, &[])?;
//! let mut losses = Vec::new();
//! let outcome = Trainer::new(config)
//!     .run_dir(folder.path().join("run"))
//!     .on_event(|event| {
//!         if let Event::Step(step) = event {
//!             losses.push(step.loss);
//!         }
//!         Control::Continue
//!     })
//!     .run()?;
//! assert_eq!(losses.len(), 2);
//! assert_eq!(outcome.status, Status::Completed);
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here prints, installs a logger or a panic hook, or ends the process.

mod trainer;

pub use firebrick_component as component;
pub use firebrick_data as data;
pub use firebrick_loss as loss;
pub use firebrick_models as models;
pub use firebrick_train as train;

pub use trainer::Trainer;

/// What most programs need.
pub mod prelude {
    pub use crate::Trainer;
    pub use firebrick_data::{DataConfig, DatasetConfig};
    pub use firebrick_models::{ImageClassifier, ModelConfig, Network};
    pub use firebrick_train::config::Override;
    pub use firebrick_train::{
        Config, Control, Event, Observer, Outcome, Plan, Split, Status, TrainError, TrainState,
    };
}
