//! The panels of Topbeat's dashboard as data: the request that Kibana makes of one, and its answer calculated from the
//! documents themselves.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::get;

/// Names of Topbeat 1.x, and where their values are in a document. Written down here once more, so that a wrong alias is
/// found.
const NAMES: &[(&str, &str)] = &[
    ("beat.name", "host.name"),
    ("load.load1", "system.load.1"),
    ("cpu.user", "system.cpu.user.ticks"),
    ("cpu.user_p", "system.cpu.user.norm.pct"),
    ("cpu.system_p", "system.cpu.system.norm.pct"),
    ("mem.total", "system.memory.total"),
    ("mem.used", "system.memory.used.bytes"),
    ("mem.used_p", "system.memory.used.pct"),
    ("mem.free", "system.memory.free"),
    ("swap.used_p", "system.memory.swap.used.pct"),
    ("proc.name", "process.name"),
    ("proc.pid", "process.pid"),
    ("proc.cmdline", "process.command_line"),
    ("proc.cpu.total", "system.process.cpu.total.value"),
    ("proc.cpu.total_p", "system.process.cpu.total.pct"),
    ("proc.mem.rss", "system.process.memory.rss.bytes"),
    ("proc.mem.rss_p", "system.process.memory.rss.pct"),
    ("proc.mem.share", "system.process.memory.share"),
    ("fs.device_name", "system.filesystem.device_name"),
    ("fs.mount_point", "system.filesystem.mount_point"),
    ("fs.total", "system.filesystem.total"),
];

/// Where a document has what Topbeat called so. What is no alias is there under its old name.
pub(super) fn today(name: &str) -> &str {
    NAMES.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new)
}

/// A document's value under a name of Topbeat 1.x.
pub(super) fn old<'d>(document: &'d Value, name: &str) -> &'d Value {
    get(document, today(name))
}

