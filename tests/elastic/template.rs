//! A template for a real server, made of our own fields.

use serde_json::{Map, Value, json};

use crate::http::Client;
use crate::servers::Kind;

/// The mapping of all our fields and their aliases, as a server of this kind knows the types. Strict: a document with a
/// field that is not declared is refused.
///
/// `keyword` without `ignore_above`: our own store forgets no long text.
pub(crate) fn mapping(kind: Kind) -> Value {
    let fields: Value = serde_json::from_slice(&fields()).unwrap();
    let mut properties = Map::new();
    for field in fields.as_array().unwrap() {
        let kind = match (field["type"].as_str().unwrap(), kind) {
            ("flattened", Kind::OpenSearch) => "flat_object",
            (other, _) => other,
        };
        let name = field["name"].as_str().unwrap();
        properties.insert(name.to_owned(), json!({"type": kind}));
        for alias in field["aliases"].as_str().into_iter().flat_map(|list| list.split(',')) {
            properties.insert(alias.to_owned(), json!({"type": "alias", "path": name}));
        }
    }
    json!({"dynamic": "strict", "properties": properties})
}

fn fields() -> Vec<u8> {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_wirebeat"))
        .args(["fields", "--format", "json"])
        .output()
        .expect("wirebeat fields");
    assert!(output.status.success());
    output.stdout
}

/// Gives a real server the template for our indices.
pub(crate) fn template(client: &mut Client, kind: Kind) {
    let template = json!({
        "index_patterns": ["packetbeat-*"],
        "template": {
            "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"},
            "mappings": mapping(kind),
        },
    });
    let answer = client.send("PUT", "/_index_template/wirebeat", Some(&template.to_string())).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.json());
}
