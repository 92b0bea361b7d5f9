//! How an array is cut into chunks.

use std::ops::Range;

use crate::cpu::shape::{ShapeError, check_len};

/// Floats of a chunk: few enough to be found in the second-level cache when they are read again.
const CHUNK_FLOATS: usize = 1 << 14;

/// The chunks of an NHWC array.
#[derive(Clone, Copy)]
pub(super) struct Chunks {
    pub(super) channels: usize,
    pub(super) pixels: usize,
    /// Pixels of every chunk but the last.
    chunk_pixels: usize,
}

impl Chunks {
    pub(super) fn new(channels: usize, input: &[f32]) -> Result<Self, ShapeError> {
        if channels == 0 {
            return Err(ShapeError::Zero { what: "channels" });
        }
        if input.is_empty() {
            return Err(ShapeError::Zero { what: "the input's length" });
        }
        let pixels = input.len() / channels;
        check_len("the input", input.len(), pixels * channels)?;
        Ok(Self { channels, pixels, chunk_pixels: (CHUNK_FLOATS / channels).clamp(8, 256) })
    }

    /// How many.
    pub(super) fn count(&self) -> usize {
        self.pixels.div_ceil(self.chunk_pixels)
    }

    /// Pixels of a chunk.
    pub(super) fn chunk(&self, index: usize) -> Range<usize> {
        index * self.chunk_pixels..((index + 1) * self.chunk_pixels).min(self.pixels)
    }
}
