//! The command line: what can be asked for, and its help.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXIT_CODES: &str =
    "Exit codes: 0 fine, 1 something failed, 2 a mistake in the command line or the configuration.";

const EXAMPLES: &str = "\
Examples:
  sudo wirebeat                          all there is to see, kept and shown in a browser
  sudo wirebeat run -i docker0,eth0 -o events.ndjson
  sudo wirebeat run -c /etc/packetbeat/packetbeat.yml
  wirebeat top                           what the host and its containers do
  wirebeat read capture.pcapng | jq 'select(.type == \"http\")'
  wirebeat check -c packetbeat.yml       what of it is understood and what not

Exit codes: 0 fine, 1 something failed, 2 a mistake in the command line or the configuration.";

/// Watches application traffic on this host and its containers, and says what was asked and answered.
#[derive(Debug, Parser)]
#[command(name = "wirebeat", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
#[command(disable_help_subcommand = true, max_term_width = 110)]
pub struct Cli {
    /// What to do; without one: run.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options of `run`, for when no command is named.
    #[command(flatten)]
    pub run: RunArgs,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Capture live traffic until stopped (also without any command)
    Run(RunArgs),
    /// Turn capture files into events: pcap, pcapng, plain or compressed
    Read(ReadArgs),
    /// List network devices, their containers, and which are captured
    Devices(DevicesArgs),
    /// Show what the host and its containers do, or write it as JSON lines
    Top(TopArgs),
    /// List every field an event may have
    Fields(FieldsArgs),
    /// Show what is kept: indices, sizes, bytes per event
    Store(StoreArgs),
    /// Write what is kept in memory to files that others can open
    Seal(StoreArgs),
    /// Check a configuration file and show what it amounts to
    Check(CheckArgs),
    /// Show the version
    Version,
    /// Packetbeat's `test config`: the same as check
    #[command(hide = true)]
    Test(TestArgs),
    /// Packetbeat's commands that have no counterpart yet
    #[command(hide = true)]
    Export(Absent),
    /// Packetbeat's `setup`
    #[command(hide = true)]
    Setup(Absent),
    /// Packetbeat's `keystore`
    #[command(hide = true)]
    Keystore(Absent),
}

/// Options of `run`.
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = EXIT_CODES)]
pub struct RunArgs {
    /// Configuration: a packetbeat.yml of any version, or our own
    #[arg(short, long, value_name = "FILE", help_heading = "Configuration")]
    pub config: Option<PathBuf>,
    /// Set one key of the configuration, e.g. -E packetbeat.flows.period=5s (may be repeated)
    #[arg(short = 'E', value_name = "KEY=VALUE", help_heading = "Configuration")]
    pub set: Vec<String>,
    /// Mask passwords, keys, cookies and log-ins [default: on without a configuration, else its keys decide]
    #[arg(long, value_name = "on|off", hide_possible_values = true, help_heading = "Configuration")]
    pub redact: Option<Switch>,
    /// Devices: names, patterns such as br-*, any, default_route; !NAME leaves one out [default: see `wirebeat devices`]
    #[arg(short, long, value_name = "DEV,…", value_delimiter = ',', help_heading = "Capture")]
    pub interface: Vec<String>,
    /// Stop after so long, e.g. 30, 90s or 5m
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Capture")]
    pub duration: Option<Duration>,
    /// Threads that decode [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256), help_heading = "Capture")]
    pub shards: Option<u16>,
    /// Where events go and how files are rotated.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Where events are kept.
    #[command(flatten)]
    pub keep: KeepArgs,
    /// Packetbeat's options that are understood or answered with a hint.
    #[command(flatten)]
    pub packetbeat: PacketbeatArgs,
}

/// Where events are kept.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Store")]
pub struct KeepArgs {
    /// Keep events in this directory [default: /var/lib/wirebeat for root, unless -o names a file]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Answer Elasticsearch's API here [default: 127.0.0.1:9200, or the next free port]
    #[arg(long, value_name = "ADDR")]
    pub api: Option<SocketAddr>,
    /// Show it in a browser here [default: 127.0.0.1:5601, or the next free port]
    #[arg(long, value_name = "ADDR")]
    pub ui: Option<SocketAddr>,
}

