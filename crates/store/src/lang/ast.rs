//! The query tree: what KQL, Lucene's syntax and the query DSL all become.
//!
//! Names of fields and values are as they were written; what they mean is decided when the tree meets a mapping
//! (`exec`). A field the mapping does not know matches nothing.

use std::ops::Bound;

use super::error::EsError;

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// Every document.
    MatchAll,
    /// No document.
    MatchNone,
    /// All, some or none of other queries.
    Bool(BoolQuery),
    /// One of several queries (`dis_max`); none when empty.
    Any(Vec<Query>),
    /// As the query inside, with a score of its own.
    ConstantScore {
        /// The query.
        filter: Box<Query>,
        /// The score.
        boost: f32,
    },
    /// The query inside; hits that match it tell its name.
    Named {
        /// The name.
        name: String,
        /// The query.
        query: Box<Query>,
    },
    /// The query inside, asked of every field that one of the patterns names; one field suffices. The field of the
    /// inner leaf (`Term` … `MatchPhrase`) is an empty text and is filled in.
    AnyField {
        /// Names, with `*` as a wildcard. Empty: every field.
        fields: Vec<String>,
        /// A leaf.
        leaf: Box<Query>,
        /// A value that cannot be of the field's kind matches nothing there, instead of being an error.
        lenient: bool,
    },
    /// A whole term, as it is stored: exact on keywords, one token on texts.
    Term {
        /// The field.
        field: String,
        /// The term.
        value: Scalar,
        /// Ignore ASCII and Unicode case.
        case_insensitive: bool,
    },
    /// One of several whole terms.
    Terms {
        /// The field.
        field: String,
        /// The terms.
        values: Vec<Scalar>,
    },
    /// Values between bounds.
    Range(RangeQuery),
    /// The field, or one below it, has a value. The name may hold `*`.
    Exists {
        /// The field.
        field: String,
    },
    /// Terms that begin so.
    Prefix {
        /// The field.
        field: String,
        /// The beginning.
        value: String,
        /// Ignore case.
        case_insensitive: bool,
    },
    /// Terms of a form: `*` any text, `?` one character, `\` takes the next one as it is.
    Wildcard {
        /// The field.
        field: String,
        /// The form.
        pattern: String,
        /// Ignore case.
        case_insensitive: bool,
    },
    /// Terms that a regular expression in Lucene's syntax matches from beginning to end.
    Regexp {
        /// The field.
        field: String,
        /// The expression.
        pattern: String,
        /// Which operators beside the usual ones mean something.
        flags: RegexpFlags,
        /// Ignore case.
        case_insensitive: bool,
    },
    /// Terms that differ by a few characters.
    Fuzzy {
        /// The field.
        field: String,
        /// The term.
        value: String,
        /// How they may differ.
        fuzziness: Fuzziness,
    },
    /// Words: analysed on a text field, a whole term elsewhere.
    Match(MatchQuery),
    /// Words one after the other: analysed on a text field, a whole term elsewhere.
    MatchPhrase {
        /// The field.
        field: String,
        /// The words.
        text: Scalar,
        /// How many positions the words may be moved in all.
        slop: u32,
        /// The last word is only the beginning of one (`match_phrase_prefix`).
        prefix: bool,
    },
    /// Documents by `_id`.
    Ids(Vec<String>),
}

/// All of `must` and `filter`, none of `must_not`, enough of `should`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoolQuery {
    /// All have to match.
    pub must: Vec<Query>,
    /// All have to match; they do not score.
    pub filter: Vec<Query>,
    /// How many have to match: `minimum_should_match`.
    pub should: Vec<Query>,
    /// None may match.
    pub must_not: Vec<Query>,
    /// `None`: one, when there is no `must` and no `filter`; else none.
    pub minimum_should_match: Option<MinimumMatch>,
}

/// Values between bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeQuery {
    /// The field.
    pub field: String,
    /// `gt`, `gte`.
    pub lower: Bound<Scalar>,
    /// `lt`, `lte`.
    pub upper: Bound<Scalar>,
    /// How dates are written; as the field says when `None`.
    pub format: Option<String>,
    /// The time zone of dates that name none.
    pub time_zone: Option<String>,
}

/// Words to find.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchQuery {
    /// The field.
    pub field: String,
    /// The words.
    pub text: Scalar,
    /// Whether all words are wanted.
    pub operator: Operator,
    /// How many of them.
    pub minimum_should_match: Option<MinimumMatch>,
    /// How they may differ.
    pub fuzziness: Option<Fuzziness>,
    /// The last word is only the beginning of one (`match_bool_prefix`).
    pub prefix: bool,
    /// Whether no words at all match everything.
    pub zero_terms_all: bool,
    /// A text that is no value of the field's kind matches nothing, instead of being an error.
    pub lenient: bool,
}

