//! The one node that there is: `/`, `_cluster/health`, `_nodes`, `_license`, `_xpack`, `_stats`, and lists of what there
//! is none of.

use serde_json::{Map, Value, json};

use crate::Failure;
use crate::backend::{Health, IndexInfo};
use crate::call::{Call, shards};
use crate::identity::COMPATIBLE;
use crate::reply::Reply;
use crate::units;

/// `GET|HEAD /`.
pub(crate) fn root(call: &Call<'_>) -> Result<Reply, Failure> {
    Ok(call.api.identity.root().into())
}

/// `GET /_cluster/health`, `/_cluster/health/{index}`. The state does not change while somebody waits for it: what is
/// waited for and not so is told at once, as timed out.
pub(crate) fn health(call: &Call<'_>) -> Result<Reply, Failure> {
    for name in ["timeout", "master_timeout"] {
        call.params.time(name)?;
    }
    call.params.flag("local")?;
    let health = call.api.backend.health();
    let wanted = match call.params.text("wait_for_status").map(str::to_ascii_lowercase).as_deref() {
        None | Some("red") => Health::Red,
        Some("yellow") => Health::Yellow,
        Some("green") => Health::Green,
        Some(other) => {
            return Err(Failure::illegal(format!(
                "No enum constant org.elasticsearch.cluster.health.ClusterHealthStatus.{}",
                other.to_ascii_uppercase()
            )));
        }
    };
    let timed_out = health > wanted;
    let snapshot = call.snapshot();
    let indices = call.indices(&*snapshot)?;
    let active = indices.len();
    let mut answer = json!({
        "cluster_name": call.api.identity.cluster,
        "status": health.name(),
        "timed_out": timed_out,
        "number_of_nodes": 1,
        "number_of_data_nodes": 1,
        "active_primary_shards": active,
        "active_shards": active,
        "relocating_shards": 0,
        "initializing_shards": 0,
        "unassigned_shards": 0,
        "unassigned_primary_shards": 0,
        "delayed_unassigned_shards": 0,
        "number_of_pending_tasks": 0,
        "number_of_in_flight_fetch": 0,
        "task_max_waiting_in_queue_millis": 0,
        "active_shards_percent_as_number": 100.0,
    });
    match call.params.text("level") {
        None | Some("cluster") => {}
        Some("indices" | "shards") => {
            let each = indices.iter().map(|index| {
                let one = json!({
                    "status": health.name(),
                    "number_of_shards": 1,
                    "number_of_replicas": 0,
                    "active_primary_shards": 1,
                    "active_shards": 1,
                    "relocating_shards": 0,
                    "initializing_shards": 0,
                    "unassigned_shards": 0,
                    "unassigned_primary_shards": 0,
                });
                (index.name.clone(), one)
            });
            answer["indices"] = Value::Object(each.collect());
        }
        Some(other) => {
            return Err(Failure::illegal(format!(
                "level parameter must be one of [CLUSTER, INDICES, SHARDS] but was [{other}]"
            )));
        }
    }
    Ok(Reply::json(if timed_out { 408 } else { 200 }, answer))
}

/// `GET /_nodes`, `/_nodes/http`: where clients that look for nodes find this one.
pub(crate) fn nodes(call: &Call<'_>) -> Result<Reply, Failure> {
    let identity = &call.api.identity;
    let bound: Vec<String> = call.api.addresses.iter().map(ToString::to_string).collect();
    let publish = bound.first().cloned().unwrap_or_default();
    let host = call.api.addresses.first().map(|a| a.ip().to_string()).unwrap_or_default();
    let node = json!({
        "name": identity.node,
        "host": host,
        "ip": host,
        "version": COMPATIBLE,
        "build_flavor": "default",
        "build_type": "wirebeat",
        "build_hash": "unknown",
        "roles": ["data", "ingest", "master"],
        "http": {
            "bound_address": bound,
            "publish_address": publish,
            "max_content_length_in_bytes": call.api.max_body,
        },
    });
    Ok(json!({
        "_nodes": {"total": 1, "successful": 1, "failed": 0},
        "cluster_name": identity.cluster,
        "nodes": {identity.uuid.clone(): node},
    })
    .into())
}

/// `GET /_license`: free software, no licence of Elastic's.
pub(crate) fn license(call: &Call<'_>) -> Result<Reply, Failure> {
    let identity = &call.api.identity;
    Ok(json!({"license": {
        "status": "active",
        "uid": identity.uuid,
        "type": "oss",
        "issued_to": identity.cluster,
        "issuer": "wirebeat (Apache-2.0)",
    }})
    .into())
}

/// `GET /_xpack`: none of its features is here.
pub(crate) fn xpack(call: &Call<'_>) -> Result<Reply, Failure> {
    let features = [
        "aggregate_metric",
        "analytics",
        "ccr",
        "data_streams",
        "data_tiers",
        "enrich",
        "eql",
        "esql",
        "frozen_indices",
        "graph",
        "ilm",
        "logstash",
        "ml",
        "monitoring",
        "rollup",
        "searchable_snapshots",
        "security",
        "slm",
        "spatial",
        "sql",
        "transform",
        "voting_only",
        "watcher",
    ];
    let none = json!({"available": false, "enabled": false});
    let features: Map<String, Value> = features.iter().map(|f| ((*f).to_owned(), none.clone())).collect();
    Ok(json!({
        "license": {"uid": call.api.identity.uuid, "type": "oss", "mode": "oss", "status": "active"},
        "features": features,
        "tagline": "You know, for X",
    })
    .into())
}

