//! A block in memory, made of JSON documents.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    reason = "shared by tests that use parts of it"
)]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use arrow_array::StringArray;
use serde_json::Value;
use wirebeat_model::Kind;
use wirebeat_store::block::{Block, BlockError, Column, Rows, Terms, Values};

/// Documents and their columns.
pub(crate) struct MemBlock {
    sources: Vec<String>,
    columns: BTreeMap<String, Arc<Column>>,
    fields: Vec<(String, Kind)>,
    bounds: BTreeMap<String, (i64, i64)>,
}

/// A field's value in a document.
#[derive(Clone, Debug)]
enum Cell {
    Text(String),
    Ip(u128),
    Long(i64),
    Double(f64),
}

impl MemBlock {
    /// Documents with their `_id`s; fields have the kinds given, others have no column.
    pub(crate) fn new(documents: &[(String, Value)], kinds: &[(&str, Kind)], first_seq: i64) -> Self {
        let mut cells: BTreeMap<String, (Kind, Vec<Vec<Cell>>)> = BTreeMap::new();
        let rows = documents.len();
        let mut put = |name: &str, kind: Kind, row: usize, cell: Cell| {
            let entry = cells.entry(name.to_owned()).or_insert_with(|| (kind, vec![Vec::new(); rows]));
            entry.1[row].push(cell);
        };
        for (row, (id, document)) in documents.iter().enumerate() {
            put("_id", Kind::Keyword, row, Cell::Text(id.clone()));
            put("_seq", Kind::Long, row, Cell::Long(first_seq + row as i64));
            for (name, kind) in kinds {
                if *kind == Kind::Map {
                    let Some(map) = document.pointer(&format!("/{}", name.replace('.', "/"))) else {
                        continue;
                    };
                    for (key, value) in map.as_object().into_iter().flatten() {
                        for leaf in leaves(value) {
                            let text = leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned);
                            put(name, Kind::Map, row, Cell::Text(text.clone()));
                            put(&format!("{name}.{key}"), Kind::Keyword, row, Cell::Text(text));
                        }
                    }
                    continue;
                }
                let path: Vec<&str> = name.split('.').collect();
                for leaf in at(document, &path) {
                    if let Some(cell) = cell(*kind, leaf) {
                        put(name, *kind, row, cell);
                    }
                }
            }
        }
        let mut out = Self {
            sources: documents.iter().map(|d| d.1.to_string()).collect(),
            columns: BTreeMap::new(),
            fields: Vec::new(),
            bounds: BTreeMap::new(),
        };
        for (name, (kind, cells)) in cells {
            if let Some(bounds) = bounds(&cells) {
                out.bounds.insert(name.clone(), bounds);
            }
            out.columns.insert(name.clone(), Arc::new(column(kind, cells)));
            if !name.starts_with('_') {
                out.fields.push((name, kind));
            }
        }
        out
    }
}

fn at<'v>(value: &'v Value, path: &[&str]) -> Vec<&'v Value> {
    match value {
        Value::Array(list) => list.iter().flat_map(|v| at(v, path)).collect(),
        value if path.is_empty() => vec![value],
        Value::Object(map) => map.get(path[0]).map(|v| at(v, &path[1..])).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn leaves(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(list) => list.iter().flat_map(leaves).collect(),
        Value::Null => Vec::new(),
        value => vec![value],
    }
}

/// An instant such as `2026-11-25T10:00:00.123456789Z`, in nanoseconds.
pub(crate) fn nanos(text: &str) -> i64 {
    let at: jiff::Timestamp = text.parse().unwrap();
    i64::try_from(at.as_nanosecond()).unwrap()
}

/// IPv4 as v4-mapped.
pub(crate) fn ip(text: &str) -> u128 {
    match text.parse::<IpAddr>().unwrap() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().into(),
        IpAddr::V6(v6) => v6.into(),
    }
}

