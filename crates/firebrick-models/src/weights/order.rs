//! Natural order of names: layer 2 before layer 10, and a weight before its bias.

use std::cmp::Ordering;

/// Sorts names so that numbers inside them count as numbers.
pub(crate) fn sort_naturally(mut names: Vec<String>) -> Vec<String> {
    names.sort_by(|left, right| natural_order(left, right));
    names
}

fn natural_order(left: &str, right: &str) -> Ordering {
    let segments = left.split('.').map(segment).cmp(right.split('.').map(segment));
    segments.then_with(|| left.cmp(right))
}

/// Text and numbers of one segment; `weight` sorts before every other leaf, as torch lists it.
fn segment(text: &str) -> Vec<Piece<'_>> {
    if text == "weight" {
        return vec![Piece::Weight];
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_digit = first.is_ascii_digit();
        let end = rest.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at(end);
        pieces.push(match piece.parse() {
            Ok(number) if is_digit => Piece::Number(number),
            _ => Piece::Text(piece),
        });
        rest = tail;
    }
    pieces
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Piece<'a> {
    Weight,
    Number(u64),
    Text(&'a str),
}

#[cfg(test)]
mod tests {
    use super::sort_naturally;

    #[test]
    fn numbers_count_as_numbers_and_weights_come_first() {
        let names = ["a.10.weight", "a.2.bias", "a.2.weight", "conv10.bias", "conv9.bias"];
        let shuffled = vec![names[3], names[1], names[0], names[4], names[2]];
        let sorted = sort_naturally(shuffled.into_iter().map(str::to_owned).collect());
        let expected = ["a.2.weight", "a.2.bias", "a.10.weight", "conv9.bias", "conv10.bias"];
        assert_eq!(sorted, expected);
    }
}
