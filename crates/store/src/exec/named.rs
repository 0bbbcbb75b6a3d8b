//! `matched_queries`: which of a request's named queries a hit matches.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fetch::Placed;
use super::filter::choose;
use super::plan::{Filter, Planner};
use super::rank::Ranked;
use super::select::{Bits, Selection};
use super::view::View;
use crate::lang::error::EsError;
use crate::lang::request::SearchRequest;

/// The named queries of a request, planned for one index.
pub(crate) fn plan(
    request: &SearchRequest,
    planner: &mut Planner<'_>,
) -> Result<Vec<(String, Filter)>, EsError> {
    let mut found = Vec::new();
    request.query.named(&mut found);
    if let Some(query) = &request.post_filter {
        query.named(&mut found);
    }
    found.into_iter().map(|(name, query)| Ok((name.to_owned(), planner.plan(query)?))).collect()
}

/// Tells the names with the hits. `named`: of the index of each block.
pub(crate) fn tell<'n>(
    found: &[Ranked],
    blocks: &[Placed<'_>],
    named: impl Fn(&str) -> &'n [(String, Filter)],
    hits: &mut [Value],
) -> Result<(), EsError> {
    let mut by_block: BTreeMap<usize, Vec<(u32, usize)>> = BTreeMap::new();
    for (place, one) in found.iter().enumerate() {
        let block = blocks.partition_point(|b| b.base <= one.at).saturating_sub(1);
        let Some(placed) = blocks.get(block) else { continue };
        let row = u32::try_from(one.at - placed.base).unwrap_or(u32::MAX);
        by_block.entry(block).or_default().push((row, place));
    }
    for (block, rows) in by_block {
        let Some(placed) = blocks.get(block) else { continue };
        let view = View::new(placed.block, placed.index, placed.base);
        let mut bits = Bits::empty(view.rows());
        rows.iter().for_each(|(row, _)| bits.set(*row));
        let within = bits.done();
        let mut matched: Vec<Vec<&str>> = vec![Vec::new(); rows.len()];
        for (name, filter) in named(placed.index) {
            let chosen: Selection = choose(filter, &view, &within)?;
            for ((row, _), names) in rows.iter().zip(&mut matched) {
                if chosen.has(*row) {
                    names.push(name);
                }
            }
        }
        for ((_, place), names) in rows.iter().zip(matched) {
            if let Some(Value::Object(hit)) = hits.get_mut(*place)
                && !names.is_empty()
            {
                hit.insert("matched_queries".to_owned(), json!(names));
            }
        }
    }
    Ok(())
}
