//! What is kept, end to end: the program captures, keeps and answers; it is killed, its disk is full, and nothing that
//! was shown is gone, nothing is there twice, and what was not kept is counted.
//!
//! `WIREBEAT_KILLS=200` kills more often than the ordinary run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../crates/web/tests/client/mod.rs"]
mod client;
mod lab;
#[path = "lab/wirebeat.rs"]
mod wirebeat;

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use client::post;
use lab::Dir;
use lab::process::Process;
use serde_json::{Value, json};

/// A question for the root's name servers, but for its first two bytes.
const QUESTION: &[u8] = b"\x01\0\0\x01\0\0\0\0\0\0\0\0\x02\0\x01";
/// The answer to it: no such name.
const ANSWER: &[u8] = b"\x81\x83\0\x01\0\0\0\0\0\0\0\0\x02\0\x01";
/// Transactions a second.
const RATE: u64 = 20_000;

/// Asks and answers over loopback until it is dropped. Each pair of datagrams is a DNS transaction.
struct Traffic {
    stop: std::sync::Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<u64>>,
    port: u16,
}

impl Traffic {
    fn start() -> Self {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = server.local_addr().unwrap().port();
        let stop = std::sync::Arc::new(AtomicBool::new(false));
        let stopped = std::sync::Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let open = || {
                let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
                client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
                client
            };
            server.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
            let (mut client, to) = (open(), server.local_addr().unwrap());
            let (mut sent, begun) = (0_u64, Instant::now());
            let mut buffer = [0; 512];
            while !stopped.load(Ordering::Relaxed) {
                if sent.is_multiple_of(20) {
                    let due = begun + Duration::from_nanos(sent * 1_000_000_000 / RATE);
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                }
                if sent.is_multiple_of(500) {
                    // On a busy machine the noisiest flows are given up, by design: no flow is noisy for long.
                    client = open();
                }
                let id = (sent as u16).to_be_bytes();
                client.send_to(&[&id, QUESTION].concat(), to).unwrap();
                // A busy kernel drops a datagram now and then, on loopback too.
                if server.recv(&mut buffer).is_ok() {
                    server.send_to(&[&id, ANSWER].concat(), client.local_addr().unwrap()).unwrap();
                    drop(client.recv(&mut buffer));
                    sent += 1;
                }
            }
            sent
        });
        Self { stop, thread: Some(thread), port }
    }

    fn stop(&mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map_or(0, |t| t.join().unwrap())
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Only this port's traffic, no host metrics, no flow records: each transaction is one event.
fn config(dir: &Dir, port: u16) -> std::path::PathBuf {
    let text = format!(
        "packetbeat.interfaces:\n  device: lo\n  bpf_filter: udp port {port}\n\
         packetbeat.flows:\n  enabled: false\npacketbeat.protocols:\n- type: dns\n  ports: [{port}]\n\
         wirebeat.system.enabled: false\n"
    );
    dir.write("wirebeat.yml", text)
}

fn run(dir: &Dir, config: &Path, data: &Path, more: &[&str]) -> (Process, SocketAddr) {
    let api: SocketAddr = (Ipv4Addr::LOCALHOST, lab::free_port()).into();
    let mut command = Command::new(wirebeat::BINARY);
    command.arg("run").arg("-c").arg(config).arg("--data").arg(data).arg("--api").arg(api.to_string());
    let mut process = Process::start("wirebeat", command.args(more), &dir.join("log"));
    process.wait_listening(api.port(), Duration::from_secs(60));
    (process, api)
}

/// A search; `None` when the program is gone.
fn try_search(api: SocketAddr, target: &str, body: &Value) -> Option<Value> {
    std::panic::catch_unwind(|| post(api, target, &body.to_string()).json()).ok()
}

fn ids(answer: &Value) -> impl Iterator<Item = u128> + '_ {
    let hits = answer["hits"]["hits"].as_array().unwrap_or_else(|| panic!("{answer}"));
    hits.iter().map(|hit| u128::from_str_radix(hit["_id"].as_str().unwrap(), 16).unwrap())
}

/// The `_id` of every event, by scrolling.
fn all_ids(api: SocketAddr) -> Vec<u128> {
    let mut answer =
        post(api, "/packetbeat-*/_search?scroll=1m", &json!({"size": 10_000, "_source": false}).to_string())
            .json();
    let mut list = Vec::new();
    loop {
        let before = list.len();
        list.extend(ids(&answer));
        if list.len() == before {
            return list;
        }
        let next = json!({"scroll": "1m", "scroll_id": answer["_scroll_id"]});
        answer = post(api, "/_search/scroll", &next.to_string()).json();
    }
}

fn count(api: SocketAddr) -> u64 {
    post(api, "/packetbeat-*/_count", "{}").json()["count"].as_u64().unwrap()
}

