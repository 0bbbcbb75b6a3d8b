//! Who we say we are: compatible with a version of Elasticsearch where clients look, ourselves everywhere else.

use serde_json::{Value, json};

/// The version whose answers ours are like. Clients of 7.14 to 9.x take it.
pub const COMPATIBLE: &str = "8.19.0";
/// The number of that version's index format.
pub(crate) const COMPATIBLE_ID: &str = "8536000";
/// The oldest versions that it talks to, and the library it is built on: clients print them.
const WIRE: &str = "7.17.0";
const INDEX: &str = "7.0.0";
const LUCENE: &str = "9.12.2";

/// Names of this program and host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `cluster_name`.
    pub cluster: String,
    /// The node's name, e.g. the host's.
    pub node: String,
    /// What tells this data directory from others: 22 characters of base64url.
    pub uuid: String,
    /// Our own version.
    pub version: String,
}

impl Identity {
    /// `GET /`.
    pub(crate) fn root(&self) -> Value {
        json!({
            "name": self.node,
            "cluster_name": self.cluster,
            "cluster_uuid": self.uuid,
            "version": {
                "number": COMPATIBLE,
                "build_flavor": "default",
                "build_type": "wirebeat",
                "build_hash": "unknown",
                "build_date": "1970-01-01T00:00:00.000Z",
                "build_snapshot": false,
                "lucene_version": LUCENE,
                "minimum_wire_compatibility_version": WIRE,
                "minimum_index_compatibility_version": INDEX,
            },
            "tagline": "You Know, for Search",
            "wirebeat": {
                "version": self.version,
                "note": "not Elasticsearch: wirebeat's own store, with an API that is compatible",
            },
        })
    }
}
