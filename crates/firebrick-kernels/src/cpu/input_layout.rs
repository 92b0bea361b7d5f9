//! How a weight gradient's walks find the input.

use std::ops::Range;

use super::source::{Source, SourceImages};
use super::window::Window;

/// How the input lies: where it is, or as a copy, `[image][panel][row][column][channel of the panel]`. In floats.
pub(crate) struct InputLayout {
    /// Whether it is a copy.
    pub(crate) is_copy: bool,
    /// Channels that are there.
    pub(crate) channels: Range<usize>,
    /// Channels of a panel.
    pub(crate) panel: usize,
    /// From one panel to the next.
    pub(crate) panel_len: usize,
    /// From one pixel to the next.
    pub(crate) pixel: usize,
    /// From one row to the next.
    pub(crate) pitch: usize,
    /// From one image to the next.
    pub(crate) image: usize,
}

impl InputLayout {
    /// Where a channel (of its group) of a pixel lies, which may be one before the first.
    pub(crate) fn offset(&self, [y, x]: [isize; 2], channel: usize) -> isize {
        let channel = channel - self.channels.start;
        let of_panel = channel / self.panel * self.panel_len + channel % self.panel;
        y * self.pitch.cast_signed() + x * self.pixel.cast_signed() + of_panel.cast_signed()
    }

    /// Copy the window of some images.
    pub(crate) fn copy(
        &self,
        source: &SourceImages<'_>,
        images: Range<usize>,
        window: &Window,
        target: &mut [f32],
    ) {
        let image_len = source.size[0] * source.size[1] * source.channels;
        let Source::Plain(values) = source.values else { return };
        for (image, target) in images.zip(target.chunks_exact_mut(self.image)) {
            let values = &values[image * image_len..][..image_len];
            for (index, target) in target.chunks_exact_mut(self.panel_len).enumerate() {
                let first = self.channels.start + index * self.panel;
                let channels = first..(first + self.panel).min(self.channels.end);
                window.copy_channels(values, source.size, source.channels, channels, self.pixel, target);
            }
        }
    }
}