/// How words are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operator {
    /// One suffices.
    #[default]
    Or,
    /// All.
    And,
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction, or beyond `i64`.
    Float(f64),
    /// Anything else.
    Text(String),
}

impl Scalar {
    /// As Elasticsearch writes it into a text.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Bool(true) => "true".into(),
            Self::Bool(false) => "false".into(),
            Self::Int(n) => n.to_string().into(),
            Self::Float(n) => java_double(*n).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }

    /// From a JSON value that is neither null, a list nor an object.
    pub fn from_json(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::Bool(b) => Some(Self::Bool(*b)),
            serde_json::Value::String(s) => Some(Self::Text(s.clone())),
            serde_json::Value::Number(n) => n.as_i64().map(Self::Int).or_else(|| n.as_f64().map(Self::Float)),
            _ => None,
        }
    }
}

/// A number as Java's `Double.toString` writes it: at least one digit after the point, an exponent from 1e7 on and below 1e-3.
pub fn java_double(n: f64) -> String {
    if n.is_nan() {
        return "NaN".to_owned();
    }
    if n.is_infinite() {
        return if n > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let size = n.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        return format!("{n:?}");
    }
    let text = format!("{n:E}");
    match text.split_once('E') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
        _ => text,
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// How terms may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fuzziness {
    /// Edits allowed: 0 to 2; `None` is `AUTO` (0 below three characters, 1 below six, else 2).
    pub edits: Option<u8>,
    /// How many characters at the beginning have to be equal.
    pub prefix_length: u32,
    /// Whether two neighbours exchanged are one edit.
    pub transpositions: bool,
}

impl Default for Fuzziness {
    fn default() -> Self {
        Self { edits: None, prefix_length: 0, transpositions: true }
    }
}

impl Fuzziness {
    /// Edits allowed for a term.
    pub fn edits_for(&self, term: &str) -> u8 {
        self.edits.unwrap_or_else(|| match term.chars().count() {
            0..=2 => 0,
            3..=5 => 1,
            _ => 2,
        })
    }
}

/// Lucene's optional operators of regular expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegexpFlags(u8);

impl RegexpFlags {
    /// `~`: what does not match.
    pub const COMPLEMENT: u8 = 1;
    /// `<1-100>`: numbers.
    pub const INTERVAL: u8 = 2;
    /// `&`: both.
    pub const INTERSECTION: u8 = 4;
    /// `@`: any text.
    pub const ANYSTRING: u8 = 8;
    /// `#`: no text at all, not even an empty one.
    pub const EMPTY: u8 = 16;
    /// All of them, the default.
    pub const ALL: Self = Self(31);
    /// None of them.
    pub const NONE: Self = Self(0);

    /// Whether an operator means something.
    pub fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// From `COMPLEMENT|INTERVAL`, `ALL`, `NONE`.
    ///
    /// # Errors
    /// When a word is unknown.
    pub fn parse(text: &str) -> Result<Self, EsError> {
        let mut bits = 0;
        for word in text.split('|') {
            bits |= match word.trim().to_ascii_uppercase().as_str() {
                "COMPLEMENT" => Self::COMPLEMENT,
                "INTERVAL" => Self::INTERVAL,
                "INTERSECTION" => Self::INTERSECTION,
                "ANYSTRING" => Self::ANYSTRING,
                "EMPTY" => Self::EMPTY,
                "ALL" | "" => 31,
                "NONE" => 0,
                other => return Err(EsError::illegal(format!("Unknown regexp flag [{other}]"))),
            };
        }
        Ok(Self(bits))
    }
}

/// `minimum_should_match`: how many of several clauses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinimumMatch(Vec<(usize, Share)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    Count(i64),
    Percent(i64),
}

impl MinimumMatch {
    /// A number of clauses; negative: all but so many.
    pub fn count(n: i64) -> Self {
        Self(vec![(0, Share::Count(n))])
    }

