//! What is said of a file that cannot be read.

use std::path::Path;

use firebrick_component::text;

use crate::error::DataError;

/// How to mend it.
pub(super) const HINT: &str = "the file is damaged, or written in a way that is not read here: fetch it again, or write it with the defaults of \
                    pyarrow.parquet.write_table";

/// `place` of the file `path` is not what it should be.
pub(super) fn bad(path: &Path, place: &str, got: &dyn std::fmt::Display) -> DataError {
    let got = text::one_line(&got.to_string());
    DataError::malformed(path, place, "a whole parquet file of images", got, HINT)
}