/// How documents are put into buckets.
pub(super) enum Split {
    /// By time; seconds.
    Time(i64),
    /// The first so many values of a field, by how many documents they have.
    Count(&'static str, usize),
    /// The first so many values of a field, by the panel's first metric.
    Best(&'static str, usize),
}

/// A panel.
pub(super) struct Panel {
    pub(super) title: &'static str,
    /// The saved search behind it.
    pub(super) search: &'static str,
    /// From the outermost.
    pub(super) splits: &'static [Split],
    /// Aggregation and field.
    pub(super) metrics: &'static [(&'static str, &'static str)],
}

use Split::{Best, Count, Time};

/// The panels, as the dashboard of the 1.3 line has them.
pub(super) const PANELS: &[Panel] = &[
    Panel {
        title: "System load",
        search: "type: system",
        splits: &[Time(1), Count("beat.name", 5)],
        metrics: &[("avg", "load.load1")],
    },
    Panel {
        title: "Process status",
        search: "type: process",
        splits: &[Count("beat.name", 5), Best("proc.state", 5)],
        metrics: &[("cardinality", "proc.pid")],
    },
    Panel {
        title: "Memory usage",
        search: "type: system",
        splits: &[Count("beat.name", 5), Time(1)],
        metrics: &[("avg", "mem.used_p"), ("avg", "swap.used_p")],
    },
    Panel {
        title: "CPU usage",
        search: "type: system",
        splits: &[Count("beat.name", 5), Time(2)],
        metrics: &[("max", "cpu.system_p"), ("max", "cpu.user_p")],
    },
    Panel {
        title: "CPU usage per process",
        search: "type: process",
        splits: &[Time(2), Best("proc.name", 5)],
        metrics: &[("avg", "proc.cpu.total_p")],
    },
    Panel {
        title: "Memory usage per process",
        search: "type: process",
        splits: &[Time(2), Best("proc.name", 5)],
        metrics: &[("max", "proc.mem.rss_p")],
    },
    Panel {
        title: "Top processes",
        search: "type: process",
        splits: &[Best("proc.name", 10)],
        metrics: &[
            ("max", "proc.cpu.total_p"),
            ("max", "proc.mem.rss"),
            ("max", "proc.mem.rss_p"),
            ("max", "proc.mem.share"),
        ],
    },
    Panel {
        title: "Servers",
        search: "type: system",
        splits: &[Count("beat.name", 10)],
        metrics: &[
            ("avg", "cpu.user_p"),
            ("avg", "cpu.system_p"),
            ("max", "mem.total"),
            ("max", "mem.used"),
            ("max", "mem.used_p"),
            ("max", "mem.free"),
        ],
    },
    Panel {
        title: "Disk utilization over time",
        search: "type: filesystem",
        splits: &[Count("beat.name", 5), Time(1), Count("fs.mount_point", 50)],
        metrics: &[("avg", "fs.used_p")],
    },
    // Saved with the dashboard, and in none of its panels.
    Panel {
        title: "Top 10 memory",
        search: "*",
        splits: &[Best("proc.name", 10), Best("proc.pid", 3)],
        metrics: &[("avg", "mem.actual_used_p"), ("max", "proc.mem.rss")],
    },
];

impl Panel {
    /// The request that Kibana 4 makes, but for `filtered`, which no server since Elasticsearch 5 takes.
    pub(super) fn request(&self, range: &Value) -> Value {
        let query = json!({"bool": {"must": [
            {"query_string": {"query": self.search, "analyze_wildcard": true}},
            range,
        ]}});
        json!({"size": 0, "query": query, "aggs": self.aggs(self.splits)})
    }

    fn aggs(&self, splits: &[Split]) -> Value {
        let Some((first, rest)) = splits.split_first() else { return self.metrics_asked() };
        let terms = |field: &str, size: usize, by: &str| json!({"terms": {"field": field, "size": size, "order": {by: "desc"}}});
        let mut one = match first {
            Time(seconds) => json!({"date_histogram": {
                "field": "@timestamp", "interval": format!("{seconds}s"), "time_zone": "Europe/Berlin", "min_doc_count": 1,
            }}),
            Count(field, size) => terms(field, *size, "_count"),
            Best(field, size) => terms(field, *size, "1"),
        };
        let mut inner = self.aggs(rest);
        if let (Best(..), Some(more)) = (first, self.metrics_asked().as_object()) {
            inner.as_object_mut().unwrap().extend(more.clone());
        }
        one["aggs"] = inner;
        json!({ self.id(splits): one })
    }

    fn metrics_asked(&self) -> Value {
        let one = |(n, (kind, field)): (usize, &(&str, &str))| {
            let kind = (*kind).to_owned();
            (format!("{}", n + 1), json!({kind: {"field": field}}))
        };
        Value::Object(self.metrics.iter().enumerate().map(one).collect::<Map<_, _>>())
    }

    /// Kibana numbers aggregations: metrics first.
    fn id(&self, splits: &[Split]) -> String {
        (self.metrics.len() + self.splits.len() - splits.len() + 1).to_string()
    }

    /// Compares the answer's aggregations with those of the documents; how many numbers were compared.
    pub(super) fn check(&self, answer: &Value, documents: &[&Value]) -> usize {
        self.check_at(answer, documents, self.splits)
    }

    fn check_at(&self, answer: &Value, documents: &[&Value], splits: &[Split]) -> usize {
        let title = self.title;
        let Some((first, rest)) = splits.split_first() else { return self.check_metrics(answer, documents) };
        let said = &answer[self.id(splits)];
        let buckets = said["buckets"].as_array().unwrap_or_else(|| panic!("{title}: {answer}"));
        let expected = self.buckets(first, documents);
        let keys = |list: &[(Value, Vec<&Value>)]| list.iter().map(|b| b.0.clone()).collect::<Vec<_>>();
        let told: Vec<Value> = buckets.iter().map(|b| b["key"].clone()).collect();
        assert_eq!(told, keys(&expected), "{title}: {said}");
        let mut compared = 0;
        for (bucket, (_, inside)) in buckets.iter().zip(&expected) {
            assert_eq!(bucket["doc_count"], inside.len(), "{title}: {bucket}");
            if matches!(first, Best(..)) && !rest.is_empty() {
                compared += self.check_metrics(bucket, inside);
            }
            compared += 1 + self.check_at(bucket, inside, rest);
        }
        compared
    }

    /// The buckets in their order.
    fn buckets<'d>(&self, split: &Split, documents: &[&'d Value]) -> Vec<(Value, Vec<&'d Value>)> {
        let mut list: Vec<(Value, Vec<&Value>)> = Vec::new();
        let key = |document: &Value| match split {
            Time(seconds) => json!(millis(document).div_euclid(seconds * 1000) * seconds * 1000),
            Count(field, _) | Best(field, _) => old(document, field).clone(),
        };
        let mut places = BTreeMap::new();
        for document in documents {
            let key = key(document);
            if key.is_null() {
                continue;
            }
            let at = *places.entry(key.to_string()).or_insert(list.len());
            if at == list.len() {
                list.push((key, Vec::new()));
            }
            list[at].1.push(document);
        }
        // Numbers as numbers, texts as texts.
        list.sort_by(|a, b| match (a.0.as_i64(), b.0.as_i64()) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => a.0.as_str().cmp(&b.0.as_str()),
        });
        match split {
            Time(_) => return list,
            Count(_, size) => {
                list.sort_by_key(|b| std::cmp::Reverse(b.1.len()));
                list.truncate(*size);
            }
            Best(_, size) => {
                let (kind, field) = self.metrics[0];
                // As Elasticsearch orders: an average of nothing is above all numbers, a greatest of nothing below.
                let nothing = if kind == "avg" { f64::INFINITY } else { f64::NEG_INFINITY };
                let worth = |b: &[&Value]| metric(kind, field, b).unwrap_or(nothing);
                list.sort_by(|a, b| worth(&b.1).total_cmp(&worth(&a.1)));
                list.truncate(*size);
            }
        }
        list
    }

    fn check_metrics(&self, answer: &Value, documents: &[&Value]) -> usize {
        for (n, (kind, field)) in self.metrics.iter().enumerate() {
            let said = &answer[(n + 1).to_string()]["value"];
            let right = metric(kind, field, documents);
            let near = match (said.as_f64(), right) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs(),
                (None, None) => said.is_null(),
                _ => false,
            };
            assert!(near, "{}: {kind} of {field}: said {said}, right {right:?}", self.title);
        }
        self.metrics.len()
    }
}

/// Milliseconds of a document's time.
pub(super) fn millis(document: &Value) -> i64 {
    let text = document["@timestamp"].as_str().expect("@timestamp");
    wirebeat_model::Time::parse_rfc3339(text).expect(text).0.div_euclid(1_000_000)
}

/// An aggregation of the values that there are.
fn metric(kind: &str, field: &str, documents: &[&Value]) -> Option<f64> {
    let values: Vec<&Value> = documents.iter().map(|d| old(d, field)).filter(|v| !v.is_null()).collect();
    let numbers = || values.iter().map(|v| v.as_f64().unwrap_or_else(|| panic!("{field}: {v}")));
    match kind {
        "cardinality" => {
            let mut texts: Vec<String> = values.iter().map(ToString::to_string).collect();
            texts.sort_unstable();
            texts.dedup();
            Some(texts.len() as f64)
        }
        "max" => numbers().reduce(f64::max),
        "avg" => (!values.is_empty()).then(|| numbers().sum::<f64>() / values.len() as f64),
        other => panic!("no such metric: {other}"),
    }
}
