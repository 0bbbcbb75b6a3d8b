//! `simple_query_string`: a syntax in which nothing is an error. What makes no sense is taken as a word or left out.

use super::ast::{BoolQuery, Fuzziness, MatchQuery, MinimumMatch, Operator, Query, Scalar};
use super::error::EsError;

/// How a text without further words is meant.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The fields, with `*` as a wildcard. Empty: every field, and then `lenient` too.
    pub fields: Vec<String>,
    /// How words without an operator are joined.
    pub operator: Operator,
    /// A value that cannot be of the field's kind matches nothing, instead of being an error.
    pub lenient: bool,
    /// How many of the optional clauses have to match.
    pub minimum_should_match: Option<MinimumMatch>,
    /// Which operators mean something.
    pub flags: Flags,
}

/// Operators that mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(u16);

impl Flags {
    const AND: u16 = 1;
    const NOT: u16 = 1 << 1;
    const OR: u16 = 1 << 2;
    const PREFIX: u16 = 1 << 3;
    const PHRASE: u16 = 1 << 4;
    const PRECEDENCE: u16 = 1 << 5;
    const ESCAPE: u16 = 1 << 6;
    const WHITESPACE: u16 = 1 << 7;
    const FUZZY: u16 = 1 << 8;
    const NEAR: u16 = 1 << 9;

    /// From `OR|AND|PREFIX`, `ALL`, `NONE`.
    ///
    /// # Errors
    /// When a word is unknown.
    pub fn parse(text: &str) -> Result<Self, EsError> {
        let mut bits = 0;
        for word in text.split('|').map(str::trim).filter(|w| !w.is_empty()) {
            bits |= match word.to_ascii_uppercase().as_str() {
                "ALL" => return Ok(Self::default()),
                "NONE" => return Ok(Self(0)),
                "AND" => Self::AND,
                "NOT" => Self::NOT,
                "OR" => Self::OR,
                "PREFIX" => Self::PREFIX,
                "PHRASE" => Self::PHRASE,
                "PRECEDENCE" => Self::PRECEDENCE,
                "ESCAPE" => Self::ESCAPE,
                "WHITESPACE" => Self::WHITESPACE,
                "FUZZY" => Self::FUZZY,
                "NEAR" | "SLOP" => Self::NEAR,
                _ => {
                    return Err(EsError::illegal(format!("Unknown simple_query_string flag [{word}]")));
                }
            };
        }
        Ok(Self(bits))
    }

    fn has(self, flag: u16) -> bool {
        self.0 & flag != 0
    }
}

impl Default for Flags {
    fn default() -> Self {
        Self(u16::MAX)
    }
}

/// Parentheses within each other at most; deeper ones are left out.
const MAX_DEPTH: usize = 64;
/// Words and phrases at most.
const MAX_CLAUSES: usize = 1024;

/// Reads a query.
///
/// # Errors
/// Only when there are more than 1,024 words.
pub fn parse(text: &str, options: &Options) -> Result<Query, EsError> {
    if text.trim() == "*" {
        return Ok(Query::MatchAll);
    }
    let text: Vec<char> = text.chars().collect();
    let closed = closed(&text, options.flags);
    let mut parser = Parser { text: &text, closed, at: 0, options, clauses: 0, depth: 0 };
    let mut query = parser.level().unwrap_or(Query::MatchNone);
    if parser.clauses > MAX_CLAUSES {
        return Err(EsError::new(400, "too_many_clauses", format!("maxClauseCount is set to {MAX_CLAUSES}")));
    }
    if let (Some(minimum), Query::Bool(q)) = (&options.minimum_should_match, &mut query)
        && !q.should.is_empty()
    {
        q.minimum_should_match = Some(minimum.clone());
    }
    Ok(query)
}

/// Places of parentheses that are closed, ascending; the others are left out.
fn closed(text: &[char], flags: Flags) -> Vec<usize> {
    let (mut open, mut closed, mut escaped) = (Vec::new(), Vec::new(), false);
    for (at, c) in text.iter().enumerate() {
        match c {
            _ if escaped => escaped = false,
            '\\' if flags.has(Flags::ESCAPE) => escaped = true,
            '(' => open.push(at),
            ')' => closed.extend(open.pop()),
            _ => {}
        }
    }
    closed.sort_unstable();
    closed
}

struct Parser<'a> {
    text: &'a [char],
    closed: Vec<usize>,
    at: usize,
    options: &'a Options,
    clauses: usize,
    depth: usize,
}

/// What Lucene's `SimpleQueryParser` remembers of a level.
#[derive(Default)]
struct Level {
    top: Option<Query>,
    current: Option<Operator>,
    previous: Option<Operator>,
    not: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn on(&self, flag: u16) -> bool {
        self.options.flags.has(flag)
    }

    /// Up to the end, or to the parenthesis that closes this level.
    fn level(&mut self) -> Option<Query> {
        let mut level = Level::default();
        while let Some(c) = self.peek() {
            match c {
                '(' if self.on(Flags::PRECEDENCE) => {
                    let closed = self.closed.binary_search(&self.at).is_ok();
                    self.at += 1;
                    if closed && self.depth < MAX_DEPTH {
                        self.depth += 1;
                        let inner = self.level();
                        self.depth -= 1;
                        if let Some(inner) = inner {
                            self.add(&mut level, inner);
                        }
                    }
                }
                ')' if self.on(Flags::PRECEDENCE) => {
                    self.at += 1;
                    if self.depth > 0 {
                        return level.top;
                    }
                }
                '"' if self.on(Flags::PHRASE) => self.phrase(&mut level),
                '+' if self.on(Flags::AND) => self.operator(&mut level, Operator::And),
                '|' if self.on(Flags::OR) => self.operator(&mut level, Operator::Or),
                '-' if self.on(Flags::NOT) => {
                    level.not = !level.not;
                    self.at += 1;
                }
                ' ' | '\t' | '\n' | '\r' if self.on(Flags::WHITESPACE) => {
                    // A space between `-` and a word takes the `-` away.
                    level.not = false;
                    self.at += 1;
                }
                _ => self.word(&mut level),
            }
        }
        level.top
    }

