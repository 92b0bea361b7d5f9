//! Weights under the keys that training scripts use.
