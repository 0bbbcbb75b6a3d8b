//! What measuring the host costs: CPU time and wall time of a period with 300 processes, told and chosen, beside
//! `top -b` doing the same.
//!
//! ```text
//! cargo bench --bench system [-- PROCESSES]
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench fails by panicking")]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use wirebeat::engine;
use wirebeat::lines::Lines;
use wirebeat::output::{Output, Rotation};
use wirebeat_model::{Precision, Time};
use wirebeat_system::{Metrics, Options, Sets};

const PERIODS: u32 = 100;

fn main() {
    let wanted = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(300);
    engine::schema();
    let there = count();
    let mut children: Vec<Child> = (there..wanted).map(|_| sleeper()).collect();
    std::thread::sleep(Duration::from_millis(500));
    println!(
        "{} processes, {PERIODS} periods; CPU time of one period, wall time of one on average and at most",
        count()
    );
    let all = Options { top: None, ..Options::default() };
    let none = Options {
        sets: Sets { process: false, process_summary: false, container: false, ..Sets::default() },
        ..all.clone()
    };
    let table = Options { sets: Sets { process: true, ..Sets::NONE }, ..Options::default() };
    for (name, options) in [
        ("everything, 10 + 10 processes told (default)", Options::default()),
        ("everything, all processes told", all),
        ("processes alone, 10 + 10 told", table),
        ("everything but processes", none),
    ] {
        measure(name, &options);
    }
    top();
    for child in &mut children {
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn count() -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter(|e| e.file_name().to_string_lossy().parse::<u32>().is_ok()).count()
}

fn sleeper() -> Child {
    Command::new("sleep").arg("3600").stdin(Stdio::null()).spawn().unwrap()
}

/// User and system time of the processes that were waited for, in ticks of 10 ms.
fn children_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<u64> =
        text.rsplit(')').next().unwrap().split_whitespace().map(|w| w.parse().unwrap_or(0)).collect();
    Duration::from_millis((fields[13] + fields[14]) * 10)
}

/// Time that all threads of this process have run, to the nanosecond.
fn own_cpu() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let run = |e: std::fs::DirEntry| {
        let text = std::fs::read_to_string(e.path().join("schedstat")).unwrap();
        text.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    Duration::from_nanos(threads.map(run).sum())
}

fn measure(name: &str, options: &Options) {
    let dir = tempfile::tempdir().unwrap();
    let mut metrics = Metrics::new(options).unwrap();
    let output = Output::file(&dir.path().join("events"), Rotation::default()).unwrap();
    let mut lines = Lines::new(output, Precision::Micro);
    let mut period = || {
        let begun = Instant::now();
        for event in metrics.period(Time::now()).iter() {
            lines.write(event).unwrap();
        }
        lines.flush().unwrap();
        begun.elapsed()
    };
    // What is remembered of each process is read in the first periods.
    (0..4).for_each(|_| {
        period();
    });
    let before = own_cpu();
    let walls: Vec<Duration> = (0..PERIODS).map(|_| period()).collect();
    let cpu = (own_cpu() - before) / PERIODS;
    let (sum, most) = (walls.iter().sum::<Duration>() / PERIODS, walls.iter().max().unwrap());
    let core = cpu.as_secs_f64() / 10.0 * 100.0;
    println!(
        "{name:<46} {:>7.2} ms   {:>7.2} ms {:>7.2} ms   {core:.3} % of a core at 10 s",
        ms(cpu),
        ms(sum),
        ms(*most)
    );
}

/// `top -b`, which tells every process and nothing of disks, networks, filesystems and sockets.
fn top() {
    let run = |n: u32| {
        let before = children_cpu();
        let mut top = Command::new("top");
        top.args(["-b", "-c", "-d", "0.05", "-n", &n.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if !top.status().unwrap().success() {
            panic!("top failed");
        }
        children_cpu() - before
    };
    let few = run(5);
    let many = run(5 + PERIODS);
    let cpu = (many.saturating_sub(few)) / PERIODS;
    let core = cpu.as_secs_f64() / 10.0 * 100.0;
    println!(
        "{:<46} {:>7.2} ms   {:>10} {:>10}   {core:.3} % of a core at 10 s",
        "top -b -c",
        ms(cpu),
        "",
        ""
    );
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1000.0
}
