//! What the Hugging Face hub's metadata say of a table's columns.

use serde_json::Value;

/// The columns of images and of classes, with the classes' names.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Features {
    pub(super) images: Vec<String>,
    pub(super) classes: Vec<(String, Vec<String>)>,
}

impl Features {
    /// Reads the value of the metadata's key `huggingface`; whatever it does not say is missing.
    pub(super) fn of(metadata: &str) -> Self {
        let mut features = Self::default();
        let Ok(value) = serde_json::from_str::<Value>(metadata) else { return features };
        let Some(columns) = value.pointer("/info/features").and_then(Value::as_object) else {
            return features;
        };
        for (column, feature) in columns {
            match feature.get("_type").and_then(Value::as_str) {
                Some("Image") => features.images.push(column.clone()),
                Some("ClassLabel") => {
                    let names = feature.get("names").and_then(Value::as_array);
                    let names = names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
                    features.classes.push((column.clone(), names.collect()));
                }
                _ => {}
            }
        }
        features
    }
}

#[cfg(test)]
mod tests {
    use super::Features;

    #[test]
    fn images_and_classes_with_their_names() {
        let text = r#"{"info": {"features": {"img": {"_type": "Image"},
            "label": {"names": ["cat", "dog"], "_type": "ClassLabel"}, "id": {"dtype": "int64", "_type": "Value"}}}}"#;
        let features = Features::of(text);
        assert_eq!(features.images, ["img"]);
        assert_eq!(features.classes, [("label".to_owned(), vec!["cat".to_owned(), "dog".to_owned()])]);
        for text in ["", "[]", "{\"info\": 3}", "{\"info\": {\"features\": [1]}}"] {
            assert_eq!(Features::of(text), Features::default());
        }
    }
}
