//! Files that import each other in a circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

/// One file imports another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrow {
    /// Path of the importing file.
    pub from: String,
    /// Path of the file that defines what is imported.
    pub to: String,
    /// Where, in `from`.
    pub line: usize,
}

/// Files that lead back to the first one; displays as `a.rs:3 -> b.rs:1 -> a.rs`, where each number is
/// the line that imports the next file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circle {
    /// Each begins where the one before it ends.
    pub arrows: Vec<Arrow>,
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for arrow in &self.arrows {
            write!(f, "{}:{} -> ", arrow.from, arrow.line)?;
        }
        write!(f, "{}", self.arrows.first().map_or("", |arrow| &arrow.from))
    }
}

/// The shortest circle through each arrow that is part of one; none twice.
pub fn circles(arrows: &[Arrow]) -> Vec<Circle> {
    let mut outgoing: BTreeMap<&str, Vec<&Arrow>> = BTreeMap::new();
    for arrow in arrows {
        outgoing.entry(&arrow.from).or_default().push(arrow);
    }
    let mut found: Vec<Circle> = Vec::new();
    let mut seen: BTreeSet<Vec<&str>> = BTreeSet::new();
    for arrow in arrows {
        let Some(back) = shortest(&outgoing, &arrow.to, &arrow.from) else { continue };
        let circle: Vec<&Arrow> = std::iter::once(arrow).chain(back).collect();
        let mut files: Vec<&str> = circle.iter().map(|arrow| arrow.from.as_str()).collect();
        files.sort_unstable();
        if seen.insert(files) {
            found.push(Circle { arrows: circle.into_iter().cloned().collect() });
        }
    }
    found.sort_by_key(|circle| circle.arrows.len());
    found
}

/// The arrows of the shortest way.
fn shortest<'a>(
    outgoing: &BTreeMap<&str, Vec<&'a Arrow>>,
    from: &'a str,
    to: &str,
) -> Option<Vec<&'a Arrow>> {
    let mut came_by: BTreeMap<&str, &Arrow> = BTreeMap::new();
    let mut waiting = VecDeque::from([from]);
    while let Some(file) = waiting.pop_front() {
        if file == to {
            let mut way = Vec::new();
            let mut file = file;
            while file != from {
                let arrow = *came_by.get(file)?;
                way.push(arrow);
                file = &arrow.from;
            }
            way.reverse();
            return Some(way);
        }
        for arrow in outgoing.get(file).into_iter().flatten() {
            if arrow.to != from && !came_by.contains_key(arrow.to.as_str()) {
                came_by.insert(&arrow.to, arrow);
                waiting.push_back(&arrow.to);
            }
        }
    }
    None
}
