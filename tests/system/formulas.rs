//! The formulas that Metricbeat documents, calculated here once more from raw samples of the same host: two copies of its
//! `/proc` are measured, so both sides have the very same numbers.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use ::wirebeat::engine;
use serde_json::Value;
use wirebeat_model::{JsonWriter, Precision, Time};
use wirebeat_system::{Metrics, Options};

use super::{Background, agree, get, number, read};

/// Copies what a period reads of the real host.
fn copy(root: &Path) {
    let proc = root.join("proc");
    fs::create_dir_all(proc.join("net")).unwrap();
    let copy = |name: &str| {
        if let Ok(text) = fs::read(Path::new("/proc").join(name)) {
            fs::write(proc.join(name), text).unwrap();
        }
    };
    ["stat", "meminfo", "loadavg", "uptime", "net/dev", "diskstats", "filesystems"]
        .into_iter()
        .for_each(copy);
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if name.parse::<u32>().is_ok() {
            let _ = fs::create_dir(proc.join(&name));
            ["stat", "status", "io", "cgroup", "cmdline", "limits"]
                .into_iter()
                .for_each(|f| copy(&format!("{name}/{f}")));
        }
    }
}

/// The numbers of the line `cpu` or `cpuN`, the first eight.
fn cpu_line(root: &Path, name: &str) -> Vec<f64> {
    let text = read(root.join("proc/stat"));
    let line = text.lines().find(|l| l.split_whitespace().next() == Some(name)).unwrap();
    line.split_whitespace().skip(1).take(8).map(|w| w.parse().unwrap()).collect()
}

fn rounded(n: f64) -> f64 {
    (n * 1e4).round() / 1e4
}

#[test]
fn from_raw_samples() {
    let _peace = super::in_peace();
    let _burner = Background::shell("while :; do :; done");
    let dir = super::lab::Dir::new("formulas");
    let root = dir.path();
    let schema = engine::schema();
    let mut json = JsonWriter::new(schema, Precision::Milli);
    let options = Options { hostfs: root.into(), top: None, ..Options::default() };
    copy(root);
    let mut metrics = Metrics::new(&options).unwrap();
    let begun = Instant::now();
    metrics.period(Time::now());
    let first: Vec<Vec<f64>> = ["cpu", "cpu0"].iter().map(|n| cpu_line(root, n)).collect();
    let process = |root: &Path, pid: u32| -> Option<(f64, f64)> {
        let text = fs::read_to_string(root.join(format!("proc/{pid}/stat"))).ok()?;
        let w: Vec<f64> =
            text.rsplit(')').next()?.split_whitespace().map(|w| w.parse().unwrap_or(0.0)).collect();
        Some((w[11] + w[12], w[19]))
    };
    let pids: Vec<u32> = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.parse().ok())
        .collect();
    let early: Vec<Option<(f64, f64)>> = pids.iter().map(|p| process(root, *p)).collect();
    std::thread::sleep(Duration::from_secs(3));
    copy(root);
    let wall = begun.elapsed().as_secs_f64() * 1000.0;
    let events: Vec<Value> = metrics
        .period(Time::now())
        .iter()
        .map(|event| {
            let mut out = Vec::new();
            json.write(&event.fields, &mut out);
            serde_json::from_slice(&out).unwrap()
        })
        .collect();

    // system.cpu: change of a mode / change of all modes; pct times the number of cores; total without idle and iowait.
    let later = cpu_line(root, "cpu");
    let change: Vec<f64> = later.iter().zip(&first[0]).map(|(now, then)| (now - then).max(0.0)).collect();
    let all: f64 = change.iter().sum();
    let text = read(root.join("proc/stat"));
    let cores = text.lines().filter(|l| l.starts_with("cpu") && !l.starts_with("cpu ")).count() as f64;
    let cpu = super::last(&events, "system.cpu", |_| true);
    for (mode, change) in
        ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"].iter().zip(&change)
    {
        agree(mode, number(cpu, &format!("system.cpu.{mode}.norm.pct")), rounded(change / all), 1e-9);
        agree(mode, number(cpu, &format!("system.cpu.{mode}.pct")), rounded(change / all * cores), 1e-9);
    }
    let busy = 1.0 - rounded(change[3] / all) - rounded(change[4] / all);
    agree("total", number(cpu, "system.cpu.total.norm.pct"), rounded(busy), 1e-9);

    // system.memory: used = total - free; actual used = total - MemAvailable.
    let meminfo = read(root.join("proc/meminfo"));
    let kib = |name: &str| -> f64 {
        let line = meminfo.lines().find_map(|l| l.strip_prefix(&format!("{name}:"))).unwrap();
        line.split_whitespace().next().unwrap().parse::<f64>().unwrap() * 1024.0
    };
    let memory = super::last(&events, "system.memory", |_| true);
    let total = kib("MemTotal");
    agree("memory used", number(memory, "system.memory.used.bytes"), total - kib("MemFree"), 0.0);
    agree(
        "memory used",
        number(memory, "system.memory.used.pct"),
        rounded((total - kib("MemFree")) / total),
        1e-9,
    );
    agree(
        "memory actual",
        number(memory, "system.memory.actual.used.pct"),
        rounded((total - kib("MemAvailable")) / total),
        1e-9,
    );

    // system.process: change of CPU time / time that has passed. The copies were made a little before they were measured.
    let mut compared = 0;
    for (pid, early) in pids.iter().zip(early) {
        let event =
            events.iter().find(|e| e["event"]["dataset"] == "system.process" && e["process"]["pid"] == *pid);
        let (Some(event), Some(then), Some(now)) = (event, early, process(root, *pid)) else { continue };
        let Some(ours) = get(event, "system.process.cpu.total.pct").as_f64() else { continue };
        assert_eq!(then.1, now.1, "the same process");
        let theirs = (now.0 - then.0) * 10.0 / wall;
        if theirs > 0.0 {
            agree(&format!("process {pid}"), ours, theirs, 0.02 + theirs * 0.1);
        }
        assert!((ours - theirs).abs() <= 0.02 + theirs * 0.1, "{pid}");
        compared += 1;
    }
    assert!(compared > 5, "{compared}");
}
