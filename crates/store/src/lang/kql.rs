//! KQL, the query language of Kibana's search bar.
//!
//! The grammar is Kibana's: `or` binds loosest, then `and`, then `not`; `field: value`, `field: (a or b)`,
//! `field >= 10`, quoted phrases, `*` in values and names. A value without quotes goes on to the next operator, spaces
//! included. Nested queries (`field: { … }`) are refused: no field here is of type nested.

use std::ops::Bound;

use serde_json::json;

use super::ast::{BoolQuery, MatchQuery, Operator, Query, RangeQuery, Scalar};
use super::error::EsError;

/// Parentheses and `not` within each other at most.
const MAX_DEPTH: usize = 64;
/// Values and names in a query at most.
const MAX_CLAUSES: usize = 1024;

/// How a text without further words is meant.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Fields of values that name none, with `*` as a wildcard. Empty: every field.
    pub fields: Vec<String>,
    /// The time zone of dates in ranges.
    pub time_zone: Option<String>,
    /// Whether values and wildcards ignore case in keywords too; in texts they always do.
    pub case_insensitive: bool,
}

/// Reads a query. An empty one matches everything.
///
/// # Errors
/// `query_shard_exception` caused by a `kql_parsing_exception`, whose member `offset` is where, in UTF-16 units from 0, as
/// pages count; `expected` is what could have stood there.
pub fn parse(text: &str, options: &Options) -> Result<Query, EsError> {
    read(text, options)
        .map_err(|e| EsError::query_shard(format!("Failed to parse KQL query [{text}]")).caused_by(e))
}

fn read(text: &str, options: &Options) -> Result<Query, EsError> {
    let text: Vec<char> = text.chars().collect();
    let mut parser = Parser { text: &text, at: 0, options, clauses: 0, depth: 0 };
    parser.spaces();
    if parser.at == text.len() {
        return Ok(Query::MatchAll);
    }
    let query = parser.or(&Of::Nothing)?;
    parser.spaces();
    if parser.at < text.len() {
        return Err(parser.expected("AND, OR, end of input"));
    }
    Ok(query)
}

/// What values belong to.
enum Of {
    /// Nothing: names may still come.
    Nothing,
    /// A field: only values may come.
    Field(Literal),
}

/// A name or a value as it was written.
struct Literal {
    text: String,
    quoted: bool,
    /// Places of `*` that stand for any text, in bytes of `text`.
    stars: Vec<usize>,
}

