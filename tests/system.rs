//! What wirebeat measures of the host, beside what the kernel and other tools say of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "system/agree.rs"]
mod agree;
#[path = "../crates/web/tests/client/mod.rs"]
mod client;
#[path = "system/containers.rs"]
mod containers;
#[path = "system/crowd.rs"]
mod crowd;
#[path = "system/dashboard.rs"]
mod dashboard;
#[path = "system/formulas.rs"]
mod formulas;
#[path = "system/hostile.rs"]
mod hostile;
mod lab;
#[path = "system/panels.rs"]
mod panels;
#[path = "system/program.rs"]
mod program;
#[path = "lab/wirebeat.rs"]
mod wirebeat;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;

use wirebeat::BINARY;

/// Lines of JSON.
fn lines(text: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(text).expect("events are UTF-8");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// `wirebeat top --json ARGS` to its end.
fn top(args: &[&str]) -> Vec<Value> {
    let output = Command::new(BINARY).args(["top", "--json"]).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    lines(&output.stdout)
}

/// The value under a dotted name, or `null`.
fn get<'a>(event: &'a Value, name: &str) -> &'a Value {
    name.split('.').fold(event, |v, key| &v[key])
}

#[track_caller]
fn number(event: &Value, name: &str) -> f64 {
    get(event, name).as_f64().unwrap_or_else(|| panic!("no number {name} in {event}"))
}

/// The last event of a dataset for which `which` holds.
#[track_caller]
fn last<'a>(events: &'a [Value], dataset: &str, which: impl Fn(&Value) -> bool) -> &'a Value {
    let found = events.iter().rev().find(|e| e["event"]["dataset"] == dataset && which(e));
    found.unwrap_or_else(|| panic!("no such event of {dataset} among {}", events.len()))
}

/// Shows both numbers, and fails when they are further apart than `within`.
#[track_caller]
fn agree(what: &str, ours: f64, theirs: f64, within: f64) {
    println!("{what:<44} ours {ours:>18.4}  theirs {theirs:>18.4}  allowed {within}");
    assert!((ours - theirs).abs() <= within, "{what}: {ours} is not within {within} of {theirs}");
}

/// Who starts so many processes that they disturb what others measure is alone.
static CROWD: RwLock<()> = RwLock::new(());

/// For tests that compare what they measure with what they asked others a little later.
fn in_peace() -> RwLockReadGuard<'static, ()> {
    CROWD.read().unwrap_or_else(PoisonError::into_inner)
}

/// For tests that disturb those.
fn in_a_crowd() -> RwLockWriteGuard<'static, ()> {
    CROWD.write().unwrap_or_else(PoisonError::into_inner)
}

/// A program in the background, ended with its value.
struct Background(Child);

impl Background {
    fn shell(script: &str) -> Self {
        let mut bash = Command::new("bash");
        bash.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(bash.spawn().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path.as_ref()).unwrap_or_else(|e| panic!("{}: {e}", path.as_ref().display()))
}
