//! What takes more than one request: scrolls and points in time, from opening to what is said after they are closed.

use serde_json::{Value, json};

use crate::compare;
use crate::data;
use crate::http::Client;

const DAY: &str = "packetbeat-2024.10.27";

/// Plays all; answers with what was not as it should be.
pub(crate) fn check(client: &mut Client, documents: &[Value]) -> Vec<String> {
    let expected = documents.iter().filter(|d| data::index(d) == DAY).count();
    let mut flow = Flow { client, wrong: Vec::new() };
    flow.scroll(expected);
    flow.point_in_time(expected);
    flow.headers();
    flow.wrong
}

struct Flow<'c> {
    client: &'c mut Client,
    wrong: Vec<String>,
}

impl Flow<'_> {
    fn ask(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = (!body.is_null()).then(|| body.to_string());
        let answer = self.client.send(method, path, body.as_deref()).expect("an answer");
        (answer.status, answer.json())
    }

    fn expect(&mut self, what: &str, right: &Value, said: &Value) {
        if right != said {
            self.wrong.push(format!("{what}: {said}, not {right}"));
        }
    }

    fn gone(&mut self, what: &str, said: (u16, Value)) {
        let right = json!({"error": {"type": "search_phase_execution_exception", "root": "search_context_missing_exception"}});
        let (status, answer) = (said.0, compare::normal(said.0, said.1));
        self.expect(what, &json!([404, right]), &json!([status, answer]));
    }

    fn scroll(&mut self, expected: usize) {
        let body = json!({"size": 700, "sort": ["_doc"], "_source": false});
        let (_, mut page) = self.ask("POST", &format!("/{DAY}/_search?scroll=1m"), &body);
        let mut ids = Vec::new();
        let mut pages = 0;
        let id = loop {
            let id = page["_scroll_id"].as_str().unwrap_or_default().to_owned();
            let hits = page["hits"]["hits"].as_array().cloned().unwrap_or_default();
            self.expect("scroll: total on each page", &json!(expected), &page["hits"]["total"]["value"]);
            ids.extend(hits.iter().map(|hit| hit["_id"].to_string()));
            if hits.is_empty() || pages == 20 {
                break id;
            }
            pages += 1;
            page = self.ask("POST", "/_search/scroll", &json!({"scroll": "1m", "scroll_id": id})).1;
        };
        self.expect("scroll: pages", &json!(expected.div_ceil(700)), &json!(pages));
        ids.sort();
        ids.dedup();
        self.expect("scroll: documents", &json!(expected), &json!(ids.len()));
        let closed = self.ask("DELETE", "/_search/scroll", &json!({"scroll_id": [id]})).1;
        self.expect("scroll: closed", &json!({"succeeded": true, "num_freed": 1}), &closed);
        let after = self.ask("POST", "/_search/scroll", &json!({"scroll": "1m", "scroll_id": id}));
        self.gone("scroll: after it was closed", after);
        let again = self.ask("DELETE", "/_search/scroll", &json!({"scroll_id": id}));
        self.expect(
            "scroll: closed again",
            &json!([404, {"succeeded": true, "num_freed": 0}]),
            &json!([again.0, again.1]),
        );
    }

    fn point_in_time(&mut self, expected: usize) {
        let (_, opened) = self.ask("POST", &format!("/{DAY}/_pit?keep_alive=1m"), &Value::Null);
        let mut pit = opened["id"].as_str().unwrap_or_default().to_owned();
        let mut ids = Vec::new();
        let mut after = Value::Null;
        for _ in 0..20 {
            let mut body = json!({"size": 700, "sort": [{"type": "desc"}], "_source": false, "pit": {"id": pit, "keep_alive": "1m"}});
            if !after.is_null() {
                body["search_after"] = after.take();
            }
            let (_, page) = self.ask("POST", "/_search", &body);
            let hits = page["hits"]["hits"].as_array().cloned().unwrap_or_default();
            page["pit_id"].as_str().unwrap_or_default().clone_into(&mut pit);
            let Some(last) = hits.last() else { break };
            self.expect(
                "pit: the tie-breaker is a second sort value",
                &json!(2),
                &json!(last["sort"].as_array().map(Vec::len)),
            );
            after = last["sort"].clone();
            ids.extend(hits.iter().map(|hit| hit["_id"].to_string()));
        }
        let told = ids.len();
        ids.sort();
        ids.dedup();
        self.expect("pit: documents, each once", &json!([expected, expected]), &json!([told, ids.len()]));
        let closed = self.ask("DELETE", "/_pit", &json!({"id": pit})).1;
        self.expect("pit: closed", &json!({"succeeded": true, "num_freed": 1}), &closed);
        let late = self.ask("POST", "/_search", &json!({"pit": {"id": pit}}));
        self.gone("pit: after it was closed", late);
    }

    /// Clients refuse a server that does not say on every answer what it is.
    fn headers(&mut self) {
        for (method, path) in [
            ("GET", "/"),
            ("GET", "/nothing/_search"),
            ("HEAD", "/nothing"),
            ("GET", "/_cat/count?format=json"),
        ] {
            let answer = self.client.send(method, path, None).expect("an answer");
            let product = answer.header("x-elastic-product").map(str::to_owned);
            self.expect(
                &format!("{method} {path}: X-elastic-product"),
                &json!("Elasticsearch"),
                &json!(product),
            );
            let kind = answer.header("content-type").unwrap_or_default().to_owned();
            if method != "HEAD" && !kind.starts_with("application/json") {
                self.wrong.push(format!("{method} {path}: Content-Type {kind}"));
            }
        }
    }
}