/// `GET /_stats`, `/_stats/{metric}`, `/{index}/_stats`, `/{index}/_stats/{metric}`.
pub(crate) fn stats(call: &Call<'_>) -> Result<Reply, Failure> {
    let human = call.params.flag("human")?;
    let metrics = call.params.list("metric").unwrap_or_default();
    check_metrics(call, &metrics)?;
    let takes = |name: &str| metrics.is_empty() || metrics.iter().any(|m| *m == "_all" || *m == name);
    let of = |indices: &[&IndexInfo]| {
        let sum = |f: fn(&IndexInfo) -> u64| indices.iter().map(|index| f(index)).sum::<u64>();
        let size = sum(|index| index.size_bytes);
        let mut all = Map::new();
        if takes("docs") {
            let mut docs = json!({
                "count": sum(|index| index.docs),
                "deleted": sum(|index| index.deleted),
                "total_size_in_bytes": size,
            });
            if human {
                docs["total_size"] = json!(units::bytes(size));
            }
            all.insert("docs".to_owned(), docs);
        }
        if takes("store") {
            let mut store = json!({
                "size_in_bytes": size,
                "total_data_set_size_in_bytes": size,
                "reserved_in_bytes": 0,
            });
            if human {
                store["size"] = json!(units::bytes(size));
                store["total_data_set_size"] = json!(units::bytes(size));
                store["reserved"] = json!("0b");
            }
            all.insert("store".to_owned(), store);
        }
        if takes("segments") {
            all.insert("segments".to_owned(), json!({"count": sum(|index| index.segments)}));
        }
        Value::Object(all)
    };
    let snapshot = call.snapshot();
    let indices = call.indices(&*snapshot)?;
    let total = of(&indices);
    let health = call.api.backend.health().name();
    let each = indices.iter().map(|index| {
        let one = of(&[index]);
        let body = json!({
            "uuid": index.uuid,
            "health": health,
            "status": "open",
            "primaries": one,
            "total": one,
        });
        (index.name.clone(), body)
    });
    let mut answer = json!({"_shards": {"total": indices.len(), "successful": indices.len(), "failed": 0}});
    answer["_all"] = json!({"primaries": total, "total": total});
    if call.params.text("level") != Some("cluster") {
        answer["indices"] = Value::Object(each.collect());
    }
    Ok(answer.into())
}

/// Refuses names that are no metrics; those that we have nothing of are told as nothing.
fn check_metrics(call: &Call<'_>, metrics: &[&str]) -> Result<(), Failure> {
    const KNOWN: [&str; 20] = [
        "_all",
        "bulk",
        "completion",
        "dense_vector",
        "docs",
        "fielddata",
        "flush",
        "get",
        "indexing",
        "merge",
        "mappings",
        "query_cache",
        "recovery",
        "refresh",
        "request_cache",
        "search",
        "segments",
        "sparse_vector",
        "store",
        "translog",
    ];
    match metrics.iter().find(|m| !KNOWN.contains(m) && !["warmer", "shard_stats"].contains(m)) {
        Some(other) => {
            Err(Failure::illegal(format!("request [{}] contains unrecognized metric: [{other}]", call.path)))
        }
        None => Ok(()),
    }
}

/// `GET|POST /_refresh`, `/{index}/_refresh`: what is stored is searchable without it.
pub(crate) fn refresh(call: &Call<'_>) -> Result<Reply, Failure> {
    let snapshot = call.snapshot();
    let mut shards = shards(call.indices(&*snapshot)?.len());
    if let Some(shards) = shards.as_object_mut() {
        shards.remove("skipped");
    }
    Ok(json!({"_shards": shards}).into())
}

/// An object of nothing: `_template`, `_ilm/policy`, `_ingest/pipeline`.
pub(crate) fn nothing(_: &Call<'_>) -> Result<Reply, Failure> {
    Ok(json!({}).into())
}

/// `GET /_data_stream`: there are none.
pub(crate) fn data_streams(_: &Call<'_>) -> Result<Reply, Failure> {
    Ok(json!({"data_streams": []}).into())
}

/// `GET /_index_template`: there are none.
pub(crate) fn index_templates(_: &Call<'_>) -> Result<Reply, Failure> {
    Ok(json!({"index_templates": []}).into())
}

/// `GET /_component_template`: there are none.
pub(crate) fn component_templates(_: &Call<'_>) -> Result<Reply, Failure> {
    Ok(json!({"component_templates": []}).into())
}

/// What Elasticsearch does and we do not: said by name.
pub(crate) fn refuse(call: &Call<'_>) -> Result<Reply, Failure> {
    let reason = format!(
        "[{} {}] is not supported by wirebeat: its store is filled by what it watches, not over HTTP",
        call.method, call.path
    );
    Err(Failure::illegal(reason))
}
