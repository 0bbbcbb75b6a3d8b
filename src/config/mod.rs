//! File to typed configuration: [`load`].
//!
//! Every dialect of packetbeat.yml is understood (1.x, 5.x to 9.x), with dotted keys or nested maps, references to the
//! environment, and `-E key=value` last. A wrong value is an error with file, line and column, and nothing starts; a
//! key nobody knows or honours is a warning.
//!
//! Two sets of defaults: without a file (or with one that has only keys of our own) all protocols run, recognised by
//! content, and secrets are masked; a file with capture sections of Packetbeat behaves as it does there.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wirebeat_model::Precision;
use wirebeat_model::config::{Item, Node, Pos, Problem, Report, Section};
use wirebeat_proto::Factory;

mod common;
mod dialect;
mod flows;
mod general;
mod interfaces;
mod keeping;
mod networks;
mod notice;
mod protocols;
pub mod reference;
mod summary;
mod system;
mod tree;
mod vars;
mod yaml;

pub use dialect::Dialect;
pub use flows::Flows;
pub use general::{ConsoleOutput, FileOutput};
pub use interfaces::Interface;
pub use keeping::{Durability, Keeping};
pub use networks::{InternalNetworks, direction};
pub use notice::{ConfigErrors, Notice};

/// Everything a configuration says, with what holds where it says nothing.
#[derive(Clone)]
pub struct Config {
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// How it is written.
    pub dialect: Dialect,
    /// Where packets come from: at least one entry.
    pub interfaces: Vec<Interface>,
    /// Flow records.
    pub flows: Flows,
    /// The protocols that run, in the order in which first bytes are shown to them.
    pub protocols: Vec<Arc<dyn Factory>>,
    /// Whether protocols are recognised by content on any port; else only their ports count.
    pub detect: bool,
    /// Whether secrets are masked even where no option says so.
    pub redact: bool,
    /// Digits of @timestamp.
    pub precision: Precision,
    /// The most bytes that flows may hold together.
    pub memory: usize,
    /// Threads that decode; `None`: one for each core.
    pub shards: Option<usize>,
    /// Whether our own sockets' traffic is captured too.
    pub capture_self: bool,
    /// Which addresses are ours, of all interfaces together.
    pub internal_networks: InternalNetworks,
    /// Whether events of outgoing traffic are dropped.
    pub ignore_outgoing: bool,
    /// The one filter for all devices, if any.
    pub bpf_filter: Option<String>,
    /// What is measured of the host, if anything.
    pub system: Option<wirebeat_system::Options>,
    /// Whether a section asks for that; without one it is measured where no packetbeat.yml says what is.
    pub system_asked: bool,
    /// What is kept of events.
    pub keeping: Keeping,
    /// `output.file`.
    pub output_file: Option<FileOutput>,
    /// `output.console`.
    pub output_console: Option<ConsoleOutput>,
    /// What is odd or not honoured; show each line to the user.
    pub warnings: Vec<Notice>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocols: Vec<_> = self.protocols.iter().map(|p| p.spec().name).collect();
        f.debug_struct("Config")
            .field("file", &self.file)
            .field("interfaces", &self.interfaces)
            .field("flows", &self.flows)
            .field("protocols", &protocols)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// The device patterns of all interfaces; none means the default selection.
    pub fn devices(&self) -> Vec<String> {
        self.interfaces.iter().flat_map(|i| i.devices.iter().cloned()).collect()
    }

    /// Whether traffic is captured: a Topbeat's configuration only measures.
    pub fn captures(&self) -> bool {
        self.dialect != Dialect::Topbeat
    }

    /// The captures that interfaces name instead of devices.
    pub fn files(&self) -> Vec<PathBuf> {
        self.interfaces.iter().filter_map(|i| i.file.clone()).collect()
    }

    /// What the enabled protocols listen to, when nothing else is wanted: flows off, no detection, no filter of the
    /// user's own. Then the kernel need not hand over the rest.
    pub fn ports(&self) -> Option<wirebeat_capture::filter::Ports> {
        if self.flows.enabled || self.detect || self.bpf_filter.is_some() {
            return None;
        }
        let mut ports = wirebeat_capture::filter::Ports::default();
        for factory in &self.protocols {
            let spec = factory.spec();
            for transport in spec.transports {
                match *transport {
                    wirebeat_model::Transport::TCP => ports.tcp.extend(&factory.common().ports),
                    wirebeat_model::Transport::UDP => ports.udp.extend(&factory.common().ports),
                    _ => ports.icmp = true,
                }
            }
        }
        Some(ports)
    }
}

/// Reads the configuration at `path`, or none; then `overrides` (`key=value`), then `redact` of the command line.
///
/// # Errors
///
/// Everything that is wrong, with its place. Nothing may start then, and the exit code is 2.
pub fn load(path: Option<&Path>, overrides: &[String], redact: Option<bool>) -> Result<Config, ConfigErrors> {
    let environment = |name: &str| std::env::var(name).ok();
    let Some(path) = path else { return parse(None, "", overrides, redact, &environment) };
    let text = read_file(path).map_err(|text| ConfigErrors::of_file(path, text))?;
    parse(Some(path), &text, overrides, redact, &environment)
}

fn read_file(path: &Path) -> Result<String, String> {
    use std::io::Read;
    let file = std::fs::File::open(path).map_err(|e| format!("cannot be opened: {e}"))?;
    let mut bytes = Vec::new();
    // One byte more than allowed: a device or a huge file never fills the memory.
    let limit = yaml::MAX_BYTES as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(|e| format!("cannot be read: {e}"))?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let line = e.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1;
        format!("is not UTF-8 text (line {line})")
    })
}