    fn operator(&mut self, level: &mut Level, operator: Operator) {
        // The first one counts, and only behind a word.
        if level.current.is_none() && level.top.is_some() {
            level.current = Some(operator);
        }
        self.at += 1;
    }

    fn phrase(&mut self, level: &mut Level) {
        self.at += 1;
        let mut phrase = String::new();
        let mut at = self.at;
        loop {
            match self.text.get(at) {
                None => {
                    // Without its end it is no phrase.
                    return;
                }
                Some('\\') if self.on(Flags::ESCAPE) && at + 1 < self.text.len() => {
                    phrase.push(self.text[at + 1]);
                    at += 2;
                }
                Some('"') => break,
                Some(c) => {
                    phrase.push(*c);
                    at += 1;
                }
            }
        }
        self.at = at + 1;
        let slop = if self.on(Flags::NEAR) { self.number_after_tilde().unwrap_or(0) } else { 0 };
        if !phrase.is_empty() {
            let query = self.ask(Query::MatchPhrase {
                field: String::new(),
                text: Scalar::Text(phrase),
                slop,
                prefix: false,
            });
            self.add(level, query);
        }
    }

    /// The number behind `~`, when it ends there.
    fn number_after_tilde(&mut self) -> Option<u32> {
        if self.peek() != Some('~') {
            return None;
        }
        let digits: String =
            self.text[self.at + 1..].iter().take(9).take_while(|c| c.is_ascii_digit()).collect();
        self.at += 1 + digits.len();
        digits.parse().ok()
    }

    fn word(&mut self, level: &mut Level) {
        let (mut word, mut prefix, mut fuzzy) = (String::new(), false, None);
        while let Some(c) = self.peek() {
            match c {
                '\\' if self.on(Flags::ESCAPE) => {
                    self.at += 1;
                    if let Some(c) = self.peek() {
                        word.push(c);
                        self.at += 1;
                    }
                    prefix = false;
                    continue;
                }
                '"' if self.on(Flags::PHRASE) => break,
                '|' if self.on(Flags::OR) => break,
                '+' if self.on(Flags::AND) => break,
                '(' | ')' if self.on(Flags::PRECEDENCE) => break,
                ' ' | '\t' | '\n' | '\r' if self.on(Flags::WHITESPACE) => break,
                '~' if self.on(Flags::FUZZY) && !word.is_empty() => {
                    let before = self.at;
                    if let Some(n) = self.number_after_tilde()
                        && self.peek().is_none_or(|c| c.is_whitespace() || "|+()\"".contains(c))
                    {
                        fuzzy = Some(n);
                        break;
                    }
                    self.at = before;
                }
                _ => {}
            }
            prefix = c == '*' && self.on(Flags::PREFIX) && !word.is_empty();
            word.push(c);
            self.at += 1;
        }
        if word.is_empty() {
            return;
        }
        let leaf = if let Some(edits) = fuzzy.filter(|n| *n > 0) {
            let fuzziness = Fuzziness { edits: Some(edits.min(2) as u8), ..Fuzziness::default() };
            Query::Fuzzy { field: String::new(), value: word, fuzziness }
        } else if prefix {
            word.pop();
            Query::Prefix { field: String::new(), value: word, case_insensitive: false }
        } else {
            Query::Match(MatchQuery {
                field: String::new(),
                text: Scalar::Text(word),
                operator: self.options.operator,
                minimum_should_match: None,
                fuzziness: None,
                prefix: false,
                zero_terms_all: false,
                lenient: self.lenient(),
            })
        };
        let query = self.ask(leaf);
        self.add(level, query);
    }

    fn lenient(&self) -> bool {
        self.options.lenient || self.options.fields.is_empty()
    }

    fn ask(&self, leaf: Query) -> Query {
        match self.options.fields.as_slice() {
            [one] if !one.contains('*') => leaf.of_field(one),
            many => Query::AnyField { fields: many.to_vec(), leaf: Box::new(leaf), lenient: self.lenient() },
        }
    }

    /// `SimpleQueryParser.buildQueryTree`.
    fn add(&mut self, level: &mut Level, query: Query) {
        self.clauses += 1;
        if self.clauses > MAX_CLAUSES {
            return;
        }
        let query = if std::mem::take(&mut level.not) { Query::none_of(query) } else { query };
        let Some(top) = level.top.take() else {
            level.top = Some(query);
            level.current = None;
            return;
        };
        let operator = level.current.take().unwrap_or(self.options.operator);
        // Another operator takes over from above: what was so far becomes one of its clauses.
        let mut both = match top {
            Query::Bool(both) if level.previous == Some(operator) => both,
            top => {
                let mut both = BoolQuery::default();
                clauses(&mut both, operator).push(top);
                both
            }
        };
        clauses(&mut both, operator).push(query);
        level.top = Some(Query::Bool(both));
        level.previous = Some(operator);
    }
}

fn clauses(query: &mut BoolQuery, operator: Operator) -> &mut Vec<Query> {
    match operator {
        Operator::And => &mut query.must,
        Operator::Or => &mut query.should,
    }
}
