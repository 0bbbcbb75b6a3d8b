//! Rows in memory: what an open partition consists of.

use std::sync::Arc;

use wirebeat_model::{Kind, ip_addr};

use crate::block::{Block, BlockError, Column, Terms, Values};
use crate::layout::Stored;
use crate::part::{Part, Parts, fields, logical};
use crate::source;

/// At most so many rows are together.
pub(crate) const BATCH_ROWS: usize = 1024;

/// Rows that do not change any more.
pub(crate) struct Batch {
    rows: usize,
    time: (i64, i64),
    stored: Vec<Stored>,
    parts: Vec<Part>,
    fields: Vec<(String, Kind)>,
    bytes: usize,
}

impl Batch {
    pub(crate) fn new(rows: usize, time: (i64, i64), mut parts: Vec<(Stored, Part)>) -> Self {
        parts.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        let bytes = parts.iter().map(|(_, p)| p.bytes()).sum();
        let (stored, parts): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        Self { rows, time, fields: fields(&stored), stored, parts, bytes }
    }

    /// What it takes in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Parts for Batch {
    fn rows(&self) -> usize {
        self.rows
    }
    fn stored(&self) -> &[Stored] {
        &self.stored
    }
    fn part(&self, at: usize) -> Result<Option<Part>, BlockError> {
        Ok(self.parts.get(at).cloned())
    }
}

impl Block for Batch {
    fn rows(&self) -> usize {
        self.rows
    }

    fn time(&self) -> (i64, i64) {
        self.time
    }

    fn fields(&self) -> &[(String, Kind)] {
        &self.fields
    }

    fn column(&self, name: &str) -> Result<Option<Arc<Column>>, BlockError> {
        logical(self, name)
    }

    fn may_contain(&self, name: &str, term: &str) -> bool {
        // Few rows: looking is cheap.
        match logical(self, name) {
            Ok(Some(column)) => contains(&column, term),
            Ok(None) => false,
            Err(_) => true,
        }
    }

    fn bounds(&self, name: &str) -> Option<(i64, i64)> {
        match &logical(self, name).ok()??.values {
            Values::Long(v) => Some((*v.iter().min()?, *v.iter().max()?)),
            _ => None,
        }
    }

    fn sources(&self, rows: &[u32]) -> Result<Vec<String>, BlockError> {
        source::sources(self, rows)
    }
}

/// Whether a text is among the terms of a column; true for columns without terms.
pub(crate) fn contains(column: &Column, term: &str) -> bool {
    match &column.values {
        Values::Coded { terms: Terms::Text(texts), .. } => texts.iter().any(|t| t == Some(term)),
        Values::Coded { terms: Terms::Ip(ips), .. } => match term.parse::<std::net::IpAddr>() {
            Ok(ip) => ips.iter().any(|&i| ip_addr(i) == ip),
            Err(_) => true,
        },
        _ => true,
    }
}
