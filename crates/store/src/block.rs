//! Rows of one index that can be looked at column by column: a row group of a sealed file, or a batch of the open block.

use std::ops::Deref;
use std::sync::Arc;

use arrow_array::StringArray;
use wirebeat_model::Kind;

pub use crate::numbering::Numbering;

/// Why rows could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// The file could not be read.
    #[error("{0}: {1}")]
    Io(std::path::PathBuf, std::io::Error),
    /// The file is not what it should be.
    #[error("{0}: {1}")]
    Damaged(std::path::PathBuf, String),
}

/// Rows of one index, in the order of their arrival.
pub trait Block: Send + Sync {
    /// How many.
    fn rows(&self) -> usize;

    /// The earliest and the latest `@timestamp`, in nanoseconds since 1970.
    fn time(&self) -> (i64, i64);

    /// The fields that have a value in at least one row, with their kinds, sorted by name.
    fn fields(&self) -> &[(String, Kind)];

    /// What the rows hold under a name; `None` when no row has a value there. The names are those of fields, of members
    /// of lists of objects (`dns.answers.data`) and of keys of maps (`http.request.headers.host`; the map's own name has the
    /// values of all its keys). `_id` and `_seq` (the journal's number) are columns too.
    ///
    /// # Errors
    /// When the rows cannot be read.
    fn column(&self, name: &str) -> Result<Option<Arc<Column>>, BlockError>;

    /// Whether a row can hold this text (a whole term) under this name: `false` is certain, `true` is not.
    fn may_contain(&self, name: &str, term: &str) -> bool;

    /// Whether a row can hold a text with this part in it under this name.
    fn may_contain_part(&self, _name: &str, _part: &str) -> bool {
        true
    }

    /// The smallest and largest value of a Long, Date (nanoseconds) or Boolean column, where known without reading it.
    fn bounds(&self, name: &str) -> Option<(i64, i64)>;

    /// Which rows have a text under this name, and which of the distinct ones, without the texts: much less to read where
    /// they are not wanted. `None` where the whole column is to be asked for instead.
    ///
    /// # Errors
    /// When the rows cannot be read.
    fn codes(&self, _name: &str) -> Result<Option<Arc<Codes>>, BlockError> {
        Ok(None)
    }

    /// Numbers for the texts of a field that are the same in all blocks which have [`Self::codes`] of it.
    fn numbering(&self, _name: &str) -> Option<Arc<Numbering>> {
        None
    }

    /// For each of this field's codes the number of its text; made, if that is wanted, where they are not known yet. `None`:
    /// they are not, or there is no room for them.
    ///
    /// # Errors
    /// When the rows cannot be read.
    fn numbers(
        &self,
        _name: &str,
        _numbering: &Numbering,
        _make: bool,
    ) -> Result<Option<Arc<[u32]>>, BlockError> {
        Ok(None)
    }

    /// What these rows (ascending) hold under this name, numbered anew.
    ///
    /// # Errors
    /// When the rows cannot be read.
    fn some(&self, name: &str, rows: &[u32]) -> Result<Option<Arc<Column>>, BlockError> {
        Ok(self.column(name)?.map(|column| Arc::new(column.take(rows))))
    }

    /// The documents of these rows (ascending), as JSON texts equal to what was stored.
    ///
    /// # Errors
    /// When the rows cannot be read.
    fn sources(&self, rows: &[u32]) -> Result<Vec<String>, BlockError>;
}

/// What a block holds under one name.
#[derive(Debug)]
pub struct Column {
    /// What kind of field it is.
    pub kind: Kind,
    /// Which values belong to which row.
    pub rows: Rows,
    /// The values, in the order of rows.
    pub values: Values,
}

/// A column of texts without the texts.
#[derive(Debug)]
pub struct Codes {
    /// Which values belong to which row.
    pub rows: Rows,
    /// The number of each value's term.
    pub codes: Vec<u32>,
}