/// Where events go.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// File for the events, one JSON object a line; - is standard output
    #[arg(short, long, value_name = "PATH|-")]
    pub output: Option<PathBuf>,
    /// Begin a new file at this size, e.g. 100MB; older ones are PATH.1, PATH.2 …
    #[arg(long, value_name = "SIZE", value_parser = size, requires = "output")]
    pub rotate_size: Option<u64>,
    /// Keep so many files
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000), requires = "rotate_size")]
    pub rotate_count: Option<u32>,
}

/// What people type who know Packetbeat.
#[derive(Args, Clone, Debug, Default)]
pub struct PacketbeatArgs {
    /// Log to standard error, as always
    #[arg(short = 'e', hide = true)]
    pub log_to_stderr: bool,
    /// Read a capture
    #[arg(short = 'I', value_name = "FILE", hide = true)]
    pub read_file: Option<PathBuf>,
    /// As fast as possible, as always
    #[arg(short = 't', hide = true)]
    pub top_speed: bool,
}

/// Options of `read`.
#[derive(Args, Clone, Debug, Default)]
#[command(
    after_help = "The same files give the same events, byte for byte, with any number of shards; times are the packets'.\n\n\
Examples:\n  wirebeat read a.pcap b.pcapng.zst -o events.ndjson\n  wirebeat read capture.pcapng --ui\n  tcpdump -w - -i eth0 | wirebeat read -\n\n\
Exit codes: 0 fine, 1 something failed, 2 a mistake in the command line or the configuration."
)]
pub struct ReadArgs {
    /// Captures; - is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Configuration: a packetbeat.yml of any version, or our own
    #[arg(short, long, value_name = "FILE", help_heading = "Configuration")]
    pub config: Option<PathBuf>,
    /// Set one key of the configuration (may be repeated)
    #[arg(short = 'E', value_name = "KEY=VALUE", help_heading = "Configuration")]
    pub set: Vec<String>,
    /// Mask passwords, keys, cookies and log-ins [default: on without a configuration, else its keys decide]
    #[arg(long, value_name = "on|off", hide_possible_values = true, help_heading = "Configuration")]
    pub redact: Option<Switch>,
    /// Threads that decode [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub shards: Option<u16>,
    /// Keep the events in this directory's store, each under its own day
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub data: Option<PathBuf>,
    /// Show the events in a browser until interrupted, in a store of their own that is then removed [at: 127.0.0.1:5601]
    #[arg(long, value_name = "ADDR", num_args = 0..=1, require_equals = true, conflicts_with = "data", help_heading = "Output")]
    pub ui: Option<Option<SocketAddr>>,
    /// Keep that store, in this directory
    #[arg(long, value_name = "DIR", requires = "ui", help_heading = "Output")]
    pub keep: Option<PathBuf>,
    /// Where events go and how files are rotated.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Packetbeat's options that are understood or answered with a hint.
    #[command(flatten)]
    pub packetbeat: PacketbeatArgs,
}

