//! Commands that a person pastes into a shell.

use std::path::Path;

use firebrick::component::text;

/// Characters that no shell takes for anything else.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_-./:,+@%".contains(character) || !character.is_ascii()
}

/// A word of a command as a shell reads it back: as it is, or in quotes.
pub fn quoted(word: &str) -> String {
    if text::one_line(word) != word {
        let inside = text::one_line(&word.replace('\\', r"\\")).replace('\'', r"\'");
        return format!("$'{inside}'");
    }
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// A path as an argument of its own: one that begins with a dash is no flag.
pub fn path(path: &Path) -> String {
    let word = path.display().to_string();
    if word.starts_with('-') { quoted(&format!("./{word}")) } else { quoted(&word) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        let cases = [
            ("runs/a-001", "runs/a-001"),
            ("my run", "'my run'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("~x", "'~x'"),
            ("été", "été"),
            ("", "''"),
            ("a\nb's", r"$'a\nb\'s'"),
            (r"C:\x", r"'C:\x'"),
        ];
        for (word, expected) in cases {
            assert_eq!(quoted(word), expected);
        }
        assert_eq!(path(Path::new("-run")), "./-run");
        assert_eq!(path(Path::new("-my run")), "'./-my run'");
    }
}
