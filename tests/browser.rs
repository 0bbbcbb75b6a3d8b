//! The pages in a real browser while wirebeat captures: `ui/tests/scenes` says what is done and seen there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../benches/captures/mod.rs"]
mod captures;
#[path = "browser/day.rs"]
mod day;
#[path = "../benches/events/mod.rs"]
mod events;
mod lab;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use lab::Dir;
use lab::docker::{Engine, HOST, NEEDS};
use lab::netns::Namespace;
use lab::process::Process;

const BINARY: &str = env!("CARGO_BIN_EXE_wirebeat");
const LIMIT: Duration = Duration::from_secs(60);

fn front_end() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("ui")
}

/// Whether a browser can be driven here, beside what [`lab::ready`] asks for. A Node that is too old is what a
/// distribution ships: no set-up of ours changes that, so it skips, named, whatever is required otherwise.
fn ready(test: &str, programs: &[&str]) -> bool {
    let needs: Vec<_> = ["node", "chromium"].iter().chain(programs).copied().collect();
    if !lab::ready(test, &needs) {
        return false;
    }
    if let Some(why) = lab::old_node() {
        lab::leave_out(test, &why);
        return false;
    }
    if !front_end().join("node_modules/playwright-core").is_dir() {
        lab::skip(test, "the front end's packages are not there (cargo xtask ui installs them)");
        return false;
    }
    true
}

fn full() -> bool {
    std::env::var_os("WIREBEAT_FULL").is_some_and(|v| v == "1")
}

/// `wirebeat run ARGS` with its pages in a namespace.
fn wirebeat(place: &Namespace, dir: &Dir, args: &[&str]) -> Process {
    let mut command = place.command(BINARY);
    command.arg("run").args(args).arg("--data").arg(dir.join("data")).current_dir(dir.path());
    let mut process = Process::start("wirebeat", &mut command, &dir.join("log"));
    process.wait_for_log("capturing on", LIMIT);
    std::thread::sleep(Duration::from_millis(300));
    process
}

/// Plays a scene in a namespace; what it prints comes out here too.
fn play(place: &Namespace, scene: &str, limit: Duration, set: &[(&str, String)]) {
    let dir = Dir::new("scene");
    let mut command = place.command("node");
    command.args(["--import", "./tests/register.mjs", &format!("tests/scenes/{scene}.ts")]);
    command.current_dir(front_end()).envs(set.iter().map(|(name, value)| (name, value)));
    command.env("WB_URL", "http://127.0.0.1:5601");
    let process = Process::start(scene, &mut command, &dir.join("log"));
    // Its log has to outlive it.
    let log = dir.join("log");
    let status = process.wait(limit);
    let said = std::fs::read_to_string(log).unwrap_or_default();
    let _ = writeln!(std::io::stderr(), "{scene}:\n{said}");
    assert!(status.success(), "{scene}: {status}\n{said}");
}

/// A command as the scenes read it.
fn listed(words: &[&str]) -> String {
    serde_json::to_string(words).unwrap()
}

const CURL: &[&str] = &["-sS", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code} %{size_download}"];

/// The counter of the HTTP dashboard, and the event, of a web server in a container.
#[test]
fn a_web_server_in_a_container() {
    if !ready("a_web_server_in_a_container", NEEDS) {
        return;
    }
    let engine = match Engine::start() {
        Ok(engine) => engine,
        Err(why) => return lab::skip("a_web_server_in_a_container", &why),
    };
    let web = engine.serve("web", &["-p", "8080:80"]);
    let dir = Dir::new("browser-seed");
    let process = wirebeat(&engine.host, &dir, &["-i", "docker0"]);
    let outside = engine.visitor.name().to_owned();
    let mut visit = vec!["ip", "netns", "exec", &outside, "curl"];
    visit.extend(CURL);
    let published = format!("http://{HOST}:8080/");
    visit.push(&published);
    let inside = format!("http://{web}/");
    let container = engine.command(&Engine::curl(&inside));
    let container: Vec<_> = container.iter().map(String::as_str).collect();
    let set = [("WB_VISIT", listed(&visit)), ("WB_CONTAINER", listed(&container))];
    play(&engine.host, "seed", Duration::from_secs(300), &set);
    assert!(process.stop(LIMIT).success());
}

/// The pages, open and asking each second, add no event.
#[test]
fn the_pages_do_not_watch_themselves() {
    if !ready("the_pages_do_not_watch_themselves", &["ip", "nginx", "curl"]) {
        return;
    }
    let (space, dir) = (Namespace::new("browser-self"), Dir::new("browser-self"));
    let flows = ["-i", "lo", "-E", "packetbeat.flows.timeout=1s", "-E", "packetbeat.flows.period=1s"];
    let process = wirebeat(&space, &dir, &flows);
    let _nginx = lab::servers::nginx(Some(&space), "127.0.0.1", 80, "", &[("index.html", b"hello")]);
    let mut visit = vec!["curl"];
    visit.extend(CURL);
    visit.push("http://127.0.0.1/");
    let seconds = if full() { 60 } else { 5 };
    let set = [("WB_VISIT", listed(&visit)), ("WB_SECONDS", seconds.to_string())];
    play(&space, "self", Duration::from_secs(180), &set);
    assert!(process.stop(LIMIT).success());
}

/// A live list of 1,000 events a second does not grow.
#[test]
fn a_live_list_does_not_grow() {
    if !ready("a_live_list_does_not_grow", &["ip", "redis-server", "redis-cli"]) {
        return;
    }
    let (space, dir) = (Namespace::new("browser-live"), Dir::new("browser-live"));
    let process = wirebeat(&space, &dir, &["-i", "lo"]);
    let redis = lab::servers::redis(Some(&space), "127.0.0.1", 6379, &[]);
    let seconds = if full() { 600 } else { 20 };
    let set = [("WB_REDIS", redis.port.to_string()), ("WB_SECONDS", seconds.to_string())];
    play(&space, "live", Duration::from_secs(seconds + 180), &set);
    assert!(process.stop(LIMIT).success());
}

/// Without the right to capture the pages say so, and what to do.
#[test]
fn what_is_missing_without_rights() {
    if !ready("what_is_missing_without_rights", &["ip", "setpriv"]) {
        return;
    }
    let (space, dir) = (Namespace::new("browser-rights"), Dir::new("browser-rights"));
    let binary = dir.join("wirebeat");
    std::fs::copy(BINARY, &binary).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(dir.path(), open).unwrap();
    let mut command = space.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&binary).arg("run");
    command.arg("--data").arg(dir.join("data")).current_dir(dir.path());
    let mut process = Process::start("wirebeat", &mut command, &dir.join("log"));
    process.wait_for_log("nothing is captured", LIMIT);
    play(&space, "rights", Duration::from_secs(180), &[("WB_PROGRAM", binary.display().to_string())]);
    assert!(process.stop(LIMIT).success());
}
