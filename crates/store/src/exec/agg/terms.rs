//! `terms`: a bucket for each value.

use std::cell::{OnceCell, RefCell};
use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use arrow_array::Array;
use hashbrown::HashMap;
use serde_json::json;
use wirebeat_model::Kind;

use super::buckets::{Below, Buckets, Filler, each_single, each_value, tally};
use super::decimal::Written;
use super::filters::terms_members;
use super::outcome::{Bucket, Outcome, number};
use super::{Batch, Collector, Finish, Setup, Subs, partition, wrong_kind};
use crate::block::{CodedLongs, Column, Rows, Terms as Dictionary, Values};
use crate::exec::rank::no_fielddata;
use crate::exec::test;
use crate::exec::view::{View, unreadable};
use crate::lang::agg::{IncludeExclude, Order, OrderBy, Terms};
use crate::lang::ast::Scalar;
use crate::lang::date::MS;
use crate::lang::error::EsError;
use crate::lang::ip;
use crate::numbering::{Numbering, Texts};
use crate::rle::largest;

/// The values that make buckets, and the numbers they are known by.
pub(super) struct Keys {
    pub(super) kind: Kind,
    texts: Names,
    ips: Vec<u128>,
    ip_numbers: HashMap<u128, u32, foldhash::fast::RandomState>,
    allowed: Allowed,
}

/// Numbers of texts: those of the field's numbering, and others, from [`OWN`] on, of texts that it has no room for.
#[derive(Default)]
struct Names {
    shared: Option<Arc<Numbering>>,
    own: Texts,
}

const OWN: u32 = 1 << 31;

impl Names {
    fn number(&mut self, text: &str) -> u32 {
        match &self.shared {
            None => self.own.number(text),
            Some(shared) => match shared.number(text) {
                Some(number) => number,
                None => OWN + self.own.number(text),
            },
        }
    }

    fn compare(&self, a: u32, b: u32) -> Ordering {
        match &self.shared {
            None => self.own.get(a).cmp(self.own.get(b)),
            Some(shared) if a < OWN && b < OWN => shared.compare(a, b),
            Some(_) => self.text(a).cmp(&self.text(b)),
        }
    }

    fn text(&self, number: u32) -> String {
        match &self.shared {
            Some(shared) if number < OWN => shared.text(number),
            Some(_) => self.own.get(number - OWN).to_owned(),
            None => self.own.get(number).to_owned(),
        }
    }
}

/// Which values make buckets.
struct Allowed {
    include: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
    form: IncludeExclude,
}

impl Allowed {
    fn new(spec: &IncludeExclude, kind: Kind, agg: &str) -> Result<Self, EsError> {
        if !matches!(kind, Kind::Keyword | Kind::Map)
            && (spec.include_form.is_some() || spec.exclude_form.is_some())
        {
            return Err(EsError::illegal(format!(
                "Aggregation [{agg}] cannot support regular expression style include/exclude settings as they can only \
                 be applied to string fields. Use an array of values for include/exclude clauses"
            )));
        }
        let list = |values: &Option<Vec<Scalar>>| -> Result<Option<Vec<String>>, EsError> {
            let Some(values) = values else { return Ok(None) };
            let mut out = values.iter().map(|v| text_of(v, kind)).collect::<Result<Vec<_>, _>>()?;
            out.sort_unstable();
            Ok(Some(out))
        };
        Ok(Self {
            include: list(&spec.include)?,
            exclude: list(&spec.exclude)?,
            form: IncludeExclude {
                include: None,
                exclude: None,
                include_form: spec.include_form.clone(),
                exclude_form: spec.exclude_form.clone(),
                partition: spec.partition,
            },
        })
    }

    fn all(&self) -> bool {
        self.include.is_none()
            && self.exclude.is_none()
            && self.form.include_form.is_none()
            && self.form.exclude_form.is_none()
            && self.form.partition.is_none()
    }

    /// Whether a text, or the bytes of an address, is in the part that is asked for.
    fn in_part(&self, bytes: &[u8]) -> bool {
        self.form.partition.is_none_or(|(part, parts)| partition::of_bytes(bytes, parts) == part)
    }

    fn key_in_part(&self, kind: Kind, key: u64) -> bool {
        self.form.partition.is_none_or(|(part, parts)| partition::of_key(kind, key, parts) == part)
    }

