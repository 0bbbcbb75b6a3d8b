//! Keys at the top of a configuration, and the sections that nothing here honours yet.

use std::path::PathBuf;

use wirebeat_model::Precision;
use wirebeat_model::config::{Item, Node, Pos, Problem, Report, Section, suggest};

use super::keeping::{self, Keeping};
use super::tree;

/// `output.file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOutput {
    /// The directory.
    pub path: PathBuf,
    /// The file's name in it.
    pub filename: String,
    /// Size in bytes at which a new file begins.
    pub rotate_every: u64,
    /// How many files are kept.
    pub number_of_files: u32,
    /// Unix permissions of the files.
    pub permissions: u32,
}

/// `output.console`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsoleOutput {
    /// One event over several lines.
    pub pretty: bool,
}

/// `wirebeat.redact`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Redact {
    /// Mask secrets wherever they are known.
    On,
    /// Mask what other keys ask for.
    Off,
    /// On without a Packetbeat configuration, off with one.
    Default,
}

/// `wirebeat`: what is our own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Own {
    pub(super) detect: Option<bool>,
    pub(super) redact: Redact,
    pub(super) memory: usize,
    pub(super) shards: Option<usize>,
    pub(super) capture_self: bool,
    /// `fields_1x` and `system.enabled`, where they are given.
    pub(super) fields_1x: Option<bool>,
    pub(super) system: Option<bool>,
    pub(super) keeping: Keeping,
}

/// Reads `wirebeat`.
pub(super) fn own(item: Option<&Item>, report: &mut Report) -> Own {
    let mut section = Section::new("wirebeat", item, report);
    let own = own_keys(&mut section);
    section.finish();
    own
}

/// The keys; what is read here is also the reference.
pub(super) fn own_keys(section: &mut Section<'_>) -> Own {
    let doc = "Recognise protocols by their first bytes on any port, ports being hints. Without a configuration on; with a \
               packetbeat.yml off: its ports decide.";
    let given = section.pos("detect").is_some();
    let detect = section.bool("detect", true, doc);
    let doc = "Mask passwords, keys, cookies and log-ins: on, off, or default (on without a configuration; with a \
               packetbeat.yml its own keys decide).";
    let redact = redact(section, doc);
    let memory = section.bytes(
        "memory",
        256 << 20,
        "The most memory that captured bytes may take, of all flows together.",
    );
    if memory < 1 << 20 {
        let pos = section.pos("memory").unwrap_or_default();
        section.error(pos, "memory", "expected at least 1MiB");
    }
    let some = section.pos("shards").is_some();
    let shards = section.int("shards", 0, 0..=256, "Threads that decode; 0: one for each core.");
    let shards = usize::try_from(shards).ok().filter(|n| some && *n > 0);
    let doc = "Add the fields of Topbeat 1.x that are no aliases to measurements of the host; with a section of Topbeat it is on. \
               Not honoured yet for Packetbeat's.";
    let given_1x = section.pos("fields_1x");
    let fields_1x = section.bool("fields_1x", false, doc);
    if let (true, Some(pos)) = (fields_1x, given_1x) {
        section.warn(
            pos,
            "fields_1x",
            "not honoured yet for transactions and flows, only for measurements of the host",
        );
    }
    let item = section.raw(
        "system",
        "a map with enabled",
        "",
        "`enabled: false` leaves the host unmeasured, `true` measures it: see `system`.",
    );
    let mut inner = section.sub("system", item);
    let given_system = inner.pos("enabled").is_some();
    let system = inner.bool(
        "enabled",
        true,
        "Measure the host. In a packetbeat.yml without a section that asks for it: false.",
    );
    inner.finish();
    let doc = "`self: true` captures our own sockets' traffic too.";
    let item = section.raw("capture", "a map with self", "{self: false}", doc);
    let mut inner = section.sub("capture", item);
    let capture_self = capture_keys(&mut inner);
    inner.finish();
    let fields_1x = given_1x.map(|_| fields_1x);
    let system = given_system.then_some(system);
    let keeping = keeping::keys(section);
    Own { detect: given.then_some(detect), redact, memory, shards, capture_self, fields_1x, system, keeping }
}

