//! The requests that are replayed, and the real servers' answers to them as they were recorded.
//!
//! `requests/TOPIC.ndjson` has one request a line: `name` (`TOPIC/what it is about`), `method`, `path`, `body` (an object,
//! or a text that is sent as it is), and `judge` where another server than Elasticsearch decides because ours of that
//! lacks the module. Those of `wrong` have to be refused.
//!
//! `top_metrics` has no judge: it is part of neither distribution. There `stand_in` asks Elasticsearch for the same
//! documents by `top_hits`, and the answer is put into the form of the documentation; `metrics` names its fields.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::compare;
use crate::http::Client;
use crate::reading::{files, here};
use crate::servers::Kind;

/// One request.
pub(crate) struct Request {
    /// `TOPIC/what it is about`.
    pub(crate) name: String,
    /// The line of the file, whole.
    pub(crate) line: Value,
}

impl Request {
    /// Who decides what the right answer is.
    pub(crate) fn judge(&self) -> Kind {
        match self.line["judge"].as_str() {
            None => Kind::Elasticsearch,
            Some("opensearch") => Kind::OpenSearch,
            Some(other) => panic!("{}: unknown judge {other}", self.name),
        }
    }

    /// Whether it has to be refused.
    pub(crate) fn wrong(&self) -> bool {
        self.name.starts_with("wrong/")
    }

    /// Whether another request is put to the real server in its place.
    pub(crate) fn has_stand_in(&self) -> bool {
        self.line.get("stand_in").is_some()
    }

    /// Sends it and makes the answer comparable.
    pub(crate) fn send(&self, client: &mut Client) -> (u16, Value) {
        self.send_body(client, &self.line["body"])
    }

    /// Sends it to a real server, or what stands in for it.
    pub(crate) fn send_real(&self, client: &mut Client) -> (u16, Value) {
        if !self.has_stand_in() {
            return self.send(client);
        }
        let (status, mut answer) = self.send_body(client, &self.line["stand_in"]);
        let metrics: Vec<&str> =
            self.line["metrics"].as_array().unwrap().iter().map(|m| m.as_str().unwrap()).collect();
        as_top_metrics(&mut answer["aggregations"], &metrics);
        (status, answer)
    }

    fn send_body(&self, client: &mut Client, body: &Value) -> (u16, Value) {
        let body = match body {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let text =
            |name: &str| self.line[name].as_str().unwrap_or_else(|| panic!("{}: no {name}", self.name));
        let answer = client
            .send(text("method"), text("path"), body.as_deref())
            .unwrap_or_else(|error| panic!("{}: {error}", self.name));
        (answer.status, compare::normal(answer.status, answer.json()))
    }
}

/// The answers of `top_hits` as those of `top_metrics`.
fn as_top_metrics(value: &mut Value, metrics: &[&str]) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|v| as_top_metrics(v, metrics)),
        Value::Object(map) => {
            let Some(hits) = map.remove("hits") else {
                map.values_mut().for_each(|v| as_top_metrics(v, metrics));
                return;
            };
            let top = |hit: &Value| {
                let of = |name: &&str| ((*name).to_owned(), hit["fields"][*name][0].clone());
                json!({"sort": hit["sort"], "metrics": metrics.iter().map(of).collect::<Map<_, _>>()})
            };
            let list: Vec<Value> = hits["hits"].as_array().unwrap().iter().map(top).collect();
            map.insert("top".to_owned(), Value::Array(list));
        }
        _ => {}
    }
}

/// All requests.
pub(crate) fn all() -> Vec<Request> {
    let mut list = Vec::new();
    for file in files(&here("tests/elastic/requests"), Some(&["ndjson"])) {
        let topic = file.file_stem().unwrap().to_str().unwrap().to_owned();
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let line: Value =
                serde_json::from_str(line).unwrap_or_else(|e| panic!("{}: {e}: {line}", file.display()));
            let name = line["name"].as_str().expect("a name").to_owned();
            assert!(name.starts_with(&format!("{topic}/")), "{}: {name}", file.display());
            list.push(Request { name, line });
        }
    }
    list
}

/// A recorded answer.
pub(crate) struct Recorded {
    /// The request as it was sent.
    pub(crate) request: Value,
    /// HTTP status.
    pub(crate) status: u16,
    /// The answer, made comparable.
    pub(crate) answer: Value,
}

fn recording() -> PathBuf {
    here("tests/elastic/recorded/answers.ndjson.zst")
}

/// The recorded answers by the requests' names.
pub(crate) fn recorded() -> BTreeMap<String, Recorded> {
    let Ok(packed) = std::fs::read(recording()) else { return BTreeMap::new() };
    let text = String::from_utf8(zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
    let read = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let status = u16::try_from(line["status"].as_u64().unwrap()).unwrap();
        let request = line["request"].take();
        (
            request["name"].as_str().unwrap().to_owned(),
            Recorded { request, status, answer: line["answer"].take() },
        )
    };
    text.lines().map(read).collect()
}

/// Writes the recording.
pub(crate) fn record(answers: &BTreeMap<String, Recorded>) {
    let line = |r: &Recorded| {
        let line = json!({"request": r.request, "status": r.status, "answer": r.answer});
        format!("{line}\n")
    };
    let text: String = answers.values().map(line).collect();
    std::fs::write(recording(), zstd::encode_all(text.as_bytes(), 22).unwrap()).unwrap();
}
