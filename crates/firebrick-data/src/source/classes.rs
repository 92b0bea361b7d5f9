//! From labels as they are written, numbers or names, to classes.

use std::collections::{BTreeSet, HashMap};

use firebrick_component::{ArgumentError, check};

/// The most classes of a data set that does not name them.
pub(super) const MAX_CLASSES: u32 = 1_000_000;
/// The longest name of a class, in bytes.
pub(super) const MAX_NAME_BYTES: usize = 1024;

/// The class names of a data set, and which label is which.
#[derive(Clone, Debug)]
pub(super) struct Classes {
    names: Vec<String>,
    by_name: HashMap<String, u32>,
    /// Labels are numbers of classes, not names.
    are_numbers: bool,
}

impl Classes {
    /// Those that occur: numbers from 0 to the highest where all labels are numbers, otherwise the names, sorted. With
    /// names `given`, a label is one of them or its number.
    ///
    /// # Errors
    ///
    /// The label that is a number too large for a class.
    pub(super) fn of<'a>(
        labels: impl Iterator<Item = &'a str> + Clone,
        given: Option<&[String]>,
    ) -> Result<Self, &'a str> {
        let is_number = |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
        let are_numbers = labels.clone().all(is_number);
        if let Some(names) = given {
            let is_name = |label: &str| names.iter().any(|name| name == label);
            let are_numbers = are_numbers && !labels.clone().all(is_name);
            return Ok(Self::new(names.to_vec(), are_numbers));
        }
        if !are_numbers {
            let names: BTreeSet<&str> = labels.collect();
            return Ok(Self::new(names.into_iter().map(str::to_owned).collect(), are_numbers));
        }
        let mut highest = 0;
        for label in labels {
            let number = label.parse::<u32>().ok().filter(|number| *number < MAX_CLASSES);
            let number = number.ok_or(label)?;
            highest = highest.max(number);
        }
        Ok(Self::new((0..=highest).map(|number| number.to_string()).collect(), are_numbers))
    }

    fn new(names: Vec<String>, are_numbers: bool) -> Self {
        let by_name = names.iter().cloned().zip(0..).collect();
        Self { names, by_name, are_numbers }
    }

    /// The class of a label; none when it is no class.
    pub(super) fn class(&self, label: &str) -> Option<u32> {
        match self.are_numbers {
            true => label.parse::<u32>().ok().filter(|number| (*number as usize) < self.names.len()),
            false => self.by_name.get(label).copied(),
        }
    }

    /// The classes that a label can be, in words.
    pub(super) fn described(&self) -> String {
        match (self.are_numbers, self.names.as_slice()) {
            (true, names) => format!("a class from 0 to {}", names.len().saturating_sub(1)),
            (false, names) if names.len() <= 8 => format!("one of {}", names.join(", ")),
            (false, names) => format!("one of the {} class names", names.len()),
        }
    }

    pub(super) fn into_names(self) -> Vec<String> {
        self.names
    }
}

/// Checks the argument `class_names`.
///
/// # Errors
///
/// [`ArgumentError`] for a name that is empty or given twice.
pub(super) fn check_names(names: Option<&Vec<String>>) -> Result<(), ArgumentError> {
    let Some(names) = names else { return Ok(()) };
    check::that(!names.is_empty(), "class_names", "an empty list", "the names of the classes")?;
    let mut seen = BTreeSet::new();
    for name in names {
        let is_good = !name.is_empty() && seen.insert(name);
        check::that(is_good, "class_names", format!("\"{name}\""), "names that are not empty, each once")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::Classes;

    fn of(labels: &[&str], given: Option<&[String]>) -> Result<(Vec<String>, Vec<Option<u32>>), String> {
        let classes = Classes::of(labels.iter().copied(), given).map_err(str::to_owned)?;
        let numbers = labels.iter().map(|label| classes.class(label)).collect();
        Ok((classes.into_names(), numbers))
    }

    #[test]
    fn numbers_keep_their_values_and_names_are_sorted() {
        let (names, numbers) = of(&["2", "0", "10"], None).expect("numbers");
        assert_eq!((names.len(), numbers), (11, vec![Some(2), Some(0), Some(10)]));
        let (names, numbers) = of(&["dog", "cat", "7"], None).expect("names");
        assert_eq!(
            (names, numbers),
            (vec!["7".into(), "cat".into(), "dog".into()], vec![Some(2), Some(1), Some(0)])
        );
        assert!(of(&["4000000000"], None).is_err());
        assert!(of(&["99999999999999999999"], None).is_err());
    }

    #[test]
    fn given_names_or_their_numbers() {
        let given = ["dog".to_owned(), "cat".to_owned()];
        assert_eq!(of(&["cat", "bird"], Some(&given)).expect("names").1, [Some(1), None]);
        assert_eq!(of(&["1", "2"], Some(&given)).expect("numbers").1, [Some(1), None]);
        let digits = ["1".to_owned(), "0".to_owned()];
        assert_eq!(of(&["0", "1"], Some(&digits)).expect("names that are digits").1, [Some(1), Some(0)]);
    }
}
