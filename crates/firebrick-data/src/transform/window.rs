//! A rectangle of an image.

use crate::shape::ImageSize;

/// A rectangle inside an image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First row.
    pub top: usize,
    /// First column.
    pub left: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Window {
    /// All of an image of this size.
    pub fn whole(size: ImageSize) -> Self {
        Self { top: 0, left: 0, height: size.height, width: size.width }
    }

    /// Height and width.
    pub fn size(&self) -> ImageSize {
        ImageSize { height: self.height, width: self.width }
    }
}
