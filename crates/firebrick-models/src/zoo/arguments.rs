//! What the arguments of published networks have in common.

use firebrick_component::ArgumentError;

/// Makes the struct of a network's arguments and its traits.
///
/// Every network has `num_classes` and `input_shape`; the fields are those it has besides, each with torchvision's
/// default and perhaps a check. `published` lists its published weights, the default last: file, size in MiB, top-1 in
/// percent.
macro_rules! network {
    (
        $(#[$about:meta])*
        $config:ident for $shape:expr, $classes:expr $(, published $published:expr)?;
        $($(#[$about_field:meta])* $field:ident: $kind:ty = $default:expr $(, $check:path)?;)*
        => $build:expr;
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $config {
            /// Classes to tell apart.
            pub num_classes: usize,
            /// `[channels, height, width]` of the images that it takes.
            pub input_shape: [usize; 3],
            $($(#[$about_field])* pub $field: $kind,)*
        }

        impl Default for $config {
            fn default() -> Self {
                Self { num_classes: $classes, input_shape: $shape, $($field: $default,)* }
            }
        }

        impl firebrick_component::Component for $config {
            fn validate(&self) -> Result<(), firebrick_component::ArgumentError> {
                $crate::network::NetworkConfig::build(self).map(drop)
            }
        }

        impl $crate::network::NetworkConfig for $config {
            fn input_shape(&self) -> [usize; 3] {
                self.input_shape
            }

            fn num_classes(&self) -> usize {
                self.num_classes
            }

            fn set_num_classes(&mut self, num_classes: usize) {
                self.num_classes = num_classes;
            }

            $(fn published(&self) -> &'static [$crate::published::PublishedWeights] {
                use $crate::published::PublishedWeights;
                const PUBLISHED: &[PublishedWeights] = $published;
                PUBLISHED
            })?

            fn build(&self) -> Result<$crate::network::NetworkPlan, firebrick_component::ArgumentError> {
                let most = $crate::shape::MAX_CLASSES;
                firebrick_component::check::in_range("num_classes", self.num_classes, 1, most)?;
                $($($check(stringify!($field), self.$field)?;)?)*
                let build: fn(&Self) -> Result<$crate::network::NetworkPlan, firebrick_component::ArgumentError> = $build;
                build(self).map_err(|error| $crate::zoo::arguments::too_small(error, self.input_shape))
            }
        }
    };
}

pub(super) use network;

/// With its own arguments checked, a published network refuses only images that are too small for one of its layers,
/// or too large for all.
pub(super) fn too_small(error: ArgumentError, input_shape: [usize; 3]) -> ArgumentError {
    if error.key == "input_shape" {
        return error;
    }
    let expected = format!("a size that every layer can take ({} needs {})", error.key, error.expected);
    ArgumentError::new("input_shape", expected, format!("{input_shape:?}, which makes it {}", error.got))
}