    fn text(&self, text: &str) -> bool {
        let among = |list: &Vec<String>| list.binary_search_by(|t| t.as_str().cmp(text)).is_ok();
        self.include.as_ref().is_none_or(among)
            && self.form.include_form.as_ref().is_none_or(|f| f.matches(text))
            && !self.exclude.as_ref().is_some_and(among)
            && !self.form.exclude_form.as_ref().is_some_and(|f| f.matches(text))
    }
}

/// A value of `include`, as values of the kind are written to compare them.
fn text_of(value: &Scalar, kind: Kind) -> Result<String, EsError> {
    Ok(match kind {
        Kind::Ip => ip::write(ip::address(&value.text())?),
        Kind::Long => match test::number(value)? {
            test::Number::Whole(n) => n.to_string(),
            test::Number::Fraction(d) => d.to_string(),
        },
        Kind::Double => test::double(value)?.to_string(),
        Kind::Boolean => i64::from(test::boolean(value)?).to_string(),
        Kind::Date => match value {
            Scalar::Int(n) => n.to_string(),
            other => {
                let ns = test::default_format()?.read(&test::date_text(other), None, false)?;
                ns.div_euclid(i128::from(MS)).to_string()
            }
        },
        _ => value.text().into_owned(),
    })
}

impl Keys {
    pub(super) fn new(
        field: &str,
        kind: Kind,
        agg: &str,
        name: &str,
        filter: &IncludeExclude,
        index: &str,
    ) -> Result<Self, EsError> {
        match kind {
            Kind::Text => return Err(no_fielddata(field, index)),
            Kind::Objects => return Err(wrong_kind(field, kind.es_type(), agg)),
            _ => {}
        }
        Ok(Self {
            kind,
            texts: Names::default(),
            ips: Vec::new(),
            ip_numbers: HashMap::default(),
            allowed: Allowed::new(filter, kind, name)?,
        })
    }

    fn ip(&mut self, a: u128) -> u64 {
        let next = self.ips.len() as u32;
        let n = *self.ip_numbers.entry(a).or_insert(next);
        if n == next {
            self.ips.push(a);
        }
        n.into()
    }

    /// The key that stands for a value as it was written; `None` when it makes no bucket.
    pub(super) fn of_scalar(&mut self, value: &Scalar) -> Result<Option<u64>, EsError> {
        let text = text_of(value, self.kind)?;
        if !self.allowed.text(&text) {
            return Ok(None);
        }
        Ok(match self.kind {
            Kind::Ip => {
                let a = ip::address(&text)?;
                self.allowed.in_part(&a.to_be_bytes()).then(|| self.ip(a))
            }
            Kind::Double => self.of_double(test::double(value)?),
            Kind::Long | Kind::Boolean | Kind::Date => self.of_long(text.parse::<i64>().unwrap_or(0)),
            _ => self.allowed.in_part(text.as_bytes()).then(|| self.texts.number(&text).into()),
        })
    }

    /// The key of a dictionary's term.
    pub(super) fn of_term(&mut self, terms: &Dictionary, code: usize) -> Option<u64> {
        match terms {
            Dictionary::Text(texts) => {
                let text = texts.value(code);
                let allowed =
                    self.allowed.all() || self.allowed.text(text) && self.allowed.in_part(text.as_bytes());
                allowed.then(|| self.texts.number(text).into())
            }
            Dictionary::Ip(ips) => {
                let a = ips[code];
                let allowed = self.allowed.all()
                    || self.allowed.text(&ip::write(a)) && self.allowed.in_part(&a.to_be_bytes());
                allowed.then(|| self.ip(a))
            }
        }
    }

    pub(super) fn of_long(&self, n: i64) -> Option<u64> {
        let key = n as u64;
        let allowed = self.allowed.all()
            || self.allowed.text(&n.to_string()) && self.allowed.key_in_part(self.kind, key);
        allowed.then_some(key)
    }

    pub(super) fn of_double(&self, d: f64) -> Option<u64> {
        let d = if d == 0.0 { 0.0 } else { d };
        let allowed = self.allowed.all()
            || self.allowed.text(&d.to_string()) && self.allowed.key_in_part(self.kind, d.to_bits());
        allowed.then_some(d.to_bits())
    }

    pub(super) fn compare(&self, a: u64, b: u64) -> Ordering {
        match self.kind {
            Kind::Ip => self.ips[a as usize].cmp(&self.ips[b as usize]),
            Kind::Double => f64::from_bits(a).total_cmp(&f64::from_bits(b)),
            Kind::Long | Kind::Boolean | Kind::Date => (a as i64).cmp(&(b as i64)),
            _ => self.texts.compare(a as u32, b as u32),
        }
    }