fn redact(section: &mut Section<'_>, doc: &'static str) -> Redact {
    let Some(item) = section.raw("redact", "on, off or default", "default", doc) else {
        return Redact::Default;
    };
    match tree::text(&item.node).unwrap_or_default().to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" => Redact::On,
        "off" | "false" | "no" => Redact::Off,
        "default" => Redact::Default,
        _ => {
            let found = wirebeat_model::config::describe(&item.node);
            section.error(item.pos, "redact", format!("expected on, off or default, found {found}"));
            Redact::Default
        }
    }
}

/// `wirebeat.capture`, or `capture` at the top.
fn capture_keys(section: &mut Section<'_>) -> bool {
    section.bool("self", false, "Capture our own sockets' traffic too.")
}

/// Reads `capture` at the top.
pub(super) fn capture(item: Option<&Item>, report: &mut Report) -> bool {
    let mut section = Section::new("capture", item, report);
    let own = capture_keys(&mut section);
    section.finish();
    own
}

/// Keys at the very top, without those of sections of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Top {
    pub(super) tags: Vec<String>,
    pub(super) ignore_outgoing: bool,
    pub(super) precision: Option<Precision>,
    pub(super) file: Option<FileOutput>,
    pub(super) console: Option<ConsoleOutput>,
}

/// Sections that other rooms of this folder read, or that are read by [`top`] itself.
const READ: [&str; 14] = [
    "packetbeat",
    "wirebeat",
    "interfaces",
    "flows",
    "protocols",
    "tags",
    "timestamp",
    "ignore_outgoing",
    "output",
    "shipper",
    "capture",
    "system",
    "topbeat",
    "input",
];

/// Sections nothing here honours, with what becomes of the matter.
const NOT_YET: [(&str, &str); 28] = [
    ("name", "not honoured yet: events do not name the sensor"),
    ("fields", "not honoured yet: no fields are added to events"),
    ("fields_under_root", "not honoured yet: no fields are added to events"),
    ("processors", "not honoured yet: events stay as they are"),
    ("queue", "not honoured yet"),
    ("queue_size", "not honoured yet"),
    ("bulk_queue_size", "not honoured yet"),
    ("setup", "not honoured yet: templates and dashboards are not installed"),
    ("logging", "not honoured yet: messages go to standard error"),
    ("path", "not honoured yet"),
    ("monitoring", "not honoured yet"),
    ("xpack", "not honoured yet"),
    ("http", "not honoured yet: there is no endpoint for counters"),
    ("cloud", "not honoured yet: nothing is sent to Elastic Cloud"),
    ("keystore", "not honoured yet"),
    ("max_procs", "not honoured yet: see wirebeat.shards"),
    ("seccomp", "not honoured yet"),
    ("features", "not honoured yet"),
    ("instrumentation", "not honoured yet"),
    ("migration", "not honoured: there is nothing to migrate"),
    ("npcap", "not honoured: it is for Windows"),
    ("procs", "not honoured yet: events do not name processes"),
    ("dashboards", "not honoured yet: dashboards are not installed"),
    ("geoip", "not honoured yet: addresses are not located"),
    ("runoptions", "not honoured yet: rights are kept"),
    ("filters", "not honoured yet: events stay as they are"),
    ("ssl", "not honoured yet"),
    ("metricbeat", "not honoured yet: the sections system and topbeat measure the host"),
];

/// Outputs of Beats that nothing here writes to.
const OUTPUTS: [&str; 6] = ["elasticsearch", "logstash", "kafka", "redis", "discard", "elastic_cloud"];

/// Whether the texts below this key are used, so that their references must lead somewhere. What is not honoured may
/// name variables and keystore entries that are not there.
pub(super) fn is_read(key: &str) -> bool {
    READ.contains(&key) && key != "output"
}

/// Whether the output of this name is written to.
pub(super) fn is_output(name: &str) -> bool {
    name == "file" || name == "console"
}

