//! `/_ui/status`: how everything is, as JSON. What is not known is left out.

use serde_json::{Map, Value, json};
use wirebeat_capture::device::Choice;
use wirebeat_model::{Counters, Precision, Time};
use wirebeat_store::Stats;

use super::notes::{self, Place};
use super::{About, Range};
use crate::health::Health;

/// So long a loss counts as going on.
const LATELY: i64 = 30_000_000_000;

/// The whole answer.
pub(super) fn status(about: &About, health: &Health, range: Option<Range>, place: &Place) -> Value {
    let now = Time::now();
    let kept = health.store().stats(now);
    let mut out = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "mode": if about.reading.is_empty() { "run" } else { "read" },
        "now": text(now),
        "started": text(health.started),
        "token_file": about.token_file,
        "capture": capture(health, place, &kept, now),
        "journal": journal(about, health),
        "store": store(about, kept),
    });
    let title = match about.reading.as_slice() {
        [] => host_name(),
        [one] => Some(one.clone()),
        [first, more @ ..] => Some(format!("{first} and {} more", more.len())),
    };
    put(&mut out, "title", title);
    put(&mut out, "zone", zone());
    put(&mut out, "elastic", about.elastic.map(|a| format!("http://{a}")));
    put(&mut out, "range", range.map(Range::to_json));
    out
}

fn put(object: &mut Value, key: &str, value: Option<impl Into<Value>>) {
    if let (Value::Object(object), Some(value)) = (object, value) {
        object.insert(key.to_owned(), value.into());
    }
}