    /// The members `key` and `key_as_string`.
    pub(super) fn write(&self, key: u64, written: &Written, bucket: &mut Bucket) {
        let (value, n) = self.value(key);
        bucket.key = n.unwrap_or(f64::NAN);
        bucket.name = match &value {
            serde_json::Value::String(s) => s.clone(),
            other => other.to_string(),
        };
        if let Some(n) = n
            && let Some(text) = written.text(n)
        {
            bucket.body.insert("key_as_string".to_owned(), json!(text));
        }
        bucket.body.insert("key".to_owned(), value);
    }

    /// A key as JSON, and as a number where it is one.
    pub(super) fn value(&self, key: u64) -> (serde_json::Value, Option<f64>) {
        match self.kind {
            Kind::Ip => (json!(ip::write(self.ips[key as usize])), None),
            Kind::Double => (number(f64::from_bits(key)), Some(f64::from_bits(key))),
            Kind::Long | Kind::Boolean | Kind::Date => (json!(key as i64), Some(key as i64 as f64)),
            _ => (json!(self.texts.text(key as u32)), None),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.texts.own.bytes() + self.ips.capacity() * 40
    }
}

/// A bucket that may be told.
#[derive(Clone, Copy)]
struct Candidate {
    key: u64,
    count: u64,
    /// `None`: no document is in it.
    ord: Option<u32>,
}

/// Buckets without documents at most, before the first ones are chosen.
const MAX_EMPTY: usize = 1_000_000;

pub(super) struct TermsNode {
    name: String,
    spec: Terms,
    /// `None`: the field is not mapped.
    column: Option<String>,
    keys: RefCell<Keys>,
    missing: Option<Option<u64>>,
    written: Written,
    buckets: Buckets,
    /// With a `min_doc_count` of 0: the keys of all documents.
    every: OnceCell<Vec<u64>>,
    below: OnceLock<Below>,
    subs: Subs,
}

impl TermsNode {
    pub(super) fn new(name: &str, spec: &Terms, setup: &Setup<'_>, subs: Subs) -> Result<Self, EsError> {
        let field = setup.field(&spec.field);
        let kind = match (&field, &spec.missing) {
            (Some(field), _) => field.kind,
            (None, Some(Scalar::Int(_))) => Kind::Long,
            (None, Some(Scalar::Float(_))) => Kind::Double,
            (None, Some(Scalar::Bool(_))) => Kind::Boolean,
            (None, _) => Kind::Keyword,
        };
        let mut keys = Keys::new(&spec.field, kind, "terms", name, &spec.filter, setup.index())?;
        if kind == Kind::Keyword && keys.allowed.all() && subs.is_empty() {
            keys.texts.shared = field.as_ref().and_then(|f| setup.numbering(&f.column));
        }
        let missing = spec.missing.as_ref().map(|v| keys.of_scalar(v)).transpose()?;
        for order in &spec.order {
            if let OrderBy::Path(path) = &order.by
                && subs.number(None, path).is_none()
            {
                let head = super::split_part(path.split('>').next().unwrap_or_default()).0;
                return Err(EsError::new(
                    400,
                    "illegal_argument_exception",
                    format!(
                        "Invalid aggregator order path [{path}]. The provided aggregation [{head}] either does not \
                         exist, or is a pipeline aggregation and cannot be used to sort the buckets."
                    ),
                ));
            }
        }
        Ok(Self {
            name: name.to_owned(),
            spec: spec.clone(),
            column: field.map(|f| f.column),
            keys: RefCell::new(keys),
            missing,
            every: OnceCell::new(),
            written: Written::new(kind, spec.format.as_deref())?,
            buckets: Buckets::default(),
            below: OnceLock::new(),
            subs,
        })
    }

