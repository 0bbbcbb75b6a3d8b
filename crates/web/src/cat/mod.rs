//! `_cat`: tables for people.

pub(crate) mod table;

use std::time::{SystemTime, UNIX_EPOCH};

use wirebeat_model::{Precision, Time};

use self::table::{Cell, Column, render};
use crate::Failure;
use crate::call::Call;
use crate::reply::Reply;
use crate::routes;

/// `GET /_cat`: what tables there are.
pub(crate) fn list(_: &Call<'_>) -> Result<Reply, Failure> {
    let mut text = "=^.^=\n".to_owned();
    for route in routes::ROUTES.iter().filter(|route| route.path.starts_with("/_cat/")) {
        text.push_str(route.path);
        text.push('\n');
    }
    Ok(Reply::text(text))
}

const INDICES: &[Column] = &[
    Column::new("health", &["h"], "current health status"),
    Column::new("status", &["s"], "open/close status"),
    Column::new("index", &["i", "idx"], "index name"),
    Column::new("uuid", &["id", "uuid"], "index uuid"),
    Column::new("pri", &["p", "shards.primary", "shardsPrimary"], "number of primary shards").right(),
    Column::new("rep", &["r", "shards.replica", "shardsReplica"], "number of replica shards").right(),
    Column::new("docs.count", &["dc", "docsCount"], "available docs").right(),
    Column::new("docs.deleted", &["dd", "docsDeleted"], "deleted docs").right(),
    Column::new("creation.date", &["cd"], "index creation date (millisecond value)").right().hidden(),
    Column::new("creation.date.string", &["cds"], "index creation date (as string)").hidden(),
    Column::new("store.size", &["ss", "storeSize"], "store size of primaries & replicas").right(),
    Column::new("pri.store.size", &[], "store size of primaries").right(),
    Column::new("dataset.size", &[], "total size of dataset").right(),
    Column::new("segments.count", &["sc", "segmentsCount"], "number of segments").right().hidden(),
];

/// `GET /_cat/indices`, `/_cat/indices/{index}`.
pub(crate) fn indices(call: &Call<'_>) -> Result<Reply, Failure> {
    let health = call.api.backend.health().name();
    for name in ["pri", "include_unloaded_segments"] {
        call.params.flag(name)?;
    }
    let wanted = call.params.text("health").map(str::to_ascii_lowercase);
    if let Some(other) = wanted.as_deref().filter(|w| !["green", "yellow", "red"].contains(w)) {
        return Err(Failure::illegal(format!("unknown cluster health status [{other}]")));
    }
    render(call, INDICES, || {
        let snapshot = call.snapshot();
        let indices = call.indices(&*snapshot)?;
        if wanted.is_some_and(|wanted| wanted != health) {
            return Ok(Vec::new());
        }
        let row = |index: &&crate::backend::IndexInfo| {
            let size = Cell::Bytes(index.size_bytes);
            vec![
                health.into(),
                "open".into(),
                index.name.as_str().into(),
                index.uuid.as_str().into(),
                Cell::Number(1),
                Cell::Number(0),
                Cell::Number(index.docs),
                Cell::Number(index.deleted),
                Cell::Text(index.created_ms.to_string()),
                Cell::Text(date(index.created_ms)),
                size.clone(),
                size.clone(),
                size,
                Cell::Number(index.segments),
            ]
        };
        Ok(indices.iter().map(row).collect())
    })
}

const COUNT: &[Column] = &[
    Column::new("epoch", &["t", "time"], "seconds since 1970-01-01 00:00:00"),
    Column::new("timestamp", &["ts", "hms", "hhmmss"], "time in HH:MM:SS"),
    Column::new("count", &["dc", "docs.count", "docsCount"], "the document count"),
];

/// `GET /_cat/count`, `/_cat/count/{index}`.
pub(crate) fn count(call: &Call<'_>) -> Result<Reply, Failure> {
    render(call, COUNT, || {
        let snapshot = call.snapshot();
        let count = call.indices(&*snapshot)?.iter().map(|index| index.docs).sum();
        let (epoch, time) = now();
        Ok(vec![vec![epoch, time, Cell::Number(count)]])
    })
}