    /// From `2`, `-1`, `75%`, `-25%`, `2<75%`, `2<-25% 9<-3`.
    ///
    /// # Errors
    /// `number_format_exception` when it is none of these.
    pub fn parse(text: &str) -> Result<Self, EsError> {
        let number = |t: &str| t.parse::<i64>().map_err(|_| EsError::number_format(t));
        let share = |t: &str| match t.strip_suffix('%') {
            Some(percent) => number(percent).map(Share::Percent),
            None => number(t).map(Share::Count),
        };
        if !text.contains('<') {
            return Ok(Self(vec![(0, share(text.trim())?)]));
        }
        let mut parts = Vec::new();
        for part in text.split_whitespace() {
            let (above, rest) = part.split_once('<').ok_or_else(|| EsError::number_format(part))?;
            let above = usize::try_from(number(above)?).map_err(|_| EsError::number_format(above))?;
            parts.push((above, share(rest)?));
        }
        Ok(Self(parts))
    }

    /// How many of so many clauses have to match.
    pub fn of(&self, clauses: usize) -> usize {
        let all = i64::try_from(clauses).unwrap_or(i64::MAX);
        let mut wanted = all;
        for (above, share) in &self.0 {
            if *above != 0 && clauses <= *above {
                break;
            }
            let (n, said) = match share {
                Share::Count(n) => (*n, *n),
                Share::Percent(p) => (all.saturating_mul(*p) / 100, *p),
            };
            // Less than one left out is none left out.
            wanted = if said < 0 { all.saturating_add(n) } else { n };
        }
        usize::try_from(wanted.max(0)).unwrap_or(0)
    }
}

impl Query {
    /// A whole term.
    pub fn term(field: impl Into<String>, value: impl Into<Scalar>) -> Self {
        Self::Term { field: field.into(), value: value.into(), case_insensitive: false }
    }

    /// Words of which one suffices.
    pub fn matches(field: impl Into<String>, text: impl Into<Scalar>) -> Self {
        Self::Match(MatchQuery {
            field: field.into(),
            text: text.into(),
            operator: Operator::Or,
            minimum_should_match: None,
            fuzziness: None,
            prefix: false,
            zero_terms_all: false,
            lenient: false,
        })
    }

    /// Words one after the other.
    pub fn phrase(field: impl Into<String>, text: impl Into<Scalar>) -> Self {
        Self::MatchPhrase { field: field.into(), text: text.into(), slop: 0, prefix: false }
    }

    /// All of these; everything when there are none.
    pub fn all(mut queries: Vec<Self>) -> Self {
        match queries.len() {
            0 => Self::MatchAll,
            1 => queries.remove(0),
            _ => Self::Bool(BoolQuery { must: queries, ..BoolQuery::default() }),
        }
    }

    /// At least one of these; nothing when there are none.
    pub fn any(mut queries: Vec<Self>) -> Self {
        match queries.len() {
            0 => Self::MatchNone,
            1 => queries.remove(0),
            _ => Self::Any(queries),
        }
    }

    /// Everything but this.
    pub fn none_of(query: Self) -> Self {
        Self::Bool(BoolQuery { must_not: vec![query], ..BoolQuery::default() })
    }

    /// The same leaf of another field; other queries stay as they are.
    #[must_use]
    pub fn of_field(&self, name: &str) -> Self {
        let mut query = self.clone();
        match &mut query {
            Self::Term { field, .. }
            | Self::Terms { field, .. }
            | Self::Range(RangeQuery { field, .. })
            | Self::Exists { field }
            | Self::Prefix { field, .. }
            | Self::Wildcard { field, .. }
            | Self::Regexp { field, .. }
            | Self::Fuzzy { field, .. }
            | Self::Match(MatchQuery { field, .. })
            | Self::MatchPhrase { field, .. } => name.clone_into(field),
            _ => {}
        }
        query
    }

    /// The queries in it that have names.
    pub fn named<'q>(&'q self, out: &mut Vec<(&'q str, &'q Self)>) {
        match self {
            Self::Named { name, query } => {
                out.push((name, query));
                query.named(out);
            }
            Self::Bool(q) => {
                let all = q.must.iter().chain(&q.filter).chain(&q.should).chain(&q.must_not);
                all.for_each(|query| query.named(out));
            }
            Self::Any(queries) => queries.iter().for_each(|query| query.named(out)),
            Self::ConstantScore { filter, .. } => filter.named(out),
            _ => {}
        }
    }

    /// The score of every hit. There is no ranking by words: a hit scores 1, what only filters scores 0, and
    /// `constant_score` what it says.
    pub fn score(&self) -> f32 {
        match self {
            Self::ConstantScore { boost, .. } => *boost,
            Self::Named { query, .. } => query.score(),
            Self::Bool(q) if q.must.is_empty() && q.should.is_empty() => 0.0,
            Self::Bool(q) if q.should.is_empty() && q.must.len() == 1 => q.must[0].score(),
            _ => 1.0,
        }
    }
}
