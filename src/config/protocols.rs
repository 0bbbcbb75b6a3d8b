//! `protocols`: which run, on which ports, with which options.
//!
//! Three forms mean the same: the list (`- type: http`), the map (`protocols.http:`), and the flat map of 1.x. With a
//! Packetbeat configuration a protocol runs only if its section is there, enabled and names ports: commenting the ports out
//! is how its own example files turn a protocol off.

use std::sync::Arc;

use wirebeat_model::config::{Item, Node, Pos, Problem, Report, Section, describe, suggest};
use wirebeat_proto::{Entry, Factory, PROTOCOLS};

use super::{common, tree};

/// What Packetbeat decodes.
pub(super) const PACKETBEAT: [&str; 15] = [
    "amqp",
    "cassandra",
    "dhcpv4",
    "dns",
    "http",
    "icmp",
    "memcache",
    "mongodb",
    "mysql",
    "nfs",
    "pgsql",
    "redis",
    "sip",
    "thrift",
    "tls",
];

/// How the rest of the configuration bears on protocols.
pub(super) struct Context<'a> {
    /// A Packetbeat configuration rules: sections and ports decide.
    pub(super) packetbeat: bool,
    /// Protocols are recognised by content wherever they run.
    pub(super) detect: bool,
    /// Mask secrets even where no option says so.
    pub(super) redact: bool,
    /// Labels for all events.
    pub(super) tags: &'a [String],
}

/// One protocol's section, in whichever form it was written.
struct Given<'a> {
    name: String,
    pos: Pos,
    item: &'a Item,
}

/// Reads `protocols`; what comes out runs, in the order of [`PROTOCOLS`].
pub(super) fn read(
    path: &str,
    item: Option<&Item>,
    cx: &Context<'_>,
    report: &mut Report,
) -> Vec<Arc<dyn Factory>> {
    let given = sections(path, item, report);
    let mut chosen: Vec<(Pos, Arc<dyn Factory>)> = Vec::new();
    for given in &given {
        if !PROTOCOLS.iter().any(|e| e.spec.name == given.name) {
            unknown(path, given, report);
        }
    }
    for entry in PROTOCOLS {
        let mut last = None;
        for given in given.iter().filter(|g| g.name == entry.spec.name) {
            if let Some(first) = last.replace(given) {
                twice(path, first, given, report);
            }
        }
        match last {
            Some(given) => {
                if let Some(factory) = configure(path, entry, given, cx, report) {
                    chosen.push((given.pos, factory));
                }
            }
            None if cx.packetbeat && !cx.detect => {}
            None => chosen.push((Pos::default(), defaults(path, entry, cx, report))),
        }
    }
    if !cx.detect {
        one_protocol_per_port(path, &chosen, report);
    }
    chosen.into_iter().map(|(_, factory)| factory).collect()
}

fn sections<'a>(path: &str, item: Option<&'a Item>, report: &mut Report) -> Vec<Given<'a>> {
    let mut given = Vec::new();
    match item.map(|i| (&i.node, i.pos)) {
        None => {}
        Some((Node::Map(map), _)) => {
            given.extend(map.iter().map(|(name, pos, item)| Given { name: name.clone(), pos: *pos, item }));
        }
        Some((Node::List(list), _)) => {
            for (i, item) in list.iter().enumerate() {
                let name = tree::get(Some(item), "type").and_then(|(_, item)| tree::text(&item.node));
                match name {
                    Some(name) => given.push(Given { name, pos: item.pos, item }),
                    None => {
                        let text =
                            "expected an entry such as {type: http, ports: [80]}, found one without type";
                        let key = format!("{path}[{i}]");
                        report.errors.push(Problem { pos: item.pos, key, text: text.into() });
                    }
                }
            }
        }
        Some((other, pos)) => {
            let text = format!("expected a list of protocols, found {}", describe(other));
            report.errors.push(Problem { pos, key: path.into(), text });
        }
    }
    given
}

/// A protocol nothing here decodes.
fn unknown(path: &str, given: &Given<'_>, report: &mut Report) {
    let key = format!("{path}.{}", given.name);
    let off = tree::get(Some(given.item), "enabled")
        .is_some_and(|(_, i)| tree::text(&i.node).as_deref() == Some("false"));
    let text = if PACKETBEAT.contains(&given.name.as_str()) {
        if off || given.item.node == Node::Null {
            return;
        }
        "not decoded yet".to_owned()
    } else {
        let names = PROTOCOLS.iter().map(|e| e.spec.name).chain(PACKETBEAT);
        let hint =
            suggest(&given.name, names).map_or(String::new(), |near| format!("; did you mean {near}?"));
        format!("no protocol of this name{hint}")
    };
    report.warnings.push(Problem { pos: given.pos, key, text });
}

