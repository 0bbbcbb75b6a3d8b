//! Aggregations: what is asked, and what the model says to it.

use super::*;

/// An aggregation, with what it means written beside it.
#[derive(Clone, Debug)]
pub(crate) enum A {
    Terms(&'static str, usize, &'static str),
    Hours,
    BerlinDays(u64),
    Histogram(i64),
    Ranges,
    Filters(Q, Q, bool),
    Missing(&'static str),
    IpRanges,
}

pub(crate) fn agg() -> impl Strategy<Value = A> {
    prop_oneof![
        (
            prop::sample::select(&["kw", "n", "b", "ip", "o.k", "d", "also"][..]),
            1_usize..6,
            prop::sample::select(&["_count", "_key", "-_key", "-_count"][..]),
        )
            .prop_map(|(f, size, order)| A::Terms(f, size, order)),
        Just(A::Hours),
        (0_u64..2).prop_map(A::BerlinDays),
        (1_i64..9).prop_map(A::Histogram),
        Just(A::Ranges),
        (query(), query(), any::<bool>()).prop_map(|(a, b, other)| A::Filters(a, b, other)),
        prop::sample::select(&["kw", "n", "b", "ip"][..]).prop_map(A::Missing),
        Just(A::IpRanges),
    ]
}

pub(crate) type Below<'a> = &'a dyn Fn(&[usize]) -> Value;

/// A bucket: its own members, its documents, and what is below.
fn bucket(own: Value, ids: &[usize], below: Below<'_>) -> Value {
    let mut out = own.as_object().unwrap().clone();
    out.insert("doc_count".to_owned(), json!(ids.len()));
    out.extend(below(ids).as_object().unwrap().clone());
    Value::Object(out)
}

fn text_of_ms(ms: i64, zone: &str) -> String {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap().in_tz(zone).unwrap();
    let text = at.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string();
    text.strip_suffix("+00:00").map_or(text.clone(), |t| format!("{t}Z"))
}

impl A {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Terms(..) => "terms",
            Self::Hours | Self::BerlinDays(_) => "date_histogram",
            Self::Histogram(_) => "histogram",
            Self::Ranges => "range",
            Self::Filters(..) => "filters",
            Self::Missing(_) => "missing",
            Self::IpRanges => "ip_range",
        }
    }

    pub(crate) fn json(&self) -> Value {
        match self {
            Self::Terms(f, size, order) => {
                let (name, direction) = match order.strip_prefix('-') {
                    Some(name) => (name, "desc"),
                    None => (*order, "asc"),
                };
                json!({"field": f, "size": size, "order": {name: direction}})
            }
            Self::Hours => json!({"field": "@timestamp", "fixed_interval": "6h"}),
            Self::BerlinDays(min) => json!({
                "field": "@timestamp", "calendar_interval": "day", "time_zone": "Europe/Berlin", "min_doc_count": min,
            }),
            Self::Histogram(interval) => json!({"field": "n", "interval": interval, "min_doc_count": 1}),
            Self::Ranges => {
                json!({"field": "d", "ranges": [{"from": 2}, {"to": 1.5}, {"key": "mid", "from": 1, "to": 5}]})
            }
            Self::Filters(a, b, other) => {
                json!({"filters": {"a": a.json(), "b": b.json()}, "other_bucket": other})
            }
            Self::Missing(f) => json!({"field": f}),
            Self::IpRanges => {
                json!({"field": "ip", "ranges": [{"mask": "10.0.0.0/8"}, {"from": "10.0.0.2", "to": "::1:0:0:0"}]})
            }
        }
    }

    pub(crate) fn model(&self, world: &World, ids: &[usize], below: Below<'_>) -> Value {
        match self {
            Self::Terms(field, size, order) => self.terms(world, ids, below, field, *size, order),
            Self::Hours => {
                let length = 6 * 3_600_000;
                dates(world, ids, below, 0, "UTC", |ms| ms.div_euclid(length) * length, |key| key + length)
            }
            Self::BerlinDays(min) => {
                let day = |ms: i64, days: i64| {
                    let at = jiff::Timestamp::from_millisecond(ms).unwrap().in_tz("Europe/Berlin").unwrap();
                    let date = at.date().checked_add(jiff::Span::new().days(days)).unwrap();
                    date.in_tz("Europe/Berlin").unwrap().timestamp().as_millisecond()
                };
                dates(world, ids, below, *min, "Europe/Berlin", |ms| day(ms, 0), |key| day(key, 1))
            }
            Self::Histogram(interval) => {
                let mut groups: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
                for id in ids {
                    let keys: BTreeSet<i64> = values(&world.documents[*id], "n")
                        .iter()
                        .map(|v| v.as_i64().unwrap().div_euclid(*interval) * interval)
                        .collect();
                    keys.into_iter().for_each(|k| groups.entry(k).or_default().push(*id));
                }
                let buckets: Vec<Value> =
                    groups.iter().map(|(k, ids)| bucket(json!({"key": *k as f64}), ids, below)).collect();
                json!({"buckets": buckets})
            }
            Self::Ranges => {
                let spans =
                    [("*-1.5", f64::NEG_INFINITY, 1.5), ("mid", 1.0, 5.0), ("2.0-*", 2.0, f64::INFINITY)];
                let buckets: Vec<Value> = spans
                    .iter()
                    .map(|(key, from, to)| {
                        let inside: Vec<usize> = ids
                            .iter()
                            .copied()
                            .filter(|id| {
                                values(&world.documents[*id], "d").iter().any(|v| {
                                    let d = v.as_f64().unwrap();
                                    *from <= d && d < *to
                                })
                            })
                            .collect();
                        let mut own = json!({"key": key});
                        if from.is_finite() {
                            own["from"] = json!(from);
                        }
                        if to.is_finite() {
                            own["to"] = json!(to);
                        }
                        bucket(own, &inside, below)
                    })
                    .collect();
                json!({"buckets": buckets})
            }
            Self::Filters(a, b, other) => {
                let of =
                    |f: &dyn Fn(usize) -> bool| ids.iter().copied().filter(|i| f(*i)).collect::<Vec<_>>();
                let holds = |q: &Q, id: usize| q.holds(id, &world.documents[id]);
                let mut buckets = Map::new();
                buckets.insert("a".to_owned(), bucket(json!({}), &of(&|i| holds(a, i)), below));
                buckets.insert("b".to_owned(), bucket(json!({}), &of(&|i| holds(b, i)), below));
                if *other {
                    let rest = of(&|i| !holds(a, i) && !holds(b, i));
                    buckets.insert("_other_".to_owned(), bucket(json!({}), &rest, below));
                }
                json!({"buckets": buckets})
            }
            Self::Missing(field) => {
                let none: Vec<usize> = ids
                    .iter()
                    .copied()
                    .filter(|id| values(&world.documents[*id], field).is_empty())
                    .collect();
                bucket(json!({}), &none, below)
            }
            Self::IpRanges => {
                let spans =
                    [("10.0.0.0/8", "10.0.0.0", "11.0.0.0"), ("10.0.0.2-::1:0:0:0", "10.0.0.2", "::1:0:0:0")];
                let buckets: Vec<Value> = spans
                    .iter()
                    .map(|(key, from, to)| {
                        let inside: Vec<usize> = ids
                            .iter()
                            .copied()
                            .filter(|id| {
                                values(&world.documents[*id], "ip")
                                    .iter()
                                    .any(|v| (ip(from)..ip(to)).contains(&ip(v.as_str().unwrap())))
                            })
                            .collect();
                        bucket(json!({"key": key, "from": from, "to": to}), &inside, below)
                    })
                    .collect();
                json!({"buckets": buckets})
            }
        }
    }

    fn terms(
        &self,
        world: &World,
        ids: &[usize],
        below: Below<'_>,
        field: &str,
        size: usize,
        order: &str,
    ) -> Value {
        let field = if field == "also" { "kw" } else { field };
        let mut groups: Vec<(Value, Vec<usize>)> = Vec::new();
        for id in ids {
            let mut seen: Vec<&Value> = Vec::new();
            for value in values(&world.documents[*id], field) {
                if seen.contains(&value) {
                    continue;
                }
                seen.push(value);
                match groups.iter_mut().find(|g| g.0 == *value) {
                    Some(group) => group.1.push(*id),
                    None => groups.push((value.clone(), vec![*id])),
                }
            }
        }
        let by_key = |a: &Value, b: &Value| match (a, b) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (a, b) => compare(field, a, b),
        };
        groups.sort_by(|a, b| match order {
            "_count" => a.1.len().cmp(&b.1.len()).then(by_key(&a.0, &b.0)),
            "-_count" => b.1.len().cmp(&a.1.len()).then(by_key(&a.0, &b.0)),
            "_key" => by_key(&a.0, &b.0),
            _ => by_key(&b.0, &a.0),
        });
        let other: usize = groups.iter().skip(size).map(|g| g.1.len()).sum();
        let buckets: Vec<Value> = groups
            .iter()
            .take(size)
            .map(|(key, ids)| {
                let own = match key {
                    Value::Bool(b) => json!({"key": i32::from(*b), "key_as_string": b.to_string()}),
                    key => json!({"key": key}),
                };
                bucket(own, ids, below)
            })
            .collect();
        json!({"buckets": buckets, "sum_other_doc_count": other, "doc_count_error_upper_bound": 0})
    }
}

/// A date histogram whose keys and steps are given.
fn dates(
    world: &World,
    ids: &[usize],
    below: Below<'_>,
    min: u64,
    zone: &str,
    round: impl Fn(i64) -> i64,
    next: impl Fn(i64) -> i64,
) -> Value {
    let mut groups: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for id in ids {
        groups.entry(round(ms(&world.documents[*id]))).or_default().push(*id);
    }
    if min == 0
        && let (Some(first), Some(last)) = (groups.keys().next().copied(), groups.keys().last().copied())
    {
        let mut key = first;
        while key < last {
            groups.entry(key).or_default();
            key = next(key);
        }
    }
    let buckets: Vec<Value> = groups
        .iter()
        .map(|(key, ids)| bucket(json!({"key": key, "key_as_string": text_of_ms(*key, zone)}), ids, below))
        .collect();
    json!({"buckets": buckets})
}
