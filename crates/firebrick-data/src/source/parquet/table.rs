//! The images and labels of one parquet file.

use std::path::Path;
use std::sync::Arc;

use firebrick_component::text;
use firebrick_storage::read_part;

use super::damage::{HINT, bad};
use super::features::Features;
use super::footer::{Chunk, Footer, Kind, Leaf};
use super::pages::{Holds, Packing, Page, Pages, Runs};
use crate::error::DataError;
use crate::image_file::MAX_IMAGE_FILE_BYTES;
use crate::source::classes::MAX_NAME_BYTES;
use crate::source::image_bytes::ImageBytes;
use crate::source::thrift::Problem;
use crate::source::written::Written;

/// The longest column of a row group, in bytes.
const MAX_COLUMN_BYTES: u64 = 2 << 30;
/// What a row takes beside its image.
const ROW_BYTES: u64 = 64;
const TOO_MANY: &str = "more images than fit into half of the free memory (unpack them to an image folder)";

/// The columns that a config names.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) image: Option<&'a str>,
    pub(super) label: Option<&'a str>,
}

/// What a file holds.
pub(super) struct Table {
    pub(super) rows: Vec<Written>,
    /// The names of the classes, if its metadata have them.
    pub(super) class_names: Option<Vec<String>>,
}

/// Reads a file. What its images take is taken off `memory_left`.
///
/// # Errors
/// [`DataError::Malformed`] with the column or the row; [`DataError::Storage`].
pub(super) fn read_table(
    path: &Path,
    columns: Columns<'_>,
    memory_left: &mut u64,
) -> Result<Table, DataError> {
    let (footer, length) = Footer::read(path)?;
    let features = footer.hugging_face.as_deref().map(Features::of).unwrap_or_default();
    let image = image_column(path, columns, &footer, &features)?;
    let (label, class_names) = label_column(path, columns, &footer, &features)?;
    let file: Arc<Path> = Arc::from(path);
    let mut rows: Vec<Written> = Vec::new();
    for (group, chunks) in footer.row_groups.iter().enumerate() {
        let mut column = |place: usize| {
            let leaf = &footer.leaves[place];
            let told = format!("row group {group}, column {}", text::one_line(&leaf.path.join(".")));
            let column = Column { path, length, leaf, chunk: chunks[place] };
            column.read(memory_left).map_err(|problem| problem.at(path, &told))
        };
        let (images, labels) = (column(image)?, column(label)?);
        if images.len() != labels.len() {
            let got = format!("{} images and {} labels", images.len(), labels.len());
            return Err(bad(path, &format!("row group {group}"), &got));
        }
        for (image, label) in images.into_iter().zip(labels) {
            let name = format!("row {}", rows.len());
            let Value::Bytes(bytes) = image else {
                return Err(bad(path, &name, &"an image that is a number"));
            };
            let label =
                Some(label.into_text()).filter(|label| !label.is_empty() && label.len() <= MAX_NAME_BYTES);
            let label = label.ok_or_else(|| bad(path, &name, &"no label, or one that is too long"))?;
            rows.push(Written {
                image: ImageBytes::Memory { file: Arc::clone(&file), name: name.into(), bytes },
                label,
            });
        }
    }
    match rows.is_empty() {
        true => Err(bad(path, "rows", &"none")),
        false => Ok(Table { rows, class_names }),
    }
}

/// The column with the bytes of the images.
fn image_column(
    path: &Path,
    columns: Columns<'_>,
    footer: &Footer,
    features: &Features,
) -> Result<usize, DataError> {
    let named = columns.image.or(match features.images.as_slice() {
        [only] => Some(only.as_str()),
        _ => None,
    });
    let is_image = |leaf: &Leaf| match leaf.path.as_slice() {
        [column, inner] => {
            let is_readable = leaf.kind == Kind::Bytes && !leaf.is_repeated;
            inner == "bytes" && is_readable && named.is_none_or(|named| named == column)
        }
        _ => false,
    };
    let found: Vec<usize> =
        footer.leaves.iter().enumerate().filter(|(_, leaf)| is_image(leaf)).map(|(place, _)| place).collect();
    match found.as_slice() {
        [only] => Ok(*only),
        found => {
            let expected = "one column of images, each { bytes, path } (data.dataset's argument `image_column` names it)";
            let got = format!("{} in {}", found.len(), footer.described());
            Err(DataError::malformed(path, "columns", expected, got, HINT))
        }
    }
}

/// The column of labels, and the names that the metadata give to them.
fn label_column(
    path: &Path,
    columns: Columns<'_>,
    footer: &Footer,
    features: &Features,
) -> Result<(usize, Option<Vec<String>>), DataError> {
    let name = match (columns.label, features.classes.as_slice()) {
        (Some(name), _) => name,
        (None, [(only, _)]) => only.as_str(),
        (None, _) => "label",
    };
    let is_label = |leaf: &Leaf| leaf.path == [name] && leaf.kind != Kind::Other && !leaf.is_repeated;
    let names = features.classes.iter().find(|(column, _)| column == name).map(|(_, names)| names.clone());
    match footer.leaves.iter().position(is_label) {
        Some(place) => Ok((place, names.filter(|names| !names.is_empty()))),
        None => {
            let expected = format!(
                "a column `{}` of whole numbers or text (data.dataset's argument `label_column` names another)",
                text::one_line(name)
            );
            Err(DataError::malformed(path, "columns", expected, footer.described(), HINT))
        }
    }
}

