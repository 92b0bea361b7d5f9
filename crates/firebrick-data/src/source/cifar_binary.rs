//! CIFAR's binary files: records of one label byte (CIFAR-100: a coarse and a fine one) and 3,072
//! pixels, red plane, green plane, blue plane, each row by row. There is no header.

use super::cifar_variant::SHAPE;
use super::container::StoredFile;
use super::records::Part;
use crate::error::DataError;

/// The records of one file. `label_offset` is where the label lies among the `num_labels` in front of the pixels.
///
/// # Errors
/// [`DataError::Malformed`] unless the file is one or more whole records.
pub(super) fn part(file: StoredFile, label_offset: usize, num_labels: usize) -> Result<Part, DataError> {
    let first = num_labels;
    let stride = first + SHAPE.len();
    let (count, rest) = (file.bytes.len() / stride, file.bytes.len() % stride);
    if count == 0 || rest != 0 {
        return Err(DataError::malformed(
            &file.path,
            format!("record {count}, byte {}", count * stride),
            format!("whole records of {stride} bytes ({first} label + {} pixels)", SHAPE.len()),
            format!("{rest} bytes ({} in the file)", file.bytes.len()),
            "the file is cut short or has something added: fetch it again",
        ));
    }
    let labels = file.bytes.iter().skip(label_offset).step_by(stride).copied().map(u32::from).collect();
    Ok(Part { bytes: file.bytes, first, stride, labels })
}

/// One name a line.
///
/// # Errors
/// [`DataError::Malformed`] unless it is text.
pub(super) fn class_names(file: &StoredFile) -> Result<Vec<String>, DataError> {
    let text = std::str::from_utf8(&file.bytes).map_err(|error| {
        let place = format!("byte {}", error.valid_up_to());
        let hint = "restore the official file or remove it";
        DataError::malformed(&file.path, place, "text, one class name a line", "other bytes", hint)
    })?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}
