//! Filters, orders and aggregations against a model that reads plain JSON documents, one after the other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cmp_owned,
    reason = "a test fails by panicking; few values"
)]
#![allow(clippy::large_enum_variant, reason = "few values")]

#[path = "query_model/aggregations.rs"]
mod aggregations;
mod memory;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aggregations::agg;
use memory::{MemBlock, ip, nanos};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wirebeat_model::Kind;
use wirebeat_store::block::Block;
use wirebeat_store::exec::{Context, IndexBlocks, Mapping, count, search};
use wirebeat_store::lang::request::{SearchRequest, only_query};

const KINDS: &[(&str, Kind)] = &[
    ("@timestamp", Kind::Date),
    ("kw", Kind::Keyword),
    ("n", Kind::Long),
    ("d", Kind::Double),
    ("b", Kind::Boolean),
    ("ip", Kind::Ip),
    ("txt", Kind::Text),
    ("o.k", Kind::Keyword),
    ("h", Kind::Map),
];

const WORDS: &[&str] = &["a", "b", "ab", "abc", "B", "x.y", "a*c", "ß", ""];
const IPS: &[&str] = &["10.0.0.1", "10.0.0.2", "10.1.0.1", "192.168.0.9", "2001:db8::1", "::1"];
const TEXTS: &[&str] = &["the quick brown fox", "quick, quick the fox!", "Brown bread", "a fox", "…"];

/// Nothing, one, or several of something.
fn some(value: BoxedStrategy<Value>) -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => Just(Value::Null),
        5 => value.clone(),
        2 => prop::collection::vec(value, 0..4).prop_map(Value::Array),
    ]
}

fn pick(list: &'static [&'static str]) -> BoxedStrategy<Value> {
    prop::sample::select(list).prop_map(|s| json!(s)).boxed()
}

fn document() -> impl Strategy<Value = Value> {
    let n = (-5_i64..20).prop_map(|n| json!(n)).boxed();
    let d = (-8_i64..40).prop_map(|n| json!(n as f64 / 4.0)).boxed();
    (
        // Three days around a change of Berlin's clock, at milliseconds and finer.
        (0_i64..3 * 86_400_000, 0_i64..2).prop_map(|(ms, fine)| ms * 1_000_000 + fine * 123_456),
        some(pick(WORDS)),
        some(n),
        some(d),
        prop::option::of(any::<bool>()),
        some(pick(IPS)),
        prop::option::of(prop::sample::select(TEXTS)),
        prop::collection::vec(prop::sample::select(WORDS), 0..3),
        prop::option::of(prop::sample::select(WORDS)),
    )
        .prop_map(|(at, kw, n, d, b, ip, txt, o, h)| {
            let at = nanos("2026-10-24T00:00:00Z") + at;
            let at = jiff::Timestamp::from_nanosecond(at.into()).unwrap();
            let mut out = json!({
                "@timestamp": at.to_string(),
                "kw": kw, "n": n, "d": d, "b": b, "ip": ip, "txt": txt,
                "o": o.iter().map(|k| json!({"k": k, "other": 1})).collect::<Vec<_>>(),
            });
            if let Some(h) = h {
                out["h"] = json!({"x-a": h, "host": "example"});
            }
            out
        })
}

/// The values of a field in a document.
fn values<'d>(document: &'d Value, name: &str) -> Vec<&'d Value> {
    fn go<'d>(value: &'d Value, path: &[&str], out: &mut Vec<&'d Value>) {
        match value {
            Value::Null => {}
            Value::Array(list) => list.iter().for_each(|v| go(v, path, out)),
            Value::Object(map) => {
                if let Some((head, rest)) = path.split_first()
                    && let Some(value) = map.get(*head)
                {
                    go(value, rest, out);
                }
            }
            leaf => {
                if path.is_empty() {
                    out.push(leaf);
                }
            }
        }
    }
    let mut out = Vec::new();
    go(document, &name.split('.').collect::<Vec<_>>(), &mut out);
    out
}

fn ms(document: &Value) -> i64 {
    nanos(document["@timestamp"].as_str().unwrap()).div_euclid(1_000_000)
}

