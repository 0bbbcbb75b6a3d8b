//! A program in the background: started, waited for, stopped by its id.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use super::reaper::Undo;
use super::wait_until;

/// A running program. Dropping it stops it.
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    undo: Option<Undo>,
}

impl Process {
    /// Starts a program whose standard output and error go to the log file.
    pub(crate) fn start(name: &str, command: &mut Command, log: &Path) -> Self {
        let file = File::create(log).unwrap_or_else(|error| panic!("{}: {error}", log.display()));
        let both = file.try_clone().unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(both)
            .stderr(file)
            .process_group(0) // a Ctrl-C is for the tests; they end what they started
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let pid = child.id();
        // The start time tells our process from a later one with the same id.
        let born = born(pid);
        let undo = Undo::new(&format!(
            "s=$(cut -d' ' -f22 /proc/{pid}/stat 2>/dev/null); [ \"$s\" = '{born}' ] && kill {pid}; true"
        ));
        Self { name: name.to_owned(), child, log: log.to_path_buf(), undo: Some(undo) }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until the log holds a text; panics with the log when the program ends before that.
    pub(crate) fn wait_for_log(&mut self, text: &str, limit: Duration) {
        self.wait_for(&format!("{text:?} in its log"), limit, |process| process.log().contains(text));
    }

    /// Waits until something holds; panics with the log when the program ends before that or takes too long.
    pub(crate) fn wait_for(&mut self, what: &str, limit: Duration, mut question: impl FnMut(&Self) -> bool) {
        let started = std::time::Instant::now();
        while !question(self) {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{} ended ({status}) before {what}:\n{}", self.name, self.log());
            }
            assert!(started.elapsed() < limit, "{}: no {what} in {limit:?}:\n{}", self.name, self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until it listens on a port. Looks into `/proc`, so nothing is seen of it on the wire.
    pub(crate) fn wait_listening(&mut self, port: u16, limit: Duration) {
        self.wait_for(&format!("listener on port {port}"), limit, |process| listens(process.pid(), port));
    }

    /// Whether it is still running.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, signal: &str) {
        // The shell's own kill: the program of that name is not everywhere.
        let _ = Command::new("bash").args(["-c", &format!("kill -s {signal} {}", self.pid())]).status();
    }

    /// SIGTERM, then at most the time limit for the end.
    pub(crate) fn stop(mut self, limit: Duration) -> ExitStatus {
        self.terminate(limit).unwrap_or_else(|| panic!("{} still runs {limit:?} after SIGTERM", self.name))
    }

    /// Waits for an end by itself.
    pub(crate) fn wait(mut self, limit: Duration) -> ExitStatus {
        let name = self.name.clone();
        let mut status = None;
        wait_until(&format!("the end of {name}"), limit, || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    fn terminate(&mut self, limit: Duration) -> Option<ExitStatus> {
        if let Some(status) = self.child.try_wait().unwrap() {
            return Some(status);
        }
        self.signal("TERM");
        let started = std::time::Instant::now();
        while started.elapsed() < limit {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.terminate(Duration::from_secs(10)).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        self.undo = None;
    }
}

fn born(pid: u32) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.split(' ').nth(21).unwrap_or("?").to_owned()
}

/// Whether anything in the network namespace of a process listens on a TCP port or has a UDP port bound.
pub(crate) fn listens(pid: u32, port: u16) -> bool {
    // Columns: slot, local address:port in hexadecimal, remote, state (0A = LISTEN; UDP has 07).
    ["tcp", "tcp6", "udp", "udp6"].iter().any(|table| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        text.lines().skip(1).any(|line| {
            let mut columns = line.split_whitespace().skip(1);
            let local = columns.next().unwrap_or_default();
            let state = columns.nth(1).unwrap_or_default();
            let here = local.rsplit(':').next().and_then(|hex| u16::from_str_radix(hex, 16).ok());
            here == Some(port) && (state == "0A" || (table.starts_with("udp") && state == "07"))
        })
    })
}
