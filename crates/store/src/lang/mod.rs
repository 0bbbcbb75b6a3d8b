//! What is asked.

pub mod analyze;
pub mod ast;
pub mod error;
pub mod kql;
pub mod lucene;
mod lucene_lex;
pub mod simple;

pub use ast::Query;
pub use error::EsError;