fn tokens(text: &str) -> Vec<String> {
    // The texts above have no words with marks inside.
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}

/// A query, with what it means written beside it.
#[derive(Clone, Debug)]
enum Q {
    All,
    Term(&'static str, Value),
    Folded(String),
    Terms(&'static str, Vec<Value>),
    Range(&'static str, Option<(bool, Value)>, Option<(bool, Value)>),
    Time(i64, i64),
    Exists(&'static str),
    Prefix(String),
    Wildcard(&'static str),
    Regexp(&'static str),
    Cidr(&'static str),
    Match(String, bool),
    Phrase(String),
    Ids(Vec<usize>),
    Bool(Vec<Q>, Vec<Q>, Vec<Q>, Vec<Q>, Option<i64>),
    Unmapped,
}

fn field_value() -> impl Strategy<Value = (&'static str, Value)> {
    prop_oneof![
        pick(WORDS).prop_map(|v| ("kw", v)),
        pick(WORDS).prop_map(|v| ("o.k", v)),
        pick(WORDS).prop_map(|v| ("h.x-a", v)),
        pick(IPS).prop_map(|v| ("ip", v)),
        (-5_i64..20).prop_map(|n| ("n", json!(n))),
        (-5_i64..20).prop_map(|n| ("n", json!(n.to_string()))),
        (-8_i64..40).prop_map(|n| ("d", json!(n as f64 / 4.0))),
        any::<bool>().prop_map(|b| ("b", json!(b))),
        any::<bool>().prop_map(|b| ("b", json!(b.to_string()))),
    ]
}

fn query() -> impl Strategy<Value = Q> {
    let n = || prop::option::of((any::<bool>(), (-5_i64..20).prop_map(|n| json!(n))));
    let d = || prop::option::of((any::<bool>(), (-16_i64..80).prop_map(|n| json!(n as f64 / 8.0))));
    let w = || prop::option::of((any::<bool>(), pick(WORDS)));
    let i = || prop::option::of((any::<bool>(), pick(IPS)));
    let leaf = prop_oneof![
        Just(Q::All),
        field_value().prop_map(|(f, v)| Q::Term(f, v)),
        prop::sample::select(WORDS).prop_map(|w| Q::Folded(w.to_uppercase())),
        prop::collection::vec(pick(WORDS), 0..4).prop_map(|v| Q::Terms("kw", v)),
        prop::collection::vec((-5_i64..20).prop_map(|n| json!(n)), 0..4).prop_map(|v| Q::Terms("n", v)),
        (n(), n()).prop_map(|(a, b)| Q::Range("n", a, b)),
        // Whole numbers between fractions.
        (d(), d()).prop_map(|(a, b)| Q::Range("n", a, b)),
        (d(), d()).prop_map(|(a, b)| Q::Range("d", a, b)),
        (w(), w()).prop_map(|(a, b)| Q::Range("kw", a, b)),
        (i(), i()).prop_map(|(a, b)| Q::Range("ip", a, b)),
        (0_i64..3 * 86_400_000, 0_i64..86_400_000).prop_map(|(from, length)| {
            let from = nanos("2026-10-24T00:00:00Z") / 1_000_000 + from;
            Q::Time(from, from + length)
        }),
        prop::sample::select(&["kw", "n", "d", "b", "ip", "txt", "o.k", "o", "h", "h.x-a"][..])
            .prop_map(Q::Exists),
        prop::sample::select(WORDS).prop_map(|w| Q::Prefix(w.to_owned())),
        prop::sample::select(&["*", "a*", "*b*", "?", "a?c", "*c", "a\\*c", "", "x.?"][..])
            .prop_map(Q::Wildcard),
        prop::sample::select(&["a.*", "a|b", "[ab]+", "x\\.y", "(ab)+c?", "a\"*\"c", "~(a.*)", ".{1,2}"][..])
            .prop_map(Q::Regexp),
        prop::sample::select(&["10.0.0.0/8", "10.0.0.0/24", "2001:db8::/32", "0.0.0.0/0", "::/0"][..])
            .prop_map(Q::Cidr),
        ("(quick|brown|fox|bread|the) (quick|fox|THE)", any::<bool>()).prop_map(|(t, and)| Q::Match(t, and)),
        "(quick|brown|the) (fox|quick|bread)".prop_map(Q::Phrase),
        prop::collection::vec(0_usize..40, 0..4).prop_map(Q::Ids),
        Just(Q::Unmapped),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let list = || prop::collection::vec(inner.clone(), 0..3);
        (list(), list(), list(), list(), prop::option::of(-2_i64..4))
            .prop_map(|(a, b, c, d, e)| Q::Bool(a, b, c, d, e))
    })
}

impl Q {
    fn json(&self) -> Value {
        let list = |qs: &[Self]| Value::Array(qs.iter().map(Self::json).collect());
        match self {
            Self::All => json!({"match_all": {}}),
            Self::Term(f, v) => json!({"term": {*f: v}}),
            Self::Folded(v) => json!({"term": {"kw": {"value": v, "case_insensitive": true}}}),
            Self::Terms(f, v) => json!({"terms": {*f: v}}),
            Self::Range(f, a, b) => {
                let mut body = Map::new();
                if let Some((included, v)) = a {
                    body.insert(if *included { "gte" } else { "gt" }.to_owned(), v.clone());
                }
                if let Some((included, v)) = b {
                    body.insert(if *included { "lte" } else { "lt" }.to_owned(), v.clone());
                }
                json!({"range": {*f: body}})
            }
            Self::Time(a, b) => {
                json!({"range": {"@timestamp": {"gte": a, "lte": b, "format": "epoch_millis"}}})
            }
            Self::Exists(f) => json!({"exists": {"field": f}}),
            Self::Prefix(p) => json!({"prefix": {"kw": p}}),
            Self::Wildcard(p) => json!({"wildcard": {"kw": {"value": p}}}),
            Self::Regexp(p) => json!({"regexp": {"kw": p}}),
            Self::Cidr(c) => json!({"term": {"ip": c}}),
            Self::Match(t, and) => {
                json!({"match": {"txt": {"query": t, "operator": if *and { "and" } else { "or" }}}})
            }
            Self::Phrase(t) => json!({"match_phrase": {"txt": t}}),
            Self::Ids(ids) => {
                json!({"ids": {"values": ids.iter().map(ToString::to_string).collect::<Vec<_>>()}})
            }
            Self::Unmapped => json!({"term": {"nothing.here": "x"}}),
            Self::Bool(must, filter, should, must_not, minimum) => {
                let mut body = Map::new();
                body.insert("must".to_owned(), list(must));
                body.insert("filter".to_owned(), list(filter));
                body.insert("should".to_owned(), list(should));
                body.insert("must_not".to_owned(), list(must_not));
                if let Some(n) = minimum {
                    body.insert("minimum_should_match".to_owned(), json!(n));
                }
                json!({"bool": body})
            }
        }
    }

    fn holds(&self, id: usize, doc: &Value) -> bool {
        let kw = || values(doc, "kw").into_iter().filter_map(Value::as_str);
        match self {
            Self::All => true,
            Self::Unmapped => false,
            Self::Term(f, v) => values(doc, f).iter().any(|x| same(x, v)),
            Self::Folded(v) => kw().any(|x| x.eq_ignore_ascii_case(v)),
            Self::Terms(f, list) => values(doc, f).iter().any(|x| list.iter().any(|v| same(x, v))),
            Self::Range(f, a, b) => values(doc, f).iter().any(|x| {
                let above = a.as_ref().is_none_or(|(included, v)| match compare(f, x, v) {
                    Ordering::Greater => true,
                    Ordering::Equal => *included,
                    Ordering::Less => false,
                });
                above
                    && b.as_ref().is_none_or(|(included, v)| match compare(f, x, v) {
                        Ordering::Less => true,
                        Ordering::Equal => *included,
                        Ordering::Greater => false,
                    })
            }),
            Self::Time(a, b) => (*a..=*b).contains(&ms(doc)),
            Self::Exists("o") => !values(doc, "o.k").is_empty(),
            Self::Exists("h") => !values(doc, "h.x-a").is_empty() || !values(doc, "h.host").is_empty(),
            Self::Exists(f) => !values(doc, f).is_empty(),
            Self::Prefix(p) => kw().any(|x| x.starts_with(p.as_str())),
            // Lucene's automaton of an empty form accepts nothing.
            Self::Wildcard(p) => {
                !p.is_empty()
                    && kw().any(|x| wildcard(&p.chars().collect::<Vec<_>>(), &x.chars().collect::<Vec<_>>()))
            }
            Self::Regexp(p) => kw().any(|x| {
                // By hand: what each of these means for the words above.
                match *p {
                    "a.*" => x.starts_with('a'),
                    "a|b" => x == "a" || x == "b",
                    "[ab]+" => !x.is_empty() && x.chars().all(|c| c == 'a' || c == 'b'),
                    "x\\.y" => x == "x.y",
                    "(ab)+c?" => matches!(x, "ab" | "abc"),
                    "a\"*\"c" => x == "a*c",
                    "~(a.*)" => !x.starts_with('a'),
                    ".{1,2}" => (1..=2).contains(&x.chars().count()),
                    other => unreachable!("{other}"),
                }
            }),
            Self::Cidr(c) => values(doc, "ip").iter().any(|x| {
                let a = ip(x.as_str().unwrap());
                match *c {
                    "10.0.0.0/8" => (ip("10.0.0.0")..=ip("10.255.255.255")).contains(&a),
                    "10.0.0.0/24" => (ip("10.0.0.0")..=ip("10.0.0.255")).contains(&a),
                    "2001:db8::/32" => a >> 96 == 0x2001_0db8,
                    "0.0.0.0/0" => a >> 32 == 0xffff,
                    _ => true,
                }
            }),
            Self::Match(t, and) => {
                // All values of a list together.
                let have: Vec<_> =
                    values(doc, "txt").iter().flat_map(|x| tokens(x.as_str().unwrap())).collect();
                let wanted = tokens(t);
                let mut hits = wanted.iter().map(|w| have.contains(w));
                if *and { !wanted.is_empty() && hits.all(|h| h) } else { hits.any(|h| h) }
            }
            Self::Phrase(t) => {
                let wanted = tokens(t);
                values(doc, "txt").iter().any(|x| tokens(x.as_str().unwrap()).windows(2).any(|w| w == wanted))
            }
            Self::Ids(ids) => ids.contains(&id),
            Self::Bool(must, filter, should, must_not, minimum) => {
                let have = should.iter().filter(|q| q.holds(id, doc)).count() as i64;
                let all = should.len() as i64;
                // Where nothing is required, one of the optional ones is, whatever is said.
                let one = i64::from(must.is_empty() && filter.is_empty() && all > 0);
                let needed = match minimum {
                    Some(n) if *n < 0 => (all + n).max(0),
                    Some(n) => *n,
                    None => 0,
                };
                let needed = needed.max(one);
                must.iter().chain(filter).all(|q| q.holds(id, doc))
                    && !must_not.iter().any(|q| q.holds(id, doc))
                    && have >= needed
            }
        }
    }
}

impl Q {
    /// How many clauses that count a document matches.
    fn score(&self, id: usize, doc: &Value) -> usize {
        match self {
            Self::Bool(must, _, should, ..) => {
                let matched = should.iter().filter(|q| q.holds(id, doc));
                must.iter().chain(matched).map(|q| q.score(id, doc)).sum()
            }
            _ => 1,
        }
    }
}

/// A value equals one of a query, which may be a text.
fn same(value: &Value, asked: &Value) -> bool {
    match (value, asked) {
        (Value::String(a), Value::String(b)) => a == b,
        (a, Value::String(b)) => a.to_string() == *b,
        (a, b) => a.as_f64() == b.as_f64() && a.as_bool() == b.as_bool(),
    }
}

fn compare(field: &str, a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::String(a), Value::String(b)) if field == "ip" => ip(a).cmp(&ip(b)),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (a, b) => a.as_f64().unwrap().total_cmp(&b.as_f64().unwrap()),
    }
}

fn wildcard(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => (0..=text.len()).any(|i| wildcard(rest, &text[i..])),
        (['?', p @ ..], [_, t @ ..]) => wildcard(p, t),
        (['\\', c, p @ ..], [d, t @ ..]) => c == d && wildcard(p, t),
        ([c, p @ ..], [d, t @ ..]) if *c != '\\' => c == d && wildcard(p, t),
        _ => false,
    }
}

/// Documents in two indices of several blocks.
struct World {
    documents: Vec<Value>,
    indices: Vec<(&'static str, Vec<Arc<dyn Block>>)>,
    mapping: Mapping,
}

impl World {
    fn new(documents: Vec<Value>, cuts: &[usize]) -> Self {
        let mut mapping = Mapping::new();
        for (name, kind) in KINDS {
            mapping.add(name, *kind);
        }
        mapping.add("o", Kind::Objects);
        mapping.add_alias("also", "kw");
        let mut indices: Vec<(&'static str, Vec<Arc<dyn Block>>)> = vec![("one", vec![]), ("two", vec![])];
        let mut ends: Vec<usize> = cuts.iter().map(|c| c % (documents.len() + 1)).collect();
        ends.push(documents.len());
        ends.sort_unstable();
        let mut from = 0;
        for (i, end) in ends.iter().enumerate() {
            let rows: Vec<(String, Value)> =
                (from..*end).map(|id| (id.to_string(), documents[id].clone())).collect();
            if !rows.is_empty() {
                // The first half of the blocks is in the first index.
                let index = usize::from(i * 2 >= ends.len());
                indices[index].1.push(Arc::new(MemBlock::new(&rows, KINDS, from as i64)));
            }
            from = *end;
        }
        Self { documents, indices, mapping }
    }

    fn search(&self, body: &Value) -> Value {
        let indices: Vec<IndexBlocks<'_>> =
            self.indices.iter().map(|(name, blocks)| IndexBlocks { name, blocks }).collect();
        let request = SearchRequest::parse(body).unwrap_or_else(|e| panic!("{e}: {body}"));
        search(&indices, &self.mapping, &request, &Context::at(0)).unwrap_or_else(|e| panic!("{e}: {body}"))
    }

    fn count(&self, body: &Value) -> Value {
        let indices: Vec<IndexBlocks<'_>> =
            self.indices.iter().map(|(name, blocks)| IndexBlocks { name, blocks }).collect();
        count(&indices, &self.mapping, &only_query(body).unwrap(), &Context::at(0)).unwrap()
    }

    fn chosen(&self, q: &Q) -> Vec<usize> {
        (0..self.documents.len()).filter(|id| q.holds(*id, &self.documents[*id])).collect()
    }
}

fn world() -> impl Strategy<Value = World> {
    (prop::collection::vec(document(), 0..40), prop::collection::vec(0_usize..100, 0..5))
        .prop_map(|(documents, cuts)| World::new(documents, &cuts))
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.documents.fmt(f)
    }
}

fn ids(answer: &Value) -> Vec<usize> {
    answer["hits"]["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|h| h["_id"].as_str().unwrap().parse().unwrap())
        .collect()
}

const SORTS: &[&str] = &["kw", "n", "d", "b", "ip", "@timestamp", "o.k", "_doc", "also"];

/// A document's key in an order: `None` when it has no value.
fn key(document: &Value, id: usize, field: &str, largest: bool) -> Option<Value> {
    let field = if field == "also" { "kw" } else { field };
    if field == "_doc" {
        return Some(json!(id));
    }
    if field == "@timestamp" {
        return Some(json!(ms(document)));
    }
    let mut all = values(document, field);
    let order = |a: &&Value, b: &&Value| match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (a, b) => compare(field, a, b),
    };
    all.sort_by(order);
    let best = if largest { all.last() } else { all.first() };
    best.map(|v| (*v).clone())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn filters_choose_what_the_model_chooses(world in world(), q in query(), post in query()) {
        let mut wanted = world.chosen(&q);
        let answer = world.search(&json!({"query": q.json(), "size": 100}));
        // Without an order, hits come by the clauses they match, then in the order of the index.
        wanted.sort_by_key(|id| std::cmp::Reverse(q.score(*id, &world.documents[*id])));
        prop_assert_eq!(ids(&answer), wanted.clone(), "{}", q.json());
        prop_assert_eq!(&answer["hits"]["total"], &json!({"value": wanted.len(), "relation": "eq"}));
        prop_assert_eq!(&world.count(&json!({"query": q.json()}))["count"], &json!(wanted.len()));
        // And hits after both.
        let answer = world.search(&json!({"query": q.json(), "post_filter": post.json(), "size": 3, "from": 1}));
        let both: Vec<usize> = wanted.into_iter().filter(|id| post.holds(*id, &world.documents[*id])).collect();
        prop_assert_eq!(ids(&answer), both.iter().skip(1).take(3).copied().collect::<Vec<_>>());
        prop_assert_eq!(&answer["hits"]["total"]["value"], &json!(both.len()));
        // What is told is what was stored.
        for hit in answer["hits"]["hits"].as_array().unwrap() {
            let id: usize = hit["_id"].as_str().unwrap().parse().unwrap();
            prop_assert_eq!(&hit["_source"], &world.documents[id]);
        }
    }

    #[test]
    fn orders_are_those_of_the_model(
        world in world(),
        q in query(),
        keys in prop::collection::vec((prop::sample::select(SORTS), any::<bool>(), any::<bool>()), 1..4),
        page in 1_usize..7,
    ) {
        let sort: Vec<Value> = keys
            .iter()
            .map(|(f, desc, first)| {
                let order = if *desc { "desc" } else { "asc" };
                match *f {
                    "_doc" => json!({*f: order}),
                    f => json!({f: {"order": order, "missing": if *first { "_first" } else { "_last" }}}),
                }
            })
            .collect();
        let mut wanted = world.chosen(&q);
        wanted.sort_by(|a, b| {
            for (field, desc, first) in &keys {
                let (x, y) = (
                    key(&world.documents[*a], *a, field, *desc),
                    key(&world.documents[*b], *b, field, *desc),
                );
                let order = match (x, y) {
                    (None, None) => Ordering::Equal,
                    (None, _) => if *first { Ordering::Less } else { Ordering::Greater },
                    (_, None) => if *first { Ordering::Greater } else { Ordering::Less },
                    (Some(Value::Bool(x)), Some(Value::Bool(y))) => if *desc { y.cmp(&x) } else { x.cmp(&y) },
                    (Some(x), Some(y)) => {
                        let order = compare(field, &x, &y);
                        if *desc { order.reverse() } else { order }
                    }
                };
                if order != Ordering::Equal {
                    return order;
                }
            }
            a.cmp(b)
        });
        let whole = world.search(&json!({"query": q.json(), "size": 100, "sort": sort}));
        prop_assert_eq!(ids(&whole), wanted.clone(), "{:?}", sort);
        prop_assert_eq!(&whole["hits"]["max_score"], &Value::Null);

        // Page by page in a view, which breaks ties by itself.
        let mut got = Vec::new();
        let mut after: Option<Value> = None;
        for _ in 0..50 {
            let mut body = json!({"query": q.json(), "size": page, "sort": sort, "pit": {"id": "v"}});
            if let Some(after) = &after {
                body["search_after"] = after.clone();
            }
            let answer = world.search(&body);
            let found = ids(&answer);
            prop_assert_eq!(&answer["hits"]["total"]["value"], &json!(wanted.len()));
            if found.is_empty() {
                break;
            }
            after = answer["hits"]["hits"].as_array().unwrap().last().map(|h| h["sort"].clone());
            got.extend(found);
        }
        prop_assert_eq!(got, wanted, "{:?}", sort);
    }

    #[test]
    fn aggregations_are_those_of_the_model(world in world(), q in query(), outer in agg(), inner in agg()) {
        let body = json!({
            "query": q.json(),
            "size": 0,
            "aggs": {"outer": {outer.name(): outer.json(), "aggs": {
                "inner": {inner.name(): inner.json()},
                "s": {"stats": {"field": "n"}},
                "c": {"cardinality": {"field": "kw"}},
                "p": {"percentiles": {"field": "d", "percents": [0, 25, 50, 99.5]}},
                "v": {"value_count": {"field": "ip"}},
                "first": {"top_hits": {"size": 2, "_source": false, "sort": [{"@timestamp": "asc"}]}},
            }}},
        });
        let answer = world.search(&body);
        let chosen = world.chosen(&q);
        let model = outer.model(&world, &chosen, &|ids| {
            json!({
                "inner": inner.model(&world, ids, &|_| json!({})),
                "s": stats(&world, ids),
                "c": {"value": ids.iter().flat_map(|id| values(&world.documents[*id], "kw"))
                    .map(Value::to_string).collect::<BTreeSet<_>>().len()},
                "p": {"values": percentiles(&world, ids, &[0.0, 25.0, 50.0, 99.5])},
                "v": {"value": ids.iter().map(|id| values(&world.documents[*id], "ip").len()).sum::<usize>()},
                "first": {"hits": first(&world, ids)},
            })
        });
        let got = &answer["aggregations"]["outer"];
        if let Err(path) = alike(got, &model, "") {
            return Err(TestCaseError::fail(format!("{path}\n{}\ngot {got}\nnot {model}", body["aggs"])));
        }
    }
}

fn stats(world: &World, ids: &[usize]) -> Value {
    let all: Vec<f64> =
        ids.iter().flat_map(|id| values(&world.documents[*id], "n")).map(|v| v.as_f64().unwrap()).collect();
    let sum: f64 = all.iter().sum();
    if all.is_empty() {
        return json!({"count": 0, "min": null, "max": null, "avg": null, "sum": 0.0});
    }
    json!({
        "count": all.len(),
        "min": all.iter().copied().fold(f64::INFINITY, f64::min),
        "max": all.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        "avg": sum / all.len() as f64,
        "sum": sum,
    })
}

fn percentiles(world: &World, ids: &[usize], percents: &[f64]) -> Value {
    let mut all: Vec<f64> =
        ids.iter().flat_map(|id| values(&world.documents[*id], "d")).map(|v| v.as_f64().unwrap()).collect();
    all.sort_by(f64::total_cmp);
    let mut out = Map::new();
    for p in percents {
        let value = if all.is_empty() {
            Value::Null
        } else {
            let place = p / 100.0 * (all.len() - 1) as f64;
            let (low, high) = (all[place.floor() as usize], all[place.ceil() as usize]);
            json!(low + (high - low) * place.fract())
        };
        out.insert(format!("{p:?}"), value);
    }
    Value::Object(out)
}

fn first(world: &World, ids: &[usize]) -> Value {
    let mut sorted = ids.to_vec();
    sorted.sort_by_key(|id| (ms(&world.documents[*id]), *id));
    let hits: Vec<Value> = sorted
        .iter()
        .take(2)
        .map(|id| {
            let index = world.indices[1].1.first().map_or("one", |b| {
                let first = b.sources(&[0]).unwrap();
                let begins = (0..world.documents.len())
                    .find(|i| serde_json::from_str::<Value>(&first[0]).unwrap() == world.documents[*i]);
                if begins.is_some_and(|b| *id >= b) { "two" } else { "one" }
            });
            json!({"_id": id.to_string(), "_index": index, "_score": null, "sort": [ms(&world.documents[*id])]})
        })
        .collect();
    json!({"total": {"value": ids.len(), "relation": "eq"}, "max_score": null, "hits": hits})
}

/// Whether two values are the same but for the last digits of numbers. The index of a hit among equal documents is not
/// looked at.
fn alike(a: &Value, b: &Value, path: &str) -> Result<(), String> {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let names: BTreeSet<&String> = x.keys().chain(y.keys()).collect();
            for name in names {
                if name == "_index" {
                    continue;
                }
                let none = Value::String("nothing".to_owned());
                alike(x.get(name).unwrap_or(&none), y.get(name).unwrap_or(&none), &format!("{path}.{name}"))?;
            }
            Ok(())
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            x.iter().zip(y).enumerate().try_for_each(|(i, (x, y))| alike(x, y, &format!("{path}[{i}]")))
        }
        (Value::Number(x), Value::Number(y)) => {
            let (x, y) = (x.as_f64().unwrap(), y.as_f64().unwrap());
            if (x - y).abs() <= 1e-9 * x.abs().max(1.0) { Ok(()) } else { Err(format!("{path}: {x} {y}")) }
        }
        (x, y) if x == y => Ok(()),
        (x, y) => Err(format!("{path}: {x} {y}")),
    }
}
