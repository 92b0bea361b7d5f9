//! Where samples come from. A source is a `burn_dataset::Dataset<Sample, DataError>`; it checks
//! every count, size and label when it is opened.

mod synthetic;

pub use synthetic::SyntheticConfig;
