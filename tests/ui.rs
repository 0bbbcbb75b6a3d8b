//! The pages' server of the program, as it is run: what it tells, what it keeps, and that it does not watch itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../crates/web/tests/client/mod.rs"]
mod client;
mod lab;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use client::{get, send};
use lab::Dir;
use lab::netns::Namespace;
use lab::process::Process;
use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_wirebeat");
const LIMIT: Duration = Duration::from_secs(30);

fn capture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(name)
}

/// `wirebeat read FILES --ui ARGS` on this host, once it has read.
fn reading(dir: &Dir, args: &[&str], files: &[PathBuf]) -> (Process, SocketAddr) {
    let mut command = Command::new(BINARY);
    command.arg("read").args(files).arg("--ui=127.0.0.1:0").args(args).env("TMPDIR", dir.path());
    let mut process = Process::start("wirebeat", &mut command, &dir.join("log"));
    process.wait_for_log("memory_lent", LIMIT);
    let log = process.log();
    let at = log.split("open http://").nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    (process, at.parse().unwrap())
}

/// What is left in a directory, but for the log.
fn left(dir: &Dir) -> Vec<String> {
    let entries = std::fs::read_dir(dir.path()).unwrap();
    let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "log").collect()
}

fn interrupt(process: Process) {
    process.signal("INT");
    assert!(process.wait(LIMIT).success());
}

#[test]
fn captures_are_shown_in_a_store_of_their_own() {
    let dir = Dir::new("read-ui");
    let files = [capture("http/methods.pcap"), capture("dns/types.pcap")];
    let (process, at) = reading(&dir, &[], &files);
    let expected: usize = files
        .iter()
        .map(|f| std::fs::read_to_string(f.with_extension("ndjson")).unwrap().lines().count())
        .sum();
    assert_eq!(get(at, "/es/_count").json()["count"], expected);
    let mut status = Value::Null;
    lab::wait_until("the range", LIMIT, || {
        status = get(at, "/_ui/status").json();
        status["range"].is_object()
    });
    assert_eq!(status["mode"], "read");
    assert!(status["title"].as_str().unwrap().ends_with("methods.pcap and 1 more"), "{status}");
    assert_eq!(status["capture"]["running"], false);
    // The range holds all events, and begins and ends with one.
    let inside = |from: &str, to: &str| {
        let query = format!("/es/_count?q=%40timestamp:%5B%22{from}%22%20TO%20%22{to}%22%5D");
        get(at, &query).json()["count"].as_u64().unwrap() as usize
    };
    let (from, to) = (status["range"]["from"].as_str().unwrap(), status["range"]["to"].as_str().unwrap());
    assert_eq!(inside(from, to), expected);
    let sorted = get(at, "/es/_search?size=1&sort=@timestamp&_source=@timestamp").json();
    let first = sorted["hits"]["hits"][0]["_source"]["@timestamp"].as_str().unwrap();
    assert_eq!(first[..23], from[..23]);
    assert_eq!(left(&dir).len(), 1);
    interrupt(process);
    assert_eq!(left(&dir), [""; 0], "the private store is removed");
}

#[test]
fn the_store_of_a_capture_stays_when_it_is_to_be_kept() {
    let dir = Dir::new("read-ui-keep");
    let kept = dir.join("kept");
    let (process, _) = reading(&dir, &["--keep", kept.to_str().unwrap()], &[capture("http/post.pcap")]);
    interrupt(process);
    let told = lab::run(Command::new(BINARY).args(["store", "--data"]).arg(&kept));
    let expected = std::fs::read_to_string(capture("http/post.ndjson")).unwrap().lines().count();
    assert!(told.lines().last().unwrap().contains(&format!(" {expected} ")), "{told}");
}

