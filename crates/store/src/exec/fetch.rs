//! Hits: what is told of documents.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};
use wirebeat_model::Kind;

use super::agg::decimal::Written;
use super::mapping::{Field, Mapping};
use super::rank::{Ordered, Ranked};
use super::view::unreadable;
use crate::block::{Block, Terms, Values};
use crate::lang::ast::Scalar;
use crate::lang::date::{DateFormat, Zone};
use crate::lang::error::EsError;
use crate::lang::ip;
use crate::lang::json::matches_simple;
use crate::lang::request::{FieldAsk, SearchRequest, SourceFilter};

/// A block with its place in the search.
#[derive(Clone, Copy)]
pub(crate) struct Placed<'a> {
    pub(crate) block: &'a dyn Block,
    pub(crate) index: &'a str,
    /// How many rows are before it.
    pub(crate) base: u64,
}

/// The list `hits` of documents that were found, in their order.
pub(crate) fn hits(
    found: &[Ranked],
    ordered: &Ordered,
    blocks: &[Placed<'_>],
    request: &SearchRequest,
    score: Option<f32>,
    mapping: &Mapping,
) -> Result<Vec<Value>, EsError> {
    let teller = Teller::new(request, mapping)?;
    // Rows by block, so that each block is read once.
    let mut by_block: BTreeMap<usize, Vec<(u32, usize)>> = BTreeMap::new();
    for (place, one) in found.iter().enumerate() {
        let block = blocks.partition_point(|b| b.base <= one.at).saturating_sub(1);
        let row = blocks.get(block).map_or(0, |b| one.at - b.base);
        by_block.entry(block).or_default().push((u32::try_from(row).unwrap_or(u32::MAX), place));
    }
    let mut out = vec![Value::Null; found.len()];
    for (block, mut rows) in by_block {
        let Some(placed) = blocks.get(block) else { continue };
        rows.sort_unstable();
        let numbers: Vec<u32> = rows.iter().map(|r| r.0).collect();
        let ids = texts(placed.block, "_id", &numbers)?;
        let seqs = if request.seq_no { texts(placed.block, "_seq", &numbers)? } else { Vec::new() };
        let sources = if teller.needs_source {
            placed.block.sources(&numbers).map_err(|e| unreadable(&e))?
        } else {
            Vec::new()
        };
        for (i, (_, place)) in rows.iter().enumerate() {
            let mut hit = Map::new();
            hit.insert("_index".to_owned(), json!(placed.index));
            if !teller.bare
                && let Some(id) = ids.get(i)
            {
                hit.insert("_id".to_owned(), json!(id));
            }
            if request.version {
                hit.insert("_version".to_owned(), json!(1));
            }
            if let Some(seq) = seqs.get(i) {
                hit.insert("_seq_no".to_owned(), json!(seq.parse::<i64>().unwrap_or(0)));
                hit.insert("_primary_term".to_owned(), json!(1));
            }
            let own = ordered.score_of(&found[*place].keys).map(|s| json!(s as f32));
            hit.insert("_score".to_owned(), own.or(score.map(|s| json!(s))).unwrap_or(Value::Null));
            if let Some(text) = sources.get(i) {
                let document: Value = serde_json::from_str(text)
                    .map_err(|e| EsError::new(500, "json_parse_exception", e.to_string()))?;
                teller.tell(document, &mut hit)?;
            }
            if ordered.is_told() {
                hit.insert("sort".to_owned(), json!(ordered.to_json(&found[*place].keys)));
            }
            out[*place] = Value::Object(hit);
        }
    }
    Ok(out)
}

/// A column's first values as texts.
fn texts(block: &dyn Block, name: &str, rows: &[u32]) -> Result<Vec<String>, EsError> {
    let Some(column) = block.column(name).map_err(|e| unreadable(&e))? else {
        return Ok(Vec::new());
    };
    let one = |row: u32| {
        let at = column.of(row).next();
        match (at, &column.values) {
            (None, _) => String::new(),
            (Some(i), Values::Long(v)) => v[i].to_string(),
            (Some(i), Values::Double(v)) => v[i].to_string(),
            (Some(i), Values::Coded { codes, terms: Terms::Text(t) }) => {
                t.value(codes[i] as usize).to_owned()
            }
            (Some(i), Values::Coded { codes, terms: Terms::Ip(t) }) => ip::write(t[codes[i] as usize]),
        }
    };
    Ok(rows.iter().map(|row| one(*row)).collect())
}

/// What is told of a document.
struct Teller<'r> {
    source: Option<SourceFilter>,
    fields: Vec<Asked<'r>>,
    /// Not even its `_id`.
    bare: bool,
    needs_source: bool,
}