/// Reads what stands at the top and says what of the rest is not honoured.
pub(super) fn top(root: &Item, topbeat: bool, report: &mut Report) -> Top {
    let mut top = Top::default();
    for (key, pos, item) in tree::entries(Some(root)) {
        if READ.contains(&key.as_str()) {
            continue;
        }
        match NOT_YET.iter().find(|(name, _)| name == key) {
            Some(_) if !tree::asks(item) => {}
            Some((_, text)) => warn(report, *pos, key, *text),
            None => {
                let names = READ.iter().copied().chain(NOT_YET.iter().map(|(name, _)| *name));
                let hint =
                    suggest(key, names).map_or(String::new(), |near| format!("; did you mean {near}?"));
                warn(report, *pos, key, format!("not known and not used{hint}"));
            }
        }
    }
    let map: Vec<_> =
        tree::entries(Some(root)).iter().filter(|(key, ..)| READ.contains(&key.as_str())).cloned().collect();
    let item = Item { node: Node::Map(map), pos: root.pos };
    let mut section = Section::new("", Some(&item), report);
    top_keys(&mut section, &mut top);
    shipper(&item, &mut top, report);
    let file = if topbeat { "topbeat" } else { "packetbeat" };
    outputs(tree::get(Some(root), "output").map(|(_, item)| item), file, &mut top, report);
    top
}

/// The keys of the top, for the reference.
pub(super) fn describe_top(section: &mut Section<'_>) {
    let doc = "Capture: see below. Packetbeat 1.x wrote interfaces, flows and protocols at the top; that is understood too.";
    section.raw("packetbeat", "a map", "", doc);
    section.raw("wirebeat", "a map", "", "What is our own: see below.");
    section.raw("system", "a map", "", "What is measured of the host: see below. Topbeat's sections `topbeat` and `input` are understood too.");
    top_keys(section, &mut Top::default());
    section.raw("output", "a map", "", "`file` and `console`: see below. Others are not honoured yet.");
}

/// The sections nothing here honours, for the reference.
pub(super) fn not_yet() -> impl Iterator<Item = &'static str> {
    NOT_YET.iter().map(|(name, _)| *name)
}

/// The keys of `output.file`, for the reference.
pub(super) fn describe_file(section: &mut Section<'_>) {
    file_keys(section, Pos::default(), "packetbeat");
}

fn warn(report: &mut Report, pos: Pos, key: &str, text: impl Into<String>) {
    report.warnings.push(Problem { pos, key: key.to_owned(), text: text.into() });
}

fn top_keys(section: &mut Section<'_>, top: &mut Top) {
    top.tags = section.strings("tags", &[], "Labels put into `tags` of each event.");
    top.ignore_outgoing = section.bool("ignore_outgoing", false, "Drop events whose direction is egress.");
    let item = section.raw("timestamp", "a map", "", "How times are written: see below.");
    let mut inner = section.sub("timestamp", item);
    top.precision = precision(&mut inner);
    inner.finish();
}

/// The keys of `timestamp`.
pub(super) fn precision(section: &mut Section<'_>) -> Option<Precision> {
    let words = [
        ("us", Precision::Micro),
        ("ms", Precision::Milli),
        ("ns", Precision::Nano),
        ("millisecond", Precision::Milli),
        ("microsecond", Precision::Micro),
        ("nanosecond", Precision::Nano),
    ];
    let doc = "Digits of @timestamp: ms, us or ns. Without a configuration us; in a packetbeat.yml ms, as in Packetbeat.";
    let given = section.pos("precision").is_some();
    let precision = section.choice("precision", &words, 0, doc);
    given.then_some(precision)
}

/// The general keys of 1.x, which had a section of their own.
fn shipper(root: &Item, top: &mut Top, report: &mut Report) {
    let Some((_, item)) = tree::get(Some(root), "shipper") else { return };
    let mut section = Section::new("shipper", Some(item), report);
    top.tags.extend(section.strings("tags", &[], "Labels put into `tags` of each event."));
    top.ignore_outgoing |= section.bool("ignore_outgoing", false, "Drop events whose direction is egress.");
    for name in ["name", "refresh_topology_freq", "topology_expire", "geoip", "queue_size"] {
        if let Some(item) = section.raw(name, "", "", "").filter(|item| tree::asks(item)) {
            section.warn(item.pos, name, "not honoured yet");
        }
    }
    section.finish();
}

