//! What hits score: there is no ranking by words, each clause that a hit matches counts what it says.

use super::filter::choose;
use super::plan::{Filter, Planner};
use super::select::Selection;
use super::view::View;
use crate::lang::ast::Query;
use crate::lang::error::EsError;

/// What a hit of a query scores.
#[derive(Clone, Debug)]
pub(crate) struct Score {
    /// What every hit has.
    base: f32,
    /// What those have that match an optional clause too.
    parts: Vec<(Filter, Score)>,
}

impl Score {
    /// What hits of a query score.
    pub(crate) fn of(query: &Query, planner: &mut Planner<'_>) -> Result<Self, EsError> {
        let mut out = Self { base: 0.0, parts: Vec::new() };
        match query {
            Query::Named { query, .. } => return Self::of(query, planner),
            // The only one there is has to match.
            Query::Bool(q) if q.must.is_empty() && q.filter.is_empty() && q.should.len() == 1 => {
                return Self::of(&q.should[0], planner);
            }
            Query::Bool(q) => {
                for query in &q.must {
                    let Self { base, parts } = Self::of(query, planner)?;
                    out.base += base;
                    out.parts.extend(parts);
                }
                for query in &q.should {
                    out.parts.push((planner.plan(query)?, Self::of(query, planner)?));
                }
            }
            query => out.base = query.score(),
        }
        Ok(out)
    }

    /// Whether hits differ.
    pub(crate) fn varies(&self) -> bool {
        !self.parts.is_empty()
    }

    /// The scores of all rows of a block, as if they were hits.
    pub(crate) fn rows(&self, view: &View<'_>) -> Result<Vec<f32>, EsError> {
        let mut out = vec![0.0; view.rows()];
        self.add(view, &Selection::All, &mut out)?;
        Ok(out)
    }

    fn add(&self, view: &View<'_>, within: &Selection, out: &mut [f32]) -> Result<(), EsError> {
        for row in within.rows(out.len()) {
            if let Some(score) = out.get_mut(row as usize) {
                *score += self.base;
            }
        }
        for (filter, score) in &self.parts {
            let chosen = choose(filter, view, within)?.and(within.clone());
            score.add(view, &chosen, out)?;
        }
        Ok(())
    }
}