/// A field that is asked for.
struct Asked<'r> {
    pattern: &'r str,
    format: Option<DateFormat>,
    /// How numbers are written.
    number: Option<Written>,
    /// From columns: sorted, each once.
    from_columns: bool,
    /// Aliases that are asked for, by the field they mean.
    aliases: HashMap<&'r str, Vec<&'r str>>,
    mapping: &'r Mapping,
}

impl<'r> Teller<'r> {
    fn new(request: &'r SearchRequest, mapping: &'r Mapping) -> Result<Self, EsError> {
        let stored = request.stored_fields.as_deref();
        let bare = stored.is_some_and(|s| s.iter().any(|f| f == "_none_"));
        // Naming stored fields leaves out the source, unless it is among them.
        let hidden = stored.is_some_and(|s| !s.iter().any(|f| f == "_source" || f == "*"));
        let source = match (&request.source, hidden) {
            (Some(filter), _) => Some(filter.clone()).filter(|f| f.fetch),
            (None, true) => None,
            (None, false) => Some(SourceFilter { fetch: true, includes: Vec::new(), excludes: Vec::new() }),
        };
        let mut fields = Vec::new();
        for (asks, from_columns) in [(&request.fields, false), (&request.docvalue_fields, true)] {
            for ask in asks {
                fields.push(Asked::new(ask, from_columns, mapping)?);
            }
        }
        let needs_source = source.is_some() || !fields.is_empty();
        Ok(Self { source, fields, bare, needs_source })
    }

    fn tell(&self, document: Value, hit: &mut Map<String, Value>) -> Result<(), EsError> {
        if !self.fields.is_empty() {
            let mut leaves = Vec::new();
            let mut path = String::new();
            walk(&document, &mut path, &mut leaves);
            let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
            for asked in &self.fields {
                asked.tell(&leaves, &mut told);
                if !asked.from_columns {
                    asked.tell_maps(&document, &mut told);
                }
            }
            if !told.is_empty() {
                hit.insert("fields".to_owned(), json!(told));
            }
        }
        if let Some(filter) = &self.source {
            hit.insert("_source".to_owned(), filter.apply(document));
        }
        Ok(())
    }
}

/// The values of a document with their dotted names.
fn walk<'d>(value: &'d Value, path: &mut String, out: &mut Vec<(String, &'d Value)>) {
    match value {
        Value::Object(map) => {
            let length = path.len();
            for (name, value) in map {
                if length > 0 {
                    path.push('.');
                }
                path.push_str(name);
                walk(value, path, out);
                path.truncate(length);
            }
        }
        Value::Array(list) => list.iter().for_each(|v| walk(v, path, out)),
        Value::Null => {}
        leaf => out.push((path.clone(), leaf)),
    }
}

impl<'r> Asked<'r> {
    fn new(ask: &'r FieldAsk, from_columns: bool, mapping: &'r Mapping) -> Result<Self, EsError> {
        let format = ask.format.as_deref().filter(|f| *f != "use_field_mapping");
        let names = mapping.matching(&ask.pattern);
        let mut aliases: HashMap<&str, Vec<&str>> = HashMap::new();
        for (field, alias) in names.iter().filter_map(|name| Some((mapping.alias_of(name)?, *name))) {
            aliases.entry(field).or_default().push(alias);
        }
        let kinds: Vec<Kind> = names.iter().filter_map(|name| mapping.get(name)).map(|f| f.kind).collect();
        // A name alone has to fit; of many fields those that do not are told as they are.
        let one = match kinds.as_slice() {
            [kind] if !ask.pattern.contains('*') => Some(*kind),
            _ => None,
        };
        let refuse = |kind: Kind, what: &str| {
            let name = &ask.pattern;
            Err(EsError::illegal(format!("Field [{name}] of type [{}] {what}", kind.es_type())))
        };
        match (one, format) {
            (Some(kind @ Kind::Text), _) if from_columns => {
                return refuse(kind, "does not support docvalue_fields");
            }
            (Some(kind @ (Kind::Keyword | Kind::Text | Kind::Map | Kind::Ip | Kind::Boolean)), Some(_)) => {
                return refuse(kind, "does not support custom formats");
            }
            _ => {}
        }
        let number = match format {
            Some(pattern) if from_columns && one.is_some_and(|k| matches!(k, Kind::Long | Kind::Double)) => {
                Some(Written::new(Kind::Double, Some(pattern))?)
            }
            _ => None,
        };
        let format = match format {
            Some(format) if kinds.contains(&Kind::Date) => Some(DateFormat::parse(format)?),
            _ => None,
        };
        Ok(Self { pattern: &ask.pattern, format, number, from_columns, aliases, mapping })
    }

