//! Real clients (`tests/clients`): what users have installed, run against a server; what they got has to be what the
//! documents say.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::{Value, json};

use crate::reading::here;
use crate::servers::{CLIENTS, Kind, Packages};
use crate::{data, lab};

/// What starts a client.
fn command(client: &Packages) -> Command {
    let folder = client.home(&here("."));
    let mut command;
    if client.installer == "npm" {
        command = Command::new("node");
        command.arg("tests/clients/checks.mjs").arg(&folder);
    } else {
        let module = if client.folder == OPENSEARCH { "opensearchpy" } else { "elasticsearch" };
        command = Command::new("python3");
        command.args(["tests/clients/checks.py", module]).env("PYTHONPATH", &folder);
    }
    command
}

/// OpenSearch's own.
const OPENSEARCH: &str = "python-opensearch";

/// Whether they are installed.
pub(crate) fn installed() -> bool {
    CLIENTS.iter().all(|client| client.installed(&here(".")))
}

/// Clients of 9.x, which an 8.x refuses: the type of their bodies is of a version that it does not know.
const NINE: &[&str] = &["python-9", "node"];

/// Runs all clients that speak to this server, a real one or ours; answers with what was not as it should be.
pub(crate) fn check(url: &str, real: Option<Kind>) -> Vec<String> {
    let documents = data::documents();
    let expected = expected(&documents);
    let mut wrong = Vec::new();
    for client in CLIENTS {
        // OpenSearch's own client alone speaks to OpenSearch: the others refuse it.
        let own = client.folder == OPENSEARCH;
        match real {
            Some(Kind::OpenSearch) if !own => continue,
            Some(Kind::Elasticsearch) if NINE.contains(&client.folder) => continue,
            _ => {}
        }
        if client.installer == "npm"
            && let Some(why) = lab::old_node()
        {
            lab::leave_out("Elasticsearch's client for JavaScript", &why);
            continue;
        }
        match facts(client, url) {
            Err(error) => wrong.push(format!("{}: {error}", client.folder)),
            Ok(facts) => {
                for (name, right) in &expected {
                    if own && real == Some(Kind::Elasticsearch) && OTHERWISE.contains(&name.as_str()) {
                        continue;
                    }
                    let said = &facts[name];
                    if !right.contains(said) {
                        wrong.push(format!("{}: {name}: {said}, not {}", client.folder, right[0]));
                    }
                }
            }
        }
    }
    if real != Some(Kind::OpenSearch) {
        wrong.extend(dump(url, &documents));
    }
    wrong
}

/// What OpenSearch's client asks for by a path of its own, which Elasticsearch has not.
const OTHERWISE: &[&str] = &["pit", "pit_closed"];

fn facts(client: &Packages, url: &str) -> Result<Value, String> {
    let text = lab::try_run(command(client).arg(url))?;
    serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
}

/// Each fact with the values that are right: names of errors differ between clients.
fn expected(documents: &[Value]) -> BTreeMap<String, Vec<Value>> {
    let of = |kind: &str| documents.iter().filter(|d| d["type"] == kind).count();
    let mut terms: BTreeMap<&str, usize> = BTreeMap::new();
    let mut indices: BTreeSet<String> = BTreeSet::new();
    for document in documents {
        *terms.entry(document["type"].as_str().unwrap()).or_default() += 1;
        indices.insert(data::index(document));
    }
    let mut icmp: Vec<&str> = documents
        .iter()
        .filter(|d| d["type"] == "icmp")
        .map(|d| d["event"]["id"].as_str().unwrap())
        .collect();
    icmp.sort_unstable();
    let day = documents.iter().filter(|d| data::index(d) == "packetbeat-2024.10.27").count();
    let all = documents.len();
    let edge = documents.iter().find(|d| d["event"]["id"] == format!("ed9e{}", "0".repeat(28))).unwrap();
    let one = |name: &str, value: Value| (name.to_owned(), vec![value]);
    let error = |name: &str, status: u16, kinds: &[&str]| {
        (name.to_owned(), kinds.iter().map(|kind| json!([kind, status])).collect())
    };
    BTreeMap::from([
        one("ping", json!(true)),
        one("search", json!(of("icmp"))),
        one("search_ids", json!(icmp[..3])),
        one("terms", json!(terms)),
        one("count", json!(all)),
        one("count_query", json!(of("icmp"))),
        one("msearch", json!([day, of("icmp")])),
        one("scan", json!([all, all])),
        one("scan_query", json!(of("icmp"))),
        one("pit", json!([day, day])),
        one("pit_closed", json!(true)),
        one("field_caps", json!({"client.ip": ["ip"], "request": ["text"], "type": ["keyword"]})),
        one("mapping", json!("ip")),
        one("exists", json!([true, false])),
        one("indices", json!(indices)),
        one("aliases", json!(indices.len())),
        one("cat", json!(indices)),
        one("cat_text", json!(indices.len())),
        one("cat_count", json!(all.to_string())),
        one("get", edge.clone()),
        error("missing_document", 404, &["NotFoundError", "ResponseError"]),
        error("missing_index", 404, &["NotFoundError", "ResponseError"]),
        error("wrong", 400, &["RequestError", "BadRequestError", "ResponseError"]),
    ])
}

/// elasticdump reads everything by scrolling: every document has to be there, as it was stored.
fn dump(url: &str, documents: &[Value]) -> Option<String> {
    let dir = lab::Dir::new("elasticdump");
    let file = dir.join("all.ndjson");
    let mut command = Command::new("node");
    command
        .arg(here("target/clients/node/node_modules/elasticdump/bin/elasticdump"))
        .arg(format!("--input={url}/packetbeat-*"))
        .arg(format!("--output={}", file.display()))
        .args(["--type=data", "--limit=2000", "--quiet"]);
    if let Err(error) = lab::try_run(&mut command) {
        return Some(format!("elasticdump: {error}"));
    }
    let text = std::fs::read_to_string(&file).unwrap();
    let mut dumped: BTreeMap<String, Value> = BTreeMap::new();
    for line in text.lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let id = line["_id"].as_str().unwrap().to_owned();
        if dumped.insert(id.clone(), line["_source"].take()).is_some() {
            return Some(format!("elasticdump: {id} came twice"));
        }
    }
    let kept =
        |d: &Value| dumped.get(data::id(d)).is_some_and(|said| as_javascript(said) == as_javascript(d));
    let lost: Vec<&Value> = documents.iter().filter(|d| !kept(d)).collect();
    (!lost.is_empty() || dumped.len() != documents.len()).then(|| {
        let first = lost.first().map(|d| (*d, dumped.get(data::id(d))));
        let (all, lost) = (documents.len(), lost.len());
        format!("elasticdump: {} documents of {all}, {lost} lost or changed: {first:?}", dumped.len())
    })
}

/// A document as JavaScript has it: its numbers are all fractions, whole ones beyond 2^53 are rounded.
fn as_javascript(value: &Value) -> Value {
    match value {
        Value::Number(n) => json!(n.as_f64()),
        Value::Array(list) => list.iter().map(as_javascript).collect(),
        Value::Object(map) => map.iter().map(|(name, v)| (name.clone(), as_javascript(v))).collect(),
        other => other.clone(),
    }
}