/// Options of `store` and `seal`.
#[derive(Args, Clone, Debug, Default)]
pub struct StoreArgs {
    /// The directory [default: /var/lib/wirebeat for root, else ~/.local/share/wirebeat]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Configuration that names the directory
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Options of `devices`.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct DevicesArgs {
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// Options of `top`.
#[derive(Args, Clone, Debug, Default)]
#[command(
    after_help = "Examples:\n  wirebeat top\n  wirebeat top --json --period 1s | jq 'select(.type == \"process\")'\n\n\
Exit codes: 0 fine, 1 something failed, 2 a mistake in the command line or the configuration."
)]
pub struct TopArgs {
    /// JSON lines instead of a view
    #[arg(long)]
    pub json: bool,
    /// How often, e.g. 1s or 500ms [default: the configuration's, else 2s, or 10s with --json]
    #[arg(long, value_name = "TIME", value_parser = period)]
    pub period: Option<Duration>,
    /// Stop after so many measurements
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Every process, not only the 10 busiest and the 10 largest
    #[arg(long, requires = "json")]
    pub all: bool,
    /// CPU of each core too
    #[arg(long, requires = "json")]
    pub per_core: bool,
    /// Where the host's root directory is mounted, in a container
    #[arg(long, value_name = "DIR")]
    pub hostfs: Option<PathBuf>,
    /// Configuration: its section system, topbeat or input
    #[arg(short, long, value_name = "FILE", help_heading = "Configuration")]
    pub config: Option<PathBuf>,
    /// Set one key of the configuration (may be repeated)
    #[arg(short = 'E', value_name = "KEY=VALUE", help_heading = "Configuration")]
    pub set: Vec<String>,
    /// Where events go and how files are rotated.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Options of `fields`.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct FieldsArgs {
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    pub format: FieldsFormat,
}

/// Options of `check`.
#[derive(Args, Clone, Debug, Default)]
#[command(override_usage = "wirebeat check -c FILE [OPTIONS]")]
#[command(after_help = "Exit codes: 0 it can be used (warnings may remain), 2 it cannot.")]
pub struct CheckArgs {
    /// The configuration
    #[arg(short, long, value_name = "FILE", required_unless_present = "file")]
    pub config: Option<PathBuf>,
    /// The configuration, too
    #[arg(value_name = "FILE", hide = true, conflicts_with = "config")]
    pub file: Option<PathBuf>,
    /// Set one key of the configuration (may be repeated)
    #[arg(short = 'E', value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Mask secrets, as for `run`
    #[arg(long, value_name = "on|off", hide_possible_values = true)]
    pub redact: Option<Switch>,
    /// Log to standard error, as always
    #[arg(short = 'e', hide = true)]
    pub log_to_stderr: bool,
}

impl CheckArgs {
    /// The configuration, however it was given.
    pub fn path(&self) -> Option<&std::path::Path> {
        self.config.as_deref().or(self.file.as_deref())
    }
}

/// `test config|output`.
#[derive(Args, Clone, Debug)]
pub struct TestArgs {
    /// What to test
    #[arg(value_parser = ["config", "output"])]
    pub what: String,
    /// As for `check`
    #[command(flatten)]
    pub check: TestConfig,
}

/// The options of `test config`.
#[derive(Args, Clone, Debug, Default)]
pub struct TestConfig {
    /// The configuration
    #[arg(short, long, value_name = "FILE", default_value = "packetbeat.yml")]
    pub config: PathBuf,
    /// Set one key
    #[arg(short = 'E', value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Log to standard error, as always
    #[arg(short = 'e', hide = true)]
    pub log_to_stderr: bool,
}

/// Whatever follows a command that is not there yet.
#[derive(Args, Clone, Debug, Default)]
pub struct Absent {
    /// Ignored
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    pub rest: Vec<String>,
}

/// Text or JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people
    #[default]
    Text,
    /// A JSON array
    Json,
}

/// Text, JSON or Markdown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FieldsFormat {
    /// A table for people
    #[default]
    Text,
    /// A JSON array
    Json,
    /// A page for documentation
    Markdown,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On
    On,
    /// Off
    Off,
}

impl From<Switch> for bool {
    fn from(switch: Switch) -> Self {
        switch == Switch::On
    }
}

/// What the user wants, with Packetbeat's ways of asking for it resolved.
#[derive(Debug)]
pub enum Action {
    /// Show what is kept.
    Store(StoreArgs),
    /// Write what is kept to files.
    Seal(StoreArgs),
    /// Capture.
    Run(RunArgs),
    /// Read captures.
    Read(ReadArgs),
    /// List devices.
    Devices(DevicesArgs),
    /// Show the host.
    Top(TopArgs),
    /// List fields.
    Fields(FieldsArgs),
    /// Check a configuration.
    Check(CheckArgs),
    /// Show the version.
    Version,
    /// Something that is not here yet: say this and end with exit code 2.
    Hint(String),
}