/// Which values belong to which row.
#[derive(Debug)]
pub enum Rows {
    /// Row `i` has value `i`.
    Each,
    /// Row `rows[i]` has value `i`; ascending. The other rows have none.
    Few(Vec<u32>),
    /// Row `i` has the values `offsets[i]..offsets[i + 1]`; one entry more than there are rows.
    Many(Vec<u32>),
}

impl Rows {
    fn bytes(&self) -> usize {
        match self {
            Self::Each => 0,
            Self::Few(list) | Self::Many(list) => list.len() * 4,
        }
    }
}

impl Codes {
    /// What it takes in memory, about, in bytes.
    pub fn bytes(&self) -> usize {
        self.rows.bytes() + self.codes.len() * 4
    }
}

/// Values, one after the other.
#[derive(Debug)]
pub enum Values {
    /// Texts and addresses: numbers of terms.
    Coded {
        /// The number of each value's term.
        codes: Vec<u32>,
        /// The terms, each once, in no particular order.
        terms: Terms,
    },
    /// Whole numbers; booleans as 0 and 1; instants in nanoseconds since 1970.
    Long(Longs),
    /// Numbers with a fraction.
    Double(Vec<f64>),
}

/// Whole numbers, and where they are known, how they were coded.
#[derive(Clone, Debug, Default)]
pub struct Longs {
    values: Vec<i64>,
    coded: Option<CodedLongs>,
}

/// The same numbers by their numbers in a list of distinct ones: what is the same for the same number need be found out
/// only once.
#[derive(Clone, Debug)]
pub struct CodedLongs {
    /// For each value its place in the list.
    pub codes: Vec<u32>,
    /// Each once, in no particular order; some may not occur.
    pub distinct: Vec<i64>,
}

impl Longs {
    /// Numbers that were decoded from these codes, one for each.
    pub(crate) fn coded(values: Vec<i64>, coded: CodedLongs) -> Self {
        debug_assert_eq!(values.len(), coded.codes.len());
        Self { values, coded: Some(coded) }
    }

    /// How they were coded, where that is known.
    pub fn codes(&self) -> Option<&CodedLongs> {
        self.coded.as_ref()
    }

    fn bytes(&self) -> usize {
        self.values.len() * 8 + self.coded.as_ref().map_or(0, |c| c.codes.len() * 4 + c.distinct.len() * 8)
    }
}

impl From<Vec<i64>> for Longs {
    fn from(values: Vec<i64>) -> Self {
        Self { values, coded: None }
    }
}

impl FromIterator<i64> for Longs {
    fn from_iter<I: IntoIterator<Item = i64>>(values: I) -> Self {
        Self::from(Vec::from_iter(values))
    }
}

impl Deref for Longs {
    type Target = [i64];

    fn deref(&self) -> &[i64] {
        &self.values
    }
}

/// The distinct values of a coded column.
#[derive(Debug)]
pub enum Terms {
    /// Texts.
    Text(StringArray),
    /// Addresses, IPv4 as v4-mapped.
    Ip(Vec<u128>),
}

impl Column {
    /// The indices of the values of a row. For `Few` this searches; walk both lists where many rows are asked for.
    pub fn of(&self, row: u32) -> std::ops::Range<usize> {
        let at = row as usize;
        match &self.rows {
            Rows::Each => at..at + 1,
            Rows::Few(rows) => match rows.binary_search(&row) {
                Ok(i) => i..i + 1,
                Err(i) => i..i,
            },
            Rows::Many(offsets) => offsets[at] as usize..offsets[at + 1] as usize,
        }
    }

    /// What it takes in memory, about, in bytes.
    pub fn bytes(&self) -> usize {
        use arrow_array::Array;
        self.rows.bytes()
            + match &self.values {
                Values::Coded { codes, terms } => {
                    codes.len() * 4
                        + match terms {
                            Terms::Text(texts) => texts.get_buffer_memory_size(),
                            Terms::Ip(ips) => ips.len() * 16,
                        }
                }
                Values::Long(v) => v.bytes(),
                Values::Double(v) => v.len() * 8,
            }
    }
}
