//! A stored column in memory, and what a block holds under a name, made of stored columns.

use std::path::PathBuf;
use std::sync::Arc;

use wirebeat_model::Kind;

use crate::block::{BlockError, Column, Rows, Terms, Values};
use crate::layout::{ID, Stored, is_below};
use crate::map::map_values;
use crate::terms::Merged;

/// A stored column.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// For a member of a list of objects: row `i` has the objects `objects[i]..objects[i + 1]`, and the column's rows are
    /// objects.
    pub(crate) objects: Option<Arc<Vec<u32>>>,
    pub(crate) column: Arc<Column>,
}

impl Part {
    pub(crate) fn bytes(&self) -> usize {
        self.column.bytes() + self.objects.as_ref().map_or(0, |o| o.len() * 4)
    }
}

/// Rows as stored columns.
pub(crate) trait Parts {
    /// How many rows.
    fn rows(&self) -> usize;
    /// What is stored, sorted by name.
    fn stored(&self) -> &[Stored];
    /// The column at this place of [`Parts::stored`]; `None` when no row has a value.
    fn part(&self, at: usize) -> Result<Option<Part>, BlockError>;

    /// Where the rows are, for messages.
    fn origin(&self) -> PathBuf {
        PathBuf::from("memory")
    }

    /// The column of this name.
    fn named(&self, name: &str) -> Result<Option<Part>, BlockError> {
        match self.stored().binary_search_by(|s| s.name.as_str().cmp(name)) {
            Ok(at) => self.part(at),
            Err(_) => Ok(None),
        }
    }
}

/// What the rows hold under a name.
pub(crate) fn logical(parts: &dyn Parts, name: &str) -> Result<Option<Arc<Column>>, BlockError> {
    let mut found = Vec::new();
    for (at, stored) in parts.stored().iter().enumerate() {
        if stored.field == name
            && let Some(part) = parts.part(at)?
        {
            found.push(match stored.kind() {
                _ if stored.same => match same_as_id(parts, &part)? {
                    Some(part) => part.column,
                    None => continue,
                },
                Kind::Map => Arc::new(map_values(&part.column, None, parts.rows())),
                _ => flat(&part),
            });
        } else if stored.kind() == Kind::Map && is_below(name, &stored.field) {
            let key = &name[stored.field.len() + 1..];
            if let Some(part) = parts.part(at)? {
                found.push(Arc::new(map_values(&part.column, Some(key), parts.rows())));
            }
        }
    }
    found.retain(|c| value_count(c) > 0);
    Ok(match found.len() {
        0 => None,
        1 => found.pop(),
        _ => Some(Arc::new(merged(&found, parts.rows()))),
    })
}

/// The event's names, in the rows where `part` says that a field is one.
pub(crate) fn same_as_id(parts: &dyn Parts, part: &Part) -> Result<Option<Part>, BlockError> {
    let Some(ids) = parts.named(ID)? else { return Ok(None) };
    let (Rows::Few(rows), Values::Coded { codes, terms: Terms::Text(terms) }, Rows::Each) =
        (&part.column.rows, &ids.column.values, &ids.column.rows)
    else {
        return Ok(Some(ids));
    };
    let codes = rows.iter().map(|&row| codes[row as usize]).collect();
    let values = Values::Coded { codes, terms: Terms::Text(terms.clone()) };
    let column = Column { kind: Kind::Keyword, rows: Rows::Few(rows.clone()), values };
    Ok(Some(Part { objects: None, column: Arc::new(column) }))
}

/// The fields behind stored columns, with their kinds, sorted.
pub(crate) fn fields(stored: &[Stored]) -> Vec<(String, Kind)> {
    let mut list: Vec<_> =
        stored.iter().filter(|s| !s.internal()).map(|s| (s.field.clone(), s.field_kind())).collect();
    list.sort_by(|a, b| a.0.cmp(&b.0));
    list.dedup_by(|a, b| a.0 == b.0);
    list
}

pub(crate) fn value_count(column: &Column) -> usize {
    match &column.values {
        Values::Coded { codes, .. } => codes.len(),
        Values::Long(v) => v.len(),
        Values::Double(v) => v.len(),
    }
}

