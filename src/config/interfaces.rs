//! `interfaces`: where packets come from.

use std::path::PathBuf;
use std::time::Duration;

use wirebeat_capture::device::Selection;
use wirebeat_capture::filter::Filter;
use wirebeat_model::config::{Item, Node, Pos, Problem, Report, Section};

use super::networks::InternalNetworks;
use super::tree;

/// As many bytes as a frame may have.
const WHOLE: u32 = 262_144;

/// One entry of `interfaces`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Device patterns: names, indices, `any`, `default_route`, globs, `!exclusions`. None: the default selection.
    pub devices: Vec<String>,
    /// A capture to read instead of a device.
    pub file: Option<PathBuf>,
    /// Bytes kept of each frame.
    pub snaplen: u32,
    /// Memory of the rings in bytes, when the configuration says so.
    pub buffer: Option<usize>,
    /// A filter in libpcap's language, known to be understood.
    pub bpf_filter: Option<String>,
    /// Whether frames with VLAN tags pass a filter that does not speak of them: here they always do.
    pub with_vlans: bool,
    /// Whether promiscuous mode is asked for or refused; `None` when nothing is said.
    pub promiscuous: Option<bool>,
    /// Whether events of outgoing traffic are dropped.
    pub ignore_outgoing: bool,
    /// Which addresses are ours.
    pub internal_networks: InternalNetworks,
}

impl Default for Interface {
    fn default() -> Self {
        Self {
            devices: Vec::new(),
            file: None,
            snaplen: WHOLE,
            buffer: None,
            bpf_filter: None,
            with_vlans: false,
            promiscuous: None,
            ignore_outgoing: false,
            internal_networks: InternalNetworks::private(),
        }
    }
}

/// Reads `interfaces`, one map or a list of them. With a Packetbeat configuration no device means `any`, as there.
pub(super) fn read(path: &str, item: Option<&Item>, packetbeat: bool, report: &mut Report) -> Vec<Interface> {
    let mut interfaces = Vec::new();
    match item.map(|i| (&i.node, i.pos)) {
        Some((Node::List(list), _)) => {
            for (i, item) in list.iter().enumerate() {
                let path = format!("{path}[{i}]");
                let mut section = Section::new(&path, Some(item), report);
                interfaces.push((item.pos, path, keys(&mut section)));
                section.finish();
            }
        }
        // 1.x allowed `interfaces: eth0`-like shorthands nowhere: a section reports what is no map.
        _ => {
            let mut section = Section::new(path, item, report);
            interfaces.push((item.map(|i| i.pos).unwrap_or_default(), path.to_owned(), keys(&mut section)));
            section.finish();
        }
    }
    if packetbeat {
        for (_, _, interface) in &mut interfaces {
            if interface.devices.is_empty() && interface.file.is_none() {
                interface.devices.push("any".into());
            }
        }
    }
    refuse_duplicates(&interfaces, report);
    if interfaces.is_empty() {
        interfaces.push((Pos::default(), path.to_owned(), Interface::default()));
    }
    interfaces.into_iter().map(|(_, _, interface)| interface).collect()
}

fn refuse_duplicates(interfaces: &[(Pos, String, Interface)], report: &mut Report) {
    for (i, (pos, path, interface)) in interfaces.iter().enumerate() {
        let same = interfaces[..i].iter().find(|(_, _, other)| {
            other.file == interface.file && other.devices.iter().any(|d| interface.devices.contains(d))
        });
        if let Some((first, ..)) = same {
            let text = format!("the same device as in line {}: one entry for each device", first.line);
            report.errors.push(Problem { pos: *pos, key: format!("{path}.device"), text });
        }
    }
}

/// The keys of one entry; what is read here is also the reference.
pub(super) fn keys(section: &mut Section<'_>) -> Interface {
    let mut interface = Interface { devices: devices(section), ..Interface::default() };
    sniffer(section);
    let file = section.string("file", "", "A capture file that is read instead of a device.");
    interface.file = (!file.is_empty()).then(|| PathBuf::from(file));
    let doc = "Bytes kept of each frame; from 65535 on, all of them.";
    let snaplen = section.int("snaplen", 65_535, 64..=262_144, doc);
    // The largest packet has 65,535 bytes without its link header: loopback and offloads make such frames all the time.
    interface.snaplen = u32::try_from(snaplen).ok().filter(|n| *n < 65_535).unwrap_or(WHOLE);
    interface.buffer = buffer(section);
    interface.bpf_filter = filter(section);
    interface.with_vlans =
        section.bool("with_vlans", false, "Not needed: every filter looks through VLAN tags.");
    let doc = "Ask for frames that are not for this host. Without the key: on, but for loopback devices.";
    let given = section.pos("auto_promisc_mode").is_some();
    let promiscuous = section.bool("auto_promisc_mode", true, doc);
    interface.promiscuous = given.then_some(promiscuous);
    interface.ignore_outgoing =
        section.bool("ignore_outgoing", false, "Drop events whose direction is egress.");
    interface.internal_networks = networks(section);
    not_needed(section);
    interface
}