/// Pseudo-random numbers, the same in each run (xorshift).
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn killed_while_it_captures_and_searches_run() {
    if !lab::ready("killed_while_it_captures_and_searches_run", &[]) {
        return;
    }
    let kills: u32 = std::env::var("WIREBEAT_KILLS").map_or(6, |k| k.parse().unwrap());
    let dir = Dir::new("keep");
    let data = dir.join("data");
    let mut traffic = Traffic::start();
    let config = config(&dir, traffic.port);
    let (mut shown, mut seed, mut most) = (HashSet::new(), 0x9e37_79b9_7f4a_7c15, 0);
    std::panic::set_hook(Box::new(|info| {
        // A search that the kill cut short is no failure.
        if std::thread::current().name() != Some("searcher") {
            eprintln!("{info}");
        }
    }));
    for _ in 0..kills {
        let (process, api) = run(&dir, &config, &data, &[]);
        let searcher = std::thread::Builder::new().name("searcher".into()).spawn(move || {
            let (mut seen, mut counted) = (Vec::new(), 0);
            let newest = json!({"size": 500, "_source": false, "sort": [{"@timestamp": "desc"}]});
            while let Some(answer) = try_search(api, "/packetbeat-*/_search?ignore_unavailable", &newest) {
                seen.extend(ids(&answer));
                let Some(answer) = try_search(api, "/packetbeat-*/_count", &json!({})) else { break };
                counted = counted.max(answer["count"].as_u64().unwrap());
            }
            (seen, counted)
        });
        std::thread::sleep(Duration::from_millis(random(&mut seed) % 500));
        process.signal("KILL");
        process.wait(Duration::from_secs(10));
        let (seen, counted) = searcher.unwrap().join().unwrap();
        shown.extend(seen);
        most = most.max(counted);
    }
    traffic.stop();
    let (process, api) = run(&dir, &config, &data, &[]);
    let mut settled = 0;
    lab::wait_until("the store has what the journal has", Duration::from_secs(60), || {
        std::thread::sleep(Duration::from_millis(500));
        let before = std::mem::replace(&mut settled, count(api));
        settled == before && settled >= most
    });
    let there = all_ids(api);
    let distinct: HashSet<u128> = there.iter().copied().collect();
    println!("{kills} kills: {} shown, {} kept", shown.len(), there.len());
    assert!(!shown.is_empty());
    assert_eq!(
        (distinct.len(), settled as usize),
        (there.len(), there.len()),
        "distinct ids, count, documents"
    );
    let lost = shown.difference(&distinct).count();
    assert_eq!(lost, 0, "shown before a kill and gone after it");
    assert!(process.stop(Duration::from_secs(20)).success());
}

/// A file system of its own, in memory.
struct Tmpfs(std::path::PathBuf);

impl Tmpfs {
    fn mount(path: std::path::PathBuf, size: &str) -> Self {
        std::fs::create_dir(&path).unwrap();
        let size = format!("size={size}");
        lab::run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&path));
        Self(path)
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Busy only when the test failed.
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

#[test]
fn a_full_disk_is_told_and_survived() {
    if !lab::ready("a_full_disk_is_told_and_survived", &["mount", "umount"]) {
        return;
    }
    let dir = Dir::new("full");
    let disk = Tmpfs::mount(dir.join("disk"), "64m");
    let data = disk.0.join("data");
    let filler = disk.0.join("filler");
    let mut traffic = Traffic::start();
    let config = config(&dir, traffic.port);
    let lines = dir.join("events.ndjson");
    let (mut process, api) = run(&dir, &config, &data, &["-o", lines.to_str().unwrap()]);
    lab::wait_until("events", Duration::from_secs(20), || count(api) > 1_000);
    // Somebody else takes the rest of the disk.
    let fill = Command::new("dd")
        .args(["if=/dev/zero", "bs=64k", &format!("of={}", filler.display())])
        .output()
        .unwrap();
    assert!(!fill.status.success(), "dd fills the disk");
    process.wait_for_log("events are not kept", Duration::from_secs(60));
    std::thread::sleep(Duration::from_secs(1));
    let during = count(api);
    std::fs::remove_file(&filler).unwrap();
    process.wait_for_log("events are kept again", Duration::from_secs(60));
    lab::wait_until("more events", Duration::from_secs(20), || count(api) > during + 1_000);
    let sent = traffic.stop();
    std::thread::sleep(Duration::from_secs(1));
    let log = {
        let status = process.stop(Duration::from_secs(20));
        assert!(status.success(), "{status}");
        std::fs::read_to_string(dir.join("log")).unwrap()
    };
    let refused = log.lines().find_map(|l| l.strip_prefix("events_refused: "));
    let refused: u64 = refused.unwrap_or_else(|| panic!("{log}")).split(' ').next().unwrap().parse().unwrap();
    let written = std::fs::read_to_string(&lines).unwrap().lines().count() as u64;
    let (process, api) = run(&dir, &config, &data, &[]);
    lab::wait_until("the store has what the journal has", Duration::from_secs(30), || {
        std::thread::sleep(Duration::from_millis(300));
        count(api) + refused == written
    });
    println!("sent {sent}, seen {written}, refused {refused}, kept {}", written - refused);
    assert!(refused > 0 && sent > 0);
    assert!(process.stop(Duration::from_secs(20)).success());
}
