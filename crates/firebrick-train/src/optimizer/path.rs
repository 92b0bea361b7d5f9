//! Where a parameter stands in its model: its dotted path, and what kind of layer holds it.

use firebrick_models::walk::Role;

/// A parameter's place in the model, as far as optimisers care.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    /// Dotted path of field names and indices, such as `conv1.weight`.
    pub path: String,
    /// As the model holds it.
    pub shape: Vec<usize>,
    /// A bias, or any parameter of a normalisation layer.
    pub is_bias_or_norm: bool,
    /// A weight that Burn stores as `[in, out]` where torch has `[out, in]`.
    pub is_transposed: bool,
}

struct Segment {
    name: String,
    container: String,
}

/// Follows a module traversal through its `enter_module` and `exit_module` calls.
#[derive(Default)]
pub(crate) struct ModulePath(Vec<Segment>);

impl ModulePath {
    pub(crate) fn enter(&mut self, name: &str, container: &str) {
        self.0.push(Segment { name: name.to_owned(), container: container.to_owned() });
    }

    pub(crate) fn exit(&mut self) {
        self.0.pop();
    }

    /// The path without the names of enum variants: which variant a model is, is not part of where
    /// a parameter stands in it.
    pub(crate) fn path(&self) -> String {
        let names = self.0.iter().filter(|segment| !segment.container.starts_with("Enum:"));
        names.map(|segment| segment.name.as_str()).collect::<Vec<_>>().join(".")
    }

    pub(crate) fn location(&self, shape: Vec<usize>) -> Location {
        let (field, holder) = match self.0.last() {
            Some(last) => (last.name.as_str(), last.container.as_str()),
            None => ("", ""),
        };
        let says = |role: &Role| role.container() == holder;
        let role = Role::ALL.into_iter().find(says);
        Location {
            path: self.path(),
            is_bias_or_norm: field == "bias"
                || holder.contains("Norm")
                || role.is_some_and(Role::is_bias_or_norm),
            is_transposed: role.is_some_and(Role::is_transposed)
                || field == "weight" && holder == "Struct:Linear" && shape.len() == 2,
            shape,
        }
    }
}
