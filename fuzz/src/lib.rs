//! What the fuzz targets do with their bytes, and what must hold then.
//!
//! The targets under `fuzz_targets/` and the replay of the kept inputs (`tests/corpus.rs`) share this: every input means
//! the same to both. An input is a [`script::Script`]: whatever bytes come, they mean something.

mod capture_file;
mod config;
mod filter;
mod frames;
mod journal;
mod json;
mod protocols;
mod reassembly;
mod script;
mod search;
pub mod seeds;
mod segment;
mod shard;

/// Runs the target of this name; panics when something does not hold. `false` when no target is called so.
pub fn run(target: &str, data: &[u8]) -> bool {
    match target {
        "capture_file" => capture_file::run(data),
        "config" => config::run(data),
        "cuts" => protocols::cuts(data),
        "filter" => filter::run(data),
        "frames" => frames::run(data),
        "journal" => journal::run(data),
        "json" => json::run(data),
        "kql" => search::kql(data),
        "lucene" => search::lucene(data),
        "protocols" => protocols::any(data),
        "reassembly" => reassembly::run(data),
        "search" => search::body(data),
        "segment" => segment::run(data),
        "shard" => shard::run(data),
        name => return protocols::one(name, data),
    }
    true
}

/// Whether the JSON of the `n`-th event of an input is parsed: of many events not each, it would take most of the time.
fn is_checked(n: u64) -> bool {
    n < 32 || n.is_multiple_of(16)
}

/// A line of an event has to be JSON that anybody reads.
fn check_json(line: &[u8]) {
    let text = std::str::from_utf8(line).expect("JSON is UTF-8");
    if let Err(e) = serde_json::from_str::<serde_json::Value>(text) {
        panic!("{e}: {text}");
    }
}
