//! What reports and errors say of tensors and parameters.

use std::fmt;

use serde::Serialize;

/// How tensors found their parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// By the model's own names, behind `prefix`.
    Name {
        /// `""`, `"module."`, `"model1."`, ...
        prefix: String,
    },
    /// By the indices of the same network as `nn.Sequential`, behind `prefix`.
    Index {
        /// `""`, `"model1."`, ...
        prefix: String,
    },
    /// By the order and shape of the layers, because no name was known.
    OrderAndShape,
}

/// A name and its shape, in torch's layout for parameters and as stored for tensors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedShape {
    /// Parameter or tensor name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// A tensor of the wrong shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misshapen {
    /// The model's parameter.
    pub parameter: String,
    /// The file's tensor.
    pub tensor: String,
    /// The shape that the model needs, in the file's layout.
    pub expected: Vec<usize>,
    /// The shape that the file has.
    pub got: Vec<usize>,
}

/// A tensor of the wrong element type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistyped {
    /// The model's parameter.
    pub parameter: String,
    /// The file's tensor.
    pub tensor: String,
    /// Its element type.
    pub got: String,
}

impl fmt::Display for MatchedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (how, prefix) = match self {
            Self::Name { prefix } => ("matched by name", prefix.as_str()),
            Self::Index { prefix } => ("matched by index in nn.Sequential", prefix.as_str()),
            Self::OrderAndShape => return f.write_str("matched by order and shape"),
        };
        match prefix {
            "" => f.write_str(how),
            prefix => write!(f, "{how}, prefix '{prefix}'"),
        }
    }
}

impl fmt::Display for NamedShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.name, self.shape)
    }
}

impl fmt::Display for Misshapen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {:?}", self.parameter, self.expected)?;
        write!(f, ", got {:?} in '{}'", self.got, self.tensor)
    }
}

impl fmt::Display for Mistyped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected f32, f16, bf16 or f64", self.parameter)?;
        write!(f, ", got {} in '{}'", self.got, self.tensor)
    }
}
