//! The program under test, run as a user runs it, and its events.
#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a helper fails its test by panicking"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::lab::Dir;
use crate::lab::netns::Namespace;
use crate::lab::process::Process;

/// The binary that cargo built for this test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_wirebeat");

/// `wirebeat run` in the background.
pub(crate) struct Wirebeat {
    process: Process,
    file: PathBuf,
    dir: Dir,
}

impl Wirebeat {
    /// Starts `wirebeat run -o FILE ARGS` in a namespace (or on the host itself) and waits until it captures.
    pub(crate) fn start(place: Option<&Namespace>, args: &[&str]) -> Self {
        let dir = Dir::new("wirebeat");
        let file = dir.join("events.ndjson");
        let mut command = match place {
            Some(namespace) => namespace.command(BINARY),
            None => Command::new(BINARY),
        };
        command.arg("run").arg("-o").arg(&file).args(args).current_dir(dir.path());
        let mut process = Process::start("wirebeat", &mut command, &dir.join("log"));
        process.wait_for("packet socket", Duration::from_secs(20), |process| captures(process.pid()));
        std::thread::sleep(Duration::from_millis(200)); // the filter and the other devices follow the first socket
        Self { process, file, dir }
    }

    /// Sends it a signal, e.g. `STOP`.
    pub(crate) fn signal(&self, signal: &str) {
        self.process.signal(signal);
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Lets the last packets arrive, sends SIGTERM, demands exit code 0 and reads the events.
    pub(crate) fn stop(self) -> Events {
        std::thread::sleep(Duration::from_millis(500));
        let Self { process, file, dir } = self;
        let log = end(process, &dir);
        Events { list: parse(&file), log }
    }

    /// The same for what it said alone, without the events.
    pub(crate) fn end(self) -> String {
        std::thread::sleep(Duration::from_millis(500));
        end(self.process, &self.dir)
    }
}

fn end(mut process: Process, dir: &Dir) -> String {
    assert!(process.runs(), "wirebeat ended before it was told to:\n{}", process.log());
    let log = dir.join("log");
    let status = process.stop(Duration::from_secs(20));
    let log = std::fs::read_to_string(log).unwrap_or_default();
    assert!(status.success(), "wirebeat after SIGTERM: {status}\n{log}");
    log
}

/// `wirebeat read FILE`: the events of a capture.
pub(crate) fn read(capture: &Path, args: &[&str]) -> Events {
    let output =
        Command::new(BINARY).arg("read").arg(capture).args(args).output().expect("cannot start wirebeat");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "wirebeat read {}: {}\n{log}", capture.display(), output.status);
    let text = String::from_utf8(output.stdout).expect("events are UTF-8");
    Events { list: text.lines().map(event).collect(), log }
}

fn parse(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.lines().map(event).collect()
}

fn event(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON: {error}: {line}"))
}

/// Whether a process holds a packet socket that runs.
fn captures(pid: u32) -> bool {
    let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    let ours: Vec<String> = descriptors
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|target| Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    // Columns: sk, RefCnt, Type, Proto, Iface, R(unning), Rmem, User, Inode.
    let table = std::fs::read_to_string(format!("/proc/{pid}/net/packet")).unwrap_or_default();
    table.lines().skip(1).any(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        columns.get(5) == Some(&"1")
            && columns.get(8).is_some_and(|inode| ours.iter().any(|our| our == inode))
    })
}

/// Events, in the order they were written.
pub(crate) struct Events {
    list: Vec<Value>,
    /// What wirebeat said beside them.
    pub(crate) log: String,
}

impl Events {
    pub(crate) fn all(&self) -> &[Value] {
        &self.list
    }

    /// Those of one type: `http`, `dns`, `flow` …
    pub(crate) fn of(&self, kind: &str) -> Vec<&Value> {
        self.list.iter().filter(|event| event["type"] == kind).collect()
    }
}

/// A field by its dotted ECS name, whether the event nests it or not.
pub(crate) fn field<'a>(event: &'a Value, name: &str) -> &'a Value {
    if let Some(value) = event.get(name) {
        return value;
    }
    name.match_indices('.')
        .filter_map(|(dot, _)| event.get(&name[..dot]).map(|inner| field(inner, &name[dot + 1..])))
        .find(|value| !value.is_null())
        .unwrap_or(&Value::Null)
}
