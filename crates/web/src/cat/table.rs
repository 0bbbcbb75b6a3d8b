//! Tables of `_cat`: chosen columns, sorted rows, as text or JSON.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::Failure;
use crate::call::Call;
use crate::media::Form;
use crate::names::glob;
use crate::reply::Reply;
use crate::units;

/// Parameters of every table.
pub(crate) const TABLE: &[&str] =
    &["h", "help", "s", "v", "bytes", "time", "size", "local", "master_timeout"];

/// A column.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) help: &'static str,
    /// Shown when no columns are asked for.
    pub(crate) shown: bool,
    /// Numbers stand at the right.
    pub(crate) right: bool,
}

impl Column {
    /// Shown, at the left.
    pub(crate) const fn new(
        name: &'static str,
        aliases: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self { name, aliases, help, shown: true, right: false }
    }

    /// Numbers.
    pub(crate) const fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// Only when asked for.
    pub(crate) const fn hidden(mut self) -> Self {
        self.shown = false;
        self
    }

    fn is_named(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// A value in a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Text(String),
    Number(u64),
    /// A size in bytes.
    Bytes(u64),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Cell {
    fn text(&self, unit: Option<&str>) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(n) => n.to_string(),
            Self::Bytes(n) => match unit.and_then(|unit| units::bytes_in(*n, unit)) {
                Some(n) => n.to_string(),
                None => units::bytes(*n),
            },
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a) | Self::Bytes(a), Self::Number(b) | Self::Bytes(b)) => a.cmp(b),
            (a, b) => a.text(None).cmp(&b.text(None)),
        }
    }
}

/// Rows of as many cells as there are columns.
pub(crate) fn render(
    call: &Call<'_>,
    columns: &[Column],
    rows: impl FnOnce() -> Result<Vec<Vec<Cell>>, Failure>,
) -> Result<Reply, Failure> {
    call.params.flag("local")?;
    call.params.time("master_timeout")?;
    if call.params.flag("help")? {
        return Ok(Reply::text(help(columns)));
    }
    // A unit that is none is passed over, as Elasticsearch does.
    let unit = call.params.text("bytes");
    let as_json = match call.params.text("format") {
        Some("json") => true,
        Some("text" | "txt") => false,
        _ => matches!(call.accepted, Some(Form::Json | Form::Versioned(_))),
    };
    let chosen = choose(columns, call.params.list("h"));
    let mut rows = rows()?;
    sort(columns, &mut rows, call.params.list("s"))?;
    if as_json {
        let objects = rows.iter().map(|row| {
            let members = chosen
                .iter()
                .filter_map(|(title, at)| Some((title.clone(), Value::String(row.get(*at)?.text(unit)))));
            Value::Object(members.collect::<Map<_, _>>())
        });
        return Ok(Value::Array(objects.collect()).into());
    }
    Ok(Reply::text(text(columns, &chosen, &rows, unit, call.params.flag("v")?)))
}

/// The columns asked for, each under the name it was asked by; `*` stands for any text.
fn choose(columns: &[Column], names: Option<Vec<&str>>) -> Vec<(String, usize)> {
    let Some(names) = names else {
        let shown = columns.iter().enumerate().filter(|(_, column)| column.shown);
        return shown.map(|(at, column)| (column.name.to_owned(), at)).collect();
    };
    let mut chosen: Vec<(String, usize)> = Vec::new();
    for name in names {
        let found = columns.iter().enumerate().filter_map(|(at, column)| {
            let title = if name.contains('*') {
                glob(name, column.name).then_some(column.name)
            } else {
                column.is_named(name).then_some(name)
            };
            title.map(|title| (title.to_owned(), at))
        });
        for one in found {
            if !chosen.contains(&one) {
                chosen.push(one);
            }
        }
    }
    chosen
}

