//! `.pt` files of every name.
