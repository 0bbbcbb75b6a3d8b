//! tcpdump beside wirebeat, tshark to say what it caught: the second opinion.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::netns::Namespace;
use super::process::Process;
use super::{Dir, run};

/// tcpdump on one device.
pub(crate) struct Sniffer {
    process: Process,
    file: PathBuf,
    dir: Dir,
}

impl Sniffer {
    /// Starts and waits until it listens. `options` may hold `-p` (not promiscuous) and a filter.
    pub(crate) fn start(place: &Namespace, device: &str, options: &[&str]) -> Self {
        let dir = Dir::new("sniffer");
        let file = dir.join("wire.pcap");
        let mut command = place.command("tcpdump");
        // Immediate mode and a flush per packet: what was on the wire is in the file.
        command.args(["-Z", "root", "-i", device, "-s0", "-U", "--immediate-mode", "-B", "32768"]);
        command.arg("-w").arg(&file).args(options);
        let mut process = Process::start("tcpdump", &mut command, &dir.join("log"));
        process.wait_for_log("listening on", Duration::from_secs(10));
        Self { process, file, dir }
    }

    /// Stops and keeps what was caught.
    pub(crate) fn stop(self) -> Catch {
        std::thread::sleep(Duration::from_millis(300));
        let Self { process, file, dir } = self;
        let status = process.stop(Duration::from_secs(5));
        assert!(status.success(), "tcpdump: {status}");
        Catch { file, _dir: dir }
    }
}

/// What tcpdump caught.
pub(crate) struct Catch {
    file: PathBuf,
    _dir: Dir,
}

impl Catch {
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// tshark's answer: for each packet that the display filter lets through, the fields named.
    pub(crate) fn fields(&self, filter: &str, fields: &[&str]) -> Vec<Vec<String>> {
        let mut command = Command::new("tshark");
        // Every copy of a packet is to be decoded, not only the first one of a sequence number.
        command.args([
            "-n",
            "-o",
            "tcp.analyze_sequence_numbers:FALSE",
            "-o",
            "tcp.desegment_tcp_streams:FALSE",
        ]);
        command.arg("-r").arg(&self.file).args(["-Y", filter, "-T", "fields", "-E", "occurrence=f"]);
        for field in fields {
            command.args(["-e", field]);
        }
        run(&mut command).lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }

    pub(crate) fn count(&self, filter: &str) -> usize {
        self.fields(filter, &["frame.number"]).len()
    }
}
