//! Patterns over parameter paths: `*` stands for any text, `?` for any one character.

/// Whether the whole of `text` fits `pattern`. Takes time in proportion to the product of the
/// lengths at worst, and never recurses.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at_pattern, mut at_text) = (0, 0);
    // Where to go back to: just behind the last star, and the text it has swallowed so far.
    let mut last_star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some('*') => {
                at_pattern += 1;
                last_star = Some((at_pattern, at_text));
            }
            Some(&wanted) if wanted == '?' || wanted == text[at_text] => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => {
                let Some((behind_star, swallowed)) = last_star else { return false };
                at_pattern = behind_star;
                at_text = swallowed + 1;
                last_star = Some((behind_star, at_text));
            }
        }
    }
    pattern[at_pattern..].iter().all(|&wanted| wanted == '*')
}