/// [`load`] with the file's text and the environment given.
///
/// # Errors
///
/// Those of [`load`].
pub fn parse(
    path: Option<&Path>,
    text: &str,
    overrides: &[String],
    redact: Option<bool>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, ConfigErrors> {
    let mut report = Report::default();
    let config = match yaml::parse(text) {
        Ok(item) => Some(read(path, item, overrides, redact, environment, &mut report)),
        Err(problem) => {
            report.errors.push(problem);
            None
        }
    };
    let warnings = notice::notices(path, report.warnings);
    match config {
        Some(mut config) if report.errors.is_empty() => {
            config.warnings = warnings;
            Ok(config)
        }
        _ => Err(ConfigErrors { errors: notice::notices(path, report.errors), warnings }),
    }
}

fn read(
    path: Option<&Path>,
    item: Item,
    overrides: &[String],
    redact: Option<bool>,
    environment: &dyn Fn(&str) -> Option<String>,
    report: &mut Report,
) -> Config {
    let mut root = tree::nest(item, "", report);
    if !matches!(root.node, Node::Map(_)) {
        let found = wirebeat_model::config::describe(&root.node);
        let text = format!("expected keys and values (key: value), found {found}");
        report.errors.push(Problem { pos: root.pos, key: String::new(), text });
        root.node = Node::Map(Vec::new());
    }
    // What the file says decides whose defaults hold; a single -E on top of nothing does not make it Packetbeat's.
    let dialect = dialect::of(&root, path.is_some(), report);
    for text in overrides {
        tree::override_with(&mut root, text, report);
    }
    expand(&mut root, environment, report);

    let packetbeat = dialect.is_packetbeat();
    let top = general::top(&root, dialect == Dialect::Topbeat, report);
    let own = general::own(tree::find(&root, "wirebeat"), report);
    let capture_self = own.capture_self | general::capture(tree::find(&root, "capture"), report);
    let said = system::Said { enabled: own.system, fields_1x: own.fields_1x };
    let (system, system_asked) = system::read(&root, &said, packetbeat, &top.tags, report);
    let section = dialect::Sections::of(&root, report);
    let interfaces = interfaces::read(section.interfaces.0, section.interfaces.1, packetbeat, report);
    let flows = flows::read(section.flows.0, section.flows.1, packetbeat, &top.tags, report);
    let detect = own.detect.unwrap_or(!packetbeat);
    let redact = redact.unwrap_or(match own.redact {
        general::Redact::On => true,
        general::Redact::Off => false,
        general::Redact::Default => !packetbeat,
    });
    let cx = protocols::Context { packetbeat, detect, redact, tags: &top.tags };
    let protocols = protocols::read(section.protocols.0, section.protocols.1, &cx, report);
    if !redact {
        summary::exposed(&protocols, report);
    }
    let default = if packetbeat { Precision::Milli } else { Precision::Micro };
    let mut internal_networks = InternalNetworks::default();
    interfaces.iter().for_each(|i| internal_networks.extend(&i.internal_networks));
    let config = Config {
        file: path.map(Path::to_owned),
        dialect,
        bpf_filter: one_filter(&interfaces, section.interfaces.0, place(section.interfaces.1), report),
        ignore_outgoing: top.ignore_outgoing
            | section.ignore_outgoing
            | interfaces.iter().any(|i| i.ignore_outgoing),
        internal_networks,
        interfaces,
        flows,
        protocols,
        detect,
        redact,
        precision: top.precision.unwrap_or(default),
        memory: own.memory,
        shards: own.shards,
        capture_self,
        system,
        system_asked,
        keeping: own.keeping,
        output_file: top.file,
        output_console: top.console,
        warnings: Vec::new(),
    };
    if config.captures() && packetbeat && !config.flows.enabled && config.protocols.is_empty() {
        let text =
            "no protocol and no flows: nothing would be reported; without a configuration everything is";
        report.warnings.push(Problem { pos: Pos::default(), key: String::new(), text: text.into() });
    }
    config
}

fn place(item: Option<&Item>) -> Pos {
    item.map(|i| i.pos).unwrap_or_default()
}

fn expand(root: &mut Item, environment: &dyn Fn(&str) -> Option<String>, report: &mut Report) {
    let mut vars = vars::Vars::new(root, environment);
    let Node::Map(map) = &mut root.node else { return };
    for (key, _, item) in map {
        if general::is_read(key) {
            vars.expand(item, key, report);
        } else if key == "output"
            && let Node::Map(outputs) = &mut item.node
        {
            for (name, _, item) in outputs.iter_mut().filter(|(name, ..)| general::is_output(name)) {
                vars.expand(item, &format!("output.{name}"), report);
            }
        }
    }
}

/// Devices share one filter here: what passes any of the interfaces' filters.
fn one_filter(interfaces: &[Interface], path: &str, pos: Pos, report: &mut Report) -> Option<String> {
    let mut filters: Vec<&str> = interfaces.iter().filter_map(|i| i.bpf_filter.as_deref()).collect();
    let everywhere = filters.len() == interfaces.len();
    filters.dedup();
    let (first, more) = filters.split_first()?;
    if everywhere && more.is_empty() {
        return Some((*first).to_owned());
    }
    let text = if everywhere {
        "devices share one filter here: what passes one of these filters is taken from every device"
    } else {
        "devices share one filter here, and one of them has none: everything is taken"
    };
    report.warnings.push(Problem { pos, key: format!("{path}.bpf_filter"), text: text.into() });
    everywhere.then(|| filters.iter().map(|f| format!("({f})")).collect::<Vec<_>>().join(" or "))
}

/// A section for the reference: what `read` asks for.
fn describe<T>(read: impl FnOnce(&mut Section<'_>) -> T) -> Vec<wirebeat_model::config::OptionDoc> {
    Section::describe(|section| {
        let _ = read(section);
    })
}
