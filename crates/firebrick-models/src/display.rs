//! `println!("{model}")` as PyTorch's `print(net)` shows the same plain module.

use crate::summary::LayerSummary;

/// The text of `print(net)`: one line for each submodule; functional steps do not appear.
pub fn torch_print(name: &str, layers: &[LayerSummary]) -> String {
    let lines: String = layers
        .iter()
        .filter(|layer| !layer.functional)
        .map(|layer| format!("  ({}): {}\n", layer.name, layer.kind))
        .collect();
    format!("{name}(\n{lines})")
}

/// Makes Burn's `Display` of a module that has `#[module(custom_display)]` print as torch does.
macro_rules! as_torch_prints {
    ($model:ty) => {
        impl burn::module::ModuleDisplay for $model {
            fn format(&self, _settings: burn::module::DisplaySettings) -> String {
                use $crate::ImageClassifier as _;
                $crate::display::torch_print(self.name(), &self.layers())
            }
        }
    };
}
pub(crate) use as_torch_prints;