fn cell(kind: Kind, value: &Value) -> Option<Cell> {
    Some(match kind {
        Kind::Keyword | Kind::Text | Kind::Map => Cell::Text(value.as_str()?.to_owned()),
        Kind::Long => Cell::Long(value.as_i64()?),
        Kind::Double => Cell::Double(value.as_f64()?),
        Kind::Boolean => Cell::Long(value.as_bool()?.into()),
        Kind::Ip => Cell::Ip(ip(value.as_str()?)),
        Kind::Date => Cell::Long(nanos(value.as_str()?)),
        Kind::Objects => return None,
    })
}

fn bounds(cells: &[Vec<Cell>]) -> Option<(i64, i64)> {
    let numbers: Vec<i64> = cells
        .iter()
        .flatten()
        .filter_map(|c| match c {
            Cell::Long(n) => Some(*n),
            _ => None,
        })
        .collect();
    Some((*numbers.iter().min()?, *numbers.iter().max()?))
}

fn column(kind: Kind, cells: Vec<Vec<Cell>>) -> Column {
    let most = cells.iter().map(Vec::len).max().unwrap_or(0);
    let rows = if cells.iter().all(|c| c.len() == 1) {
        Rows::Each
    } else if most <= 1 {
        Rows::Few((0..cells.len() as u32).filter(|i| !cells[*i as usize].is_empty()).collect())
    } else {
        let mut offsets = vec![0];
        for cell in &cells {
            offsets.push(offsets[offsets.len() - 1] + cell.len() as u32);
        }
        Rows::Many(offsets)
    };
    let flat: Vec<Cell> = cells.into_iter().flatten().collect();
    let values = match flat[0] {
        Cell::Text(_) => {
            let mut terms: Vec<String> = Vec::new();
            let mut codes = Vec::new();
            for cell in &flat {
                let Cell::Text(text) = cell else { unreachable!("one kind") };
                let code = terms.iter().position(|t| t == text).unwrap_or_else(|| {
                    terms.push(text.clone());
                    terms.len() - 1
                });
                codes.push(code as u32);
            }
            Values::Coded { codes, terms: Terms::Text(StringArray::from(terms)) }
        }
        Cell::Ip(_) => {
            let mut terms: Vec<u128> = Vec::new();
            let mut codes = Vec::new();
            for cell in &flat {
                let Cell::Ip(ip) = cell else { unreachable!("one kind") };
                let code = terms.iter().position(|t| t == ip).unwrap_or_else(|| {
                    terms.push(*ip);
                    terms.len() - 1
                });
                codes.push(code as u32);
            }
            Values::Coded { codes, terms: Terms::Ip(terms) }
        }
        Cell::Long(_) => Values::Long(
            flat.iter()
                .map(|c| match c {
                    Cell::Long(n) => *n,
                    _ => unreachable!("one kind"),
                })
                .collect(),
        ),
        Cell::Double(_) => Values::Double(
            flat.iter()
                .map(|c| match c {
                    Cell::Double(n) => *n,
                    _ => unreachable!("one kind"),
                })
                .collect(),
        ),
    };
    Column { kind, rows, values }
}

impl Block for MemBlock {
    fn rows(&self) -> usize {
        self.sources.len()
    }

    fn time(&self) -> (i64, i64) {
        self.bounds.get("@timestamp").copied().unwrap_or((i64::MIN, i64::MAX))
    }

    fn fields(&self) -> &[(String, Kind)] {
        &self.fields
    }

    fn column(&self, name: &str) -> Result<Option<Arc<Column>>, BlockError> {
        Ok(self.columns.get(name).cloned())
    }

    fn may_contain(&self, name: &str, term: &str) -> bool {
        match self.columns.get(name).map(|c| &c.values) {
            None => false,
            Some(Values::Coded { terms: Terms::Text(texts), .. }) => texts.iter().any(|t| t == Some(term)),
            Some(_) => true,
        }
    }

    fn bounds(&self, name: &str) -> Option<(i64, i64)> {
        self.bounds.get(name).copied()
    }

    fn sources(&self, rows: &[u32]) -> Result<Vec<String>, BlockError> {
        Ok(rows.iter().map(|r| self.sources[*r as usize].clone()).collect())
    }
}
