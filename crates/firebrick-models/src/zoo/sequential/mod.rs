//! A network that a config describes: layers, blocks of layers, and blocks of the config's own.
//!
//! ```toml
//! [model]
//! name = "sequential"
//! input_shape = [3, 32, 32]
//! layers = [
//!     { name = "conv2d", as = "conv1", out_channels = 16, kernel_size = 3, padding = 1, bias = false },
//!     { name = "batch_norm2d", as = "bn1" },
//!     { name = "relu" },
//!     { name = "repeat", as = "layer1", times = 3, layers = [{ name = "basic", channels = 16 }] },
//!     { name = "repeat", as = "layer2", times = 3, layers = [{ name = "basic", channels = 32 }], first = { stride = 2 } },
//!     { name = "adaptive_avg_pool2d", output_size = 1 },
//!     { name = "flatten" },
//!     { name = "linear", as = "fc", out_features = 10 },
//! ]
//!
//! [model.blocks.basic]
//! arguments = { channels = 16, stride = 1 }  # with their defaults; "$channels" in the layers stands for one
//! layers = [{ name = "residual", body = [
//!     { name = "conv2d", as = "conv1", out_channels = "$channels", kernel_size = 3, stride = "$stride", padding = 1 },
//!     { name = "batch_norm2d", as = "bn1" },
//! ], shortcut = [
//!     { name = "conv2d", as = "downsample.0", out_channels = "$channels", kernel_size = 1, stride = "$stride" },
//! ], after = [
//!     { name = "relu" },
//! ] }]
//! ```
//!
//! What torch is told as `in_channels`, `num_features` and `in_features` follows from the shapes. Parameters are called
//! as torch calls them: a layer without `as` by its position in its list, `0.weight`; blocks without `as` add nothing.
//!
//! | `name` | arguments | torch |
//! |---|---|---|
//! | a layer's | as [`crate::layer`] has them | |
//! | `sequence` | `layers` | `nn.Sequential(*layers)(x)` |
//! | `residual` | `body`, `shortcut = []`, `after = []`, `shortcut_when = "shape_changes"` or `"always"` | `after(body(x) + shortcut(x))` |
//! | `concat` | `branches` | `torch.cat([branch(x) for branch in branches], 1)` |
//! | `split` | `branches` | the same, with `x.chunk(len(branches), 1)` for the branches |
//! | `gate` | `body` | `x * body(x)` |
//! | `repeat` | `times`, `layers`, `first = {}` | `layers` so many times, called `0`, `1`, ...; `first` are other arguments for the block of the first time |
//! | a block's | its `arguments` | |
//!
//! | file | its one job |
//! |---|---|
//! | `config.rs` | the arguments, read, written and checked |
//! | `parse.rs` | from the config's tables to nodes |
//! | `block.rs` | blocks of the config's own, and what stands for their arguments |
//! | `unused.rs` | blocks and arguments of blocks that nothing uses |
//!
//! # Source
//!
//! `torch.nn.Sequential`.

mod block;
mod config;
mod parse;
mod unused;

pub use config::SequentialConfig;
