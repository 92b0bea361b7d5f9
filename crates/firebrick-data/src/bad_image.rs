//! Image files that cannot be read: what is done with them, and which they were.

use serde::{Deserialize, Serialize};

/// What happens to image files that cannot be read: `data.on_bad_image`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnBadImage {
    /// The first one ends the run, with its name: when the data set is opened if its header is wrong, otherwise when
    /// its pixels are wanted.
    #[default]
    Stop,
    /// They are looked for when the data set is opened, which decodes every file once, and left out of
    /// everything: the samples, their order, the split for validation and the fingerprint. One that breaks later, while
    /// training, ends the run.
    Skip,
}

impl OnBadImage {
    /// True for what a config need not say.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Image files that were left out of a data set because they cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedImages {
    /// How many.
    pub count: usize,
    /// The first of them, each with its path below `data.root` and what is wrong with it.
    pub first: Vec<String>,
}

impl SkippedImages {
    /// How many are named.
    const NAMED: usize = 10;

    /// Counts one more; `name` says which, and what is wrong with it.
    pub(crate) fn push(&mut self, name: String) {
        self.count += 1;
        if self.first.len() < Self::NAMED {
            self.first.push(name);
        }
    }

    /// True when every image could be read.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// A sentence for people, with a line for each image that is named; `None` when every image could be read.
    /// `num_left` is the number of images that are left.
    pub fn notice(&self, num_left: usize) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let total = self.count + num_left;
        let mut text = format!("left out {} of {total} images that cannot be read:", self.count);
        for name in &self.first {
            text.push_str("\n  ");
            text.push_str(name);
        }
        match self.count - self.first.len() {
            0 => {}
            more => text.push_str(&format!("\n  and {more} more")),
        }
        Some(text)
    }
}
