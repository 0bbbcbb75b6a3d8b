//! Whose configuration it is, and where its capture sections stand.

use wirebeat_model::config::{Item, Problem, Report, Section};

use super::{system, tree};

/// How a configuration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// There is none.
    None,
    /// Only keys that are ours or general: our defaults hold.
    Wirebeat,
    /// Packetbeat's, from 5.0 on: everything under `packetbeat`.
    Packetbeat,
    /// Packetbeat's up to 1.x: `interfaces`, `protocols` and `output` at the top.
    Packetbeat1,
    /// Topbeat's: the host is measured, nothing is captured.
    Topbeat,
}

impl Dialect {
    /// Whether Packetbeat's defaults hold.
    pub fn is_packetbeat(self) -> bool {
        matches!(self, Self::Packetbeat | Self::Packetbeat1 | Self::Topbeat)
    }

    /// In words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::None => "none: every protocol, on every device worth watching",
            Self::Wirebeat => "wirebeat's own: what it does not say is as without a configuration",
            Self::Packetbeat => "Packetbeat 5 or later: its sections and ports decide what runs",
            Self::Packetbeat1 => "Packetbeat 1.x: its sections and ports decide what runs",
            Self::Topbeat => "Topbeat 1.x or 5: the host is measured, nothing is captured",
        }
    }
}

/// The sections that make a configuration Packetbeat's.
const CAPTURE: [&str; 3] = ["interfaces", "flows", "protocols"];

/// Looks at what the file has.
pub(super) fn of(root: &Item, exists: bool, report: &mut Report) -> Dialect {
    if !exists {
        return Dialect::None;
    }
    let packetbeat = tree::get(Some(root), "packetbeat");
    let captures = packetbeat.is_some() || CAPTURE.iter().any(|key| tree::get(Some(root), key).is_some());
    if !captures && system::is_topbeat(root) {
        return Dialect::Topbeat;
    }
    let flat = CAPTURE.iter().chain(["shipper"].iter()).find_map(|key| {
        let (_, item) = tree::get(Some(root), key)?;
        Some((*key, item.pos))
    });
    match (packetbeat, flat) {
        (Some(_), Some((key, pos))) => {
            let text = "two dialects in one file: this is how Packetbeat 1.x wrote it, the section packetbeat is how later \
                        versions do; where both say something, packetbeat wins";
            report.warnings.push(Problem { pos, key: key.into(), text: text.into() });
            Dialect::Packetbeat
        }
        (Some(_), None) => Dialect::Packetbeat,
        (None, Some(_)) => Dialect::Packetbeat1,
        (None, None) => Dialect::Wirebeat,
    }
}

/// A section: its whole key and its value.
type Found<'a> = (&'static str, Option<&'a Item>);

/// The capture sections, wherever they stand.
pub(super) struct Sections<'a> {
    pub(super) interfaces: Found<'a>,
    pub(super) flows: Found<'a>,
    pub(super) protocols: Found<'a>,
    pub(super) ignore_outgoing: bool,
}

impl<'a> Sections<'a> {
    /// Finds them, and reads what else `packetbeat` has.
    pub(super) fn of(root: &'a Item, report: &mut Report) -> Self {
        let packetbeat = tree::get(Some(root), "packetbeat").map(|(_, item)| item);
        let mut section = Section::new("packetbeat", packetbeat, report);
        let ignore_outgoing = keys(&mut section);
        section.finish();
        let find = |new: &'static str, old: &'static str| match tree::get(packetbeat, old) {
            Some((_, item)) => (new, Some(item)),
            None => match tree::get(Some(root), old) {
                Some((_, item)) => (old, Some(item)),
                None => (new, None),
            },
        };
        Self {
            interfaces: find("packetbeat.interfaces", "interfaces"),
            flows: find("packetbeat.flows", "flows"),
            protocols: find("packetbeat.protocols", "protocols"),
            ignore_outgoing,
        }
    }
}

/// The keys of `packetbeat` itself; what is read here is also the reference.
pub(super) fn keys(section: &mut Section<'_>) -> bool {
    section.raw("interfaces", "a map, or a list of them", "", "Where packets come from.");
    section.raw("flows", "a map", "", "What is reported of connections.");
    section.raw("protocols", "a list of maps, or a map", "", "Which protocols run.");
    let ignore = section.bool("ignore_outgoing", false, "Drop events whose direction is egress.");
    for (name, doc, text) in [
        ("procs", "Not honoured yet: names of processes.", "not honoured yet: events do not name processes"),
        (
            "shutdown_timeout",
            "Not needed: what was captured is written before the end, however long that takes.",
            "not needed: what was captured is written before the end",
        ),
        ("overwrite_pipelines", "Not honoured yet.", "not honoured yet: no pipelines are installed"),
    ] {
        if let Some(item) = section.raw(name, "", "", doc).filter(|item| tree::asks(item)) {
            section.warn(item.pos, name, text);
        }
    }
    ignore
}
