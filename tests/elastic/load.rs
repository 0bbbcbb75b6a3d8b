//! Puts the documents into a real server.

use serde_json::{Value, json};

use crate::data;
use crate::http::Client;

/// Stores all documents; they can be searched when this returns.
pub(crate) fn load(client: &mut Client, documents: &[Value]) {
    for batch in documents.chunks(2_000) {
        let mut body = String::new();
        for document in batch {
            let action = json!({"create": {"_index": data::index(document), "_id": data::id(document)}});
            body.push_str(&format!("{action}\n{document}\n"));
        }
        let answer = client.send("POST", "/_bulk?filter_path=errors,items.*.error", Some(&body)).unwrap();
        assert_eq!(answer.json(), json!({"errors": false}));
    }
    let answer = client.send("POST", "/packetbeat-*/_refresh", None).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.json());
    let answer = client.send("GET", "/packetbeat-*/_count", None).unwrap().json();
    assert_eq!(answer["count"], documents.len(), "{answer}");
}
