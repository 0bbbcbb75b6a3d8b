//! What would stall or mislead: thousands of processes, names that control terminals, processes that end while they are
//! read (all in directories made to look like `/proc`; `crowd.rs` has real ones), entries nobody may read, a filesystem that
//! does not answer, a clock that jumps.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ::wirebeat::engine;
use serde_json::Value;
use wirebeat_model::{Event, JsonWriter, Precision, Time};
use wirebeat_system::{Metrics, Options};

use super::{BINARY, Background, get, lab, last, lines, number};

pub(super) fn json(events: &[Event]) -> Vec<Value> {
    let mut writer = JsonWriter::new(engine::schema(), Precision::Milli);
    let text = |event: &Event| {
        let mut out = Vec::new();
        writer.write(&event.fields, &mut out);
        serde_json::from_slice(&out).unwrap()
    };
    events.iter().map(text).collect()
}

fn process(root: &Path, pid: u32, name: &[u8], ticks: u64, pages: u64) {
    let dir = root.join(format!("proc/{pid}"));
    fs::create_dir_all(&dir).unwrap();
    let rest =
        format!(") S 1 {pid} {pid} 0 -1 0 0 0 0 0 {ticks} 0 0 0 20 0 1 0 500 1000000 {pages} 0 0 0 0 0\n");
    fs::write(dir.join("stat"), [format!("{pid} (").as_bytes(), name, rest.as_bytes()].concat()).unwrap();
    fs::write(dir.join("status"), "Name:\tx\nUid:\t0\t0\t0\t0\n").unwrap();
    fs::write(dir.join("cmdline"), b"server\0--password\0hunter2\0").unwrap();
}

#[test]
fn twenty_thousand_processes() {
    engine::schema();
    let dir = lab::Dir::new("processes");
    let root = dir.path();
    fs::create_dir(root.join("proc")).unwrap();
    for pid in 1..=20_000 {
        process(root, pid, b"worker", u64::from(pid % 7), u64::from(pid));
    }
    let mut metrics = Metrics::new(&Options { hostfs: root.into(), ..Options::default() }).unwrap();
    metrics.period(Time::now());
    process(root, 77, b"busy", 9_000, 1);
    // Ends while it is read: a directory without a file, and one whose file is empty.
    fs::create_dir(root.join("proc/30000")).unwrap();
    fs::create_dir(root.join("proc/30001")).unwrap();
    fs::write(root.join("proc/30001/stat"), "").unwrap();
    let before = metrics.losses().clone();
    let begun = Instant::now();
    let events = json(metrics.period(Time::now()));
    println!("one period of 20,000 processes: {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(5));
    let summary = last(&events, "system.process.summary", |_| true);
    assert_eq!(number(summary, "system.process.summary.total"), 20_000.0);
    let told: Vec<&Value> = events.iter().filter(|e| e["event"]["dataset"] == "system.process").collect();
    assert!((11..=20).contains(&told.len()), "{}", told.len());
    assert!(told.iter().any(|e| e["process"]["name"] == "busy"), "the busiest");
    assert!(told.iter().any(|e| e["process"]["pid"] == 20_000), "the largest");
    assert_eq!(told[0]["process"]["command_line"], "server --password xxxxx");
    assert_eq!(metrics.losses().processes_ended - before.processes_ended, 2);
}

#[test]
fn names_that_control_terminals() {
    engine::schema();
    let dir = lab::Dir::new("names");
    let root = dir.path();
    fs::create_dir(root.join("proc")).unwrap();
    let names: [&[u8]; 4] = [b"a\x1b[2Jb", b"c) R 1 (d", b"\xff\xfe", b"\"x\\\n"];
    for (pid, name) in (1..).zip(names) {
        process(root, pid, name, 1, 1);
    }
    let mut metrics = Metrics::new(&Options { hostfs: root.into(), ..Options::default() }).unwrap();
    let events = metrics.period(Time::now());
    let mut writer = JsonWriter::new(engine::schema(), Precision::Milli);
    let mut out = Vec::new();
    events.iter().for_each(|event| writer.write(&event.fields, &mut out));
    assert!(!out.iter().any(|b| *b < 0x20 || *b == 0x7f), "no control character as it is");
    let told = json(events);
    let names: Vec<&str> = told.iter().filter_map(|e| e["process"]["name"].as_str()).collect();
    assert_eq!(names, ["a\u{1b}[2Jb", "c) R 1 (d", "\u{fffd}\u{fffd}", "\"x\\\n"]);
}

#[test]
fn a_clock_that_jumps() {
    engine::schema();
    let _burner = Background::shell("while :; do :; done");
    let mut metrics = Metrics::new(&Options { top: None, ..Options::default() }).unwrap();
    for (seconds, wait) in [(2_000_000_000, 0), (1_000, 500), (4_000_000_000, 500)] {
        std::thread::sleep(Duration::from_millis(wait));
        let events = json(metrics.period(Time::from_parts(seconds, 0)));
        let cores = number(last(&events, "system.cpu", |_| true), "system.cpu.cores");
        for event in &events {
            let pct = get(event, "system.process.cpu.total.pct").as_f64().unwrap_or(0.0);
            assert!((0.0..=cores * 1.2).contains(&pct), "{event}");
            let share = get(event, "host.cpu.usage").as_f64().unwrap_or(0.0);
            assert!((0.0..=1.0).contains(&share), "{event}");
        }
    }
}

#[test]
fn what_a_plain_user_may_not_read_is_counted() {
    if !lab::ready("what_a_plain_user_may_not_read_is_counted", &["setpriv"]) {
        return;
    }
    let dir = lab::Dir::new("plain");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let binary = dir.join("wirebeat");
    fs::copy(BINARY, &binary).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&binary);
    command.args(["top", "--json", "--all", "--count", "2", "--period", "500ms"]).current_dir("/");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let refused = said.lines().find_map(|l| l.strip_prefix("host_processes_refused: ")).expect(&said);
    println!("refused: {refused}");
    let events = lines(&output.stdout);
    let first = last(&events, "system.process", |e| e["process"]["pid"] == 1);
    assert_eq!(
        (get(first, "system.process.io.read_bytes"), &first["user"]["name"]),
        (&Value::Null, &"root".into())
    );
    assert!(number(first, "system.process.memory.size") > 0.0, "what anybody may read is told");
}

