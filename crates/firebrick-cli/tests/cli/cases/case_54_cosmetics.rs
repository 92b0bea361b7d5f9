//! Messages that can be pasted, read and believed.
