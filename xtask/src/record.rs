//! Records small captures from real servers into `tests/captures`, each with a text beside it that says how it was
//! made and what client and server themselves counted. Server and client live in two network namespaces with
//! documentation addresses; nothing leaves them.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::lab::netns::Namespace;
use crate::lab::sniffer::Sniffer;
use crate::lab::{self, Dir};
use crate::{setup, shell};

mod dns;
mod http;
mod icmp;
mod redis;

/// The server's addresses.
pub(crate) const SERVER: &str = "198.51.100.1";
pub(crate) const SERVER6: &str = "2001:db8::1";
/// The client's addresses.
pub(crate) const CLIENT: &str = "198.51.100.2";
pub(crate) const CLIENT6: &str = "2001:db8::2";

/// What a capture may weigh: the repository carries it for ever.
const LIMIT: u64 = 200 * 1024;

/// One capture.
pub(crate) struct Recording {
    /// `protocol/name`, the file's path under `tests/captures` without its ending.
    pub(crate) name: &'static str,
    /// What it shows, in a sentence.
    pub(crate) about: &'static str,
    /// tcpdump's filter.
    pub(crate) filter: &'static str,
    /// Starts servers, calls [`Stage::record`], runs clients, says what was counted.
    pub(crate) make: fn(&mut Stage),
}

fn all() -> impl Iterator<Item = &'static Recording> {
    [http::RECORDINGS, dns::RECORDINGS, redis::RECORDINGS, icmp::RECORDINGS].into_iter().flatten()
}

/// One line each.
pub(crate) fn list() {
    for recording in all() {
        println!("{:24} {}", recording.name, recording.about);
    }
}

/// Makes those whose name begins so.
pub(crate) fn record(prefix: &str) -> Result<()> {
    if !shell::is_root() {
        bail!("recording needs root: network namespaces and tcpdump");
    }
    setup::setup(setup::PACKAGES)?;
    setup::setup(setup::RECORD)?;
    let chosen: Vec<_> = all().filter(|recording| recording.name.starts_with(prefix)).collect();
    if chosen.is_empty() {
        bail!("no recording's name begins with {prefix}; `cargo xtask record --list` names them");
    }
    chosen.into_iter().try_for_each(|recording| make(recording).with_context(|| recording.name.to_owned()))
}

fn make(recording: &'static Recording) -> Result<()> {
    let mut stage = Stage::new(recording.filter);
    (recording.make)(&mut stage);
    let sniffer = stage.sniffer.take().context("nothing was recorded")?;
    let catch = sniffer.stop();
    let file = shell::root().join("tests/captures").join(format!("{}.pcap", recording.name));
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::copy(catch.file(), &file)?;
    let packets = catch.count("frame");
    let size = fs::metadata(&file)?.len();
    if size > LIMIT {
        bail!("{size} bytes; a capture in the repository has at most {LIMIT}");
    }
    let mut text = String::new();
    writeln!(text, "{}\n", recording.about)?;
    writeln!(
        text,
        "Made by `cargo xtask record {}`: tcpdump on the client's end of a veth pair",
        recording.name
    )?;
    writeln!(text, "between two network namespaces, {}.", stage.offloads)?;
    writeln!(text, "Server {SERVER}, {SERVER6}; client {CLIENT}, {CLIENT6}; {packets} packets.")?;
    writeln!(text, "\nPrograms:\n{}", indent(&stage.programs))?;
    if !stage.settings.is_empty() {
        writeln!(text, "\nSettings of the server:\n{}", indent(&stage.settings))?;
    }
    writeln!(text, "\nCommands of the client, and what they printed:\n{}", indent(&stage.commands))?;
    if !stage.counted.is_empty() {
        writeln!(text, "\nCounted by the server:\n{}", indent(&stage.counted))?;
    }
    writeln!(text, "\nExpect:\n{}", indent(&stage.expected))?;
    fs::write(file.with_extension("txt"), text)?;
    println!("{:24} {packets} packets, {size} bytes", recording.name);
    Ok(())
}

