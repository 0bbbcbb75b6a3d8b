//! What is asked.
//!
//! - [`ast`]: the query tree; [`dsl`] reads it from JSON, [`kql`], [`lucene`] and [`simple`] from texts.
//! - [`request`]: a whole search; [`agg`]: its aggregations, with [`script`] for arithmetic.
//! - [`date`]: instants, date math, formats, rounding; [`ip`]: addresses and networks; [`regexp`]: Lucene's expressions;
//!   [`analyze`]: words of texts.
//! - [`error`]: what was wrong with it.

pub mod agg;
pub mod analyze;
pub mod ast;
pub mod date;
pub mod dsl;
pub mod error;
pub mod ip;
pub mod json;
pub mod kql;
pub mod lucene;
mod lucene_lex;
pub mod regexp;
pub mod request;
pub mod script;
pub mod simple;

pub use ast::Query;
pub use error::EsError;
