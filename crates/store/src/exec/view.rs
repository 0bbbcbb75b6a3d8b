//! A block while a search looks at it: its columns, each read once.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::StringArray;
use hashbrown::HashMap;
use wirebeat_model::Kind;

use crate::block::{Block, BlockError, Column, Rows, Terms, Values};
use crate::lang::error::EsError;

/// A block while a search looks at it.
pub(crate) struct View<'b> {
    /// The block.
    pub(crate) block: &'b dyn Block,
    /// The name of its index.
    pub(crate) index: &'b str,
    /// How many rows are before it in the search.
    pub(crate) base: u64,
    columns: Mutex<HashMap<String, Option<Arc<Column>>, foldhash::fast::RandomState>>,
}

impl<'b> View<'b> {
    pub(crate) fn new(block: &'b dyn Block, index: &'b str, base: u64) -> Self {
        Self { block, index, base, columns: Mutex::default() }
    }

    pub(crate) fn rows(&self) -> usize {
        self.block.rows()
    }

    /// What the rows hold under a name.
    pub(crate) fn column(&self, name: &str) -> Result<Option<Arc<Column>>, EsError> {
        let columns = || self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(column) = columns().get(name) {
            return Ok(column.clone());
        }
        let column = if name == "_index" {
            Some(Arc::new(Column {
                kind: Kind::Keyword,
                rows: Rows::Each,
                values: Values::Coded {
                    codes: vec![0; self.rows()],
                    terms: Terms::Text(StringArray::from(vec![self.index])),
                },
            }))
        } else {
            self.block.column(name).map_err(|e| unreadable(&e))?
        };
        columns().insert(name.to_owned(), column.clone());
        Ok(column)
    }
}

/// Rows that cannot be read.
pub(crate) fn unreadable(error: &BlockError) -> EsError {
    EsError::new(500, "i_o_exception", error.to_string())
}