/// The column without its objects.
fn flat(part: &Part) -> Arc<Column> {
    let Some(objects) = &part.objects else { return Arc::clone(&part.column) };
    let column = &part.column;
    // Where the values of the first `n` objects end.
    let offsets = match &column.rows {
        Rows::Each => objects.to_vec(),
        Rows::Many(ends) => objects.iter().map(|&o| ends[o as usize]).collect(),
        Rows::Few(rows) => {
            let mut at = 0;
            let upto = |&o: &u32| {
                while at < rows.len() && rows[at] < o {
                    at += 1;
                }
                at as u32
            };
            objects.iter().map(upto).collect()
        }
    };
    Arc::new(Column { kind: column.kind, rows: Rows::Many(offsets), values: copy(&column.values) })
}

fn copy(values: &Values) -> Values {
    match values {
        Values::Coded { codes, terms } => Values::Coded {
            codes: codes.clone(),
            terms: match terms {
                Terms::Text(texts) => Terms::Text(texts.clone()),
                Terms::Ip(ips) => Terms::Ip(ips.clone()),
            },
        },
        Values::Long(v) => Values::Long(v.clone()),
        Values::Double(v) => Values::Double(v.clone()),
    }
}

/// Several columns of one field as one: a row has the values of the first, then those of the next.
fn merged(columns: &[Arc<Column>], rows: usize) -> Column {
    let mut offsets = Vec::with_capacity(rows + 1);
    // In which order the values go: column and index.
    let mut order: Vec<(usize, usize)> = Vec::new();
    let mut cursors: Vec<Cursor<'_>> = columns.iter().map(|c| Cursor::new(&c.rows)).collect();
    offsets.push(0);
    for row in 0..rows as u32 {
        for (c, cursor) in cursors.iter_mut().enumerate() {
            order.extend(cursor.of(row).map(|i| (c, i)));
        }
        offsets.push(order.len() as u32);
    }
    let kind = columns.first().map_or(Kind::Keyword, |c| c.kind);
    Column { kind, rows: Rows::Many(offsets), values: gather(columns, &order) }
}

fn gather(columns: &[Arc<Column>], order: &[(usize, usize)]) -> Values {
    match columns.first().map(|c| &c.values) {
        Some(Values::Coded { terms, .. }) => {
            let mut all = Merged::like(terms);
            let renumbered: Vec<Vec<u32>> = columns
                .iter()
                .map(|c| match &c.values {
                    Values::Coded { codes, terms } => {
                        let new = all.add(terms);
                        codes.iter().map(|&code| new[code as usize]).collect()
                    }
                    _ => Vec::new(),
                })
                .collect();
            Values::Coded {
                codes: order.iter().map(|&(c, i)| renumbered[c][i]).collect(),
                terms: all.into_terms(),
            }
        }
        Some(Values::Long(_)) => Values::Long(
            order
                .iter()
                .map(|&(c, i)| if let Values::Long(v) = &columns[c].values { v[i] } else { 0 })
                .collect(),
        ),
        _ => Values::Double(
            order
                .iter()
                .map(|&(c, i)| if let Values::Double(v) = &columns[c].values { v[i] } else { 0.0 })
                .collect(),
        ),
    }
}

/// Walks rows upwards.
pub(crate) struct Cursor<'a> {
    rows: &'a Rows,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(rows: &'a Rows) -> Self {
        Self { rows, at: 0 }
    }

    /// The indices of the values of a row; rows are asked for in ascending order.
    pub(crate) fn of(&mut self, row: u32) -> std::ops::Range<usize> {
        match self.rows {
            Rows::Each => row as usize..row as usize + 1,
            Rows::Few(list) => {
                while self.at < list.len() && list[self.at] < row {
                    self.at += 1;
                }
                let here = list.get(self.at) == Some(&row);
                self.at..self.at + usize::from(here)
            }
            Rows::Many(offsets) => offsets[row as usize] as usize..offsets[row as usize + 1] as usize,
        }
    }
}
