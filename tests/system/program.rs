//! The program as a user runs it: a topbeat.yml of old, the view in a terminal, measurements beside a capture.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ::wirebeat::config::{Config, Dialect, parse};
use ::wirebeat::engine;

use super::wirebeat::Wirebeat;
use super::{BINARY, get, lab, last, lines, top};

const TOPBEAT: &str = "\
input:
  period: 1
  procs: [\".*\"]
  stats:
    system: true
    proc: true
    filesystem: true
    cpu_per_core: true
shipper:
  tags: [web-tier]
output:
  file:
    path: /tmp/none
";

fn config(text: &str) -> Result<Config, String> {
    parse(Some(Path::new("t.yml")), text, &[], None, &|_| None).map_err(|e| e.to_string())
}

#[test]
fn a_topbeat_yml_of_old() {
    engine::schema();
    let found = config(TOPBEAT).unwrap();
    assert_eq!((found.dialect, found.captures()), (Dialect::Topbeat, false));
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);
    assert_eq!(found.output_file.unwrap().filename, "topbeat");
    let system = found.system.unwrap();
    assert_eq!((system.period, system.top, system.fields_1x), (Duration::from_secs(1), None, true));
    let dir = lab::Dir::new("topbeat");
    let file = dir.write("topbeat.yml", TOPBEAT);
    let mut run = Command::new(BINARY);
    run.args(["run", "-c"]).arg(&file).args(["-o", "-", "--duration", "2500ms"]);
    let output = run.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("host_periods: 3 "), "{said}");
    let events = lines(&output.stdout);
    let types: BTreeSet<&str> = events.iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(types, BTreeSet::from(["core", "filesystem", "process", "system"]));
    assert!(events.iter().all(|e| e["count"] == 1 && e["tags"][0] == "web-tier"));
    // What the panels of Topbeat's dashboard ask for, under the names they ask with.
    let schema = engine::schema();
    let panels = "load.load1 proc.pid proc.state mem.used_p swap.used_p cpu.system_p cpu.user_p proc.cpu.total_p proc.name \
        proc.mem.rss_p proc.mem.rss proc.mem.share mem.total mem.used mem.free fs.used_p fs.mount_point beat.name";
    for name in panels.split_whitespace() {
        let field = schema.resolve(name).unwrap().name();
        let with = events.iter().filter(|e| !get(e, field).is_null()).count();
        assert!(with > 0, "{name} ({field})");
    }
    let fs = last(&events, "system.filesystem", |e| get(e, "system.filesystem.mount_point") == "/");
    let part = |name: &str| get(fs, &format!("system.filesystem.{name}")).as_f64().unwrap();
    let used_p = (part("used.bytes") / part("total") * 1e4).round() / 1e4;
    assert_eq!(get(fs, "fs.used_p").as_f64(), Some(used_p));
}

#[test]
fn both_spellings_and_both_sections() {
    let sets = |text: &str| config(text).unwrap().system.unwrap().sets;
    for text in [
        "input:\n  stats:\n    proc: false\n",
        "topbeat:\n  stats:\n    process: false\n",
        "topbeat.stats.process: false\ntopbeat.stats.proc: true\n",
    ] {
        let sets = sets(text);
        assert!(!sets.process && sets.cpu && sets.filesystem && !sets.network, "{text}");
    }
    assert!(config("packetbeat.interfaces.device: any\n").unwrap().system.is_none());
    let both = config("packetbeat.flows.enabled: true\nsystem.hostfs: /hostfs\n").unwrap();
    assert!(both.captures() && both.system.is_some_and(|o| o.hostfs == Path::new("/hostfs") && !o.fields_1x));
    assert!(
        config("packetbeat.flows.enabled: true\nwirebeat.system.enabled: true\n").unwrap().system.is_some()
    );
    assert!(config("topbeat.period: 5s\nwirebeat.system.enabled: false\n").unwrap().system.is_none());
    let own = config(
        "system:\n  metricsets: [cpu, process]\n  processes: [\"^nginx\"]\n  process.include_top_n.enabled: false\n",
    );
    let own = own.unwrap().system.unwrap();
    assert!(own.sets.cpu && own.sets.process && !own.sets.load && own.top.is_none());
    assert!(own.names.unwrap().is_match("nginx"));
}