    /// Counts by the numbers that texts have in all blocks; `false`: this block does not know them.
    fn by_numbers(&mut self, view: &View<'_>, batch: &Batch) -> Result<bool, EsError> {
        let shared = &self.keys.get_mut().texts.shared;
        let (Some(numbering), Some(name), 1) = (shared, &self.column, batch.buckets) else {
            return Ok(false);
        };
        // For a few rows it is not worth it to number all terms.
        let make = batch.rows.len() >= view.rows() / 64;
        let numbers = view.block.numbers(name, numbering, make).map_err(|e| unreadable(&e))?;
        let Some(numbers) = numbers else { return Ok(false) };
        let Some(coded) = view.coded(name)? else { return Ok(false) };
        let Some(codes) = coded.codes() else { return Ok(false) };
        if !codes.is_empty() && largest(codes) as usize >= numbers.len() {
            return Err(EsError::new(500, "i_o_exception", format!("{name}: a code beyond the dictionary")));
        }
        self.buckets.expect(numbering.len());
        let (without, missing) = (numbers.len(), self.missing);
        let code_of = |at: usize| codes[at] as usize;
        let key = |code: usize| {
            if code == without { missing.flatten() } else { Some(u64::from(numbers[code])) }
        };
        let buckets = &mut self.buckets;
        let told = tally(buckets, batch, coded.rows(), without + 1, code_of, missing.map(|_| without), key);
        if told.is_some() {
            return Ok(true);
        }
        let absent =
            each_single(coded.rows(), batch, |at| buckets.add(0, numbers[codes[at] as usize].into(), 1));
        if let (Some(absent @ 1..), Some(key)) = (absent, missing.flatten()) {
            buckets.add(0, key, absent as u64);
        }
        Ok(absent.is_some())
    }

    /// The keys that documents have which are not in a bucket around, or in none of these.
    fn empty(&self, ords: &[u32], finish: &Finish<'_>) -> Result<Vec<u64>, EsError> {
        let every = match self.every.get() {
            Some(every) => every,
            None => {
                let every = self.keys_of_all(finish)?;
                self.every.get_or_init(|| every)
            }
        };
        let here: HashSet<u64> = ords.iter().map(|o| self.buckets.key(*o)).collect();
        Ok(every.iter().copied().filter(|key| !here.contains(key)).collect())
    }

    fn keys_of_all(&self, finish: &Finish<'_>) -> Result<Vec<u64>, EsError> {
        let mut out = HashSet::new();
        let mut keys = self.keys.borrow_mut();
        let Some(name) = &self.column else { return Ok(Vec::new()) };
        for placed in finish.blocks {
            let Some(column) = placed.block.column(name).map_err(|e| unreadable(&e))? else { continue };
            if !alike(column.kind, keys.kind) {
                continue;
            }
            let scale = if column.kind == Kind::Date { MS } else { 1 };
            match &column.values {
                Values::Coded { terms, .. } => {
                    let count = match terms {
                        Dictionary::Text(texts) => texts.len(),
                        Dictionary::Ip(ips) => ips.len(),
                    };
                    out.extend((0..count).filter_map(|code| keys.of_term(terms, code)));
                }
                Values::Long(values) => {
                    out.extend(values.iter().filter_map(|n| keys.of_long(n.div_euclid(scale))));
                }
                Values::Double(values) => out.extend(values.iter().filter_map(|d| keys.of_double(*d))),
            }
            if out.len() > MAX_EMPTY {
                return Err(EsError::too_many_buckets(MAX_EMPTY));
            }
        }
        Ok(out.into_iter().collect())
    }

    /// Compares two of the candidates, whose numbers to order by are given.
    fn compare(&self, keys: &Keys, numbers: &[Vec<f64>], ords: &[Candidate], x: u32, y: u32) -> Ordering {
        let (i, j) = (x as usize, y as usize);
        let (a, b) = (ords[i], ords[j]);
        let by_key = |a: Candidate, b: Candidate| keys.compare(a.key, b.key);
        for (Order { by, descending }, numbers) in self.spec.order.iter().zip(numbers) {
            let order = match by {
                OrderBy::Count => a.count.cmp(&b.count),
                OrderBy::Key => by_key(a, b),
                OrderBy::Path(_) => match order_numbers(numbers[i], numbers[j], *descending) {
                    Ordering::Equal => continue,
                    order => return order,
                },
            };
            match if *descending { order.reverse() } else { order } {
                Ordering::Equal => {}
                order => return order,
            }
        }
        by_key(a, b)
    }

