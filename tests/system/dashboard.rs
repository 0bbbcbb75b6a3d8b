//! Topbeat's dashboard on our own store: the program measures a known load as a topbeat.yml says, and every panel's query
//! is put to its API under the names of Topbeat 1.x. The answers are calculated once more from the documents, and these are
//! compared with what the test itself read from `/proc` meanwhile.

use std::io::Read as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::client::{get as ask, post};
use super::lab::process::Process;
use super::panels::{PANELS, millis, old, today};
use super::{BINARY, agree, lab, read};

const TOPBEAT: &str = "\
input:
  period: 1
  procs: [\".*\"]
  stats:
    system: true
    proc: true
    filesystem: true
";

/// Periods that are looked at.
const PERIODS: usize = 8;
/// Bytes that the hog holds.
const HELD: usize = 150_000_000;

/// A shell under a name of its own.
struct Load(Child);

impl Load {
    fn start(dir: &lab::Dir, name: &str, script: &str) -> Self {
        let program = dir.join(name);
        std::fs::copy(lab::which("bash").expect("bash"), &program).unwrap();
        let mut command = Command::new(program);
        command.args(["--norc", "-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Waits until it says that it is ready.
    fn ready(mut self) -> Self {
        let mut byte = [0];
        self.0.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
        self
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the test read of `/proc` by itself.
struct Sample {
    /// When it was begun and when all was read, in milliseconds since 1970.
    begun: i64,
    read: i64,
    load: f64,
    /// Ticks in user mode, of all cores.
    user: f64,
    /// Milliseconds of CPU that the burner used.
    burnt: f64,
}

impl Sample {
    fn take(burner: u32) -> Self {
        let now =
            || i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
        let first =
            |path: &str, n: usize| -> f64 { read(path).split_whitespace().nth(n).unwrap().parse().unwrap() };
        let begun = now();
        let stat = read(format!("/proc/{burner}/stat"));
        let words: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks = words[11].parse::<f64>().unwrap() + words[12].parse::<f64>().unwrap();
        let (load, user) = (first("/proc/loadavg", 0), first("/proc/stat", 1));
        Self { begun, read: now(), load, user, burnt: ticks * 10.0 }
    }
}

/// Takes samples until it is asked for them.
struct Sampler(Arc<AtomicBool>, JoinHandle<Vec<Sample>>);

impl Sampler {
    fn start(burner: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut list = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                list.push(Sample::take(burner));
                std::thread::sleep(Duration::from_millis(50));
            }
            list.push(Sample::take(burner));
            list
        });
        Self(stop, thread)
    }

    fn stop(self) -> Vec<Sample> {
        self.0.store(true, Ordering::Relaxed);
        self.1.join().unwrap()
    }
}

/// A number of `/proc/PID/status` or `/proc/meminfo`, in bytes.
fn kib(path: &str, name: &str) -> f64 {
    let text = read(path);
    let line = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() * 1024.0
}

/// The program with its API and its pages.
fn start(dir: &lab::Dir) -> (Process, SocketAddr, SocketAddr) {
    let config = dir.write("topbeat.yml", TOPBEAT);
    let mut command = Command::new(BINARY);
    command.args(["run", "--api", "127.0.0.1:0", "--ui", "127.0.0.1:0", "-c"]).arg(config);
    command.arg("--data").arg(dir.join("data"));
    let mut process = Process::start("wirebeat", &mut command, &dir.join("log"));
    process.wait_for_log("measuring the host every 1s", Duration::from_secs(30));
    let log = process.log();
    let at = |said: &str| -> SocketAddr {
        let rest = log.split(said).nth(1).unwrap_or_else(|| panic!("{log}"));
        rest.split(['/', ' ', '\n']).next().unwrap().parse().unwrap()
    };
    let (api, pages) = (at("answering searches at http://"), at("open http://"));
    (process, api, pages)
}

/// All documents between two times.
fn documents(api: SocketAddr, range: &Value) -> Vec<Value> {
    let body =
        json!({"size": 10_000, "track_total_hits": true, "sort": [{"@timestamp": "asc"}], "query": range});
    let answer = post(api, "/topbeat-*/_search", &body.to_string()).json();
    let hits = answer["hits"]["hits"].as_array().unwrap_or_else(|| panic!("{answer}"));
    assert_eq!(answer["hits"]["total"]["value"], hits.len(), "all of them");
    hits.iter().map(|hit| hit["_source"].clone()).collect()
}

/// The times of the measurements so far.
fn times(api: SocketAddr) -> Vec<i64> {
    let aggs = json!({"size": 0, "aggs": {"t": {"terms": {"field": "@timestamp", "size": 100, "order": {"_key": "asc"}}}}});
    let answer = post(api, "/topbeat-*/_search", &aggs.to_string()).json();
    let buckets = answer["aggregations"]["t"]["buckets"].as_array().cloned().unwrap_or_default();
    buckets.iter().map(|b| b["key"].as_i64().unwrap()).collect()
}

#[test]
fn every_panel_of_topbeat_s_dashboard() {
    let _peace = super::in_peace();
    let dir = lab::Dir::new("dashboard");
    let burner = Load::start(&dir, "wb-burner", "while :; do :; done");
    let script = format!("x=$(head -c {HELD} /dev/zero | tr '\\0' x); echo; read -r _");
    let hog = Load::start(&dir, "wb-hog", &script).ready();
    let stopped = Load::start(&dir, "wb-stopped", "kill -s STOP $$; read -r _");
    let zombie = Load::start(&dir, "wb-zombie", "exit 0");
    let sampler = Sampler::start(burner.pid());
    let (process, api, pages) = start(&dir);
    let mut seen = Vec::new();
    lab::wait_until("measurements", Duration::from_secs(120), || {
        seen = times(api);
        seen.len() > PERIODS
    });
    let held = kib(&format!("/proc/{}/status", hog.pid()), "VmRSS");
    let samples = sampler.stop();
    // The last one may still be on its way.
    let (from, to) = (seen[0], seen[PERIODS - 1]);
    let range = json!({"range": {"@timestamp": {"gte": from, "lte": to, "format": "epoch_millis"}}});
    let documents = documents(api, &range);

    for panel in PANELS {
        let body = panel.request(&range);
        let answer = post(api, "/topbeat-*/_search", &body.to_string()).json();
        let of: Vec<&Value> = documents
            .iter()
            .filter(|d| panel.search.strip_prefix("type: ").is_none_or(|kind| d["type"] == kind))
            .collect();
        assert_eq!(answer["hits"]["total"]["value"], of.len(), "{}: {answer}", panel.title);
        let compared = panel.check(&answer["aggregations"], &of);
        println!("{:<28} {:>6} documents, {compared:>5} numbers", panel.title, of.len());
        assert!(compared >= panel.metrics.len(), "{}", panel.title);
    }
    filters(api, &range, &documents);
    let status = ask(pages, "/_ui/status").json();
    assert!(status["capture"]["host"]["periods"].as_u64() > Some(PERIODS as u64), "{}", status["capture"]);
    let losses = status["capture"]["loss"].as_array().unwrap();
    assert!(losses.iter().any(|l| l["name"] == "host.unreadable" && l["value"].is_u64()), "{losses:?}");
    names(api, &documents);

    against_proc(&documents, &samples, burner.pid());
    agree("the hog's memory", last(&documents, "proc.mem.rss", hog.pid()), held, 0.02 * held);
    assert!(held > HELD as f64);
    let total = kib("/proc/meminfo", "MemTotal");
    let memory = documents.iter().find_map(|d| old(d, "mem.total").as_f64()).unwrap();
    agree("mem.total", memory, total, 0.0);
    let share = last(&documents, "proc.mem.rss_p", hog.pid());
    agree("the hog's share of it", share, held / total, 0.001);
    let state = |pid: u32| {
        let mut of = documents.iter().rev().filter(|d| old(d, "proc.pid") == pid);
        of.next().unwrap_or_else(|| panic!("{pid}"))["proc"]["state"].clone()
    };
    assert_eq!(state(stopped.pid()), "stopped");
    assert_eq!(state(zombie.pid()), "zombie");
    assert_eq!(state(hog.pid()), "sleeping");
    assert!(process.stop(Duration::from_secs(20)).success());
}

/// A process's last value.
#[track_caller]
fn last(documents: &[Value], name: &str, pid: u32) -> f64 {
    let mut of = documents.iter().rev().filter(|d| old(d, "proc.pid") == pid);
    of.find_map(|d| old(d, name).as_f64()).unwrap_or_else(|| panic!("no {name} of {pid}"))
}

/// What only grows lies between what the test read before and what it read after; shares follow from it.
fn against_proc(documents: &[Value], samples: &[Sample], burner: u32) {
    let around = |at: i64| {
        let before = samples.iter().rev().find(|s| s.read <= at).expect("a sample before");
        let after = samples.iter().find(|s| s.begun >= at + 400).expect("a sample after");
        (before, after)
    };
    let (mut burnt, mut user, mut loads) = (Vec::new(), Vec::new(), Vec::new());
    for document in documents {
        let at = millis(document);
        let (before, after) = around(at);
        if let Some(n) =
            old(document, "proc.cpu.total").as_f64().filter(|_| old(document, "proc.pid") == burner)
        {
            assert!(
                (before.burnt..=after.burnt).contains(&n),
                "{n} is not in {}..{}",
                before.burnt,
                after.burnt
            );
            burnt.push((at, n, old(document, "proc.cpu.total_p").as_f64()));
        }
        if let Some(n) = old(document, "cpu.user").as_f64() {
            assert!((before.user..=after.user).contains(&n), "{n} is not in {}..{}", before.user, after.user);
            user.push(n);
        }
        loads.extend(old(document, "load.load1").as_f64());
    }
    assert_eq!((burnt.len(), user.len(), loads.len()), (PERIODS, PERIODS, PERIODS));
    assert_eq!(burnt[0].2, None, "the first period has no share");
    for pair in burnt.windows(2) {
        let share = (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0) as f64;
        agree("the burner's share in a period", pair[1].2.expect("a share"), share, 0.1);
    }
    let shares: Vec<f64> = burnt.iter().filter_map(|b| b.2).collect();
    let ours = shares.iter().sum::<f64>() / shares.len() as f64;
    let inside: Vec<&Sample> =
        samples.iter().filter(|s| (burnt[0].0..=burnt[PERIODS - 1].0).contains(&s.begun)).collect();
    let (first, end) = (inside[0], inside[inside.len() - 1]);
    let theirs = (end.burnt - first.burnt) / (end.begun - first.begun) as f64;
    agree("the burner's share of all the time", ours, theirs, 0.1);
    let mut range = samples.iter().map(|s| s.load);
    let (low, high) = range.by_ref().fold((f64::MAX, f64::MIN), |(l, h), n| (l.min(n), h.max(n)));
    for load in loads {
        assert!((low - 0.01..=high + 0.01).contains(&load), "{load} is not in {low}..{high}");
    }
}

/// Queries by the names of Topbeat 1.x find the documents that have such values.
fn filters(api: SocketAddr, range: &Value, documents: &[Value]) {
    type Wanted = Box<dyn Fn(&Value) -> bool>;
    let above = |name: &'static str, least: f64| -> Wanted {
        Box::new(move |d| old(d, name).as_f64().is_some_and(|n| n >= least))
    };
    let is = |name: &'static str, value: Value| -> Wanted { Box::new(move |d| *old(d, name) == value) };
    let has = |name: &'static str| -> Wanted { Box::new(move |d| !old(d, name).is_null()) };
    let host = documents[0]["host"]["name"].clone();
    let half = documents.iter().filter_map(|d| old(d, "proc.mem.rss").as_f64()).fold(0.0, f64::max) / 2.0;
    let string = |query: &str| json!({"query_string": {"query": query}});
    let cases: Vec<(Value, Wanted)> = vec![
        (string("type: process"), is("type", json!("process"))),
        (string("type: filesystem"), is("type", json!("filesystem"))),
        (string("proc.name: wb-burner"), is("proc.name", json!("wb-burner"))),
        (
            string("proc.name: wb\\-*"),
            Box::new(|d| old(d, "proc.name").as_str().is_some_and(|n| n.starts_with("wb-"))),
        ),
        (string("proc.cpu.total_p: [0.1 TO *]"), above("proc.cpu.total_p", 0.1)),
        (string("proc.cpu.total_p:>=0.1 AND type: process"), above("proc.cpu.total_p", 0.1)),
        (string("fs.mount_point: \"/\""), is("fs.mount_point", json!("/"))),
        (string("_exists_: load.load1"), has("load.load1")),
        (json!({"term": {"beat.name": host}}), is("beat.name", host.clone())),
        (json!({"term": {"beat.hostname": host}}), is("beat.name", host.clone())),
        (
            json!({"terms": {"proc.name": ["wb-hog", "wb-stopped"]}}),
            Box::new(|d| ["wb-hog", "wb-stopped"].iter().any(|n| *old(d, "proc.name") == *n)),
        ),
        (json!({"prefix": {"proc.name": "wb-b"}}), is("proc.name", json!("wb-burner"))),
        (json!({"match": {"proc.state": "zombie"}}), is("proc.state", json!("zombie"))),
        (json!({"range": {"load.load1": {"gte": 0}}}), above("load.load1", 0.0)),
        // Beside a niced burner there may be nothing: what it burns is counted elsewhere.
        (json!({"range": {"cpu.user_p": {"gte": 0}}}), above("cpu.user_p", 0.0)),
        (json!({"range": {"cpu.system_p": {"gte": 0}}}), above("cpu.system_p", 0.0)),
        (json!({"range": {"mem.actual_used_p": {"gte": 0.001}}}), above("mem.actual_used_p", 0.001)),
        (json!({"range": {"mem.used_p": {"gte": 0.001}}}), above("mem.used_p", 0.001)),
        (json!({"range": {"swap.used_p": {"gte": 0}}}), above("swap.used_p", 0.0)),
        (json!({"range": {"proc.mem.rss": {"gte": half}}}), above("proc.mem.rss", half)),
        (json!({"range": {"proc.mem.rss_p": {"gte": 0.005}}}), above("proc.mem.rss_p", 0.005)),
        (json!({"range": {"fs.used_p": {"gte": 0}}}), above("fs.used_p", 0.0)),
        (json!({"exists": {"field": "proc.cpu.total_p"}}), has("proc.cpu.total_p")),
        (json!({"exists": {"field": "fs"}}), has("fs.mount_point")),
        (json!({"exists": {"field": "fs.device*"}}), has("fs.device_name")),
        (
            json!({"kql": {"query": "proc.name: wb-hog and proc.mem.rss_p > 0"}}),
            is("proc.name", json!("wb-hog")),
        ),
    ];
    for (query, wanted) in &cases {
        let body = json!({"query": {"bool": {"filter": [query, range]}}});
        let answer = post(api, "/topbeat-*/_count", &body.to_string()).json();
        let right = documents.iter().filter(|d| wanted(d)).count();
        println!("{right:>6} of {query}");
        assert!(right > 0, "nothing to be found by {query}");
        assert_eq!(answer["count"], right, "{query}: {answer}");
    }
}

/// Old names are told where fields are listed, can be sorted by, and have their values told.
fn names(api: SocketAddr, documents: &[Value]) {
    let mapping = ask(api, "/topbeat-*/_mapping").json();
    let of_index = mapping.as_object().unwrap().values().next().unwrap();
    let leaf = |name: &str| {
        let path = name.split('.').fold(String::new(), |path, part| format!("{path}/properties/{part}"));
        of_index["mappings"].pointer(&path).cloned().unwrap_or_default()
    };
    assert_eq!(leaf("proc.name"), json!({"type": "alias", "path": "process.name"}));
    assert_eq!(leaf("beat.name"), json!({"type": "alias", "path": "host.name"}));
    assert_eq!(leaf("fs.used_p")["type"], "double");
    assert_eq!(leaf("client_ip"), Value::Null, "nothing here has a client");
    let caps = ask(api, "/topbeat-*/_field_caps?fields=*").json();
    for name in
        "load.load1 cpu.user_p mem.used_p swap.used_p proc.pid proc.cpu.total_p proc.mem.rss_p fs.mount_point"
            .split(' ')
    {
        assert_eq!(leaf(name), json!({"type": "alias", "path": today(name)}), "{name}");
        assert_eq!(caps["fields"][name], caps["fields"][today(name)], "{name}");
        assert!(caps["fields"][name].is_object(), "{name}");
    }
    let body = json!({"size": 1, "sort": [{"proc.mem.rss": "desc"}], "query": {"term": {"proc.name": "wb-hog"}},
        "fields": ["proc.*", "beat.name"], "docvalue_fields": ["proc.pid"], "_source": ["proc.name", "process.name"]});
    let answer = post(api, "/topbeat-*/_search", &body.to_string()).json();
    let hit = &answer["hits"]["hits"][0];
    assert_eq!(hit["_source"], json!({"process": {"name": "wb-hog"}}), "an alias is not in the source");
    assert_eq!(hit["fields"]["proc.name"], json!(["wb-hog"]), "{answer}");
    assert_eq!(hit["fields"]["proc.state"], json!(["sleeping"]), "{answer}");
    assert_eq!(hit["fields"]["beat.name"], json!([documents[0]["host"]["name"]]), "{answer}");
    assert_eq!(hit["fields"]["proc.mem.rss"], hit["sort"], "{answer}");
}
