//! `flows`: what is reported of connections, whatever they carry.

use std::time::Duration;

use wirebeat_model::config::{Item, Report, Section};

use super::common;

/// The options of flow records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flows {
    /// Whether there are any.
    pub enabled: bool,
    /// After how long without a packet a flow is over.
    pub timeout: Duration,
    /// How often a flow that goes on is reported; `None`: only when it is over.
    pub period: Option<Duration>,
    /// Whether an interim report counts since the last one (sums are right) or from the beginning (as Packetbeat does).
    pub delta: bool,
    /// Labels of flow records.
    pub tags: Vec<String>,
}

/// Reads `flows`. As in Packetbeat a section without any key means that there are none.
pub(super) fn read(
    path: &str,
    item: Option<&Item>,
    packetbeat: bool,
    tags: &[String],
    report: &mut Report,
) -> Flows {
    let mut section = Section::new(path, item, report);
    let mut flows = keys(&mut section, packetbeat);
    section.finish();
    flows.enabled &= item.is_some() || !packetbeat;
    flows.tags = tags.iter().cloned().chain(flows.tags).collect();
    flows
}

/// The keys; what is read here is also the reference.
pub(super) fn keys(section: &mut Section<'_>, packetbeat: bool) -> Flows {
    let enabled = section.bool(
        "enabled",
        true,
        "Whether flows are reported. In a packetbeat.yml only if the section has a key.",
    );
    let timeout = Duration::from_secs(30);
    let timeout = positive(section, "timeout", timeout, "After how long without a packet a flow is over.");
    let doc = "How often a flow that goes on is reported; -1: only when it is over.";
    let period = section.signed_duration("period", Some(Duration::from_secs(10)), doc);
    if period == Some(Duration::ZERO) {
        let pos = section.pos("period").unwrap_or_default();
        section.error(
            pos,
            "period",
            "expected a duration longer than nothing, or -1 for reports only when a flow is over",
        );
    }
    let doc = "Count since the last report of the flow. Without a configuration on; in a packetbeat.yml off, as in Packetbeat: \
               each report counts from the beginning.";
    let delta = section.bool("enable_delta_flow_reports", !packetbeat, doc);
    mac_addresses(section);
    let tags = section.strings("tags", &[], "Labels put into `tags` of each flow record.");
    common::not_yet(section);
    Flows { enabled, timeout, period, delta, tags }
}

fn positive(section: &mut Section<'_>, name: &'static str, default: Duration, doc: &'static str) -> Duration {
    let value = section.duration(name, default, doc);
    if value.is_zero() {
        let pos = section.pos(name).unwrap_or_default();
        section.error(pos, name, "expected a duration longer than nothing, such as 30s");
        return default;
    }
    value
}

fn mac_addresses(section: &mut Section<'_>) {
    let doc = "Always true here: hardware addresses are no part of a flow's key.";
    let given = section.pos("allow_mismatched_eth");
    let allowed = section.bool("allow_mismatched_eth", true, doc);
    if let (false, Some(pos)) = (allowed, given) {
        let text = "not honoured: hardware addresses are no part of a flow's key, as with true";
        section.warn(pos, "allow_mismatched_eth", text);
    }
}
