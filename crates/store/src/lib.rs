//! The embedded store: events as Parquet segments, queries and aggregations in Elasticsearch's words.
//!
//! - [`block`]: rows of an index that can be looked at column by column; everything else meets here.
//! - [`lang`]: what is asked: the query DSL, KQL and Lucene syntax to one tree; aggregations; date math.
//! - [`exec`]: answers it: filter, sort, aggregate, fetch.
#![forbid(unsafe_code)]

mod batch;
pub mod block;
mod build;
mod cache;
mod compact;
mod decode;
mod delta;
mod dir;
mod encode;
pub mod exec;
mod file;
mod group;
mod json;
pub mod lang;
mod layout;
mod levels;
mod map;
mod marks;
mod numbering;
mod numbers;
mod pages;
mod part;
mod partition;
mod pick;
mod recover;
mod retain;
mod rle;
mod source;
mod spans;
mod stats;
mod store;
mod terms;
mod thrift;
mod tombstones;
mod unpack;
mod upkeep;
mod write;

pub use dir::OpenError;
pub use recover::Opened;
pub use retain::Retention;
pub use stats::{Counts, IndexStats, Stats};
pub use store::{FIELDS, Incoming, Index, IngestError, Options, Prefix, Store, View};
pub use write::WriteError;