/// RFC 3339, to the millisecond.
pub(super) fn text(time: Time) -> String {
    let mut out = Vec::new();
    time.write_rfc3339(Precision::Milli, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The host's time zone, by its IANA name.
fn zone() -> Option<String> {
    let named = std::env::var("TZ").ok().filter(|zone| zone.contains('/') && !zone.starts_with([':', '/']));
    named.or_else(|| {
        let link = std::fs::read_link("/etc/localtime").ok()?;
        Some(link.to_str()?.split_once("zoneinfo/")?.1.to_owned())
    })
}

fn capture(health: &Health, place: &Place, store: &Stats, now: Time) -> Value {
    let mut losing = false;
    let losses: Vec<Value> = health
        .losses(&store.counts)
        .into_iter()
        .map(|loss| {
            let recent = health.recent(&loss.name);
            losing |= !loss.name.contains('.') && recent.last().is_some_and(|(at, _)| now.0 - at.0 < LATELY);
            let recent: Vec<Value> = recent.iter().map(|(at, n)| json!({"t": text(*at), "n": n})).collect();
            json!({"name": loss.name, "value": loss.value, "meaning": loss.meaning, "recent": recent})
        })
        .collect();
    let notes: Vec<Value> = notes::all(place, health, store, losing)
        .into_iter()
        .map(|(level, text)| json!({"level": level.name(), "text": text}))
        .collect();
    let mut out = json!({"running": health.capture().is_some(), "loss": losses, "notes": notes});
    let host = health.host();
    put(
        &mut out,
        "host",
        host.map(|host| Value::Object(host.iter().map(|c| (c.0.to_owned(), json!(c.1))).collect())),
    );
    let Some(capture) = health.capture() else {
        let refused = health.refused().map(|why| devices(health, &notes::refused_devices(why)));
        put(&mut out, "devices", refused);
        return out;
    };
    let rates = health
        .rates()
        .map(|r| json!({"packets": round(r.packets), "bytes": round(r.bytes), "events": round(r.events)}));
    put(&mut out, "rates", rates);
    put(&mut out, "devices", Some(devices(health, &capture.devices())));
    let shards: Vec<Value> = capture
        .shards_now()
        .iter()
        .map(|shard| {
            let mut out = json!({"id": shard.id});
            let c = &shard.counters;
            for (name, value) in [
                ("packets", c.packets),
                ("bytes", c.bytes),
                ("flows", c.flows),
                ("open_flows", shard.open_flows as u64),
                ("events", c.events),
                ("kernel_drops", c.kernel_drops),
                ("events_dropped", c.events_dropped),
                ("memory", shard.used as u64),
            ] {
                put(&mut out, name, Some(value));
            }
            out
        })
        .collect();
    put(&mut out, "shards", Some(shards));
    put(&mut out, "counters", Some(counters(&capture.counters())));
    let parsers: Vec<Value> = capture
        .parsed()
        .iter()
        .map(|(name, p)| {
            json!({
                "protocol": name, "flows": p.flows, "transactions": p.transactions, "unparsed": p.unparsed,
                "lost": p.lost, "refused": p.refused,
            })
        })
        .collect();
    put(&mut out, "parsers", Some(parsers));
    let undecoded: Vec<Value> = capture
        .undecoded()
        .rows()
        .iter()
        .map(|row| {
            json!({
                "protocol": row.protocol(), "flows": row.flows, "bytes": row.bytes, "why": row.why.to_string(),
            })
        })
        .collect();
    put(&mut out, "undecoded", Some(undecoded));
    let used: usize = capture.shards_now().iter().map(|s| s.used).sum();
    let mut memory = json!({"used": used, "budget": capture.budget});
    put(&mut memory, "process", resident());
    put(&mut out, "memory", Some(memory));
    out
}

/// Everything counted, by name.
fn counters(counters: &Counters) -> Value {
    Value::Object(
        counters.iter().map(|(name, value, _)| (name.to_owned(), value.into())).collect::<Map<_, _>>(),
    )
}

fn devices(health: &Health, choices: &[Choice]) -> Vec<Value> {
    choices
        .iter()
        .map(|choice| {
            let device = &choice.device;
            let mut out = json!({
                "name": device.name, "kind": device.kind.to_string(), "captured": choice.captured,
                "why": choice.reason, "up": device.up,
            });
            if let Some(now) = health.device(&device.name) {
                put(&mut out, "packets", Some(now.since_start.packets));
                put(&mut out, "bytes", Some(now.since_start.bytes));
                put(&mut out, "packets_per_s", Some(round(now.packets_per_s)));
                put(&mut out, "bits_per_s", Some(round(now.bytes_per_s * 8.0)));
            }
            out
        })
        .collect()
}

/// To a tenth.
fn round(n: f64) -> f64 {
    (n * 10.0).round() / 10.0
}

/// Bytes of memory that the whole program has, its caches and libraries included.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

fn journal(about: &About, health: &Health) -> Value {
    let stats = health.journal().stats();
    let readers: Vec<Value> = stats
        .readers
        .iter()
        .map(|r| {
            json!({
                "name": r.name, "lag_events": r.lag_events, "lag_bytes": r.lag_bytes,
                "waiting": stats.next_seq.saturating_sub(r.position), "lost_to_quota": r.lost_to_quota,
            })
        })
        .collect();
    json!({"bytes": stats.bytes, "quota": about.quota, "events": stats.events, "readers": readers})
}

fn store(about: &About, stats: Stats) -> Value {
    let documents: u64 = stats.indices.iter().map(|i| i.documents).sum();
    let mut out = json!({
        "health": if stats.failing.is_some() { "yellow" } else { "green" },
        "indices": stats.indices.len(),
        "documents": documents,
        "bytes": stats.bytes,
        "retention_days": about.retention.as_secs_f64() / 86_400.0,
        "max_bytes": about.max_bytes,
    });
    put(&mut out, "failing", stats.failing);
    put(&mut out, "forecast_days", stats.days.map(round));
    let disk = rustix::fs::statvfs(&about.directory).ok();
    put(&mut out, "disk_free", disk.map(|d| d.f_bavail.saturating_mul(d.f_frsize)));
    out
}
