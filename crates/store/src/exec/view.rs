//! A block while a search looks at it: its columns, each read once.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::StringArray;
use hashbrown::HashMap;
use wirebeat_model::Kind;

use crate::block::{Block, BlockError, Codes, Column, Rows, Terms, Values};
use crate::lang::error::EsError;

/// A block while a search looks at it.
pub(crate) struct View<'b> {
    /// The block.
    pub(crate) block: &'b dyn Block,
    /// The name of its index.
    pub(crate) index: &'b str,
    /// How many rows are before it in the search.
    pub(crate) base: u64,
    columns: Mutex<Named<Option<Arc<Column>>>>,
    codes: Mutex<Named<Option<Arc<Codes>>>>,
}

type Named<T> = HashMap<String, T, foldhash::fast::RandomState>;

/// What is needed to say which rows have a value, and which of a column's texts.
pub(crate) enum Coded {
    /// All there is.
    Column(Arc<Column>),
    /// Without the texts.
    Codes(Arc<Codes>),
}

impl Coded {
    /// Which values belong to which row.
    pub(crate) fn rows(&self) -> &Rows {
        match self {
            Self::Column(column) => &column.rows,
            Self::Codes(codes) => &codes.rows,
        }
    }

    /// What kind of field it is.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Column(column) => column.kind,
            Self::Codes(_) => Kind::Keyword,
        }
    }

    /// The codes of texts.
    pub(crate) fn codes(&self) -> Option<&[u32]> {
        match self {
            Self::Column(column) => match &column.values {
                Values::Coded { codes, terms: Terms::Text(_) } => Some(codes),
                _ => None,
            },
            Self::Codes(codes) => Some(&codes.codes),
        }
    }
}

impl<'b> View<'b> {
    pub(crate) fn new(block: &'b dyn Block, index: &'b str, base: u64) -> Self {
        Self { block, index, base, columns: Mutex::default(), codes: Mutex::default() }
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

    /// As [`Self::column`], where the texts are not wanted.
    pub(crate) fn coded(&self, name: &str) -> Result<Option<Coded>, EsError> {
        let known = self.columns.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(column) = known {
            return Ok(column.map(Coded::Column));
        }
        let all = || self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all().get(name).cloned();
        let codes = match known {
            Some(codes) => codes,
            None => {
                let codes = self.block.codes(name).map_err(|e| unreadable(&e))?;
                all().insert(name.to_owned(), codes.clone());
                codes
            }
        };
        match codes {
            Some(codes) => Ok(Some(Coded::Codes(codes))),
            None => Ok(self.column(name)?.map(Coded::Column)),
        }
    }
}

/// Rows that cannot be read.
pub(crate) fn unreadable(error: &BlockError) -> EsError {
    EsError::new(500, "i_o_exception", error.to_string())
}
