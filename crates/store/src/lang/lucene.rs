//! Lucene's query syntax (`query_string`, `?q=`): the classic parser's grammar and its way of joining clauses.
//!
//! `a AND b OR c` is `+a +b c`, as it is there: operators mark their neighbours, they have no precedence. Words without an
//! operator between them are one text for the field's analyzer. Boosts are read and mean nothing.

use std::ops::Bound;

use super::ast::{
    BoolQuery, Fuzziness, MatchQuery, MinimumMatch, Operator, Query, RangeQuery, RegexpFlags, Scalar,
};
use super::error::EsError;
use super::lucene_lex::{Kind, Lexer, Token, unescape};

/// How a text without further words is meant.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Fields of clauses that name none, with `*` as a wildcard. Empty: every field, and then `lenient` too.
    pub fields: Vec<String>,
    /// How clauses without an operator are joined.
    pub operator: Operator,
    /// A value that cannot be of the field's kind matches nothing, instead of being an error.
    pub lenient: bool,
    /// How many of the optional clauses have to match.
    pub minimum_should_match: Option<MinimumMatch>,
    /// The slop of phrases that name none.
    pub phrase_slop: u32,
    /// The time zone of dates in ranges.
    pub time_zone: Option<String>,
    /// `*x` and `?x` are refused when set.
    pub no_leading_wildcard: bool,
    /// How words may differ that `~` marks without a number.
    pub fuzziness: Fuzziness,
}

/// Parentheses within each other at most.
const MAX_DEPTH: usize = 64;
/// Clauses at most, as `indices.query.bool.max_clause_count` had it.
const MAX_CLAUSES: usize = 1024;

/// Reads a query.
///
/// # Errors
/// `query_shard_exception` caused by a `parse_exception` that names the column.
pub fn parse(text: &str, options: &Options) -> Result<Query, EsError> {
    if text.trim().is_empty() {
        return Ok(Query::MatchNone);
    }
    let failed = |wrong: Wrong| failed(text, &wrong);
    let tokens = Lexer::new(text).tokens().map_err(|(at, what)| failed(Wrong { at, what }))?;
    let mut parser = Parser { tokens, at: 0, options, clauses: 0, depth: 0 };
    let mut query = parser.query(None).map_err(failed)?;
    if let Some(token) = parser.peek() {
        return Err(failed(Wrong { at: token.at, what: format!("Encountered {}", token.shown()) }));
    }
    if let (Some(minimum), Query::Bool(q)) = (&options.minimum_should_match, &mut query)
        && !q.should.is_empty()
    {
        q.minimum_should_match = Some(minimum.clone());
    }
    Ok(query)
}

/// Where and why a text is no query.
struct Wrong {
    /// Offset in bytes.
    at: usize,
    what: String,
}

