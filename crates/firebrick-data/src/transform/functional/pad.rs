//! Borders.

use crate::transform::padding::PaddingMode;
use crate::transform::working_image::WorkingImage;

/// Puts a border round the image: `[left, top, right, bottom]` pixels wide, of `fill` (one value a channel) when
/// the mode is `Constant`.
///
/// # Source
///
/// torchvision `pad` on PIL images.
pub fn pad(image: &mut WorkingImage, padding: [usize; 4], fill: &[u8], mode: PaddingMode) {
    let [left, top, right, bottom] = padding;
    if image.is_empty() {
        return;
    }
    let (height, width) = (image.height(), image.width());
    let (new_height, new_width) = (top + height + bottom, left + width + right);
    let sources = |before: usize, length: usize, new: usize| -> Vec<Option<usize>> {
        (0..new).map(|at| mode.source(at as isize - before as isize, length)).collect()
    };
    let (rows, columns) = (sources(top, height, new_height), sources(left, width, new_width));
    image.rewrite([image.channels(), new_height, new_width], |source, target| {
        let planes = source.chunks_exact(height * width).zip(target.chunks_exact_mut(new_height * new_width));
        for ((plane, out), &fill) in planes.zip(fill) {
            for (out, row) in out.chunks_exact_mut(new_width).zip(&rows) {
                let Some(row) = row.map(|row| &plane[row * width..][..width]) else {
                    out.fill(fill);
                    continue;
                };
                for (out, column) in out.iter_mut().zip(&columns) {
                    *out = column.map_or(fill, |column| row[column]);
                }
            }
        }
    });
}
