//! The searches, in the query DSL and in SQL.

use serde_json::{Value, json};
use wirebeat_model::{Entries, Time};

use crate::events::{SPAN, Source};

/// One search.
pub(crate) struct Search {
    /// What is asked.
    pub name: &'static str,
    /// The project's own bound in milliseconds.
    pub limit: &'static str,
    /// The body of `_search`.
    pub body: Value,
    /// For DuckDB, from `EVENTS`; empty: it has no short form.
    pub sql: String,
    /// What of an answer all engines have to agree on, in the form of DuckDB's rows.
    pub said: fn(&Value) -> Value,
}

/// All of them, about the events that `source` tells once more.
pub(crate) fn all(mut source: Source) -> Vec<Search> {
    let schema = wirebeat::engine::schema();
    let field = |name| schema.by_name(name).expect("a field");
    let (name, flow) = (field("dns.question.name"), field("network.community_id"));
    let (mut fields, mut rare, mut id) = (Vec::new(), String::new(), String::new());
    let (mut first, mut last) = (Time::MAX, Time::MIN);
    while let Some((time, _)) = source.next(&mut fields) {
        (first, last) = (first.min(time), last.max(time));
        let event = Entries::from_encoded(fields.clone());
        // Of a name that is asked for once, in the middle of the time.
        if time.0 - first.0 < SPAN / 2
            && let Some(name) = event.get_str(name).filter(|n| n.starts_with("nx"))
        {
            rare = name.to_owned();
            id = event.get_str(flow).unwrap_or_default().to_owned();
        }
    }
    let part = rare.split('.').next().unwrap_or_default();
    let since = |minutes: i64| Time(last.0 - minutes * 60_000_000_000);
    vec![
        histogram("date histogram 30 s + status, 15 min", "10", since(15), "30 seconds"),
        histogram("date histogram 5 min + status, 6 h", "120", first, "5 minutes"),
        top("top 10 of url.path, 6 h", "150", "url.path", first),
        top("top 10 of query (50,000 distinct), 6 h", "-", "query", first),
        rows(
            "rare text: query *…*, newest 50",
            "50",
            json!({"wildcard": {"query": format!("*{part}*")}}),
            &format!("query like '%{part}%'"),
        ),
        rows(
            "rare value: network.community_id, newest 50",
            "50",
            json!({"term": {"network.community_id": id}}),
            &format!("\"network.community_id\" = '{id}'"),
        ),
        Search {
            sql: String::new(),
            ..rows(
                "rare word in any field, newest 50",
                "50",
                json!({"query_string": {"query": format!("\"{rare}\"")}}),
                "",
            )
        },
        rows(
            "newest 50 of dns with status Error",
            "20",
            json!({"bool": {"filter": [{"term": {"type": "dns"}}, {"term": {"status": "Error"}}]}}),
            "type = 'dns' and status = 'Error'",
        ),
        rows("newest 50 of all", "-", json!({"match_all": {}}), "true"),
    ]
}

fn histogram(name: &'static str, limit: &'static str, since: Time, step: &str) -> Search {
    let interval = step.replace(" seconds", "s").replace(" minutes", "m");
    Search {
        name,
        limit,
        body: json!({
            "size": 0,
            "query": {"range": {"@timestamp": {"gte": since.to_string()}}},
            "aggs": {"time": {
                "date_histogram": {"field": "@timestamp", "fixed_interval": interval, "min_doc_count": 1},
                "aggs": {"status": {"terms": {"field": "status"}}},
            }},
        }),
        sql: format!(
            "select sum(n)::bigint, count(*) from (select time_bucket(interval '{step}', \"@timestamp\") as t, status, \
             count(*) as n from EVENTS where \"@timestamp\" >= '{since}' and status is not null group by all)"
        ),
        said: |answer| {
            let times = answer["aggregations"]["time"]["buckets"].as_array().expect("buckets");
            let inner = times.iter().flat_map(|b| b["status"]["buckets"].as_array().expect("buckets"));
            let counts: Vec<u64> = inner.map(|b| b["doc_count"].as_u64().expect("a count")).collect();
            json!([[counts.iter().sum::<u64>(), counts.len()]])
        },
    }
}

fn top(name: &'static str, limit: &'static str, field: &str, since: Time) -> Search {
    Search {
        name,
        limit,
        body: json!({
            "size": 0,
            "query": {"range": {"@timestamp": {"gte": since.to_string()}}},
            "aggs": {"top": {"terms": {"field": field, "size": 10}}},
        }),
        sql: format!(
            "select \"{field}\", count(*) as n from EVENTS where \"@timestamp\" >= '{since}' and \"{field}\" is not null \
             group by 1 order by n desc, 1 limit 10"
        ),
        said: |answer| {
            let buckets = answer["aggregations"]["top"]["buckets"].as_array().expect("buckets");
            buckets.iter().map(|b| json!([b["key"], b["doc_count"]])).collect()
        },
    }
}

/// Whole documents, newest first. What is compared is their times, in milliseconds.
fn rows(name: &'static str, limit: &'static str, query: Value, condition: &str) -> Search {
    Search {
        name,
        limit,
        body: json!({"size": 50, "query": query, "sort": [{"@timestamp": "desc"}]}),
        sql: format!(
            "select epoch_us(\"@timestamp\") // 1000, 0, * from EVENTS where {condition} order by \"@timestamp\" desc limit 50"
        ),
        said: |answer| {
            let time = |hit: &Value| {
                let text = hit["_source"]["@timestamp"].as_str().expect("a time");
                Time::parse_rfc3339(text).expect("a time").0 / 1_000_000
            };
            answer["hits"]["hits"].as_array().expect("hits").iter().map(|h| json!([time(h), 0])).collect()
        },
    }
}
