//! Packets per CPU-second from a capture to events in a file, with tcpdump on the same captures as a check of the machine.
//!
//! `cargo bench --bench read`. Each capture is read ten times over in one run, so that starting does not count. The
//! captures are others' (`../shared/captures/bench`); more can be recorded with `cargo xtask record` and named on the
//! command line. Not a test: it prints, and fails only when something cannot be run.

#![allow(clippy::expect_used, reason = "a bench that cannot run says why")]

use std::path::Path;
use std::process::{Command, Stdio};

mod captures;
mod cpu;

const TIMES: usize = 10;
/// The project's own floors, in packets per CPU-second.
const FLOORS: [(&str, f64); 3] = [("tinyhttp", 500e3), ("dnss", 500e3), ("rediss", 700e3)];

fn main() {
    let captures = captures::chosen();
    if captures.is_empty() {
        println!("{}", captures::NONE);
        return;
    }
    let dir = tempfile::tempdir().expect("a directory for plain captures");
    println!(
        "{:10} {:>9} {:>8} {:>8} {:>9} {:>12} {:>7} {:>6} {:>9}",
        "capture", "packets", "CPU s", "tcpdump", "events", "packets/CPU-s", "B/event", "RSS MB", "floor"
    );
    for capture in captures {
        let plain = captures::plain(&capture, dir.path());
        let name = captures::name(&plain);
        let out = dir.path().join("events.ndjson");
        let mut tcpdump = Command::new("tcpdump");
        tcpdump.args(["-n", "-w", "/dev/null", "-r"]).arg(&plain);
        let before = cpu::children();
        let has_tcpdump = (0..TIMES).all(|_| quiet(&mut tcpdump));
        let tcpdump = cpu::children() - before;
        // Three runs, the middle one.
        let mut runs: Vec<Run> = (0..3).map(|_| run(&plain, &out)).collect();
        runs.sort_by(|a, b| a.cpu.total_cmp(&b.cpu));
        let r = &runs[1];
        let rate = r.packets as f64 / r.cpu;
        let floor = FLOORS.iter().find(|(n, _)| *n == name);
        println!(
            "{name:10} {:9} {:8.2} {:>8} {:9} {:12.0} {:7.0} {:6.0} {:>9}",
            r.packets,
            r.cpu,
            if has_tcpdump { format!("{tcpdump:.2}") } else { "-".into() },
            r.events,
            rate,
            r.bytes as f64 / r.events.max(1) as f64,
            r.rss,
            floor.map_or("-".into(), |(_, f)| format!("{:.2}x", rate / f)),
        );
    }
}

struct Run {
    cpu: f64,
    packets: u64,
    events: u64,
    bytes: u64,
    rss: f64,
}

fn run(capture: &Path, out: &Path) -> Run {
    let before = cpu::children();
    let mut child = Command::new(env!("CARGO_BIN_EXE_wirebeat"))
        .args(["read", "--shards", "1", "--redact", "off", "-o"])
        .arg(out)
        .args(std::iter::repeat_n(capture, TIMES))
        .stderr(Stdio::piped())
        .spawn()
        .expect("wirebeat");
    let status = format!("/proc/{}/status", child.id());
    let mut rss = 0.0;
    while child.try_wait().expect("wirebeat").is_none() {
        if let Ok(text) = std::fs::read_to_string(&status)
            && let Some(kb) = text.lines().find_map(|l| l.strip_prefix("VmHWM:"))
        {
            rss = kb.trim().trim_end_matches(" kB").parse().unwrap_or(0.0) / 1024.0;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let told = child.wait_with_output().expect("wirebeat");
    assert!(told.status.success(), "wirebeat: {}", told.status);
    let cpu = cpu::children() - before;
    let log = String::from_utf8_lossy(&told.stderr).into_owned();
    let counter = |name: &str| -> u64 {
        let line = log.lines().find_map(|l| l.strip_prefix(name));
        line.and_then(|l| l.trim_start_matches(": ").parse().ok()).unwrap_or(0)
    };
    let bytes = std::fs::metadata(out).expect("the events").len();
    Run { cpu, packets: counter("packets"), events: counter("events"), bytes, rss }
}

fn quiet(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}