#[test]
fn measured_without_a_configuration_and_not_with_a_packetbeat_yml() {
    engine::schema();
    let set = |path: Option<&str>, text: &str, set: &[&str]| {
        let set: Vec<String> = set.iter().map(|s| (*s).to_owned()).collect();
        parse(path.map(Path::new), text, &set, None, &|_| None).unwrap()
    };
    let none = set(None, "", &[]);
    let system = none.system.unwrap();
    assert_eq!(
        (system.period, system.top, system.fields_1x),
        (Duration::from_secs(10), Some((10, 10)), false)
    );
    assert!(system.sets.cpu && system.sets.container && !system.sets.core && !none.system_asked);
    // One key on top of nothing changes that key alone.
    assert!(set(None, "", &["packetbeat.flows.period=5s"]).system.is_some());
    assert!(set(None, "", &["wirebeat.system.enabled=false"]).system.is_none());
    assert!(set(None, "", &["system.enabled=false"]).system.is_none());
    let period = set(None, "", &["system.period=3s"]);
    assert!(period.system.is_some_and(|o| o.period == Duration::from_secs(3)) && period.system_asked);
    // Our own file says what differs; a Packetbeat's says what there is.
    assert!(set(Some("w.yml"), "wirebeat.store.max_age: 24h\n", &[]).system.is_some());
    assert!(set(Some("w.yml"), "wirebeat.system.enabled: false\n", &[]).system.is_none());
    for text in [
        "packetbeat.flows.enabled: true\n",
        "interfaces:\n  device: any\n",
        "protocols:\n  dns:\n    ports: [53]\n",
    ] {
        assert!(set(Some("p.yml"), text, &[]).system.is_none(), "{text}");
        assert!(set(Some("p.yml"), text, &["system.period=3s"]).system.is_some(), "{text}");
    }
}

#[test]
fn a_run_without_a_configuration_measures_the_host() {
    if !lab::ready("a_run_without_a_configuration_measures_the_host", &["ip"]) {
        return;
    }
    let run = Wirebeat::start(None, &["-i", "lo"]);
    let events = run.stop();
    let cpu: Vec<_> =
        events.of("system").into_iter().filter(|e| e["event"]["dataset"] == "system.cpu").collect();
    assert_eq!(cpu.len(), 1, "every 10 s, the first at once: {}", events.log);
    assert_eq!(cpu[0]["metricset"]["period"], 10_000);
    assert!(!events.of("process").is_empty() && events.log.contains("host_periods: 1 "), "{}", events.log);
    let off = Wirebeat::start(None, &["-i", "lo", "-E", "wirebeat.system.enabled=false"]).stop();
    assert!(off.all().iter().all(|e| e["event"]["module"] != "system"), "{}", off.log);
}

#[test]
fn what_is_wrong_and_where() {
    for (text, expected) in [
        ("input:\n  period: soon\n", "t.yml:2:11: input.period: expected a duration"),
        ("input:\n  period: 0\n", "t.yml:2:11: input.period: expected a period from 100ms"),
        ("topbeat:\n  procs: [\"(\"]\n", "t.yml:2:10: topbeat.procs: not a regular expression: "),
        (
            "topbeat:\n  stats:\n    system: false\n    process: false\n    filesystem: false\n",
            "t.yml:3:13: topbeat.stats.system: all statistics are off",
        ),
        ("input.period: 1\ntopbeat.period: 1\n", "t.yml:1:1: input: topbeat and input are two names"),
        ("system:\n  hostfs: hostfs\n", "t.yml:2:11: system.hostfs: expected an absolute path"),
        ("system:\n  metricsets: cpu\n", "t.yml:2:15: system.metricsets: expected a list"),
    ] {
        let error = config(text).map(|_| ()).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
    let warnings = |text: &str| {
        config(text)
            .unwrap()
            .warnings
            .iter()
            .map(ToString::to_string)
            .filter(|w| !w.contains("secrets"))
            .collect::<Vec<_>>()
    };
    let said = warnings("system:\n  metricsets: [cpu, memroy]\n  hostsf: /x\n");
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said.iter().any(|w| w.contains("did you mean memory?")), "{said:?}");
    assert!(said.iter().any(|w| w.contains("did you mean hostfs?")), "{said:?}");
}