fn outputs(item: Option<&Item>, file: &str, top: &mut Top, report: &mut Report) {
    let Some(item) = item else { return };
    let Node::Map(map) = &item.node else {
        Section::new("output", Some(item), report).finish();
        return;
    };
    for (name, pos, item) in map {
        let path = format!("output.{name}");
        let off = tree::get(Some(item), "enabled").and_then(|(_, i)| tree::text(&i.node));
        if item.node == Node::Null || off.is_some_and(|text| ["false", "no", "off"].contains(&text.as_str()))
        {
            continue;
        }
        match name.as_str() {
            "file" => {
                let mut section = Section::new(&path, Some(item), report);
                top.file = Some(file_keys(&mut section, *pos, file));
                section.finish();
            }
            "console" => {
                let mut section = Section::new(&path, Some(item), report);
                top.console = Some(console_keys(&mut section));
                section.finish();
            }
            name if OUTPUTS.contains(&name) => {
                warn(
                    report,
                    *pos,
                    &path,
                    "not honoured yet: nothing is sent there; -o, output.file and output.console write events",
                );
            }
            name => {
                let names = OUTPUTS.into_iter().chain(["file", "console"]);
                let hint =
                    suggest(name, names).map_or(String::new(), |near| format!("; did you mean {near}?"));
                warn(report, *pos, &path, format!("no output of this name{hint}"));
            }
        }
    }
}

/// The keys of `output.file`.
pub(super) fn file_keys(section: &mut Section<'_>, pos: Pos, name: &str) -> FileOutput {
    section.bool("enabled", true, "Whether events are written there.");
    let path = section.string("path", "", "The directory. Must be given.");
    if path.is_empty() {
        section.error(pos, "path", "expected the directory to write to");
    }
    let doc = "The file's name; older files have a number behind it. In a topbeat.yml topbeat.";
    let filename = section.string("filename", name, doc);
    if filename.contains('/') || filename.is_empty() || filename == ".." {
        let pos = section.pos("filename").unwrap_or(pos);
        section.error(pos, "filename", "expected a file's name without a directory");
    }
    let kb = section.int("rotate_every_kb", 10_240, 1..=1 << 32, "Size in KiB at which a new file begins.");
    let files = section.int("number_of_files", 7, 2..=1024, "How many files are kept.");
    let permissions = permissions(section);
    let doc = "Not honoured yet: a start goes on with the file that is there.";
    let anew = section.bool("rotate_on_startup", false, doc);
    if let (true, Some(pos)) = (anew, section.pos("rotate_on_startup")) {
        section.warn(
            pos,
            "rotate_on_startup",
            "not honoured yet: a start goes on with the file that is there",
        );
    }
    codec(section);
    FileOutput {
        path: PathBuf::from(path),
        filename,
        rotate_every: u64::try_from(kb).unwrap_or(10_240) << 10,
        number_of_files: u32::try_from(files).unwrap_or(7),
        permissions,
    }
}

/// Octal, as every tool writes them.
fn permissions(section: &mut Section<'_>) -> u32 {
    let item = section.raw("permissions", "an octal number", "0600", "Unix permissions of the files.");
    let Some(item) = item else { return 0o600 };
    let text = tree::text(&item.node).unwrap_or_default();
    match u32::from_str_radix(text.trim_start_matches("0o"), 8) {
        Ok(mode) if mode <= 0o777 && mode & 0o600 == 0o600 => mode,
        _ => {
            let found = wirebeat_model::config::describe(&item.node);
            let text = format!(
                "expected permissions with which the owner reads and writes, such as 0600, found {found}"
            );
            section.error(item.pos, "permissions", text);
            0o600
        }
    }
}

/// The keys of `output.console`.
pub(super) fn console_keys(section: &mut Section<'_>) -> ConsoleOutput {
    section.bool("enabled", true, "Whether events are written to standard output.");
    let pretty = section.bool("pretty", false, "Not honoured yet: one event over several lines.");
    if let (true, Some(pos)) = (pretty, section.pos("pretty")) {
        section.warn(pos, "pretty", "not honoured yet: one JSON object a line");
    }
    codec(section);
    ConsoleOutput { pretty }
}

fn codec(section: &mut Section<'_>) {
    for name in ["codec", "bulk_max_size"] {
        if let Some(item) = section.raw(name, "", "", "Not honoured yet.").filter(|item| tree::asks(item)) {
            section.warn(item.pos, name, "not honoured yet: one JSON object a line");
        }
    }
}
