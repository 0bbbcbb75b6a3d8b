//! What is asked.

pub mod ast;
pub mod error;

pub use ast::Query;
pub use error::EsError;
