//! A run evaluated on other classes.
