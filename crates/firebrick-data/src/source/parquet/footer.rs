//! A parquet file's metadata: its columns, and where their pages lie.

use std::path::Path;

use firebrick_component::text;
use firebrick_storage::{read_part, read_prefix};

use super::damage::bad;
use crate::error::DataError;
use crate::source::thrift::{BINARY, I32, I64, LIST, Problem, STRUCT, Walk};

/// The longest metadata, in bytes.
const MAX_METADATA_BYTES: u64 = 256 << 20;
/// The most columns.
const MAX_COLUMNS: u64 = 10_000;
/// How deep columns may lie in one another.
const MAX_DEPTH: usize = 16;
const MAGIC: &[u8] = b"PAR1";

/// What a file's metadata say.
#[derive(Debug, Default)]
pub(super) struct Footer {
    /// The columns that hold values, in their order.
    pub(super) leaves: Vec<Leaf>,
    /// For each row group, where each of the leaves lies.
    pub(super) row_groups: Vec<Vec<Chunk>>,
    /// The value of the key `huggingface`.
    pub(super) hugging_face: Option<String>,
}

/// A column that holds values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaf {
    /// Its name, after those of the columns around it.
    pub(super) path: Vec<String>,
    pub(super) kind: Kind,
    /// The level of a value that is there; 0 where all are.
    pub(super) max_level: u8,
    /// A list of values in each row.
    pub(super) is_repeated: bool,
}

/// The types that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int32,
    Int64,
    Bytes,
    Other,
}

/// Where the pages of a column lie, in one row group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chunk {
    pub(super) codec: i64,
    pub(super) packed: i64,
    pub(super) data_page: i64,
    pub(super) dictionary_page: Option<i64>,
}

impl Footer {
    /// Reads the metadata of a file. Gives its length, too.
    ///
    /// # Errors
    /// [`DataError::Malformed`], [`DataError::Storage`].
    pub(super) fn read(path: &Path) -> Result<(Self, u64), DataError> {
        let (start, length) = read_prefix(path, 4)?;
        if start != MAGIC || length < 12 {
            return Err(bad(path, "byte 0", &"other bytes"));
        }
        let tail = read_part(path, length - 8, 8)?;
        let metadata = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
        if &tail[4..] != MAGIC || metadata > length - 12 || metadata > MAX_METADATA_BYTES {
            return Err(bad(path, "end", &format!("metadata of {metadata} bytes, or none")));
        }
        let bytes = read_part(path, length - 8 - metadata, metadata)?;
        let footer = Self::parse(&bytes).map_err(|problem| bad(path, "metadata", &problem))?;
        Ok((footer, length))
    }

    fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let mut footer = Self::default();
        let mut elements = Vec::new();
        Walk::new(bytes).fields(0, &mut |field, kind, walk| {
            match (field, kind) {
                (2, LIST) => {
                    let count = structs(walk)?;
                    if count > MAX_COLUMNS {
                        return Err(format!("a schema of {count} elements"));
                    }
                    for _ in 0..count {
                        elements.push(Element::read(walk)?);
                    }
                }
                (4, LIST) => {
                    for _ in 0..structs(walk)? {
                        footer.row_groups.push(row_group(walk)?);
                    }
                }
                (5, LIST) => {
                    for _ in 0..structs(walk)? {
                        let (key, value) = key_value(walk)?;
                        if key == b"huggingface" {
                            footer.hugging_face = Some(String::from_utf8_lossy(value).into_owned());
                        }
                    }
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        footer.leaves = leaves(&elements)?;
        match footer.row_groups.iter().find(|chunks| chunks.len() != footer.leaves.len()) {
            None => Ok(footer),
            Some(chunks) => {
                Err(format!("{} columns where the schema has {}", chunks.len(), footer.leaves.len()))
            }
        }
    }

    /// The columns' names, in words.
    pub(super) fn described(&self) -> String {
        let names: Vec<String> = self.leaves.iter().take(16).map(|leaf| leaf.path.join(".")).collect();
        text::one_line(&names.join(", "))
    }
}

/// How many structs a list has.
fn structs(walk: &mut Walk<'_>) -> Result<u64, Problem> {
    match walk.list()? {
        (count, STRUCT) | (count @ 0, _) => Ok(count),
        (_, kind) => Err(format!("a list of kind {kind}")),
    }
}

/// An element of the schema, which is a tree written from its root on.
#[derive(Debug, Default)]
struct Element {
    kind: Option<i64>,
    repetition: i64,
    name: String,
    num_children: i64,
}

impl Element {
    fn read(walk: &mut Walk<'_>) -> Result<Self, Problem> {
        let mut element = Self::default();
        walk.fields(1, &mut |field, kind, walk| {
            match (field, kind) {
                (1, I32) => element.kind = Some(walk.number()?),
                (3, I32) => element.repetition = walk.number()?,
                (4, BINARY) => element.name = String::from_utf8_lossy(walk.binary()?).into_owned(),
                (5, I32) => element.num_children = walk.number()?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(element)
    }
}

const OPTIONAL: i64 = 1;
const REPEATED: i64 = 2;

/// A column whose inner columns are still to come.
struct Open {
    left: i64,
    max_level: u8,
    is_repeated: bool,
}

fn leaves(elements: &[Element]) -> Result<Vec<Leaf>, Problem> {
    let [root, rest @ ..] = elements else { return Err("no schema".to_owned()) };
    let mut open = vec![Open { left: root.num_children, max_level: 0, is_repeated: false }];
    let mut names: Vec<String> = Vec::new();
    let mut leaves = Vec::new();
    for element in rest {
        while open.last().is_some_and(|around| around.left <= 0) {
            open.pop();
            names.pop();
        }
        let depth = open.len();
        let Some(around) = open.last_mut().filter(|_| depth <= MAX_DEPTH) else {
            return Err("a schema that is no tree, or too deep".to_owned());
        };
        around.left -= 1;
        let max_level = around.max_level + u8::from(matches!(element.repetition, OPTIONAL | REPEATED));
        let is_repeated = around.is_repeated || element.repetition == REPEATED;
        match element.kind {
            None => {
                open.push(Open { left: element.num_children, max_level, is_repeated });
                names.push(element.name.clone());
            }
            Some(kind) => {
                let kind = match kind {
                    1 => Kind::Int32,
                    2 => Kind::Int64,
                    6 => Kind::Bytes,
                    _ => Kind::Other,
                };
                let path = names.iter().cloned().chain([element.name.clone()]).collect();
                leaves.push(Leaf { path, kind, max_level, is_repeated });
            }
        }
    }
    match open.iter().all(|around| around.left <= 0) {
        true => Ok(leaves),
        false => Err("a schema that is not whole".to_owned()),
    }
}

fn row_group(walk: &mut Walk<'_>) -> Result<Vec<Chunk>, Problem> {
    let mut chunks = Vec::new();
    walk.fields(1, &mut |field, kind, walk| {
        if (field, kind) != (1, LIST) {
            return Ok(false);
        }
        for _ in 0..structs(walk)? {
            chunks.push(chunk(walk)?);
        }
        Ok(true)
    })?;
    Ok(chunks)
}

fn chunk(walk: &mut Walk<'_>) -> Result<Chunk, Problem> {
    let mut chunk = Chunk::default();
    walk.fields(2, &mut |field, kind, walk| {
        match (field, kind) {
            (1, BINARY) => return Err("columns in other files".to_owned()),
            (3, STRUCT) => {}
            _ => return Ok(false),
        }
        walk.fields(3, &mut |field, kind, walk| {
            match (field, kind) {
                (4, I32) => chunk.codec = walk.number()?,
                (7, I64) => chunk.packed = walk.number()?,
                (9, I64) => chunk.data_page = walk.number()?,
                (11, I64) => chunk.dictionary_page = Some(walk.number()?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(true)
    })?;
    Ok(chunk)
}

fn key_value<'a>(walk: &mut Walk<'a>) -> Result<(&'a [u8], &'a [u8]), Problem> {
    let mut found: (&[u8], &[u8]) = (&[], &[]);
    walk.fields(1, &mut |field, kind, walk| {
        match (field, kind) {
            (1, BINARY) => found.0 = walk.binary()?,
            (2, BINARY) => found.1 = walk.binary()?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(found)
}
