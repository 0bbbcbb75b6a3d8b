//! The embedded store: events as Parquet segments, queries and aggregations in Elasticsearch's words.
//!
//! - [`block`]: rows of an index that can be looked at column by column; everything else meets here.
//! - [`lang`]: what is asked: the query DSL, KQL and Lucene syntax to one tree; aggregations; date math.
//! - [`exec`]: answers it: filter, sort, aggregate, fetch.
#![forbid(unsafe_code)]

pub mod block;
pub mod exec;
pub mod lang;