const HEALTH: &[Column] = &[
    Column::new("epoch", &["t", "time"], "seconds since 1970-01-01 00:00:00"),
    Column::new("timestamp", &["ts", "hms", "hhmmss"], "time in HH:MM:SS"),
    Column::new("cluster", &["cl"], "cluster name"),
    Column::new("status", &["st"], "health status"),
    Column::new("node.total", &["nt", "nodeTotal"], "total number of nodes").right(),
    Column::new("node.data", &["nd", "nodeData"], "number of nodes that can store data").right(),
    Column::new("shards", &["t", "sh", "shards.total", "shardsTotal"], "total number of shards").right(),
    Column::new("pri", &["p", "shards.primary", "shardsPrimary"], "number of primary shards").right(),
    Column::new("relo", &["r", "shards.relocating", "shardsRelocating"], "number of relocating nodes")
        .right(),
    Column::new("init", &["i", "shards.initializing", "shardsInitializing"], "number of initializing nodes")
        .right(),
    Column::new("unassign", &["u", "shards.unassigned", "shardsUnassigned"], "number of unassigned shards")
        .right(),
    Column::new(
        "unassign.pri",
        &["up", "shards.unassigned.primary", "shardsUnassignedPrimary"],
        "number of unassigned primary shards",
    )
    .right(),
    Column::new("pending_tasks", &["pt", "pendingTasks"], "number of pending tasks").right(),
    Column::new("max_task_wait_time", &["mtwt", "maxTaskWaitTime"], "wait time of longest task pending")
        .right(),
    Column::new(
        "active_shards_percent",
        &["asp", "activeShardsPercent"],
        "active number of shards in percent",
    )
    .right(),
];

/// `GET /_cat/health`.
pub(crate) fn health(call: &Call<'_>) -> Result<Reply, Failure> {
    let clock = call.params.boolean("ts")?.unwrap_or(true);
    render(call, if clock { HEALTH } else { &HEALTH[2..] }, || {
        let shards = Cell::Number(call.snapshot().indices().len() as u64);
        let (epoch, time) = now();
        let mut row = vec![
            epoch,
            time,
            call.api.identity.cluster.as_str().into(),
            call.api.backend.health().name().into(),
            Cell::Number(1),
            Cell::Number(1),
            shards.clone(),
            shards,
        ];
        row.extend(vec![Cell::Number(0); 5]);
        row.extend(["-".into(), "100.0%".into()]);
        Ok(vec![if clock { row } else { row.split_off(2) }])
    })
}

const ALIASES: &[Column] = &[
    Column::new("alias", &["a"], "alias name"),
    Column::new("index", &["i", "idx"], "index alias points to"),
    Column::new("filter", &["f", "fi"], "filter"),
    Column::new("routing.index", &["ri", "routingIndex"], "index routing"),
    Column::new("routing.search", &["rs", "routingSearch"], "search routing"),
    Column::new("is_write_index", &["w", "isWriteIndex"], "write index"),
];

/// `GET /_cat/aliases`, `/_cat/aliases/{alias}`: there are none.
pub(crate) fn aliases(call: &Call<'_>) -> Result<Reply, Failure> {
    render(call, ALIASES, || Ok(Vec::new()))
}

/// Seconds since 1970, and the time of day in UTC.
fn now() -> (Cell, Cell) {
    let secs = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let day = secs % 86_400;
    let time = format!("{:02}:{:02}:{:02}", day / 3600, day / 60 % 60, day % 60);
    (Cell::Number(secs), Cell::Text(time))
}

fn date(ms: i64) -> String {
    let mut out = Vec::new();
    Time(ms.saturating_mul(1_000_000)).write_rfc3339(Precision::Milli, &mut out);
    String::from_utf8(out).unwrap_or_default()
}
