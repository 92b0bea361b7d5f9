//! Whether two data sets have the same classes under the same numbers.

use firebrick_component::text;

/// What differs first, if anything does: a network that was trained on `expected` has no right answers for `got`.
pub fn difference(expected: &[String], got: &[String]) -> Option<String> {
    if expected == got {
        return None;
    }
    let shown = |name: &String| format!("`{}`", text::one_line(name));
    let lacking = expected.iter().find(|name| !got.contains(name)).map(shown);
    let extra = got.iter().find(|name| !expected.contains(name)).map(shown);
    let moved = expected.iter().zip(got).position(|(expected, got)| expected != got);
    let counts = format!("{} classes, expected {}", got.len(), expected.len());
    Some(match (lacking, extra, moved) {
        (Some(lacking), Some(extra), _) if expected.len() == got.len() => {
            format!("it has a class {extra} and no class {lacking}")
        }
        (Some(lacking), _, _) => format!("it has no class {lacking} ({counts})"),
        (None, Some(extra), _) => format!("it has a class {extra} more ({counts})"),
        (None, None, Some(class)) => format!(
            "its classes are in another order: class {class} is {}, expected {}",
            shown(&got[class]),
            shown(&expected[class])
        ),
        (None, None, None) => format!("it has {counts}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let names = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let said = |got: &str| difference(&names("ant bee cow"), &names(got));
        assert_eq!(said("ant bee cow"), None);
        assert_eq!(said("bee cow doe").as_deref(), Some("it has a class `doe` and no class `ant`"));
        assert_eq!(said("ant bee").as_deref(), Some("it has no class `cow` (2 classes, expected 3)"));
        assert_eq!(
            said("ant bee cow doe").as_deref(),
            Some("it has a class `doe` more (4 classes, expected 3)")
        );
        let order = "its classes are in another order: class 1 is `cow`, expected `bee`";
        assert_eq!(said("ant cow bee").as_deref(), Some(order));
        assert_eq!(said("ant bee cow cow").as_deref(), Some("it has 4 classes, expected 3"));
    }
}
