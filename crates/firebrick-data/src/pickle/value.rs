//! What a pickle may hold, and what may be wrong with it.

use std::ops::Range;

/// The most opcodes in one pickle. CIFAR-100's largest file has about 300,000.
pub const MAX_OPERATIONS: usize = 1 << 22;
/// The most values in one pickle.
pub const MAX_VALUES: usize = 1 << 20;

/// What is wrong with a pickle, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: expected {expected}, got {got}")]
pub struct PickleError {
    /// The byte at which the opcode, or the value, starts.
    pub offset: usize,
    /// What would have been right.
    pub expected: String,
    /// What is there.
    pub got: String,
}

impl PickleError {
    pub(super) fn new(offset: usize, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self { offset, expected: expected.into(), got: got.into() }
    }
}

/// The number of a value inside its [`Pickle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ValueId(pub(super) u32);

/// Bytes of a value: mostly a part of the file itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bytes {
    /// These bytes of the file.
    InFile(Range<usize>),
    /// Bytes that had to be decoded.
    Owned(Vec<u8>),
}

/// A value that the reader understands.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole number of at most 64 bits.
    Integer(i64),
    /// A floating-point number.
    Float(f64),
    /// `bytes`, or Python 2's `str`.
    Bytes(Bytes),
    /// `str`, a part of the file that is UTF-8.
    Text(Range<usize>),
    /// `list`.
    List(Vec<ValueId>),
    /// `tuple`.
    Tuple(Vec<ValueId>),
    /// `dict`, in the order written; a later key wins.
    Dict(Vec<(ValueId, ValueId)>),
    /// One of the globals that may be named.
    Global(Global),
    /// A numpy element type, such as `u1`.
    ElementType(ValueId),
    /// A numpy array; `None` until its `BUILD`.
    Array(Option<ArrayState>),
}

/// The globals that may be named. Each only describes data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Global {
    /// `numpy.core.multiarray._reconstruct`
    Reconstruct,
    /// `numpy.ndarray`
    NdArray,
    /// `numpy.dtype`
    ElementType,
    /// `numpy.core.numeric._frombuffer`
    FromBuffer,
    /// `_codecs.encode`, by which Python 3 writes bytes for Python 2.
    Encode,
}

/// What numpy stores of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayState {
    pub(super) shape: ValueId,
    pub(super) element_type: ValueId,
    pub(super) fortran_order: bool,
    pub(super) data: ValueId,
}

/// What a value is, for messages.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::None => "None",
        Value::Bool(_) => "a truth value",
        Value::Integer(_) => "a whole number",
        Value::Float(_) => "a floating-point number",
        Value::Bytes(_) => "bytes",
        Value::Text(_) => "text",
        Value::List(_) => "a list",
        Value::Tuple(_) => "a tuple",
        Value::Dict(_) => "a dictionary",
        Value::Global(_) => "the name of a type or function",
        Value::ElementType(_) => "a numpy element type",
        Value::Array(_) => "a numpy array",
    }
}

/// Text of a stranger in a message: at most 40 characters, nothing that moves the cursor.
pub(super) fn shorten(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().take(40).collect();
    format!("`{}`", text.escape_debug())
}