struct Parser<'a> {
    text: &'a [char],
    at: usize,
    options: &'a Options,
    clauses: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    fn expected(&self, what: &str) -> EsError {
        let found = match self.peek() {
            Some(c) => format!("\"{c}\""),
            None => "end of input".into(),
        };
        self.wrong(format!("Expected {what} but {found} found at character {}.", self.at + 1))
            .with("expected", json!(what))
    }

    /// This place is wrong.
    fn wrong(&self, reason: String) -> EsError {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        let offset: usize = before.iter().map(|c| c.len_utf16()).sum();
        EsError::new(400, "kql_parsing_exception", reason).with("offset", json!(offset))
    }

    /// A word of the language at this place.
    fn keyword_at(&self, at: usize, word: &str) -> bool {
        word.chars()
            .enumerate()
            .all(|(i, c)| self.text.get(at + i).is_some_and(|t| t.to_ascii_lowercase() == c))
    }

    /// ` and ` or ` or `: with spaces on both sides; passes it.
    fn operator(&mut self, word: &str) -> bool {
        let before = self.at;
        // A parenthesis or quote may stand directly before it; a value has taken the spaces already.
        let spaced = self.at > 0 && self.text.get(self.at - 1).is_some_and(|c| is_space(*c) || *c == ')');
        self.spaces();
        let ends = self.text.get(self.at + word.len()).is_some_and(|c| is_space(*c) || *c == '(');
        if (spaced || self.at > before) && self.keyword_at(self.at, word) && ends {
            self.at += word.len();
            self.spaces();
            return true;
        }
        self.at = before;
        false
    }

    fn or(&mut self, of: &Of) -> Result<Query, EsError> {
        let mut any = vec![self.and(of)?];
        while self.operator("or") {
            any.push(self.and(of)?);
        }
        Ok(if any.len() == 1 {
            any.remove(0)
        } else {
            Query::Bool(BoolQuery { should: any, ..BoolQuery::default() })
        })
    }

    fn and(&mut self, of: &Of) -> Result<Query, EsError> {
        let mut all = vec![self.not(of)?];
        while self.operator("and") {
            all.push(self.not(of)?);
        }
        Ok(if all.len() == 1 {
            all.remove(0)
        } else {
            Query::Bool(BoolQuery { filter: all, ..BoolQuery::default() })
        })
    }

    fn not(&mut self, of: &Of) -> Result<Query, EsError> {
        self.spaces();
        let ends = self.text.get(self.at + 3).is_some_and(|c| is_space(*c));
        if self.keyword_at(self.at, "not") && ends {
            self.at += 3;
            self.deeper()?;
            let inner = self.not(of)?;
            self.depth -= 1;
            return Ok(Query::none_of(inner));
        }
        if self.peek() == Some('(') {
            return self.group(of);
        }
        match of {
            Of::Nothing => self.expression(),
            Of::Field(field) => {
                let value = self.literal("\"(\", NOT, value")?;
                self.is(Some(field), &value)
            }
        }
    }

    fn deeper(&mut self) -> Result<(), EsError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong(format!("More than {MAX_DEPTH} parentheses within each other.")));
        }
        Ok(())
    }

    fn group(&mut self, of: &Of) -> Result<Query, EsError> {
        self.at += 1;
        self.deeper()?;
        let inner = self.or(of)?;
        self.depth -= 1;
        self.spaces();
        if self.peek() != Some(')') {
            return Err(self.expected("\")\", AND, OR"));
        }
        self.at += 1;
        Ok(inner)
    }

    /// `field: …`, `field < …`, or a value of any field.
    fn expression(&mut self) -> Result<Query, EsError> {
        let literal = self.literal("\"(\", NOT, field name, value")?;
        let before = self.at;
        self.spaces();
        match self.peek() {
            Some(':') => {
                self.at += 1;
                self.spaces();
                match self.peek() {
                    Some('{') => Err(self.wrong(format!(
                        "[{}] is no nested field; nested queries are not supported by wirebeat.",
                        literal.text
                    ))),
                    Some('(') => self.group(&Of::Field(literal)),
                    _ => {
                        let value = self.literal("\"(\", \"{\", value, whitespace")?;
                        self.is(Some(&literal), &value)
                    }
                }
            }
            Some(c @ ('<' | '>')) => {
                self.at += 1;
                let inclusive = self.peek() == Some('=');
                self.at += usize::from(inclusive);
                self.spaces();
                let value = self.literal("literal, whitespace")?;
                self.range(&literal, c, inclusive, &value)
            }
            _ => {
                self.at = before;
                self.is(None, &literal)
            }
        }
    }

    /// A quoted text, or everything up to the next special character or operator.
    fn literal(&mut self, expected: &str) -> Result<Literal, EsError> {
        self.clauses += 1;
        if self.clauses > MAX_CLAUSES {
            return Err(self.wrong(format!("More than {MAX_CLAUSES} names and values.")));
        }
        if self.peek() == Some('"') { self.quoted() } else { self.unquoted(expected) }
    }

    fn quoted(&mut self) -> Result<Literal, EsError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return Err(self.expected("\"\\\"\"")),
                Some('"') => {
                    self.at += 1;
                    return Ok(Literal { text, quoted: true, stars: Vec::new() });
                }
                Some('\\') => {
                    self.at += 1;
                    self.escape(&mut text);
                }
                Some(c) => {
                    text.push(c);
                    self.at += 1;
                }
            }
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self, text: &mut String) {
        let Some(c) = self.peek() else {
            text.push('\\');
            return;
        };
        self.at += 1;
        match c {
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'n' => text.push('\n'),
            'u' => {
                let digits: String = self.text[self.at..].iter().take(4).collect();
                match u32::from_str_radix(&digits, 16)
                    .ok()
                    .filter(|_| digits.len() == 4)
                    .and_then(char::from_u32)
                {
                    Some(c) => {
                        text.push(c);
                        self.at += 4;
                    }
                    None => text.push_str("\\u"),
                }
            }
            '\\' | '(' | ')' | ':' | '<' | '>' | '"' | '*' | '{' | '}' => text.push(c),
            _ => {
                let word = ["and", "or", "not"].iter().find(|w| self.keyword_at(self.at - 1, w));
                match word {
                    Some(word) => {
                        text.extend(&self.text[self.at - 1..self.at - 1 + word.len()]);
                        self.at += word.len() - 1;
                    }
                    None => text.extend(['\\', c]),
                }
            }
        }
    }

    fn unquoted(&mut self, expected: &str) -> Result<Literal, EsError> {
        let begin = self.at;
        let (mut text, mut stars) = (String::new(), Vec::new());
        while let Some(c) = self.peek() {
            match c {
                '\\' => {
                    self.at += 1;
                    self.escape(&mut text);
                    continue;
                }
                '*' => {
                    stars.push(text.len());
                    text.push('*');
                }
                '(' | ')' | ':' | '<' | '>' | '"' | '{' | '}' => break,
                c if is_space(c) && self.operator_ahead() => break,
                c => text.push(c),
            }
            self.at += 1;
        }
        if self.at == begin || text.trim().is_empty() {
            self.at = begin;
            return Err(self.expected(expected));
        }
        let lead = text.len() - text.trim_start().len();
        stars.iter_mut().for_each(|s| *s -= lead);
        Ok(Literal { text: text.trim().to_owned(), quoted: false, stars })
    }

    /// Whether ` and `, ` or ` or ` not ` follows.
    fn operator_ahead(&self) -> bool {
        let mut at = self.at;
        while self.text.get(at).is_some_and(|c| is_space(*c)) {
            at += 1;
        }
        ["and", "or", "not"].iter().any(|word| {
            self.keyword_at(at, word)
                && self.text.get(at + word.len()).is_none_or(|c| is_space(*c) || *c == '(')
        })
    }

    fn range(&self, field: &Literal, c: char, inclusive: bool, value: &Literal) -> Result<Query, EsError> {
        if !value.stars.is_empty() {
            return Err(self.wrong("Wildcards are not allowed in ranges.".to_owned()));
        }
        let edge = scalar(value);
        let edge = if inclusive { Bound::Included(edge) } else { Bound::Excluded(edge) };
        let (lower, upper) = if c == '>' { (edge, Bound::Unbounded) } else { (Bound::Unbounded, edge) };
        Ok(self.of(Some(field), |field| {
            Query::Range(RangeQuery {
                field,
                lower: lower.clone(),
                upper: upper.clone(),
                format: None,
                time_zone: self.options.time_zone.clone(),
            })
        }))
    }

    /// `field: value`, or a value of any field.
    fn is(&self, field: Option<&Literal>, value: &Literal) -> Result<Query, EsError> {
        if !value.quoted && value.text == "*" && !value.stars.is_empty() {
            return Ok(match field {
                None => Query::MatchAll,
                Some(f) if f.text == "*" && !f.stars.is_empty() => Query::MatchAll,
                Some(f) => Query::Exists { field: f.text.clone() },
            });
        }
        if !value.stars.is_empty() {
            let pattern = wildcard(value);
            return Ok(self.of(field, |field| Query::Wildcard {
                field,
                pattern: pattern.clone(),
                case_insensitive: self.options.case_insensitive,
            }));
        }
        let text = scalar(value);
        let said = self.of(field, |field| {
            if value.quoted {
                return Query::MatchPhrase { field, text: text.clone(), slop: 0, prefix: false };
            }
            Query::Match(MatchQuery {
                field,
                text: text.clone(),
                operator: Operator::Or,
                minimum_should_match: None,
                fuzziness: None,
                prefix: false,
                zero_terms_all: false,
                lenient: true,
            })
        });
        if !self.options.case_insensitive {
            return Ok(said);
        }
        let term = |field| Query::Term { field, value: text.clone(), case_insensitive: true };
        let folded = match self.of(field, term) {
            // A value that cannot be of the field's kind matches nothing, as above.
            leaf @ Query::Term { .. } => {
                let fields = field.map(|f| f.text.clone()).into_iter().collect();
                Query::AnyField { fields, leaf: Box::new(leaf.of_field("")), lenient: true }
            }
            any => any,
        };
        Ok(Query::Bool(BoolQuery { should: vec![said, folded], ..BoolQuery::default() }))
    }

    /// A leaf, of the field that was named or of those that are meant.
    fn of(&self, field: Option<&Literal>, leaf: impl Fn(String) -> Query) -> Query {
        let fields = match field {
            Some(f) if f.stars.is_empty() => return leaf(f.text.clone()),
            Some(f) if f.text == "*" => Vec::new(),
            Some(f) => vec![f.text.clone()],
            None => self.options.fields.clone(),
        };
        Query::AnyField { fields, leaf: Box::new(leaf(String::new())), lenient: true }
    }
}

/// A value without quotes is a truth value when it looks like one; what kind of number it is, its field decides.
fn scalar(value: &Literal) -> Scalar {
    match value.text.as_str() {
        "true" if !value.quoted => Scalar::Bool(true),
        "false" if !value.quoted => Scalar::Bool(false),
        text => Scalar::Text(text.to_owned()),
    }
}

/// As the pattern of a wildcard query: only the `*` that were written bare stand for any text.
fn wildcard(value: &Literal) -> String {
    let mut pattern = String::with_capacity(value.text.len() + 4);
    for (at, c) in value.text.char_indices() {
        if matches!(c, '?' | '\\') || c == '*' && value.stars.binary_search(&at).is_err() {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{a0}'
}