#[test]
fn a_filesystem_that_hangs() {
    if !lab::ready("a_filesystem_that_hangs", &["unshare", "mount"]) {
        return;
    }
    if !Path::new("/dev/fuse").exists() {
        return lab::skip("a_filesystem_that_hangs", "no /dev/fuse");
    }
    let dir = lab::Dir::new("hang");
    let point = dir.join("hung");
    fs::create_dir(&point).unwrap();
    // A filesystem in user space behind which nobody answers: every question to it waits for ever.
    let script = format!(
        "exec 5<>/dev/fuse; mount -i -n -t fuse -o fd=5,rootmode=40000,user_id=0,group_id=0 hung {point} || exit 9; \
         exec {BINARY} top --json --count 4 --period 500ms -E system.filesystem.ignore_types=proc,sysfs",
        point = point.display()
    );
    let begun = Instant::now();
    let output =
        Command::new("timeout").args(["60", "unshare", "--mount", "bash", "-c", &script]).output().unwrap();
    let took = begun.elapsed();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(9) {
        return lab::skip("a_filesystem_that_hangs", &said);
    }
    assert!(output.status.success(), "{said}");
    let events = lines(&output.stdout);
    println!("4 periods of 500 ms took {took:?}\n{said}");
    let roots = events.iter().filter(|e| get(e, "system.filesystem.mount_point") == "/").count();
    assert_eq!(roots, 4, "others are told in each period");
    assert!(!events.iter().any(|e| get(e, "system.filesystem.mount_point") == point.to_str().unwrap()));
    assert!(said.contains("host_filesystems_hung: 4 "), "{said}");
    assert!(took < Duration::from_secs(8), "{took:?}");
}
