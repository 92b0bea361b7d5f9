//! Rust source as tokens: comments are left out, and so is what only tests compile.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name or a keyword; `r#type` without its `r#`.
    Word,
    /// `::`, or any other single sign.
    Sign,
    /// A number, text, character or lifetime.
    Literal,
}

/// A token and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As it is written; text in quotes without its quotes.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// Its line, from 1.
    pub line: usize,
}

impl Token {
    /// Whether it is this word or sign.
    pub fn is(&self, text: &str) -> bool {
        self.kind != Kind::Literal && self.text == text
    }

    pub(crate) fn is_word(&self) -> bool {
        self.kind == Kind::Word
    }
}

/// The tokens of a file, without those of items under `#[cfg(test)]`.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    without_tests(Reader { rest: source, line: 1 }.read())
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    fn read(mut self) -> Vec<Token> {
        let mut tokens = Vec::new();
        while let Some(letter) = self.rest.chars().next() {
            let line = self.line;
            if letter.is_whitespace() {
                self.take(letter.len_utf8());
            } else if self.rest.starts_with("//") {
                self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if self.rest.starts_with("/*") {
                self.block_comment();
            } else if let Some(text) = self.quoted() {
                tokens.push(Token { text, kind: Kind::Literal, line });
            } else {
                let (length, kind) = self.next_length(letter);
                let text = self.take(length).trim_start_matches("r#").to_owned();
                tokens.push(Token { text, kind, line });
            }
        }
        tokens
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        loop {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.take(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.take(2);
            } else if let Some(letter) = self.rest.chars().next() {
                self.take(letter.len_utf8());
            } else {
                return;
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// Takes text in quotes, if that is what comes: `"a"`, `b"a"`, `r#"a"#`.
    fn quoted(&mut self) -> Option<String> {
        let prefix = self.rest.find(|letter| !"bcr".contains(letter))?;
        let is_raw = self.rest[..prefix].contains('r');
        let behind = &self.rest[prefix..];
        let hashes = if is_raw { behind.find(|letter| letter != '#')? } else { 0 };
        if prefix > 2 || !behind[hashes..].starts_with('"') {
            return None;
        }
        let body = &behind[hashes + 1..];
        let length = if is_raw {
            let end = format!("\"{}", "#".repeat(hashes));
            body.find(&end).map(|length| (length, end.len()))
        } else {
            end_of_text(body).map(|length| (length, 1))
        };
        let (length, end) = length.unwrap_or((body.len(), 0));
        let text = body[..length].to_owned();
        self.take(prefix + hashes + 1 + length + end);
        Some(text)
    }

    /// How long the word, number, character, lifetime or sign is that comes.
    fn next_length(&self, first: char) -> (usize, Kind) {
        let is_inner = |letter: char| letter.is_alphanumeric() || letter == '_';
        let word_end =
            |from: usize| self.rest[from..].find(|c| !is_inner(c)).map_or(self.rest.len(), |end| from + end);
        if self.rest.starts_with("r#") {
            return (word_end(2), Kind::Word);
        }
        if first.is_ascii_digit() {
            return (word_end(1), Kind::Literal);
        }
        if is_inner(first) {
            return (word_end(0), Kind::Word);
        }
        if first == '\'' {
            let mut letters = self.rest.char_indices().skip(1);
            return match (letters.next(), letters.next()) {
                (Some((_, '\\')), Some((escaped, _))) => {
                    let end =
                        self.rest[escaped + 1..].find('\'').map_or(self.rest.len(), |end| escaped + 2 + end);
                    (end, Kind::Literal)
                }
                (_, Some((end, '\''))) => (end + 1, Kind::Literal),
                // A lifetime.
                _ => (word_end(1), Kind::Literal),
            };
        }
        (if self.rest.starts_with("::") { 2 } else { first.len_utf8() }, Kind::Sign)
    }
}

/// Where text in quotes ends, escapes looked through.
fn end_of_text(body: &str) -> Option<usize> {
    let mut escaped = false;
    body.char_indices().find_map(|(position, letter)| {
        let ends = letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        ends.then_some(position)
    })
}

fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut position = 0;
    while position < tokens.len() {
        match attribute(&tokens, position) {
            Some(end) if is_for_tests(&tokens[position..end]) => position = end_of_item(&tokens, end),
            Some(end) => {
                kept.extend_from_slice(&tokens[position..end]);
                position = end;
            }
            None => {
                kept.push(tokens[position].clone());
                position += 1;
            }
        }
    }
    kept
}

/// Where the attribute that begins at `start` ends, if one does.
fn attribute(tokens: &[Token], start: usize) -> Option<usize> {
    let opens = tokens[start].is("#") && tokens.get(start + 1)?.is("[");
    opens.then(|| matching(tokens, start + 1))
}

/// `#[cfg(test)]`, also in combinations; not `#[cfg(not(test))]`.
fn is_for_tests(attribute: &[Token]) -> bool {
    let has = |word: &str| attribute.iter().any(|token| token.is(word));
    has("cfg") && has("test") && !has("not")
}

/// The position behind an item and the attributes in front of it.
fn end_of_item(tokens: &[Token], mut position: usize) -> usize {
    while position < tokens.len() {
        if let Some(end) = attribute(tokens, position) {
            position = end;
        } else if tokens[position].is("{") {
            return matching(tokens, position);
        } else if tokens[position].is(";") {
            return position + 1;
        } else if tokens[position].is("(") {
            position = matching(tokens, position);
        } else {
            position += 1;
        }
    }
    position
}

/// The position behind the bracket that closes the one at `open`.
pub(crate) fn matching(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (position, token) in tokens.iter().enumerate().skip(open) {
        if token.is("(") || token.is("[") || token.is("{") {
            depth += 1;
        } else if token.is(")") || token.is("]") || token.is("}") {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return position + 1;
            }
        }
    }
    tokens.len()
}
