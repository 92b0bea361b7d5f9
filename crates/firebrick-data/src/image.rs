//! One image as the sources hand it over.

use std::sync::Arc;

use crate::shape::InputShape;

/// An image of 8-bit pixels. Cloning shares the pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// `channels * height * width` values, channel by channel, row by row.
    pub pixels: Arc<[u8]>,
}

impl Image {
    /// The image's shape.
    pub fn shape(&self) -> InputShape {
        InputShape { channels: self.channels, height: self.height, width: self.width }
    }
}

/// One image and its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The image as stored, before any transform.
    pub image: Image,
    /// The class, below the data set's number of classes: checked when read.
    pub label: u32,
}
