//! Answers what is asked.
//!
//! A query meets the [`Mapping`] and becomes a filter; block by block, the filter chooses rows, aggregations collect
//! them, the best become hits. Blocks that cannot matter are not read.
//!
//! There is no ranking by words: a hit scores 1 for each clause that it matches, or what `constant_score` or a boost says,
//! and 0 under filters alone.

mod agg;
mod fetch;
mod filter;
mod mapping;
mod named;
mod numbered;
mod plan;
mod rank;
mod score;
mod search;
mod select;
mod test;
mod view;

pub use mapping::{Field, Mapping};
pub use search::{Context, IndexBlocks, Limits, count, search};