impl Cli {
    /// What to do.
    pub fn action(self) -> Action {
        match self.command {
            None => run(self.run),
            Some(Command::Run(args)) => run(args),
            Some(Command::Read(args)) => Action::Read(args),
            Some(Command::Devices(args)) => Action::Devices(args),
            Some(Command::Top(args)) => Action::Top(args),
            Some(Command::Fields(args)) => Action::Fields(args),
            Some(Command::Store(args)) => Action::Store(args),
            Some(Command::Seal(args)) => Action::Seal(args),
            Some(Command::Check(args)) => Action::Check(args),
            Some(Command::Version) => Action::Version,
            Some(Command::Test(args)) if args.what == "config" => Action::Check(CheckArgs {
                config: Some(args.check.config),
                set: args.check.set,
                ..CheckArgs::default()
            }),
            Some(Command::Test(_)) => Action::Hint("test output is not here yet: no output but files and standard output is".into()),
            Some(Command::Export(_)) => Action::Hint(
                "export is not here yet; wirebeat check -c FILE shows a configuration, wirebeat fields the fields".into(),
            ),
            Some(Command::Setup(_)) => Action::Hint("setup is not here yet: there is nothing to install".into()),
            Some(Command::Keystore(_)) => {
                Action::Hint("keystore is not here yet: use ${NAME} and the environment for secrets".into())
            }
        }
    }
}

/// `-I FILE` means `read FILE`.
fn run(args: RunArgs) -> Action {
    let Some(file) = args.packetbeat.read_file.clone() else { return Action::Run(args) };
    if !args.interface.is_empty() || args.duration.is_some() {
        return Action::Hint("-I reads a capture: it goes with neither -i nor --duration".into());
    }
    Action::Read(ReadArgs {
        files: vec![file],
        config: args.config,
        set: args.set,
        redact: args.redact,
        shards: args.shards,
        data: args.keep.data,
        ui: None,
        keep: None,
        output: args.output,
        packetbeat: PacketbeatArgs { read_file: None, ..args.packetbeat },
    })
}

fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a time such as 30, 90s, 5m or 1h30m".to_owned();
    let time = wirebeat_model::config::parse_duration(text).flatten().ok_or_else(wrong)?;
    if time.is_zero() { Err(wrong()) } else { Ok(time) }
}

fn period(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time < Duration::from_millis(100) { Err("expected at least 100ms".to_owned()) } else { Ok(time) }
}