/// By `?s=docs.count:desc,index`.
fn sort(columns: &[Column], rows: &mut [Vec<Cell>], by: Option<Vec<&str>>) -> Result<(), Failure> {
    let mut keys = Vec::new();
    for part in by.unwrap_or_default() {
        let (name, down) = match part.rsplit_once(':') {
            Some((name, "desc")) => (name, true),
            Some((name, "asc")) => (name, false),
            _ => (part, false),
        };
        let at = columns
            .iter()
            .position(|column| column.is_named(name))
            .ok_or_else(|| Failure::illegal(format!("Unable to sort by unknown sort key `{name}`")))?;
        keys.push((at, down));
    }
    if !keys.is_empty() {
        rows.sort_by(|a, b| {
            keys.iter().fold(Ordering::Equal, |order, &(at, down)| {
                order.then_with(|| {
                    let order = a[at].order(&b[at]);
                    if down { order.reverse() } else { order }
                })
            })
        });
    }
    Ok(())
}

fn text(
    columns: &[Column],
    chosen: &[(String, usize)],
    rows: &[Vec<Cell>],
    unit: Option<&str>,
    head: bool,
) -> String {
    let mut lines: Vec<Vec<String>> = Vec::with_capacity(rows.len() + 1);
    if head {
        lines.push(chosen.iter().map(|(title, _)| title.clone()).collect());
    }
    for row in rows {
        let cells = chosen.iter().map(|(_, at)| one_line(&row[*at].text(unit)));
        lines.push(cells.collect());
    }
    let widths: Vec<usize> = (0..chosen.len())
        .map(|i| lines.iter().map(|line| line[i].chars().count()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for line in &lines {
        for (i, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let last = i + 1 == line.len();
            let gap = width - cell.chars().count();
            let right = columns[chosen[i].1].right;
            if right {
                out.push_str(&" ".repeat(gap));
            }
            out.push_str(cell);
            if !last {
                out.push_str(&" ".repeat(if right { 1 } else { gap + 1 }));
            } else if !right {
                out.push_str(&" ".repeat(gap));
            }
        }
        out.push('\n');
    }
    out
}

/// A name from elsewhere cannot end its line or move the cursor.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn help(columns: &[Column]) -> String {
    let rows: Vec<(String, String, &str)> =
        columns.iter().map(|c| (c.name.to_owned(), c.aliases.join(","), c.help)).collect();
    let width = |f: fn(&(String, String, &str)) -> usize| rows.iter().map(f).max().unwrap_or(0);
    let (names, aliases, helps) = (width(|r| r.0.len()), width(|r| r.1.len()), width(|r| r.2.len()));
    rows.iter()
        .map(|(name, alias, help)| format!("{name:<names$} | {alias:<aliases$} | {help:<helps$} \n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column::new("index", &["i", "idx"], "index name"),
        Column::new("docs.count", &["dc", "docsCount"], "available docs").right(),
        Column::new("store.size", &["ss"], "store size").right(),
        Column::new("tm", &[], "hidden").hidden(),
    ];

    fn rows() -> Vec<Vec<Cell>> {
        vec![
            vec!["b".into(), Cell::Number(9), Cell::Bytes(2048), "".into()],
            vec!["long\nname".into(), Cell::Number(100), Cell::Bytes(1300), "".into()],
        ]
    }

    #[test]
    fn columns_rows_and_units() {
        let default = choose(COLUMNS, None);
        assert_eq!(
            text(COLUMNS, &default, &rows(), None, true),
            "index     docs.count store.size\nb                  9        2kb\nlong\u{fffd}name        100      1.2kb\n"
        );
        let chosen = choose(COLUMNS, Some(vec!["dc", "i", "store.*", "none"]));
        assert_eq!(
            text(COLUMNS, &chosen, &rows(), Some("b"), true).lines().next().unwrap(),
            " dc i         store.size"
        );
        let mut sorted = rows();
        sort(COLUMNS, &mut sorted, Some(vec!["dc:desc", "index"])).unwrap();
        assert_eq!(sorted[0][1], Cell::Number(100));
        assert!(sort(COLUMNS, &mut sorted, Some(vec!["x"])).is_err());
    }

    #[test]
    fn helps() {
        assert!(help(COLUMNS).starts_with("index      | i,idx        | index name     \n"));
    }
}