#[test]
fn lines_of_json() {
    let events = top(&["--period", "300ms", "--count", "2", "--per-core"]);
    let times: BTreeSet<&str> = events.iter().map(|e| e["@timestamp"].as_str().unwrap()).collect();
    assert_eq!(times.len(), 2, "one time for each period");
    let ids: BTreeSet<&str> = events.iter().map(|e| e["event"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), events.len());
    let first = events[0]["@timestamp"].clone();
    for event in events.iter().filter(|e| e["@timestamp"] == first) {
        let text = event.to_string();
        let shares = ["norm", "per_sec", "ingress", "egress"];
        assert!(
            !shares.iter().any(|s| text.contains(s)) || event["event"]["dataset"] == "system.load",
            "{text}"
        );
    }
    for event in events.iter().filter(|e| e["@timestamp"] == first) {
        // That of memory is known at once.
        let usage = ["host.cpu.usage", "container.cpu.usage"].map(|name| get(event, name));
        assert!(usage.iter().all(|n| n.is_null()), "{event}");
    }
    for event in &events {
        assert_eq!(
            (event["event"]["kind"].as_str(), event["metricset"]["period"].as_u64()),
            (Some("metric"), Some(300))
        );
        assert!(event["host"]["name"].as_str().is_some_and(|n| !n.is_empty()));
    }
    let cores = last(&events, "system.cpu", |_| true)["system"]["cpu"]["cores"].as_u64().unwrap();
    assert_eq!(events.iter().filter(|e| e["type"] == "core").count() as u64, 2 * cores);
}

#[test]
fn the_view_gives_the_terminal_back() {
    if lab::which("script").is_none() || lab::which("stty").is_none() {
        return lab::skip(
            "the_view_gives_the_terminal_back",
            "no script or stty here (util-linux, coreutils)",
        );
    }
    let dir = lab::Dir::new("view");
    let play = |keys: &str, end: &str| {
        let shown = dir.join("shown");
        let shell =
            format!("stty rows 24 cols 80; {BINARY} top --period 300ms & p=$!; {end} wait $p; echo ended $?");
        let mut script = Command::new("timeout");
        script.args(["60", "script", "-qfec", &format!("bash -ic '{shell}'")]).arg(&shown);
        script.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let shell = format!("stty rows 24 cols 80; {BINARY} top --period 300ms; echo ended $?");
        if end.is_empty() {
            script = Command::new("timeout");
            script.args(["60", "script", "-qfec", &shell]).arg(&shown);
            script.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        }
        let mut child = script.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), keys.as_bytes()).unwrap();
        child.wait().unwrap();
        String::from_utf8_lossy(&std::fs::read(&shown).unwrap()).into_owned()
    };
    let shown = play("m/wire\r?xq", "");
    assert!(shown.contains("\u{1b}[?1049h") && shown.contains("\u{1b}[?1049l"), "the other screen and back");
    assert!(shown.contains("wirebeat") && shown.contains("COMMAND"), "{shown}");
    assert!(shown.contains("ended 0"), "{shown}");
    let output = Command::new(BINARY).arg("top").stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--json"));
}

#[test]
fn beside_a_capture() {
    if !lab::ready("beside_a_capture", &["ip"]) {
        return;
    }
    let run = Wirebeat::start(None, &["-i", "lo", "-E", "system.period=500ms"]);
    let stream = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..10 {
        stream.send_to(b"x", stream.local_addr().unwrap()).unwrap();
        std::thread::sleep(Duration::from_millis(150));
    }
    let events = run.stop();
    let measured = events.of("system").iter().filter(|e| e["event"]["dataset"] == "system.cpu").count();
    assert!(measured >= 3, "{}", events.log);
    assert!(!events.of("flow").is_empty(), "{}", events.log);
    assert!(events.log.contains("host_periods: "), "{}", events.log);
}