    /// The buckets told of these, in their order.
    fn chosen(&self, ords: &[Candidate]) -> Vec<Candidate> {
        let numbers: Vec<Vec<f64>> = self
            .spec
            .order
            .iter()
            .map(|order| match &order.by {
                OrderBy::Path(path) => {
                    ords.iter().map(|o| self.subs.number(o.ord, path).unwrap_or(f64::NAN)).collect()
                }
                _ => Vec::new(),
            })
            .collect();
        let mut places: Vec<u32> = (0..ords.len() as u32).collect();
        let size = self.spec.size;
        let keys = self.keys.borrow();
        if let ([Order { by: OrderBy::Count, descending: true }, ..], true) =
            (self.spec.order.as_slice(), places.len() > size)
        {
            // Most are told apart by their counts alone.
            let mut counts: Vec<u64> = ords.iter().map(|o| o.count).collect();
            let (_, least, _) = counts.select_nth_unstable_by(size - 1, |a, b| b.cmp(a));
            places.retain(|place| ords[*place as usize].count >= *least);
        }
        if places.len() > size {
            places.select_nth_unstable_by(size - 1, |a, b| self.compare(&keys, &numbers, ords, *a, *b));
            places.truncate(size);
        }
        places.sort_unstable_by(|a, b| self.compare(&keys, &numbers, ords, *a, *b));
        places.into_iter().map(|place| ords[place as usize]).collect()
    }
}

/// What buckets are ordered by: what is no number is above all others.
pub(super) fn order_numbers(a: f64, b: f64, descending: bool) -> Ordering {
    if descending { b.total_cmp(&a) } else { a.total_cmp(&b) }
}

/// Puts the rows of a batch into buckets by their values.
pub(super) fn fill(
    keys: &mut Keys,
    column: Option<&Column>,
    missing: Option<Option<u64>>,
    batch: &Batch,
    buckets: &mut Buckets,
    keep_rows: bool,
) -> Result<Batch, EsError> {
    let Some(column) = column else {
        let mut filler = Filler::new(buckets, batch, 1, false, keep_rows);
        if let Some(key) = missing {
            for (&row, &parent) in batch.rows.iter().zip(&batch.ords) {
                filler.put(row, parent, 0, || key);
            }
        }
        return filler.done();
    };
    let several = matches!(column.rows, Rows::Many(_));
    match &column.values {
        Values::Coded { codes, terms } => {
            let count = match terms {
                Dictionary::Text(texts) => texts.len(),
                Dictionary::Ip(ips) => ips.len(),
            };
            if !keep_rows {
                let code_of = |at: usize| codes[at] as usize;
                let key =
                    |code: usize| if code == count { missing.flatten() } else { keys.of_term(terms, code) };
                let without = missing.map(|_| count);
                let told = tally(buckets, batch, &column.rows, count + 1, code_of, without, key);
                if let Some(told) = told {
                    return Ok(told);
                }
            }
            let mut filler = Filler::new(buckets, batch, count + 1, several, keep_rows);
            // Each term is looked up once.
            let mut known: Vec<Option<Option<u64>>> = vec![None; count];
            each_value(&column.rows, &batch.rows, |i, at| {
                let (row, parent) = (batch.rows[i], batch.ords[i]);
                match at {
                    Some(at) => {
                        let code = codes[at] as usize;
                        filler.put(row, parent, code, || {
                            *known[code].get_or_insert_with(|| keys.of_term(terms, code))
                        });
                    }
                    None => {
                        if let Some(key) = missing {
                            filler.put(row, parent, count, || key);
                        }
                    }
                }
            });
            filler.done()
        }
        Values::Long(values) => {
            let scale = if column.kind == Kind::Date { MS } else { 1 };
            if let (Some(CodedLongs { codes, distinct }), 1, false) = (values.codes(), scale, keep_rows) {
                let count = distinct.len();
                let key = |code: usize| {
                    if code == count { missing.flatten() } else { keys.of_long(distinct[code]) }
                };
                let without = missing.map(|_| count);
                let code_of = |at: usize| codes[at] as usize;
                let told = tally(buckets, batch, &column.rows, count + 1, code_of, without, key);
                if let Some(told) = told {
                    return Ok(told);
                }
            }
            let (low, high) = values.iter().fold((i64::MAX, i64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
            let (low, high) = (low.div_euclid(scale), high.div_euclid(scale));
            // Numbers near each other are their own codes.
            let span = usize::try_from(high.saturating_sub(low)).unwrap_or(usize::MAX);
            let dense = span < 4096.max(values.len());
            let count = if dense { span + 1 } else { usize::MAX - 1 };
            // A division by one takes as long as any other.
            let scaled = |at: usize| if scale == 1 { values[at] } else { values[at].div_euclid(scale) };
            if dense && !keep_rows {
                let code_of = |at: usize| (scaled(at) - low) as usize;
                let key = |code: usize| {
                    if code < count { keys.of_long(low + code as i64) } else { missing.flatten() }
                };
                let without = missing.map(|_| count);
                let told = tally(buckets, batch, &column.rows, count + 1, code_of, without, key);
                if let Some(told) = told {
                    return Ok(told);
                }
            }
            let mut filler = Filler::new(buckets, batch, count + 1, several, keep_rows);
            each_value(&column.rows, &batch.rows, |i, at| {
                let (row, parent) = (batch.rows[i], batch.ords[i]);
                match at {
                    Some(at) => {
                        let n = scaled(at);
                        let code = if dense { (n - low) as usize } else { 0 };
                        filler.put(row, parent, code, || keys.of_long(n));
                    }
                    None => {
                        if let Some(key) = missing {
                            filler.put(row, parent, if dense { count } else { 0 }, || key);
                        }
                    }
                }
            });
            filler.done()
        }
        Values::Double(values) => {
            let mut filler = Filler::new(buckets, batch, usize::MAX, several, keep_rows);
            each_value(&column.rows, &batch.rows, |i, at| {
                let (row, parent) = (batch.rows[i], batch.ords[i]);
                match at {
                    Some(at) => filler.put(row, parent, 0, || keys.of_double(values[at])),
                    None => {
                        if let Some(key) = missing {
                            filler.put(row, parent, 0, || key);
                        }
                    }
                }
            });
            filler.done()
        }
    }
}

impl Collector for TermsNode {
    fn collect(&mut self, view: &View<'_>, batch: &Batch) -> Result<(), EsError> {
        if self.by_numbers(view, batch)? {
            return Ok(());
        }
        let column = match &self.column {
            Some(name) => view.column(name)?.filter(|c| alike(c.kind, self.keys.get_mut().kind)),
            None => None,
        };
        if column.is_none() && self.missing.is_none() {
            return Ok(());
        }
        let keep = !self.subs.is_empty();
        let below =
            fill(self.keys.get_mut(), column.as_deref(), self.missing, batch, &mut self.buckets, keep)?;
        self.subs.collect(view, &below)
    }

    fn result(&self, bucket: Option<u32>, finish: &Finish<'_>) -> Result<Outcome, EsError> {
        let below = self.below.get_or_init(|| self.buckets.tree());
        let all = bucket.map_or(&[][..], |b| below.of(b));
        let min = self.spec.min_doc_count;
        let mut candidates: Vec<Candidate> = all
            .iter()
            .map(|&o| Candidate { key: self.buckets.key(o), count: self.buckets.count(o), ord: Some(o) })
            .filter(|c| c.count >= min)
            .collect();
        if min == 0 && bucket.is_some() {
            let empty = self.empty(all, finish)?;
            candidates.extend(empty.into_iter().map(|key| Candidate { key, count: 0, ord: None }));
        }
        let total: u64 = candidates.iter().map(|c| c.count).sum();
        let chosen = self.chosen(&candidates);
        finish.tell(chosen.len())?;
        let mut told = 0;
        let mut buckets = Vec::with_capacity(chosen.len());
        for one in chosen {
            let subs = self.subs.results(one.ord, finish)?;
            let mut bucket = Bucket { count: one.count, subs, ..Bucket::default() };
            told += bucket.count;
            self.keys.borrow().write(one.key, &self.written, &mut bucket);
            if self.spec.show_error {
                bucket.body.insert("doc_count_error_upper_bound".to_owned(), json!(0));
            }
            buckets.push(bucket);
        }
        super::pipeline::inside(&self.subs.pipelines, &mut buckets)?;
        let kind = match self.keys.borrow().kind {
            Kind::Long | Kind::Date | Kind::Boolean => "lterms",
            Kind::Double => "dterms",
            _ => "sterms",
        };
        Ok(Outcome::Buckets { kind, buckets, keyed: false, more: terms_members(total - told) })
    }

    fn number(&self, _: Option<u32>, _: &str) -> Option<f64> {
        None
    }

    fn bytes(&self) -> usize {
        self.keys.borrow().bytes() + self.buckets.bytes() + self.subs.bytes() + self.name.len()
    }
}

/// Whether values of two kinds are kept alike.
pub(super) fn alike(a: Kind, b: Kind) -> bool {
    let texts = |k: Kind| matches!(k, Kind::Keyword | Kind::Map | Kind::Text);
    a == b || texts(a) && texts(b)
}
