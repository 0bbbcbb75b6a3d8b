//! The query tree meets a mapping: what has to be looked at, in which order.

use std::sync::Arc;

use wirebeat_model::Kind;

use super::mapping::{Field, Mapping};
use super::numbered::Memo;
use super::test::{Now, Test, TextTest, compile};
use crate::lang::analyze;
use crate::lang::ast::{BoolQuery, Query};
use crate::lang::error::EsError;

/// What chooses rows.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    None,
    All,
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// At least so many of these.
    AtLeast(usize, Vec<Filter>),
    Leaf(Leaf),
}

/// A question to one column.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// The column.
    pub(crate) column: String,
    /// The question for each kind that blocks have it as.
    pub(crate) tests: Vec<(Kind, Test)>,
    /// What was found out about texts.
    pub(crate) memo: Arc<Memo>,
}

/// Leaves of a query at most: Elasticsearch's `indices.query.bool.max_clause_count`.
pub(crate) const MAX_CLAUSES: usize = 4096;

/// What a query is planned with.
pub(crate) struct Planner<'a> {
    /// The fields.
    pub(crate) mapping: &'a Mapping,
    /// The index that is asked.
    pub(crate) index: &'a str,
    /// The present.
    pub(crate) now: Now,
    clauses: usize,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(mapping: &'a Mapping, index: &'a str, now: Now) -> Self {
        Self { mapping, index, now, clauses: 0 }
    }

    /// What a query chooses.
    pub(crate) fn plan(&mut self, query: &Query) -> Result<Filter, EsError> {
        match query {
            Query::MatchAll => Ok(Filter::All),
            Query::MatchNone => Ok(Filter::None),
            Query::ConstantScore { filter: query, .. } | Query::Named { query, .. } => self.plan(query),
            Query::Bool(q) => self.boolean(q),
            Query::Any(queries) => Ok(or(queries.iter().map(|q| self.plan(q)).collect::<Result<_, _>>()?)),
            Query::AnyField { fields, leaf, lenient } => self.any_field(fields, leaf, *lenient),
            Query::Ids(ids) => {
                self.count(ids.len())?;
                let values = ids.iter().map(|id| id.as_str().into()).collect();
                self.plan(&Query::Terms { field: "_id".to_owned(), values })
            }
            Query::Exists { field } => self.exists(field),
            Query::Term { field, .. }
            | Query::Terms { field, .. }
            | Query::Prefix { field, .. }
            | Query::Wildcard { field, .. }
            | Query::Regexp { field, .. }
            | Query::Fuzzy { field, .. }
            | Query::MatchPhrase { field, .. } => self.leaf(query, field),
            Query::Range(q) => self.leaf(query, &q.field),
            Query::Match(q) => self.leaf(query, &q.field),
        }
    }

    fn count(&mut self, n: usize) -> Result<(), EsError> {
        self.clauses += n;
        if self.clauses <= MAX_CLAUSES {
            return Ok(());
        }
        let cause = EsError::new(
            400,
            "too_many_nested_clauses",
            format!("Query contains too many nested clauses; maxClauseCount is set to {MAX_CLAUSES}"),
        );
        Err(EsError::query_shard(format!("failed to create query: {}", cause.reason)).caused_by(cause))
    }

    fn leaf(&mut self, query: &Query, name: &str) -> Result<Filter, EsError> {
        match self.mapping.get(name) {
            Some(field) => self.field(query, name, &field),
            None => Ok(Filter::None),
        }
    }

    fn field(&mut self, query: &Query, name: &str, field: &Field) -> Result<Filter, EsError> {
        self.count(1)?;
        if field.geo && !matches!(query, Query::Exists { .. }) {
            return Err(EsError::query_shard(format!(
                "failed to create query: Geometry fields do not support exact searching, use dedicated geometry queries \
                 instead: [{name}]"
            )));
        }
        if let Query::Match(q) = query
            && q.zero_terms_all
            && field.kind == Kind::Text
            && analyze::words(&q.text.text()).next().is_none()
        {
            return Ok(Filter::All);
        }
        let test = compile(query, name, field.kind, self.now)?;
        if field.column == "_index" {
            return Ok(if test.text(self.index) { Filter::All } else { Filter::None });
        }
        // The words may be in several of a row's values.
        let words = match test {
            Test::Text(TextTest::Words(words, needed)) if needed > 1 && field.others.is_empty() => {
                let leaves = words.into_iter().map(|word| {
                    let tests = vec![(field.kind, Test::Text(TextTest::Word(Box::new(word))))];
                    Filter::Leaf(Leaf { column: field.column.clone(), tests, memo: Arc::default() })
                });
                return Ok(at_least(needed, leaves.collect()));
            }
            test => test,
        };
        let mut tests = vec![(field.kind, words)];
        for kind in &field.others {
            // What makes no sense for a kind that only some blocks have matches nothing there.
            tests.push((*kind, compile(query, name, *kind, self.now).unwrap_or(Test::Never)));
        }
        if tests.iter().all(|(_, test)| matches!(test, Test::Never)) {
            return Ok(Filter::None);
        }
        Ok(Filter::Leaf(Leaf { column: field.column.clone(), tests, memo: Arc::default() }))
    }

    fn exists(&mut self, name: &str) -> Result<Filter, EsError> {
        let query = Query::Exists { field: name.to_owned() };
        if matches!(name, "_id" | "_index" | "_source" | "_seq_no" | "_version") {
            return Ok(Filter::All);
        }
        if !name.contains('*') {
            match self.mapping.get(name) {
                Some(field) if field.geo => {
                    let mut parts = vec![self.field(&query, name, &field)?];
                    let lat = Field {
                        column: format!("{name}.lat"),
                        kind: Kind::Double,
                        others: vec![],
                        geo: true,
                    };
                    parts.push(self.field(&query, name, &lat)?);
                    return Ok(or(parts));
                }
                Some(field) if field.kind != Kind::Objects => return self.field(&query, name, &field),
                _ => {}
            }
        }
        let mapping = self.mapping;
        let names = if name.contains('*') { mapping.matching(name) } else { mapping.below(name) };
        let mut parts = Vec::new();
        for name in mapping.each_once(names) {
            if let Some(field) = mapping.get(name) {
                parts.push(self.field(&query, name, &field)?);
            }
        }
        Ok(or(parts))
    }

    fn any_field(&mut self, patterns: &[String], leaf: &Query, lenient: bool) -> Result<Filter, EsError> {
        let mapping = self.mapping;
        let mut names: Vec<String> = Vec::new();
        let all = ["*".to_owned()];
        for pattern in if patterns.is_empty() { &all } else { patterns } {
            if pattern.contains('*') {
                names.extend(mapping.matching(pattern).into_iter().map(str::to_owned));
            } else {
                names.push(pattern.clone());
            }
        }
        let lenient = lenient || patterns.is_empty();
        let mut parts = Vec::new();
        for name in mapping.each_once(names.iter().map(String::as_str)) {
            if mapping.get(name).is_some_and(|f| f.geo) && lenient {
                continue;
            }
            match self.plan(&leaf.of_field(name)) {
                Ok(part) => parts.push(part),
                Err(e) if lenient && e.kind != "too_many_nested_clauses" => {}
                Err(e) => return Err(e),
            }
        }
        Ok(or(parts))
    }

    fn boolean(&mut self, q: &BoolQuery) -> Result<Filter, EsError> {
        let mut parts = Vec::new();
        for query in q.must.iter().chain(&q.filter) {
            parts.push(self.plan(query)?);
        }
        for query in &q.must_not {
            parts.push(match self.plan(query)? {
                Filter::All => Filter::None,
                Filter::None => Filter::All,
                filter => Filter::Not(Box::new(filter)),
            });
        }
        let optional = q.should.iter().map(|s| self.plan(s)).collect::<Result<Vec<_>, _>>()?;
        let required = q.must.is_empty() && q.filter.is_empty();
        let needed = q.minimum_should_match.as_ref().map_or(0, |m| m.of(optional.len()));
        // Where nothing is required, one of the optional ones is.
        let needed = needed.max(usize::from(required && !optional.is_empty()));
        parts.push(at_least(needed, optional));
        Ok(and(parts))
    }
}

