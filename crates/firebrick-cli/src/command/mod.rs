//! One file a command: what it takes, and what it does with it.

pub mod config;
pub mod data;
pub mod devices;
pub mod evaluate;
pub mod export;
pub mod loss;
pub mod predict;
pub mod summary;
pub mod train;
pub mod verify;
