//! A laboratory for tests with real servers: network namespaces, servers, a Docker Engine, wirebeat itself and
//! tcpdump as the second opinion.
//!
//! Everything made here has a name of its own per test process, is undone when its value is dropped, and is undone
//! by [`reaper`] when the test process dies before that.
//!
//! `wirebeat.rs` beside this file runs the program under test; a test program that wants it says so itself
//! (`#[path = "lab/wirebeat.rs"] mod wirebeat;`), because `cargo xtask record` shares the rest and has no such program.
#![allow(dead_code, reason = "each test program uses a part of the laboratory")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a helper fails its test by panicking"
)]

pub(crate) mod docker;
pub(crate) mod netns;
pub(crate) mod process;
pub(crate) mod quota;
pub(crate) mod reaper;
pub(crate) mod servers;
pub(crate) mod sniffer;

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Whether a test that needs root and these programs can run. If not it says why on standard error, past the
/// test runner's capture, and the test returns. With `WIREBEAT_LAB=require` (set by `cargo xtask test` as root with
/// everything installed) it fails instead: a green run then means that everything was played.
pub(crate) fn ready(test: &str, programs: &[&str]) -> bool {
    let mut reasons = Vec::new();
    if !is_root() {
        reasons.push("not root".to_owned());
    }
    let absent: Vec<_> = programs.iter().copied().filter(|program| which(program).is_none()).collect();
    if !absent.is_empty() {
        reasons.push(format!("no {} here (cargo xtask setup installs it)", absent.join(", ")));
    }
    if reasons.is_empty() {
        return true;
    }
    skip(test, &reasons.join("; "));
    false
}

/// Says that a test is skipped and why, or fails when nothing may be skipped.
pub(crate) fn skip(test: &str, why: &str) {
    assert!(std::env::var("WIREBEAT_LAB").as_deref() != Ok("require"), "{test} cannot run: {why}");
    leave_out(test, why);
}

/// Says that something is left out whatever is required: what no set-up of ours changes.
pub(crate) fn leave_out(what: &str, why: &str) {
    // Not eprintln!: the test runner would swallow it for a test that passes.
    let _ = writeln!(std::io::stderr(), "skipped: {what}: {why}");
}

/// The oldest Node that the front end's tools run on: Debian 12's own is 18.
const NODE: u32 = 20;

/// Why the Node that is here cannot be used; `None`: it can.
pub(crate) fn old_node() -> Option<String> {
    let output = Command::new("node").arg("--version").output();
    let version = output.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned()).unwrap_or_default();
    let major = version.trim_start_matches('v').split('.').next().and_then(|n| n.parse::<u32>().ok());
    (major < Some(NODE)).then(|| format!("Node {NODE} or later is needed, this is {version:?}"))
}

/// Runs a command for at most a minute and answers with its standard output; panics when it fails.
pub(crate) fn run(command: &mut Command) -> String {
    try_run(command).unwrap_or_else(|error| panic!("{error}"))
}

/// Like [`run`], with the failure as text.
pub(crate) fn try_run(command: &mut Command) -> Result<String, String> {
    let mut limited = Command::new("timeout");
    limited.args(["--kill-after=5", "60"]).arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        if let Some(value) = value {
            limited.env(key, value);
        }
    }
    let output = limited.output().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!("{command:?}: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr)))
    }
}

/// Asks again until the answer is yes; panics after the time limit, naming what was waited for.
pub(crate) fn wait_until(what: &str, limit: Duration, mut question: impl FnMut() -> bool) {
    let started = Instant::now();
    while !question() {
        assert!(started.elapsed() < limit, "waited {limit:?} in vain for {what}");
        sleep(Duration::from_millis(10));
    }
}

/// A TCP port on loopback that was free a moment ago. Inside a namespace of one's own every port is free.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("no free port on loopback");
    listener.local_addr().unwrap().port()
}

/// A number that no other call in this process got.
pub(crate) fn serial() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A directory that servers without rights can read; removed with its value.
pub(crate) struct Dir {
    path: PathBuf,
    _undo: reaper::Undo,
}

impl Dir {
    pub(crate) fn new(label: &str) -> Self {
        let name = format!("wirebeat-lab-{}-{}-{label}", std::process::id(), serial());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let undo = reaper::Undo::new(&format!("rm -rf --one-file-system '{}'", path.display()));
        Self { path, _undo: undo }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        std::fs::write(&path, content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Where a program is, also in the directories that a plain user's `PATH` leaves out.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|dir| dir.join(program)).find(|file| file.is_file())
}

pub(crate) fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status
            .lines()
            .find_map(|line| line.strip_prefix("Uid:"))
            .is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0"))
    })
}
