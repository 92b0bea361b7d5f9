//! `println!("{network}")` as PyTorch's `print(net)` shows the same modules.

use super::tree::NetworkLayer;

/// What a named block or sequence is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) path: String,
    pub(super) class: String,
}

/// One line for each module, and modules inside modules further to the right; functional steps do not appear.
pub(super) fn torch_print(name: &str, layers: &[NetworkLayer], levels: &[Level]) -> String {
    let mut root = Module::new(name);
    for layer in layers.iter().filter(|layer| !layer.is_functional) {
        root.insert("", &layer.path, layer.repr(), levels);
    }
    root.text(0)
}

/// A module with others inside, or a layer with its line.
struct Module {
    text: String,
    children: Vec<(String, Module)>,
}

impl Module {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), children: Vec::new() }
    }

    /// `here` is the module's own path, `path` the rest of the layer's.
    fn insert(&mut self, here: &str, path: &str, repr: String, levels: &[Level]) {
        let (first, rest) = match path.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        let Some(rest) = rest else {
            self.children.push((first.to_owned(), Self::new(&repr)));
            return;
        };
        let below = if here.is_empty() { first.to_owned() } else { format!("{here}.{first}") };
        let position = self.children.iter().position(|(name, _)| name == first).unwrap_or_else(|| {
            let level = levels.iter().find(|level| level.path == below);
            let class = level.map_or("Sequential", |level| level.class.as_str());
            self.children.push((first.to_owned(), Self::new(class)));
            self.children.len() - 1
        });
        self.children[position].1.insert(&below, rest, repr, levels);
    }

    fn text(&self, depth: usize) -> String {
        if self.children.is_empty() && depth > 0 {
            return self.text.clone();
        }
        let indent = "  ".repeat(depth);
        let lines = self.children.iter();
        let lines: String =
            lines.map(|(name, child)| format!("{indent}  ({name}): {}\n", child.text(depth + 1))).collect();
        format!("{}(\n{lines}{indent})", self.text)
    }
}
