//! Real processes that would stall or mislead: as many as the machine allows, some that end while they are read, some
//! whose names control terminals. (`hostile.rs` has the same in directories that look like `/proc`.)

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ::wirebeat::engine;
use wirebeat_model::Time;
use wirebeat_system::{Metrics, Options, Sets};

use super::hostile::json;
use super::{BINARY, get, lab, last, lines, number, read};

/// A shell with all its children; they end with this.
struct Group(Child);

impl Group {
    fn start(script: &str) -> Self {
        let mut bash = Command::new("bash");
        bash.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(bash.process_group(0).spawn().unwrap())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let all = format!("kill -s KILL -- -{}", self.0.id());
        let _ = Command::new("bash").args(["-c", &all]).stderr(Stdio::null()).status();
        let _ = self.0.wait();
    }
}

/// Processes of this number that the machine still allows, at most `wanted`.
fn allowed(wanted: u64) -> u64 {
    let number = |path: &str| std::fs::read_to_string(path).ok().and_then(|t| t.trim().parse::<u64>().ok());
    let threads = number("/proc/sys/kernel/threads-max").unwrap_or(wanted);
    let pids = number("/proc/sys/kernel/pid_max").unwrap_or(wanted);
    let group = number("/sys/fs/cgroup/pids.max").unwrap_or(wanted * 2);
    let limits = read("/proc/self/limits");
    let own = limits.lines().find_map(|l| l.strip_prefix("Max processes")).unwrap_or_default();
    let own = own.split_whitespace().next().and_then(|w| w.parse().ok()).unwrap_or(u64::MAX);
    // Half of what there is stays for others; a process that sleeps takes less than half a MiB.
    let memory = read("/proc/meminfo");
    let free = memory.lines().find_map(|l| l.strip_prefix("MemAvailable:")).unwrap_or_default();
    let free: u64 = free.split_whitespace().next().and_then(|w| w.parse().ok()).unwrap_or(0);
    [threads / 2, pids / 2, group / 2, own / 2, free / 1024].into_iter().fold(wanted, u64::min)
}

/// 2,000; 20,000 with `WIREBEAT_FULL=1`.
#[test]
fn thousands_of_real_processes() {
    let _crowd = super::in_a_crowd();
    engine::schema();
    let wanted = if std::env::var_os("WIREBEAT_FULL").is_some() { 20_000 } else { 2_000 };
    let n = allowed(wanted);
    assert!(n >= 500, "only {n} processes are allowed here");
    let crowd = Group::start(&format!("for ((i = 0; i < {n}; i++)); do sleep 300 & done; wait"));
    let ours = || {
        let of =
            |pid: &str| read_stat(pid).is_some_and(|(name, group)| name == "sleep" && group == crowd.0.id());
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        all.filter(|e| e.file_name().to_str().is_some_and(of)).count() as u64
    };
    let mut there = 0;
    lab::wait_until("all of them", Duration::from_secs(300), || {
        std::thread::sleep(Duration::from_millis(500));
        there = ours();
        there == n
    });
    for top in [Some((10, 10)), None] {
        let mut metrics = Metrics::new(&Options { top, ..Options::default() }).unwrap();
        metrics.period(Time::now());
        let begun = Instant::now();
        let events = json(metrics.period(Time::now()));
        println!("{n} real processes, {top:?}: a period in {:?}, {} events", begun.elapsed(), events.len());
        let summary = last(&events, "system.process.summary", |_| true);
        let total = number(summary, "system.process.summary.total");
        assert!(total > n as f64 && total < (n + 5_000) as f64, "{total}");
        assert!(number(summary, "system.process.summary.sleeping") >= n as f64, "{summary}");
        let told = events.iter().filter(|e| e["event"]["dataset"] == "system.process");
        let of_crowd = told.clone().filter(|e| get(e, "process.pgid") == crowd.0.id()).count() as u64;
        match top {
            Some(_) => assert!((10..=20).contains(&told.count())),
            None => assert_eq!(of_crowd, n + 1, "each of them, and their shell"),
        }
        let losses = metrics.losses();
        assert_eq!((losses.processes_cut, losses.unreadable), (0, 0), "{losses:?}");
    }
}

/// A process's name and group.
fn read_stat(pid: &str) -> Option<(String, u32)> {
    pid.parse::<u32>().ok()?;
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (front, back) = text.rsplit_once(')')?;
    let name = front.split_once('(')?.1.to_owned();
    Some((name, back.split_whitespace().nth(2)?.parse().ok()?))
}

#[test]
fn processes_that_end_while_they_are_read() {
    let _crowd = super::in_a_crowd();
    engine::schema();
    // Each subshell ends as soon as it is there.
    let _storm = Group::start("(while :; do (:) ; done) & while :; do (:) ; done");
    let sets = Sets { process: true, process_summary: true, cpu: true, ..Sets::NONE };
    let mut metrics = Metrics::new(&Options { top: None, sets, ..Options::default() }).unwrap();
    let (mut slowest, mut periods) = (Duration::ZERO, 0);
    lab::wait_until("processes that end while they are read", Duration::from_secs(120), || {
        let (begun, before) = (Instant::now(), metrics.losses().processes_ended);
        let events = json(metrics.period(Time::now()));
        slowest = slowest.max(begun.elapsed());
        periods += 1;
        let summary = last(&events, "system.process.summary", |_| true);
        let told = events.iter().filter(|e| e["event"]["dataset"] == "system.process").count() as f64;
        let missing = number(summary, "system.process.summary.total") - told;
        let ended = metrics.losses().processes_ended - before;
        assert!((0.0..=ended as f64).contains(&missing), "{missing} are not told, {ended} are counted");
        for event in &events {
            assert!(get(event, "process.name").is_null() || get(event, "process.pid").is_u64(), "{event}");
            let pct = get(event, "system.process.cpu.total.pct").as_f64().unwrap_or(0.0);
            assert!((0.0..=64.0).contains(&pct), "{event}");
        }
        metrics.losses().processes_ended >= 3
    });
    println!("{periods} periods, the slowest {slowest:?}: {:?}", metrics.losses());
    assert_eq!(metrics.losses().unreadable, 0, "what ended is no file that cannot be understood");
}

#[test]
fn real_names_that_control_terminals() {
    let dir = lab::Dir::new("terminals");
    let sleep = lab::which("sleep").expect("sleep");
    let names: [&[u8]; 4] = [b"a\x1b[2Jb", b"c) R 1 (d", b"e\nf\rg", b"\xff\xfe\x07"];
    let mut running = Vec::new();
    for name in names {
        let program = dir.path().join(OsStr::from_bytes(name));
        std::fs::copy(&sleep, &program).unwrap();
        running.push(super::Background(Command::new(&program).arg("60").spawn().unwrap()));
    }
    let output = Command::new(BINARY)
        .args(["top", "--json", "--all", "--count", "1", "--period", "200ms"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let control = |b: &u8| *b < 0x20 && *b != b'\n' || *b == 0x7f;
    assert!(!output.stdout.iter().any(control), "a control character as it is");
    let events = lines(&output.stdout);
    let told = ["a\u{1b}[2Jb", "c) R 1 (d", "e\nf\rg", "\u{fffd}\u{fffd}\u{7}"];
    for (process, name) in running.iter().zip(told) {
        let event = last(&events, "system.process", |e| e["process"]["pid"] == process.pid());
        assert_eq!(event["process"]["name"], name);
        assert_eq!(event["process"]["parent"]["pid"], std::process::id());
    }
}