fn twice(path: &str, first: &Given<'_>, second: &Given<'_>, report: &mut Report) {
    let key = format!("{path}.{}", second.name);
    let line = first.pos.line;
    if second.name == "icmp" {
        let text = format!("configured twice: first in line {line}");
        report.errors.push(Problem { pos: second.pos, key, text });
    } else {
        let text = format!("configured twice: this section replaces the one in line {line}");
        report.warnings.push(Problem { pos: second.pos, key, text });
    }
}

fn defaults(path: &str, entry: &Entry, cx: &Context<'_>, report: &mut Report) -> Arc<dyn Factory> {
    let path = format!("{path}.{}", entry.spec.name);
    let item = with_tags(&Item { node: Node::Map(Vec::new()), pos: Pos::default() }, cx.tags);
    let mut section = Section::new(&path, Some(&item), report);
    entry.configure(&mut section, cx.redact)
}

/// Reads the section; `None` when the protocol does not run.
fn configure(
    path: &str,
    entry: &Entry,
    given: &Given<'_>,
    cx: &Context<'_>,
    report: &mut Report,
) -> Option<Arc<dyn Factory>> {
    let path = format!("{path}.{}", entry.spec.name);
    let rules = cx.packetbeat && !cx.detect;
    if rules && given.item.node == Node::Null {
        let text =
            "a section without keys is off, as in Packetbeat: write enabled: true or its ports".to_owned();
        report.warnings.push(Problem { pos: given.pos, key: path, text });
        return None;
    }
    let item = with_tags(given.item, cx.tags);
    let mut section = Section::new(&path, Some(&item), report);
    let factory = entry.configure(&mut section, cx.redact);
    shared(&mut section);
    let enabled = factory.common().enabled;
    let listens = section.pos("ports").is_some() || entry.spec.ports.is_empty();
    if enabled && rules && !listens {
        let ports: Vec<String> = entry.spec.ports.iter().map(u16::to_string).collect();
        let text = format!(
            "not decoded: the section names no ports, which turns it off as in Packetbeat; write ports: [{}], or wirebeat.detect: true",
            ports.join(", ")
        );
        section.warn(given.pos, "ports", text);
    }
    section.finish();
    (enabled && (listens || !rules)).then_some(factory)
}

/// The keys of every protocol that its factory does not read; what is read here is also the reference.
pub(super) fn shared(section: &mut Section<'_>) {
    section.raw("type", "a protocol's name", "", "Which protocol this entry of the list is about.");
    common::not_yet(section);
    let doc = "Not honoured yet: this protocol on one of several devices only.";
    if let Some(item) = section.raw("interface", "a map with device", "", doc) {
        section.warn(item.pos, "interface", "not honoured yet: the protocol runs on every device");
    }
}

/// The section with the labels of all events before its own.
fn with_tags(item: &Item, tags: &[String]) -> Item {
    let mut item = item.clone();
    let pos = item.pos;
    if item.node == Node::Null {
        item.node = Node::Map(Vec::new());
    }
    let Node::Map(map) = &mut item.node else { return item };
    let label = |text: &String| Item { node: Node::Str(text.clone()), pos };
    if !tags.is_empty() {
        let mut all: Vec<Item> = tags.iter().map(label).collect();
        if let Some(at) = map.iter().position(|(key, ..)| key == "tags") {
            let (_, _, own) = map.remove(at);
            match own.node {
                Node::List(list) => all.extend(list),
                Node::Null => {}
                node => all.push(Item { node, pos: own.pos }),
            }
        }
        map.push(("tags".into(), pos, Item { node: Node::List(all), pos }));
    }
    item
}

fn one_protocol_per_port(path: &str, chosen: &[(Pos, Arc<dyn Factory>)], report: &mut Report) {
    for (i, (pos, factory)) in chosen.iter().enumerate() {
        for (first, other) in &chosen[..i] {
            let (a, b) = (factory.spec(), other.spec());
            let meet = a.transports.iter().any(|t| b.transports.contains(t));
            let shared = factory.common().ports.iter().find(|p| other.common().ports.contains(p));
            let (true, Some(port)) = (meet, shared) else { continue };
            // Whichever stands later in the file is the one to correct.
            let (pos, name, before, line) = if pos.line >= first.line {
                (*pos, a.name, b.name, first.line)
            } else {
                (*first, b.name, a.name, pos.line)
            };
            let text = format!(
                "port {port} is taken by {before} (line {line}): one protocol for each port, or wirebeat.detect: true"
            );
            report.errors.push(Problem { pos, key: format!("{path}.{name}.ports"), text });
        }
    }
}