fn devices(section: &mut Section<'_>) -> Vec<String> {
    let doc = "Device name or index, any, default_route, default_route_ipv4, default_route_ipv6, a pattern such as br-*, \
               or several with commas; !NAME leaves one out. Without the key: the devices worth watching, see `wirebeat devices`.";
    let Some(item) = section.raw("device", "a device, or several", "", doc) else { return Vec::new() };
    let texts = match &item.node {
        Node::List(list) => list.iter().map(|i| tree::text(&i.node)).collect::<Option<Vec<_>>>(),
        node => tree::text(node).map(|text| vec![text]),
    };
    let Some(texts) = texts else {
        section.error(item.pos, "device", "expected a device such as eth0, or several: eth0,docker0");
        return Vec::new();
    };
    let split = texts.iter().flat_map(|text| text.split(','));
    let devices: Vec<String> = split.map(|d| d.trim().to_owned()).filter(|d| !d.is_empty()).collect();
    if let Err(error) = Selection::parse(&devices) {
        section.error(item.pos, "device", error.to_string());
    }
    devices
}

fn sniffer(section: &mut Section<'_>) {
    let doc = "pcap or af_packet. Both mean af_packet here.";
    let Some(item) = section.raw("type", "pcap or af_packet", "af_packet", doc) else { return };
    match tree::text(&item.node).as_deref() {
        Some("pcap" | "af_packet") => {}
        Some("pf_ring") => section.warn(item.pos, "type", "pf_ring is no more: af_packet is used"),
        other => {
            let found =
                other.map_or_else(|| wirebeat_model::config::describe(&item.node), |t| format!("{t:?}"));
            section.error(item.pos, "type", format!("expected pcap or af_packet, found {found}"));
        }
    }
}

fn buffer(section: &mut Section<'_>) -> Option<usize> {
    const DEFAULT: i64 = 30;
    let doc = "Memory of the rings, in MiB.";

    let given = section.pos("buffer_size_mb").is_some();
    let mb = section.int("buffer_size_mb", DEFAULT, 1..=65_536, doc);
    usize::try_from(mb).ok().filter(|_| given).map(|mb| mb << 20)
}

fn filter(section: &mut Section<'_>) -> Option<String> {
    let doc = "A filter in libpcap's language. Without it everything is taken while flows are on, else what the enabled protocols need.";
    let item = section.raw("bpf_filter", "a filter", "", doc)?;
    let Some(text) = tree::text(&item.node) else {
        section.error(item.pos, "bpf_filter", "expected a filter such as tcp port 80");
        return None;
    };
    let text = text.trim().to_owned();
    if text.is_empty() {
        return None;
    }
    if let Err(error) = Filter::parse(&text) {
        section.error(item.pos, "bpf_filter", error.to_string());
    }
    Some(text)
}

fn networks(section: &mut Section<'_>) -> InternalNetworks {
    let doc = "What is inside for network.direction: networks such as 10.0.0.0/8, or loopback, unicast, multicast, \
               interface_local_multicast, link_local_unicast, link_local_multicast, private, public, unspecified.";
    let item = section.raw("internal_networks", "a list of networks", "[\"private\"]", doc);
    let Some(item) = item else { return InternalNetworks::private() };
    let single = [item.clone()];
    let list = if let Node::List(list) = &item.node { list.as_slice() } else { &single };
    let mut networks = InternalNetworks::default();
    for item in list {
        let text = tree::text(&item.node).unwrap_or_default();
        if let Err(error) = networks.add(&text) {
            section.error(item.pos, "internal_networks", error);
        }
    }
    networks
}

/// Keys that Packetbeat needs and nothing here does.
fn not_needed(section: &mut Section<'_>) {
    let doc = "Not needed: devices and routes are followed as they change.";
    section.signed_duration("poll_default_route", None, doc);
    let doc = "Not honoured yet: how often counters are taken.";
    let given = section.pos("metrics_interval");
    section.duration("metrics_interval", Duration::from_secs(5), doc);
    if let Some(pos) = given {
        section.warn(pos, "metrics_interval", "not honoured yet");
    }
    let doc = "Not needed: one process uses as many rings as it has shards, in a group of its own.";
    let given = section.pos("fanout_group");
    section.int("fanout_group", 0, 0..=65_535, doc);
    if let Some(pos) = given {
        let text = "not honoured: one process uses several cores here (--shards); a second one would see every packet again";
        section.warn(pos, "fanout_group", text);
    }
}
