//! Live capture end to end: recorded captures put on a veth pair at a rate, 200,000 packets a second for 10 s unless told
//! otherwise, by tcpreplay on the same cores, decoded into a file. Prints what was sent, seen and lost by which counter.
//!
//! `cargo bench --bench live [-- [RATE] CAPTURE…]`, as root. The captures are others' (`../shared/captures/bench`). Not a test: it
//! prints, and fails only when something cannot be run.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run says why")]

use std::path::Path;
use std::process::{Command, Stdio};

mod captures;
mod cpu;
#[path = "../tests/lab/mod.rs"]
mod lab;
#[path = "../tests/lab/wirebeat.rs"]
mod wirebeat;

use lab::netns::Namespace;
use wirebeat::Wirebeat;

const SECONDS: u64 = 10;

fn main() {
    let rate = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(200_000);
    let captures = captures::chosen();
    if captures.is_empty() {
        println!("{}", captures::NONE);
        return;
    }
    let dir = lab::Dir::new("live");
    println!(
        "{:10} {:>9} {:>8} {:>9} {:>9} {:>7}  lost or given up",
        "capture", "sent", "per s", "seen", "events", "CPU s"
    );
    for capture in captures {
        measure(&captures::plain(&capture, dir.path()), rate);
    }
}

fn measure(capture: &Path, rate: u64) {
    let name = captures::name(capture);
    let (here, there) = (Namespace::new("receiver"), Namespace::new("sender"));
    here.link("eth0", &["198.51.100.1/24"], &there, "eth0", &["198.51.100.2/24"]);
    let in_file = count(capture);
    let target = Wirebeat::start(Some(&here), &["-i", "eth0", "-E", "wirebeat.system.enabled=false"]);
    let mut replay = there.command("tcpreplay");
    replay.args(["-q", "-i", "eth0", "-K", "--unique-ip", &format!("--pps={rate}")]);
    replay.arg(format!("--loop={}", (rate * SECONDS).div_ceil(in_file))).arg(capture);
    let told = replay.stderr(Stdio::null()).output().expect("tcpreplay");
    assert!(told.status.success(), "tcpreplay: {}", told.status);
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let number = |after: &str| -> f64 {
        let rest = told.split_once(after).map_or("", |(_, rest)| rest).trim_start();
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        rest[..end].parse().unwrap_or(0.0)
    };
    let sent = number("Actual:");
    let seconds = number("sent in").max(number("bytes) sent in"));
    std::thread::sleep(std::time::Duration::from_secs(1)); // it ends what it holds
    let cpu = cpu::of(&target.pid().to_string());
    let log = target.end();
    let counters = |line: &str| {
        line.split_once(": ").map(|(n, v)| (n.to_owned(), v.split(' ').next().unwrap().to_owned()))
    };
    let all: Vec<(String, String)> = log.lines().filter_map(counters).collect();
    let of = |name: &str| all.iter().find(|(n, _)| n == name).map_or("0", |(_, v)| v.as_str());
    let plain = ["packets", "bytes", "flows", "events", "memory_lent"];
    let others: Vec<String> = all
        .iter()
        .filter(|(n, v)| !plain.contains(&n.as_str()) && v.parse::<u64>().is_ok())
        .map(|(n, v)| format!("{n} {v}"))
        .collect();
    println!(
        "{name:10} {sent:9.0} {:8.0} {:>9} {:>9} {cpu:7.2}  {}",
        sent / seconds,
        of("packets"),
        of("events"),
        if others.is_empty() { "nothing".to_owned() } else { others.join(", ") }
    );
}

/// Packets of a capture, as capinfos or tcpdump would say.
fn count(capture: &Path) -> u64 {
    let output = Command::new("tcpdump").args(["--count", "-r"]).arg(capture).stderr(Stdio::null()).output();
    let output = output.expect("tcpdump");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split(' ').next().and_then(|n| n.trim().parse().ok()).expect("tcpdump --count")
}