#[test]
fn a_capture_that_is_not_there_is_an_error_at_once() {
    let dir = Dir::new("read-ui-none");
    let output = Command::new(BINARY)
        .args(["read", "/nonexistent.pcap", "--ui=127.0.0.1:0"])
        .env("TMPDIR", dir.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nonexistent.pcap"));
    assert_eq!(left(&dir), [""; 0]);
}

#[test]
fn a_port_that_is_taken() {
    let dir = Dir::new("ui-taken");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    // Named on the command line, no other will do.
    let file = capture("icmp/ping.pcap");
    let output = Command::new(BINARY)
        .arg("read")
        .arg(&file)
        .arg(format!("--ui={address}"))
        .env("TMPDIR", dir.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(&format!("error: the pages: {address} is taken")), "{said}");
    // From the configuration, the next one.
    let mut command = Command::new(BINARY);
    command.arg("read").arg(&file).arg("--ui").env("TMPDIR", dir.path());
    command.args(["-E", &format!("wirebeat.ui.port={}", address.port())]);
    let mut process = Process::start("wirebeat", &mut command, &dir.join("log"));
    process.wait_for_log("memory_lent", LIMIT);
    assert!(process.log().contains(&format!("({address} is taken)")), "{}", process.log());
    // No token in what is no terminal.
    assert!(!process.log().contains("token"), "{}", process.log());
    interrupt(process);
}

/// `wirebeat run` on the loopback of a namespace of its own.
struct Run {
    space: Namespace,
    dir: Dir,
    process: Process,
}

impl Run {
    fn start(label: &str, args: &[&str]) -> Self {
        let (space, dir) = (Namespace::new(label), Dir::new(label));
        let mut command = space.command(BINARY);
        command.args([
            "run",
            "-i",
            "lo",
            "-E",
            "packetbeat.flows.timeout=1s",
            "-E",
            "packetbeat.flows.period=1s",
        ]);
        command.args(args).arg("--data").arg(dir.join("data"));
        let mut process = Process::start("wirebeat", &mut command, &dir.join("log"));
        process.wait_for_log("capturing on lo", LIMIT);
        std::thread::sleep(Duration::from_millis(300));
        Self { space, dir, process }
    }

    fn curl(&self, args: &[&str]) -> String {
        lab::run(self.space.command("curl").args(["-sS", "--max-time", "20"]).args(args))
    }

    fn get(&self, target: &str) -> Value {
        serde_json::from_str(&self.curl(&[&format!("http://127.0.0.1:5601{target}")])).unwrap()
    }

    fn change(&self, method: &str, target: &str) -> Value {
        let token = std::fs::read_to_string(self.dir.join("data/token")).unwrap();
        let header = format!("Authorization: Bearer {}", token.trim());
        let url = format!("http://127.0.0.1:5601{target}");
        serde_json::from_str(&self.curl(&["-X", method, "-H", &header, &url])).unwrap()
    }

    /// Events of traffic.
    fn events(&self) -> u64 {
        self.get("/es/packetbeat-*/_count").get("count").and_then(Value::as_u64).unwrap()
    }

    /// Asks page, status and API every 100 ms for three seconds, over connections of their own.
    fn poll(&self) {
        let script = "for i in $(seq 10); do for t in / /_ui/status /es/_search; do \
                      curl -sS -o /dev/null http://127.0.0.1:5601$t http://127.0.0.1:9200/_search; sleep 0.1; done; done";
        lab::run(self.space.command("bash").args(["-c", script]));
    }

    fn stop(self) {
        assert!(self.process.stop(LIMIT).success());
    }
}

#[test]
fn own_traffic_is_not_watched_and_everything_else_is() {
    if !lab::ready("own_traffic_is_not_watched_and_everything_else_is", &["ip", "nginx", "curl"]) {
        return;
    }
    let run = Run::start("ui-self", &[]);
    run.poll();
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(run.events(), 0, "{}", run.get("/es/_search?size=3"));
    let status = run.get("/_ui/status");
    let lo = &status["capture"]["devices"][0];
    // The kernel's count of the device has them all the same.
    assert!(lo["name"] == "lo" && lo["packets"].as_u64() > Some(300), "{lo}");
    let page: &[u8] = b"hello";
    let _nginx = lab::servers::nginx(Some(&run.space), "127.0.0.1", 80, "", &[("index.html", page)]);
    let before = run.get("/es/packetbeat-*/_count?q=type:http")["count"].clone();
    run.curl(&["http://127.0.0.1/"]);
    lab::wait_until("the request to another server", LIMIT, || {
        run.get("/es/packetbeat-*/_count?q=type:http")["count"].as_u64() == before.as_u64().map(|n| n + 1)
    });
    run.stop();
}

#[test]
fn own_traffic_is_watched_when_asked_for() {
    if !lab::ready("own_traffic_is_watched_when_asked_for", &["ip", "curl"]) {
        return;
    }
    let run = Run::start("ui-self-on", &["-E", "wirebeat.capture.self=true"]);
    run.poll();
    lab::wait_until("its own requests", LIMIT, || {
        run.get("/es/packetbeat-*/_count?q=type:http")["count"].as_u64() >= Some(60)
    });
    run.stop();
}

#[test]
fn status_tells_what_is_seen_and_what_is_not() {
    if !lab::ready("status_tells_what_is_seen_and_what_is_not", &["ip", "nginx", "curl"]) {
        return;
    }
    let run = Run::start("ui-status", &[]);
    let _nginx = lab::servers::nginx(Some(&run.space), "127.0.0.1", 80, "", &[("index.html", b"hello")]);
    for _ in 0..5 {
        run.curl(&["http://127.0.0.1/"]);
    }
    // What no protocol begins with.
    lab::run(run.space.command("bash").args(["-c", "echo zzzzzzzzzzzz > /dev/udp/127.0.0.1/9999"]));
    let mut status = Value::Null;
    lab::wait_until("the flow that is not decoded", LIMIT, || {
        status = run.get("/_ui/status");
        status["capture"]["undecoded"].as_array().is_some_and(|u| !u.is_empty())
    });
    let capture = &status["capture"];
    assert_eq!(status["mode"], "run");
    assert!(status["token_file"].as_str().unwrap().ends_with("/data/token"), "{status}");
    assert_eq!(status["elastic"], "http://127.0.0.1:9200");
    assert_eq!(capture["running"], true);
    let http = capture["parsers"].as_array().unwrap().iter().find(|p| p["protocol"] == "http").unwrap();
    assert_eq!((&http["transactions"], &http["flows"]), (&5.into(), &5.into()), "{http}");
    let undecoded = &capture["undecoded"][0];
    assert_eq!(
        (&undecoded["protocol"], &undecoded["flows"]),
        (&"udp port 9999".into(), &1.into()),
        "{undecoded}"
    );
    // Ethernet header of the loopback, IPv4, UDP, and 13 bytes of text.
    assert_eq!(undecoded["bytes"], 14 + 20 + 8 + 13, "{undecoded}");
    let shards = capture["shards"].as_array().unwrap();
    let sum = |name: &str| shards.iter().map(|s| s[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum("packets"), capture["counters"]["packets"].as_u64().unwrap());
    assert!(sum("packets") > 40, "{capture}");
    assert!(capture["rates"]["packets"].is_number() && capture["memory"]["budget"].as_u64() > Some(1 << 20));
    for loss in capture["loss"].as_array().unwrap() {
        assert!(loss["meaning"].as_str().unwrap().ends_with('.') && loss["recent"].is_array(), "{loss}");
        // What other processes of this machine are like (a long command line, say) is theirs.
        if !loss["name"].as_str().unwrap().starts_with("host.") {
            assert_eq!(loss["value"], 0, "{loss}");
        }
    }
    assert!(capture["host"]["periods"].as_u64() >= Some(1), "{}", capture["host"]);
    assert!(capture["host"]["processes_ended"].is_number(), "counted, and no loss");
    let reader = &status["journal"]["readers"][0];
    assert_eq!((&reader["name"], &reader["lost_to_quota"]), (&"store".into(), &0.into()));
    assert_eq!(
        (&status["store"]["health"], &status["store"]["retention_days"]),
        (&"green".into(), &7.0.into())
    );
    assert!(status["store"]["disk_free"].as_u64() > Some(0));
    run.stop();
}

#[test]
fn the_demo_is_seen_as_if_it_had_just_happened() {
    if !lab::ready("the_demo_is_seen_as_if_it_had_just_happened", &["ip", "curl"]) {
        return;
    }
    let run = Run::start("ui-demo", &[]);
    assert_eq!(run.events(), 0);
    let answer = run.change("POST", "/_ui/demo");
    let told = answer["events"].as_u64().unwrap();
    assert!(told > 500, "{answer}");
    // All of them can be searched when it answers, within the range it tells, which ends now.
    let range = serde_json::json!({"query": {"range": {"@timestamp": {
        "gte": answer["range"]["from"], "lte": answer["range"]["to"]}}}});
    let found = run.curl(&[
        "-H",
        "content-type: application/json",
        "-d",
        &range.to_string(),
        "http://127.0.0.1:5601/es/packetbeat-*/_count",
    ]);
    assert_eq!(serde_json::from_str::<Value>(&found).unwrap()["count"], told);
    for kind in ["http", "dns", "redis", "icmp", "flow"] {
        let count = &run.get(&format!("/es/_count?q=type:{kind}%20AND%20@timestamp:%3Enow-20m"))["count"];
        assert!(count.as_u64() > Some(20), "{kind}: {count}");
    }
    // Again, at another time: other events.
    assert_eq!(run.change("POST", "/_ui/demo")["events"], told);
    assert_eq!(run.events(), 2 * told);
    run.stop();
}

#[test]
fn saved_searches_outlive_the_program() {
    if !lab::ready("saved_searches_outlive_the_program", &["ip", "curl"]) {
        return;
    }
    let dir = Dir::new("ui-saved");
    let kept = dir.join("kept");
    let file = capture("icmp/ping.pcap");
    let keep = ["--keep", kept.to_str().unwrap()];
    let (process, at) = reading(&dir, &keep, std::slice::from_ref(&file));
    let token = format!("Bearer {}", std::fs::read_to_string(kept.join("token")).unwrap().trim());
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    let put = send(at, "PUT", "/_ui/saved/errors", &headers, br#"{"title":"Errors","state":"v=1"}"#);
    assert_eq!(put.json()["title"], "Errors");
    interrupt(process);
    let (process, at) = reading(&dir, &keep, &[file]);
    let items = get(at, "/_ui/saved").json();
    assert_eq!((&items["items"][0]["id"], &items["items"][0]["state"]), (&"errors".into(), &"v=1".into()));
    interrupt(process);
}

/// Without the right to capture, whoever asks for no device and no lines gets the pages, which say what is missing;
/// everybody else an exit code.
#[test]
fn without_rights_the_pages_say_what_is_missing() {
    if !lab::ready("without_rights_the_pages_say_what_is_missing", &["ip", "setpriv", "curl"]) {
        return;
    }
    let (space, dir) = (Namespace::new("ui-rights"), Dir::new("ui-rights"));
    // Where everybody can reach it, and a place that everybody may write to.
    let binary = dir.join("wirebeat");
    std::fs::copy(BINARY, &binary).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(dir.path(), open).unwrap();
    let nobody = |data: &str, args: &[&str]| {
        let mut command = space.command("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&binary).arg("run");
        command.args(args).arg("--data").arg(dir.join(data)).current_dir(dir.path());
        command
    };
    for args in [&["-i", "lo"][..], &["-o", "-"], &["-E", "packetbeat.interfaces.device=lo"]] {
        let output = nobody("none", args).args(["--duration", "20s"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("error: capturing needs CAP_NET_RAW"), "{args:?}: {said}");
        assert!(!said.contains("open http"), "{args:?}: {said}");
    }
    let mut process = Process::start("wirebeat", &mut nobody("data", &[]), &dir.join("log"));
    process.wait_for_log("nothing is captured", LIMIT);
    let run = Run { space, dir, process };
    let status = run.get("/_ui/status");
    let capture = &status["capture"];
    assert_eq!((&status["mode"], &capture["running"]), (&"run".into(), &false.into()), "{status}");
    let note = capture["notes"][0]["text"].as_str().unwrap();
    let line = format!("setcap cap_net_raw,cap_net_admin=eip {}", run.dir.join("wirebeat").display());
    assert!(capture["notes"][0]["level"] == "error" && note.contains(&line), "{note}");
    let lo = &capture["devices"][0];
    assert_eq!(
        (&lo["name"], &lo["captured"], lo["why"].as_str().unwrap()),
        (&"lo".into(), &false.into(), "capturing needs CAP_NET_RAW"),
        "{lo}"
    );
    // The demo shows what there would be.
    assert!(run.change("POST", "/_ui/demo")["events"].as_u64() > Some(500));
    assert!(run.events() > 500);
    run.stop();
}