/// So many of these.
fn at_least(needed: usize, parts: Vec<Filter>) -> Filter {
    match needed {
        0 => Filter::All,
        n if n > parts.len() => Filter::None,
        1 => or(parts),
        n if n == parts.len() => and(parts),
        n => Filter::AtLeast(n, parts),
    }
}

/// All of these, the cheapest first.
fn and(parts: Vec<Filter>) -> Filter {
    let mut flat = Vec::new();
    for part in parts {
        match part {
            Filter::None => return Filter::None,
            Filter::All => {}
            Filter::And(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    flat.sort_by_key(Filter::cost);
    match flat.len() {
        0 => Filter::All,
        1 => flat.remove(0),
        _ => Filter::And(flat),
    }
}

/// One of these, the cheapest first.
fn or(parts: Vec<Filter>) -> Filter {
    let mut flat = Vec::new();
    for part in parts {
        match part {
            Filter::All => return Filter::All,
            Filter::None => {}
            Filter::Or(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    flat.sort_by_key(Filter::cost);
    match flat.len() {
        0 => Filter::None,
        1 => flat.remove(0),
        _ => Filter::Or(flat),
    }
}

impl Filter {
    fn cost(&self) -> u8 {
        match self {
            Self::None | Self::All => 0,
            Self::Leaf(leaf) if leaf.column == "@timestamp" => 0,
            Self::Leaf(leaf) => leaf.tests.iter().map(|t| t.1.cost()).max().unwrap_or(0),
            Self::Not(inner) => inner.cost(),
            Self::And(parts) | Self::Or(parts) | Self::AtLeast(_, parts) => {
                parts.iter().map(Self::cost).max().unwrap_or(0).saturating_add(1)
            }
        }
    }
}