    /// Maps are told as they are, and so are their keys' values.
    fn tell_maps(&self, document: &Value, told: &mut BTreeMap<String, Vec<Value>>) {
        for name in self.mapping.matching(self.pattern) {
            if let Some(field) = self.mapping.get(name).filter(|f| f.kind == Kind::Map) {
                let found = field.column.split('.').try_fold(document, |at, part| at.get(part));
                if let Some(map) = found.filter(|v| !v.is_null()) {
                    told.insert(name.to_owned(), vec![map.clone()]);
                }
            }
        }
    }

    fn tell(&self, leaves: &[(String, &Value)], told: &mut BTreeMap<String, Vec<Value>>) {
        let mut found: BTreeMap<String, (Field, Vec<&Value>)> = BTreeMap::new();
        for (name, value) in leaves {
            let own = Some(name.as_str()).filter(|name| matches_simple(self.pattern, name));
            let aliases = self.aliases.get(name.as_str()).into_iter().flatten().copied();
            for told_as in own.into_iter().chain(aliases) {
                if let Some(field) = self.mapping.get(name)
                    && !(self.from_columns && field.kind == Kind::Text)
                    && (self.pattern == name || !self.mapping.is_key(name))
                {
                    found.entry(told_as.to_owned()).or_insert_with(|| (field, Vec::new())).1.push(value);
                }
            }
        }
        for (name, (field, values)) in found {
            let key = !self.from_columns && self.mapping.is_key(&name);
            let one = |v: &&Value| if key { Some((*v).clone()) } else { self.value(&field, v) };
            let mut list: Vec<Value> = values.iter().filter_map(one).collect();
            if self.from_columns {
                list.sort_by(compare);
                if let Some(written) = &self.number {
                    let text = |v: Value| v.as_f64().and_then(|n| written.text(n)).map_or(v, |t| json!(t));
                    list = list.into_iter().map(text).collect();
                }
                if field.kind == Kind::Keyword || field.kind == Kind::Ip || field.kind == Kind::Map {
                    list.dedup();
                }
            }
            if !list.is_empty() {
                told.insert(name, list);
            }
        }
    }

    fn value(&self, field: &Field, value: &Value) -> Option<Value> {
        let scalar = Scalar::from_json(value)?;
        match field.kind {
            Kind::Date => {
                let read = super::test::default_format().ok()?;
                let ns = read.read(&super::test::date_text(&scalar), None, false).ok()?;
                let write = match &self.format {
                    Some(format) => format,
                    None => &read,
                };
                // A date has milliseconds.
                let ms = i64::try_from(ns.div_euclid(1_000_000)).ok()?;
                Some(json!(write.write_ms(ms, &Zone::UTC)))
            }
            Kind::Long => match super::test::number(&scalar).ok()? {
                super::test::Number::Whole(n) => Some(json!(n)),
                super::test::Number::Fraction(d) => Some(json!(d as i64)),
            },
            Kind::Double => super::test::double(&scalar).ok().map(|d| json!(d)),
            Kind::Boolean => super::test::boolean(&scalar).ok().map(|b| json!(b)),
            Kind::Ip => {
                Some(ip::address(&scalar.text()).map_or(json!(scalar.text()), |a| json!(ip::write(a))))
            }
            _ => Some(json!(scalar.text())),
        }
    }
}

fn compare(a: &Value, b: &Value) -> std::cmp::Ordering {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.as_f64().unwrap_or(0.0).total_cmp(&b.as_f64().unwrap_or(0.0)),
        },
        _ => std::cmp::Ordering::Equal,
    }
}