fn failed(text: &str, wrong: &Wrong) -> EsError {
    let before = text.get(..wrong.at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    let what = format!("Cannot parse '{text}': {} at line {line}, column {column}.", wrong.what);
    // In UTF-16 units from 0, as pages count.
    let offset = before.encode_utf16().count();
    let cause = EsError::parse(what).with("offset", offset.into());
    // Elasticsearch's root cause is the shard's error: the place is told there as well.
    EsError::query_shard(format!("Failed to parse query [{text}]"))
        .with("offset", offset.into())
        .caused_by(cause)
}

#[derive(Clone, Copy, PartialEq)]
enum Occur {
    Must,
    Should,
    MustNot,
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    options: &'a Options,
    clauses: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at)
    }

    fn kind(&self, ahead: usize) -> Option<Kind> {
        self.tokens.get(self.at + ahead).map(|t| t.kind)
    }

    fn take(&mut self) -> Option<Token<'a>> {
        let token = self.tokens.get(self.at).copied();
        self.at += 1;
        token
    }

    /// The token that was just taken is wrong, or there was none.
    fn wrong_before(&mut self) -> Wrong {
        self.at -= 1;
        self.wrong()
    }

    fn skip(&mut self, kind: Kind) -> bool {
        let hit = self.kind(0) == Some(kind);
        self.at += usize::from(hit);
        hit
    }

    fn wrong(&self) -> Wrong {
        match self.peek() {
            Some(token) => Wrong { at: token.at, what: format!("Encountered {}", token.shown()) },
            None => {
                let at = self.tokens.last().map_or(0, |t| t.at + t.text.len());
                Wrong { at, what: "Encountered \"<EOF>\"".into() }
            }
        }
    }

    /// Clauses up to the end or a closing parenthesis.
    fn query(&mut self, field: Option<&str>) -> Result<Query, Wrong> {
        let mut clauses: Vec<(Occur, Query)> = Vec::new();
        loop {
            self.clauses += 1;
            if self.clauses > MAX_CLAUSES {
                let at = self.peek().map_or(0, |t| t.at);
                return Err(Wrong { at, what: format!("maxClauseCount is set to {MAX_CLAUSES}") });
            }
            if let Some(query) = self.several_words(field) {
                let occur = if self.options.operator == Operator::Or { Occur::Should } else { Occur::Must };
                clauses.push((occur, query));
            } else {
                let conjunction = if clauses.is_empty() { None } else { self.conjunction() };
                let modifier = self.modifier();
                let query = self.clause(field)?;
                self.add(&mut clauses, conjunction, modifier, query);
            }
            if matches!(self.kind(0), None | Some(Kind::Close)) {
                return Ok(join(clauses));
            }
        }
    }

    /// Two or more words in a row are one text (`MultiTerm` of the grammar); the last one must not belong to what follows.
    fn several_words(&mut self, field: Option<&str>) -> Option<Query> {
        let belongs = |k: Option<Kind>| {
            matches!(k, Some(Kind::Colon | Kind::Star | Kind::Fuzzy | Kind::Boost | Kind::And | Kind::Or))
        };
        let mut n = 0;
        while self.kind(n) == Some(Kind::Term) && !belongs(self.kind(n + 1)) {
            n += 1;
        }
        if n < 2 {
            return None;
        }
        let words: Vec<String> = self.tokens[self.at..self.at + n].iter().map(|t| unescape(t.text)).collect();
        self.at += n;
        Some(self.words(field, words.join(" ")))
    }

    fn conjunction(&mut self) -> Option<Kind> {
        let kind = self.kind(0).filter(|k| matches!(k, Kind::And | Kind::Or))?;
        self.at += 1;
        Some(kind)
    }

    fn modifier(&mut self) -> Option<Kind> {
        let kind = self.kind(0).filter(|k| matches!(k, Kind::Plus | Kind::Not))?;
        self.at += 1;
        Some(kind)
    }

    /// `QueryParserBase.addClause`.
    fn add(
        &self,
        clauses: &mut Vec<(Occur, Query)>,
        conjunction: Option<Kind>,
        modifier: Option<Kind>,
        query: Query,
    ) {
        let (and, or) = (conjunction == Some(Kind::And), conjunction == Some(Kind::Or));
        if let Some((occur, _)) = clauses.last_mut().filter(|(o, _)| *o != Occur::MustNot) {
            if and {
                *occur = Occur::Must;
            } else if or && self.options.operator == Operator::And {
                *occur = Occur::Should;
            }
        }
        let prohibited = modifier == Some(Kind::Not);
        let required = match self.options.operator {
            Operator::Or => modifier == Some(Kind::Plus) || and && !prohibited,
            Operator::And => !prohibited && !or,
        };
        let occur = match (prohibited, required) {
            (true, _) => Occur::MustNot,
            (_, true) => Occur::Must,
            _ => Occur::Should,
        };
        clauses.push((occur, query));
    }

    fn clause(&mut self, field: Option<&str>) -> Result<Query, Wrong> {
        let named = if self.kind(1) == Some(Kind::Colon) {
            let token = self.peek().filter(|t| matches!(t.kind, Kind::Term | Kind::Star));
            let name = token.ok_or_else(|| self.wrong())?.text;
            self.at += 2;
            Some(unescape(name))
        } else {
            None
        };
        let field = named.as_deref().or(field);
        if self.skip(Kind::Open) {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(Wrong {
                    at: self.peek().map_or(0, |t| t.at),
                    what: format!("More than {MAX_DEPTH} parentheses within each other"),
                });
            }
            let query = self.query(field)?;
            if !self.skip(Kind::Close) {
                return Err(self.wrong());
            }
            self.depth -= 1;
            self.boost()?;
            return Ok(query);
        }
        let query = self.term(field)?;
        self.boost()?;
        Ok(query)
    }

    fn boost(&mut self) -> Result<(), Wrong> {
        match self.peek().filter(|t| t.kind == Kind::Boost) {
            Some(token) if token.text[1..].parse::<f32>().is_err() => Err(self.wrong()),
            Some(_) => {
                self.at += 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// `~` and its number, behind a word or a phrase.
    fn fuzzy(&mut self) -> Option<&'a str> {
        let token = self.peek().copied().filter(|t| t.kind == Kind::Fuzzy)?;
        self.at += 1;
        Some(&token.text[1..])
    }

    fn term(&mut self, field: Option<&str>) -> Result<Query, Wrong> {
        let Some(token) = self.take() else { return Err(self.wrong_before()) };
        let text = token.text;
        Ok(match token.kind {
            Kind::Term => {
                // A boost may stand on either side of it.
                let fuzzy = self.fuzzy();
                match fuzzy {
                    Some(edits) => {
                        let fuzziness = self.fuzziness(edits, text);
                        self.ask(field, |f| Query::Fuzzy { field: f, value: unescape(text), fuzziness })
                    }
                    None if field == Some("_exists_") => Query::Exists { field: unescape(text) },
                    None if field.is_some() && text.len() > 1 && text.starts_with(['<', '>']) => {
                        self.compare(field, text)
                    }
                    None => self.words(field, unescape(text)),
                }
            }
            Kind::Quoted => {
                let slop = match self.fuzzy() {
                    Some(n) => n.parse::<f32>().map_or(self.options.phrase_slop, |n| n as u32),
                    None => self.options.phrase_slop,
                };
                let phrase = unescape(&text[1..text.len() - 1]);
                if field == Some("_exists_") {
                    return Ok(Query::Exists { field: phrase });
                }
                self.ask(field, |f| Query::MatchPhrase {
                    field: f,
                    text: Scalar::Text(phrase.clone()),
                    slop,
                    prefix: false,
                })
            }
            Kind::Star => match field {
                None | Some("*") if self.options.fields.is_empty() || field.is_some() => Query::MatchAll,
                None => Query::any(
                    self.options.fields.iter().map(|f| Query::Exists { field: f.clone() }).collect(),
                ),
                Some(f) => Query::Exists { field: f.into() },
            },
            Kind::Prefix | Kind::Wildcard => {
                if self.options.no_leading_wildcard && text.starts_with(['*', '?']) {
                    return Err(Wrong {
                        at: token.at,
                        what: "'*' or '?' not allowed as first character in WildcardQuery".into(),
                    });
                }
                self.fuzzy();
                if token.kind == Kind::Prefix {
                    let value = unescape(&text[..text.len() - 1]);
                    self.ask(field, |f| Query::Prefix {
                        field: f,
                        value: value.clone(),
                        case_insensitive: false,
                    })
                } else {
                    self.ask(field, |f| Query::Wildcard {
                        field: f,
                        pattern: text.into(),
                        case_insensitive: false,
                    })
                }
            }
            Kind::Regexp => {
                let pattern = text[1..text.len() - 1].replace("\\/", "/");
                self.ask(field, |f| Query::Regexp {
                    field: f,
                    pattern: pattern.clone(),
                    flags: RegexpFlags::ALL,
                    case_insensitive: false,
                })
            }
            Kind::RangeIn | Kind::RangeEx => self.range(field, token.kind == Kind::RangeIn)?,
            _ => return Err(self.wrong_before()),
        })
    }

    fn fuzziness(&self, edits: &str, term: &str) -> Fuzziness {
        let edits = match edits.parse::<f32>() {
            Err(_) => self.options.fuzziness.edits,
            Ok(n) if n >= 1.0 => Some((n as u8).min(2)),
            // Of old, a similarity from 0 to 1.
            Ok(n) => Some((((1.0 - n) * term.chars().count() as f32) as u8).min(2)),
        };
        Fuzziness { edits, ..self.options.fuzziness }
    }

    /// `[a TO b}`: the lexer gives the bounds as words.
    fn range(&mut self, field: Option<&str>, inclusive: bool) -> Result<Query, Wrong> {
        let low = self.bound()?;
        if !self.skip(Kind::To) {
            return Err(self.wrong());
        }
        let high = self.bound()?;
        let upper_inclusive = match self.take().map(|t| t.kind) {
            Some(Kind::CloseIn) => true,
            Some(Kind::CloseEx) => false,
            _ => return Err(self.wrong_before()),
        };
        Ok(self.between(field, bound(low, inclusive), bound(high, upper_inclusive)))
    }

    fn bound(&mut self) -> Result<Option<String>, Wrong> {
        match self.take() {
            Some(Token { kind: Kind::RangeWord, text: "*", .. }) => Ok(None),
            Some(Token { kind: Kind::RangeWord, text, .. }) => Ok(Some(unescape(text))),
            Some(Token { kind: Kind::Quoted, text, .. }) => Ok(Some(unescape(&text[1..text.len() - 1]))),
            _ => Err(self.wrong_before()),
        }
    }

    /// `>=10`: Elasticsearch's addition; a field has to be named.
    fn compare(&self, field: Option<&str>, text: &str) -> Query {
        let (rest, inclusive) = match text[1..].strip_prefix('=') {
            Some(rest) if !rest.is_empty() => (rest, true),
            _ => (&text[1..], false),
        };
        let edge = bound(Some(unescape(rest)), inclusive);
        if text.starts_with('>') {
            self.between(field, edge, Bound::Unbounded)
        } else {
            self.between(field, Bound::Unbounded, edge)
        }
    }

    fn between(&self, field: Option<&str>, lower: Bound<Scalar>, upper: Bound<Scalar>) -> Query {
        self.ask(field, |f| {
            Query::Range(RangeQuery {
                field: f,
                lower: lower.clone(),
                upper: upper.clone(),
                format: None,
                time_zone: self.options.time_zone.clone(),
            })
        })
    }

    fn words(&self, field: Option<&str>, text: String) -> Query {
        self.ask(field, |f| {
            Query::Match(MatchQuery {
                field: f,
                text: Scalar::Text(text.clone()),
                operator: self.options.operator,
                minimum_should_match: None,
                fuzziness: None,
                prefix: false,
                zero_terms_all: false,
                lenient: self.lenient(),
            })
        })
    }

    fn lenient(&self) -> bool {
        self.options.lenient || self.options.fields.is_empty()
    }

    /// A leaf, of the field that was named or of those that are meant.
    fn ask(&self, field: Option<&str>, leaf: impl Fn(String) -> Query) -> Query {
        let fields = match field {
            Some(f) if !f.contains('*') => return leaf(f.into()),
            Some(f) => vec![f.to_owned()],
            None => match self.options.fields.as_slice() {
                [one] if !one.contains('*') => return leaf(one.clone()),
                many => many.to_vec(),
            },
        };
        let fields = if fields.iter().any(|f| f == "*") { Vec::new() } else { fields };
        Query::AnyField { fields, leaf: Box::new(leaf(String::new())), lenient: self.lenient() }
    }
}

fn bound(value: Option<String>, inclusive: bool) -> Bound<Scalar> {
    match value.map(Scalar::Text) {
        None => Bound::Unbounded,
        Some(value) if inclusive => Bound::Included(value),
        Some(value) => Bound::Excluded(value),
    }
}

fn join(mut clauses: Vec<(Occur, Query)>) -> Query {
    if clauses.len() == 1 && clauses[0].0 != Occur::MustNot {
        return clauses.remove(0).1;
    }
    let mut all = BoolQuery::default();
    for (occur, query) in clauses {
        match occur {
            Occur::Must => all.must.push(query),
            Occur::Should => all.should.push(query),
            Occur::MustNot => all.must_not.push(query),
        }
    }
    Query::Bool(all)
}