/// A value of a column.
#[derive(Clone, Debug)]
enum Value {
    Number(i64),
    Bytes(Arc<[u8]>),
}

impl Value {
    fn into_text(self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

/// What is wrong with a column: its contents, or the disk.
enum Trouble {
    Contents(Problem),
    Other(DataError),
}

impl Trouble {
    fn at(self, path: &Path, place: &str) -> DataError {
        match self {
            Self::Contents(problem) => bad(path, place, &problem),
            Self::Other(error) => error,
        }
    }
}

impl<T: Into<Problem>> From<T> for Trouble {
    fn from(problem: T) -> Self {
        Self::Contents(problem.into())
    }
}

/// A column in one row group.
struct Column<'a> {
    path: &'a Path,
    length: u64,
    leaf: &'a Leaf,
    chunk: Chunk,
}

impl Column<'_> {
    /// Each row's value.
    fn read(&self, memory_left: &mut u64) -> Result<Vec<Value>, Trouble> {
        let Chunk { codec, packed, data_page, dictionary_page } = self.chunk;
        let packing = Packing::of(codec)?;
        // Some writers say that the dictionary is at 0 where there is none.
        let first = dictionary_page.filter(|page| *page > 0).map_or(data_page, |page| page.min(data_page));
        let place = u64::try_from(first)
            .ok()
            .zip(u64::try_from(packed).ok().filter(|length| *length <= MAX_COLUMN_BYTES));
        let place =
            place.filter(|(first, packed)| first.checked_add(*packed).is_some_and(|end| end <= self.length));
        let (first, packed) = place.ok_or("bytes behind the end of the file, or too many")?;
        let bytes = read_part(self.path, first, packed).map_err(|error| Trouble::Other(error.into()))?;
        let mut pages = Pages::new(&bytes, packing, self.leaf.max_level > 0);
        let mut dictionary: Vec<Value> = Vec::new();
        let mut rows = Vec::new();
        while let Some(page) = pages.next()? {
            match page.holds {
                Holds::Dictionary => {
                    let mut values = Plain { bytes: &page.values, kind: self.leaf.kind };
                    dictionary =
                        (0..page.count).map(|_| values.next(memory_left)).collect::<Result<_, _>>()?;
                }
                Holds::Plain | Holds::Indices => self.add(&page, &dictionary, memory_left, &mut rows)?,
            }
        }
        Ok(rows)
    }

    fn add(
        &self,
        page: &Page,
        dictionary: &[Value],
        memory_left: &mut u64,
        rows: &mut Vec<Value>,
    ) -> Result<(), Trouble> {
        let mut plain = Plain { bytes: &page.values, kind: self.leaf.kind };
        let mut indices = match (page.holds, page.values.split_first()) {
            (Holds::Indices, Some((width, rest))) => Some(Runs::new(rest, u32::from(*width))?),
            _ => None,
        };
        let width = u8::BITS - self.leaf.max_level.leading_zeros();
        let mut levels = page.levels.as_deref().map(|levels| Runs::new(levels, width)).transpose()?;
        for _ in 0..page.count {
            let level = levels.as_mut().map(Runs::next).transpose()?;
            if level.is_some_and(|level| level < u32::from(self.leaf.max_level)) {
                let row = rows.len();
                return Err(
                    format!("no value in row {row} (an image that lies elsewhere is not followed)").into()
                );
            }
            let value = match (page.holds, &mut indices) {
                (Holds::Indices, Some(indices)) => {
                    let index = indices.next()?;
                    let value = dictionary.get(index as usize);
                    value
                        .cloned()
                        .ok_or_else(|| format!("value {index} of a dictionary of {}", dictionary.len()))?
                }
                (Holds::Indices, None) => return Err("an empty page".into()),
                _ => plain.next(memory_left)?,
            };
            *memory_left = memory_left.checked_sub(ROW_BYTES).ok_or(TOO_MANY)?;
            rows.push(value);
        }
        Ok(())
    }
}

/// Values one after another.
struct Plain<'a> {
    bytes: &'a [u8],
    kind: Kind,
}

impl Plain<'_> {
    fn next(&mut self, memory_left: &mut u64) -> Result<Value, Problem> {
        match self.kind {
            Kind::Int32 => self.take(4).map(|bytes| Value::Number(number(bytes) as i32 as i64)),
            Kind::Int64 => self.take(8).map(|bytes| Value::Number(number(bytes) as i64)),
            Kind::Bytes => {
                let length = number(self.take(4)?);
                if length > MAX_IMAGE_FILE_BYTES {
                    return Err(format!("a value of {length} bytes"));
                }
                let bytes = self.take(length as usize)?;
                *memory_left = memory_left.checked_sub(length).ok_or(TOO_MANY)?;
                Ok(Value::Bytes(Arc::from(bytes)))
            }
            Kind::Other => Err("values of another type".to_owned()),
        }
    }

    fn take(&mut self, count: usize) -> Result<&[u8], Problem> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or("fewer values than promised")?;
        self.bytes = rest;
        Ok(taken)
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