fn indent(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().map(|line| format!("  {line}")).collect();
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

/// Two namespaces, a wire between them, and the notes taken meanwhile.
pub(crate) struct Stage {
    sniffer: Option<Sniffer>,
    filter: &'static str,
    offloads: &'static str,
    programs: String,
    settings: String,
    commands: String,
    counted: String,
    expected: String,
    pub(crate) dir: Dir,
    pub(crate) client: Namespace,
    pub(crate) server: Namespace,
}

impl Stage {
    fn new(filter: &'static str) -> Self {
        let (server, client) = (Namespace::new("server"), Namespace::new("client"));
        let addresses = |v4, v6| [format!("{v4}/24"), format!("{v6}/32")];
        let (ours, theirs) = (addresses(SERVER, SERVER6), addresses(CLIENT, CLIENT6));
        server.link(
            "eth0",
            &ours.each_ref().map(String::as_str),
            &client,
            "eth0",
            &theirs.each_ref().map(String::as_str),
        );
        let mut stage = Self {
            sniffer: None,
            filter,
            offloads: "",
            programs: String::new(),
            settings: String::new(),
            commands: String::new(),
            counted: String::new(),
            expected: String::new(),
            dir: Dir::new("record"),
            client,
            server,
        };
        stage.offloads(false);
        stage
    }

    /// Segmentation and checksums done by the "device" (frames larger than the MTU, checksums left open) or not.
    pub(crate) fn offloads(&mut self, on: bool) {
        let switch = if on { "on" } else { "off" };
        for namespace in [&self.server, &self.client] {
            let what = ["tx", "tso", "gso", "gro"].map(|feature| [feature, switch]);
            lab::run(namespace.command("ethtool").args(["-K", "eth0"]).args(what.as_flattened()));
        }
        self.offloads =
            if on { "offloads on" } else { "offloads off: checksums are right and frames fit the MTU" };
    }

    /// Notes which version of a program took part.
    pub(crate) fn program(&mut self, command: &str) {
        let text = lab::run(Command::new("bash").args(["-c", &format!("{command} 2>&1")]));
        let _ = writeln!(self.programs, "{}", text.lines().next().unwrap_or_default());
    }

    /// Notes how the server was set up.
    pub(crate) fn settings(&mut self, text: &str) {
        let _ = writeln!(self.settings, "{}", text.trim());
    }

    /// Sets one of the kernel's settings (`net/ipv4/ip_forward`) in the server's namespace.
    pub(crate) fn server_setting(&self, name: &str, value: u32) {
        let script = format!("echo {value} > /proc/sys/{name}");
        lab::run(self.server.command("bash").args(["-c", &script]));
    }

    /// Starts tcpdump; what comes before is not in the capture.
    pub(crate) fn record(&mut self) {
        self.sniffer = Some(Sniffer::start(&self.client, "eth0", &[self.filter]));
    }

    /// Runs a shell line as the client, in the recording's directory, and notes it with its output.
    pub(crate) fn client(&mut self, line: &str) -> String {
        let _ = writeln!(self.commands, "$ {}", line.replace('\n', "\n> "));
        let script = format!("cd '{}' && {line}", self.dir.path().display());
        let answer = lab::run(self.client.command("bash").args(["-o", "pipefail", "-c", &script]));
        self.printed(&answer);
        answer
    }

    /// Notes output, shortened.
    pub(crate) fn printed(&mut self, text: &str) {
        const LINES: usize = 40;
        let lines: Vec<_> = text.trim_end().lines().collect();
        for line in lines.iter().take(LINES) {
            let line: String =
                line.chars().take(160).map(|c| if c.is_control() && c != '\t' { '.' } else { c }).collect();
            let _ = writeln!(self.commands, "{line}");
        }
        if lines.len() > LINES {
            let _ = writeln!(self.commands, "… {} lines in all", lines.len());
        }
    }

    /// What the server says it did.
    pub(crate) fn counted(&mut self, text: &str) {
        let _ = writeln!(self.counted, "{}", text.trim_end());
    }

    /// A line of what a decoder has to find. `tests/recordings.rs` understands `http 3` at its beginning (so many
    /// events of that type) and `nowhere TEXT` (a secret); the rest is for people.
    pub(crate) fn expect(&mut self, line: &str) {
        let _ = writeln!(self.expected, "{line}");
    }
}
