//! Which classes are taken for which.

use crate::image_record::ImageRecord;

/// `counts[true][predicted]` counts images, for every pair of classes.
pub fn confusion(images: &[ImageRecord], num_classes: usize) -> Vec<Vec<u64>> {
    let mut counts = vec![vec![0; num_classes]; num_classes];
    for image in images {
        counts[image.label][image.predicted()] += 1;
    }
    counts
}