fn size(text: &str) -> Result<u64, String> {
    let wrong = || "expected a size of at least 1KB such as 100MB".to_owned();
    let size = wirebeat_model::config::parse_bytes(text).ok_or_else(wrong)?;
    u64::try_from(size).ok().filter(|n| *n >= 1024).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(args: &[&str]) -> Result<Action, String> {
        let args = std::iter::once("wirebeat").chain(args.iter().copied());
        Cli::try_parse_from(args).map(Cli::action).map_err(|e| e.to_string())
    }

    #[test]
    fn the_definitions_hold() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn run_is_the_default() {
        for args in [
            &["-i", "lo,eth0", "-o", "x", "--shards", "2", "--duration", "1m"][..],
            &["run", "-i", "lo", "-i", "eth0", "-o", "x", "--shards", "2", "--duration", "60"],
        ] {
            let Ok(Action::Run(run)) = action(args) else { panic!("{args:?}") };
            assert_eq!(run.interface, ["lo", "eth0"]);
            assert_eq!(run.output.output, Some(PathBuf::from("x")));
            assert_eq!((run.shards, run.duration), (Some(2), Some(Duration::from_secs(60))));
            assert_eq!(run.redact, None);
        }
        assert!(matches!(action(&[]), Ok(Action::Run(_))));
    }

    #[test]
    fn every_option() {
        let Ok(Action::Run(run)) = action(&[
            "run",
            "-c",
            "p.yml",
            "-E",
            "a=1",
            "-E",
            "b=2",
            "--redact",
            "off",
            "-e",
            "-o",
            "x",
            "--rotate-size",
            "1MB",
            "--rotate-count",
            "3",
        ]) else {
            panic!()
        };
        assert_eq!(run.config, Some(PathBuf::from("p.yml")));
        assert_eq!(run.set, ["a=1", "b=2"]);
        assert_eq!(run.redact.map(bool::from), Some(false));
        assert_eq!((run.output.rotate_size, run.output.rotate_count), (Some(1 << 20), Some(3)));
        let Ok(Action::Read(read)) =
            action(&["read", "a", "-", "-o", "-", "--shards", "4", "--redact", "on"])
        else {
            panic!()
        };
        assert_eq!(read.files, [PathBuf::from("a"), PathBuf::from("-")]);
        assert_eq!((read.shards, read.redact), (Some(4), Some(Switch::On)));
        assert!(matches!(
            action(&["devices", "--format", "json"]),
            Ok(Action::Devices(DevicesArgs { format: Format::Json }))
        ));
        assert!(matches!(
            action(&["fields", "--format", "markdown"]),
            Ok(Action::Fields(FieldsArgs { format: FieldsFormat::Markdown }))
        ));
        let Ok(Action::Top(top)) = action(&["top", "--json", "--period", "500ms", "--count", "3", "--all"])
        else {
            panic!()
        };
        assert_eq!((top.json, top.period, top.count), (true, Some(Duration::from_millis(500)), Some(3)));
        let Ok(Action::Read(read)) = action(&["read", "--ui", "a", "b", "--keep", "d"]) else { panic!() };
        assert_eq!((read.ui, read.files.len(), read.keep), (Some(None), 2, Some(PathBuf::from("d"))));
        let Ok(Action::Read(read)) = action(&["read", "a", "--ui=127.0.0.1:0"]) else { panic!() };
        assert_eq!(read.ui, Some("127.0.0.1:0".parse().ok()));
        assert!(matches!(action(&["version"]), Ok(Action::Version)));
        let Ok(Action::Check(check)) = action(&["check", "-c", "x.yml"]) else { panic!() };
        assert_eq!(check.path(), Some(std::path::Path::new("x.yml")));
    }

    #[test]
    fn packetbeats_ways() {
        let Ok(Action::Read(read)) = action(&["-e", "-t", "-I", "x.pcap", "-c", "p.yml"]) else { panic!() };
        assert_eq!(read.files, [PathBuf::from("x.pcap")]);
        assert_eq!(read.config, Some(PathBuf::from("p.yml")));
        assert!(matches!(action(&["-I", "x.pcap", "-i", "lo"]), Ok(Action::Hint(_))));
        let Ok(Action::Check(check)) = action(&["test", "config", "-c", "x.yml", "-e"]) else { panic!() };
        assert_eq!(check.path(), Some(std::path::Path::new("x.yml")));
        for args in [
            &["test", "output"][..],
            &["export", "config"],
            &["setup", "--dashboards"],
            &["keystore", "list"],
        ] {
            assert!(matches!(action(args), Ok(Action::Hint(_))), "{args:?}");
        }
    }

    #[test]
    fn mistakes() {
        for args in [
            &["--shards", "0"][..],
            &["--shards", "257"],
            &["--duration", "soon"],
            &["--duration", "0"],
            &["--duration", "-5"],
            &["--redact", "maybe"],
            &["--rotate-size", "1MB"],
            &["-o", "x", "--rotate-size", "12"],
            &["-o", "x", "--rotate-count", "2"],
            &["read"],
            &["read", "a", "--keep", "d"],
            &["read", "a", "--ui", "--data", "d"],
            &["read", "a", "--ui=here"],
            &["check"],
            &["fly"],
            &["top", "--period", "1ms"],
            &["top", "--count", "0"],
            &["top", "--all"],
        ] {
            assert!(action(args).is_err(), "{args:?}");
        }
    }
}
