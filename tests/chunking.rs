//! However a stream is cut into segments, the same comes out: one byte at a time, and cut in two at every byte.
//!
//! Each piece has the time of the segment it was part of, so that transactions can be compared whole. Flow records
//! count packets, and are left out. All cuts of streams up to 64 KiB and 1,000 of longer ones are tried in a release build
//! or with `WIREBEAT_FULL=1`; else a sample.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod reading;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reading::pipeline::{Kept, Pipeline, load};
use reading::segments::{SYN, Segment, segment};
use reading::{files, others, own};

/// Cuts tried of a stream.
struct Effort {
    /// Longer streams are sampled.
    all_up_to: usize,
    sample: usize,
}

fn effort() -> Effort {
    if !cfg!(debug_assertions) || std::env::var_os("WIREBEAT_FULL").is_some() {
        Effort { all_up_to: 64 << 10, sample: 1000 }
    } else {
        Effort { all_up_to: 200, sample: 60 }
    }
}

/// The packets of each connection, in the order in which connections begin.
fn connections(packets: &[Kept]) -> Vec<Vec<(Kept, Segment)>> {
    let mut order: BTreeMap<_, usize> = BTreeMap::new();
    let mut all: Vec<Vec<(Kept, Segment)>> = Vec::new();
    for packet in packets {
        let Some(segment) = segment(packet) else { continue };
        let at = *order.entry(segment.connection.clone()).or_insert(all.len());
        if at == all.len() {
            all.push(Vec::new());
        }
        all[at].push((packet.clone(), segment));
    }
    all
}

fn transactions(events: Vec<String>) -> Vec<String> {
    events.into_iter().filter(|e| !e.contains(r#""event":{"action":"network_flow""#)).collect()
}

/// Cuts to try of a stream of so many bytes.
fn cuts(bytes: usize, effort: &Effort) -> Vec<usize> {
    if bytes <= effort.all_up_to {
        return (0..bytes).collect();
    }
    // xorshift, seeded: the same cuts each time.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ bytes as u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize % bytes
    };
    (0..effort.sample).map(|_| next()).collect()
}

fn check(name: &str, packets: &[Kept], pipeline: &Pipeline, effort: &Effort) -> Option<String> {
    for (n, connection) in connections(packets).iter().enumerate() {
        let whole = transactions(pipeline.events(connection.iter().map(|(p, _)| p)));
        if whole.is_empty() {
            continue;
        }
        let differs = |what: String, pieces: &[&Kept]| {
            let cut = transactions(pipeline.events(pieces.iter().copied()));
            (cut != whole).then(|| {
                let at =
                    whole.iter().zip(&cut).position(|(a, b)| a != b).unwrap_or(whole.len().min(cut.len()));
                let line = |events: &[String]| events.get(at).cloned().unwrap_or_else(|| "(no event)".into());
                let counts = format!("{} events, {} expected", cut.len(), whole.len());
                format!("{name}: connection {n}: {what}: {counts}\n- {}\n+ {}", line(&whole), line(&cut))
            })
        };
        let bytes: Vec<Kept> = connection
            .iter()
            .flat_map(|(packet, segment)| match segment.len() {
                0 => vec![packet.clone()],
                len => (0..len).map(|at| segment.part(packet, at, at + 1)).collect(),
            })
            .collect();
        if let Some(wrong) = differs("one byte at a time".into(), &bytes.iter().collect::<Vec<_>>()) {
            return Some(wrong);
        }
        let total: usize = connection.iter().map(|(_, segment)| segment.len()).sum();
        for cut in cuts(total, effort) {
            let mut before = 0;
            let at = connection
                .iter()
                .position(|(_, segment)| {
                    before += segment.len();
                    before > cut
                })
                .unwrap();
            let (packet, segment) = &connection[at];
            let inside = segment.len() - (before - cut);
            if inside == 0 {
                continue;
            }
            let halves = [segment.part(packet, 0, inside), segment.part(packet, inside, segment.len())];
            let (head, tail) = (&connection[..at], &connection[at + 1..]);
            let head = head.iter().map(|(p, _)| p);
            let pieces: Vec<&Kept> = head.chain(&halves).chain(tail.iter().map(|(p, _)| p)).collect();
            if let Some(wrong) = differs(format!("cut at byte {inside} of its packet {at}"), &pieces) {
                return Some(wrong);
            }
        }
    }
    None
}

fn check_all(captures: &[PathBuf], base: &Path) {
    let (pipeline, effort) = (Pipeline::new(), effort());
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(path) = captures.get(next.fetch_add(1, Ordering::Relaxed)) {
            let name = path.strip_prefix(base).unwrap().display().to_string();
            let found = check(&name, &load(path), &pipeline, &effort);
            wrong.lock().unwrap().extend(found);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(work);
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// `event.start` of the earliest transaction.
fn start(events: &[String]) -> Option<String> {
    let starts = events.iter().filter_map(|line| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        event["event"]["start"].as_str().map(str::to_owned)
    });
    starts.min()
}

#[test]
fn a_request_starts_with_the_packet_of_its_first_byte() {
    let pipeline = Pipeline::new();
    let (mut tried, mut wrong) = (0, Vec::new());
    for path in own() {
        for connection in connections(&load(&path)) {
            let whole = start(&transactions(pipeline.events(connection.iter().map(|(p, _)| p))));
            let Some(at) = connection.iter().position(|(_, segment)| segment.len() > 0) else { continue };
            let (packet, segment) = &connection[at];
            // Connections of which the beginning was not captured begin with something else.
            if whole.is_none() || connection[0].1.flags(&connection[0].0) & SYN == 0 {
                continue;
            }
            // Too short to be recognised, and no longer so.
            for cut in 1..segment.len().min(40) {
                let first = segment.part(packet, 0, cut);
                let mut later = segment.part(packet, cut, segment.len());
                later.time = packet.time + Duration::from_micros(1);
                let (head, tail) = (&connection[..at], &connection[at + 1..]);
                let pieces = head.iter().map(|(p, _)| p).chain([&first, &later]);
                let pieces = pieces.chain(tail.iter().map(|(p, _)| p));
                let found = start(&transactions(pipeline.events(pieces)));
                tried += 1;
                if found != whole {
                    wrong.push(format!("{}: cut at {cut}: {found:?}, not {whole:?}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 1000, "{tried}");
}

#[test]
fn recordings() {
    check_all(&own(), &reading::here("tests/captures"));
}

#[test]
fn captures_of_others() {
    let Some(folder) = others("packetbeat") else { return };
    let ours = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        ["http", "dns", "redis", "hide", "wsgi"].iter().any(|p| name.starts_with(p))
    };
    let captures: Vec<_> = files(&folder, Some(&["pcap"])).into_iter().filter(ours).collect();
    check_all(&captures, &folder);
}
