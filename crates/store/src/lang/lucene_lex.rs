//! The words of Lucene's query syntax.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    And,
    Or,
    Not,
    Plus,
    Open,
    Close,
    Colon,
    /// `*` alone.
    Star,
    /// `^` and a number.
    Boost,
    /// `~`, with or without a number.
    Fuzzy,
    Quoted,
    Term,
    /// Ends with `*`, which is its only wildcard.
    Prefix,
    Wildcard,
    Regexp,
    /// `[` and `{`, then words, `TO`, and `]` or `}`.
    RangeIn,
    RangeEx,
    RangeWord,
    To,
    CloseIn,
    CloseEx,
}

/// A token and where it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl Token<'_> {
    pub(super) fn shown(&self) -> String {
        format!("\"{}\"", self.text)
    }
}

/// What is wrong, and where.
type LexError = (usize, String);

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token<'a>>,
    in_range: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, tokens: Vec::new(), in_range: false }
    }

    pub(super) fn tokens(mut self) -> Result<Vec<Token<'a>>, LexError> {
        while let Some(c) = self.text[self.at..].chars().next() {
            if is_space(c) {
                self.at += c.len_utf8();
            } else if self.in_range {
                self.range_token(c)?;
            } else {
                self.token(c)?;
            }
        }
        Ok(self.tokens)
    }

    fn push(&mut self, kind: Kind, bytes: usize) {
        let text = &self.text[self.at..self.at + bytes];
        self.tokens.push(Token { kind, text, at: self.at });
        self.at += bytes;
    }

    fn token(&mut self, c: char) -> Result<(), LexError> {
        let rest = &self.text[self.at..];
        match c {
            '(' => self.push(Kind::Open, 1),
            ')' => self.push(Kind::Close, 1),
            ':' => self.push(Kind::Colon, 1),
            '+' => self.push(Kind::Plus, 1),
            '-' | '!' => self.push(Kind::Not, 1),
            '"' => {
                let end = quoted_end(rest).ok_or_else(|| self.lexical(rest))?;
                self.push(Kind::Quoted, end);
            }
            '/' => {
                let end = delimited_end(rest, '/').ok_or_else(|| self.lexical(rest))?;
                self.push(Kind::Regexp, end);
            }
            '[' | '{' => {
                self.push(if c == '[' { Kind::RangeIn } else { Kind::RangeEx }, 1);
                self.in_range = true;
            }
            '^' => self.push(Kind::Boost, 1 + number_len(&rest[1..])),
            '~' => self.push(Kind::Fuzzy, 1 + number_len(&rest[1..])),
            ']' | '}' => return Err(self.lexical(rest)),
            _ => self.word(rest)?,
        }
        Ok(())
    }

    fn lexical(&self, rest: &str) -> LexError {
        let shown: String = rest.chars().take(20).collect();
        (self.at, format!("Lexical error. Encountered: {shown:?}"))
    }

    fn word(&mut self, rest: &'a str) -> Result<(), LexError> {
        let (mut wild, mut last_star) = (0usize, false);
        let mut len = 0;
        let mut chars = rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => {
                    if chars.next().is_none() {
                        return Err((self.at + at, "Term can not end with escape character".into()));
                    }
                    last_star = false;
                }
                '*' | '?' => {
                    wild += 1;
                    last_star = c == '*';
                }
                // `-` and `+` may stand within a word, but not at its beginning.
                '-' | '+' if at > 0 => last_star = false,
                '(' | ')' | ':' | '^' | '[' | ']' | '"' | '{' | '}' | '~' | '+' | '-' | '!' | '/' => break,
                c if is_space(c) => break,
                _ => last_star = false,
            }
            len = chars.offset();
        }
        let text = &rest[..len];
        let kind = match text {
            "AND" | "&&" => Kind::And,
            "OR" | "||" => Kind::Or,
            "NOT" => Kind::Not,
            "*" => Kind::Star,
            _ if wild == 0 => Kind::Term,
            _ if wild == 1 && last_star => Kind::Prefix,
            _ => Kind::Wildcard,
        };
        self.push(kind, len);
        Ok(())
    }

    fn range_token(&mut self, c: char) -> Result<(), LexError> {
        let rest = &self.text[self.at..];
        match c {
            ']' | '}' => {
                self.push(if c == ']' { Kind::CloseIn } else { Kind::CloseEx }, 1);
                self.in_range = false;
            }
            '"' => {
                let end = quoted_end(rest).ok_or_else(|| self.lexical(rest))?;
                self.push(Kind::Quoted, end);
            }
            _ => {
                let len = rest.find(|c: char| is_space(c) || c == ']' || c == '}').unwrap_or(rest.len());
                let kind = if &rest[..len] == "TO" { Kind::To } else { Kind::RangeWord };
                self.push(kind, len);
            }
        }
        Ok(())
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{3000}')
}

fn quoted_end(rest: &str) -> Option<usize> {
    delimited_end(rest, '"')
}

/// The length of a text between two delimiters, both included; a backslash takes the next character as it is.
fn delimited_end(rest: &str, delimiter: char) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next()?;
        } else if c == delimiter {
            return Some(at + c.len_utf8());
        }
    }
    None
}

fn number_len(rest: &str) -> usize {
    rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len())
}

/// Without the backslashes that take the next character as it is; `\u0041` is the character of that number.
pub(super) fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('u') => {
                let digits: String = chars.clone().take(4).collect();
                match u32::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| digits.len() == 4)
                    .and_then(char::from_u32)
                {
                    Some(c) => {
                        out.push(c);
                        chars.nth(3);
                    }
                    None => out.push('u'),
                }
            }
            Some(c) => out.push(c),
            None => {}
        }
    }
    out
}
