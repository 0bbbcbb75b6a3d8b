//! Containers of a real Docker Engine: the same numbers as docker stats, and the host's numbers from inside a container.

use std::process::Command;
use std::time::Duration;

use super::lab::docker::{Engine, NEEDS};
use super::{BINARY, Value, agree, get, lab, last, lines, number, top};

/// The host's programs inside a container of the lab's image.
const HOST_PROGRAMS: [&str; 8] =
    ["-v", "/usr:/usr:ro", "-v", "/bin:/bin:ro", "-v", "/lib:/lib:ro", "-v", "/lib64:/lib64:ro"];

fn engine(test: &str) -> Option<Engine> {
    if !lab::ready(test, NEEDS) {
        return None;
    }
    match Engine::start() {
        Ok(engine) => Some(engine),
        Err(why) => {
            lab::skip(test, &why);
            None
        }
    }
}

/// `1.5MiB` and the like.
fn bytes(text: &str) -> f64 {
    let text = text.trim();
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap();
    let scale = match &text[end..] {
        "B" => 1.0,
        "kB" => 1e3,
        "KiB" => 1024.0,
        "MB" => 1e6,
        "MiB" => f64::from(1 << 20),
        "GB" => 1e9,
        "GiB" => f64::from(1 << 30),
        other => panic!("unit {other}"),
    };
    text[..end].parse::<f64>().unwrap() * scale
}

#[test]
fn as_docker_stats_sees_them() {
    let _peace = super::in_peace();
    let Some(engine) = engine("as_docker_stats_sees_them") else { return };
    let script = "(while :; do :; done) & tail -c 20000000 < <(head -c 20000000 /dev/zero; sleep 600) & \
                  cat /usr/bin/* > /dev/null; wait";
    let mut args =
        vec!["run", "-d", "--name", "limited", "--cpus", "0.3", "--memory", "64m", "--pids-limit", "40"];
    args.extend(HOST_PROGRAMS);
    args.extend(["lab", "/usr/bin/bash", "-c", script]);
    let id = engine.docker(&args);
    assert_eq!(id.len(), 64);
    std::thread::sleep(Duration::from_secs(5));
    let events = top(&["--period", "4s", "--count", "3"]);
    let stats: Value =
        serde_json::from_str(&engine.docker(&["stats", "--no-stream", "--format", "{{json .}}", "limited"]))
            .unwrap();
    println!("docker stats: {stats}");
    let of = |dataset| last(&events, dataset, |e| e["container"]["id"] == id.as_str());
    let cpu = of("docker.cpu");
    let theirs: f64 = stats["CPUPerc"].as_str().unwrap().trim_end_matches('%').parse().unwrap();
    agree("CPU in % (docker stats)", number(cpu, "docker.cpu.total.pct") * 100.0, theirs, 8.0);
    agree("CPU limit in cores (as told)", number(cpu, "docker.cpu.limit"), 0.3, 0.001);
    agree("share of the limit (docker stats)", number(cpu, "docker.cpu.limit_pct"), theirs / 30.0, 0.25);
    // On a busy machine it may not get what it is allowed, and is not held back.
    if theirs > 25.0 {
        assert!(number(cpu, "docker.cpu.throttling.pct") > 0.3, "{cpu}");
    }
    let pids: f64 = stats["PIDs"].as_str().unwrap().parse().unwrap();
    agree("processes (docker stats)", number(cpu, "docker.pids.current"), pids, 1.0);
    agree("limit of processes (as told)", number(cpu, "docker.pids.limit"), 40.0, 0.0);
    assert_eq!(cpu["container"]["id"], id.as_str());
    let memory = of("docker.memory");
    let (used, limit) = stats["MemUsage"].as_str().unwrap().split_once('/').unwrap();
    agree("memory (docker stats)", number(memory, "docker.memory.working_set.total"), bytes(used), 4e6);
    agree("limit of memory (docker stats)", number(memory, "docker.memory.limit"), bytes(limit), 0.0);
    assert!(number(memory, "docker.memory.rss.total") > 19e6);
    let (read, _) = stats["BlockIO"].as_str().unwrap().split_once('/').unwrap();
    let disk = of("docker.diskio");
    agree(
        "read (docker stats)",
        number(disk, "docker.diskio.read.bytes"),
        bytes(read),
        bytes(read) * 0.1 + 1e6,
    );
    // Its processes are told with their container.
    let burner = last(&events, "system.process", |e| e["container"]["id"] == id.as_str());
    assert!(get(burner, "system.process.cgroup.path").as_str().unwrap().ends_with(&id), "{burner}");
}

#[test]
fn the_host_from_inside_a_container() {
    let _peace = super::in_peace();
    let Some(engine) = engine("the_host_from_inside_a_container") else { return };
    let binary = format!("{BINARY}:/wirebeat:ro");
    let mut args = vec!["run", "--rm", "--pid=host", "-v", "/:/hostfs:ro", "-v", &binary];
    args.extend(HOST_PROGRAMS);
    args.extend(["lab", "/wirebeat", "top", "--json", "--count", "1", "--hostfs", "/hostfs"]);
    let filesystems = |events: &[Value]| {
        let mut all: Vec<(String, String, f64)> = events
            .iter()
            .filter(|e| e["event"]["dataset"] == "system.filesystem")
            .map(|e| {
                let text = |name: &str| get(e, name).as_str().unwrap().to_owned();
                let total = number(e, "system.filesystem.total");
                (text("system.filesystem.device_name"), text("system.filesystem.mount_point"), total)
            })
            .collect();
        all.sort_by(|x, y| x.1.cmp(&y.1));
        all
    };
    let total = |events: &[Value]| {
        number(last(events, "system.process.summary", |_| true), "system.process.summary.total")
    };
    let mut tries = Vec::new();
    let (mut inside, mut outside);
    loop {
        // Once before and once after, since processes come and go.
        let before = total(&top(&["--count", "1"]));
        inside = lines(engine.docker(&args).as_bytes());
        outside = top(&["--count", "1"]);
        tries.push((before, total(&inside), total(&outside)));
        // The container adds itself and what holds it.
        let (low, high) = (before.min(total(&outside)), before.max(total(&outside)) + 12.0);
        if (low..=high).contains(&total(&inside)) || tries.len() == 10 {
            assert!((low..=high).contains(&total(&inside)), "{tries:?}");
            break;
        }
    }
    println!("processes before, inside, after: {tries:?}");
    println!("inside {:?}\noutside {:?}", filesystems(&inside), filesystems(&outside));
    assert_eq!(filesystems(&inside), filesystems(&outside));
    let memory = |events: &[Value]| number(last(events, "system.memory", |_| true), "system.memory.total");
    assert_eq!(memory(&inside), memory(&outside));
    // The host's interfaces, not the container's.
    let names = |events: &[Value]| {
        let mut names: Vec<String> =
            events.iter().filter_map(|e| Some(get(e, "system.network.name").as_str()?.to_owned())).collect();
        names.sort();
        names
    };
    assert_eq!(names(&inside), names(&outside));
    let _ = Command::new("true").status();
}
