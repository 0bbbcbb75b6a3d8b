//! A configuration in words: what `check` prints, and what it exposes.

use std::fmt::Write;
use std::sync::Arc;

use wirebeat_model::Precision;
use wirebeat_model::config::{Pos, Problem, Report};
use wirebeat_proto::Factory;

use super::{Config, Flows, Interface};

/// One warning about what is shown because nothing is masked.
pub(super) fn exposed(protocols: &[Arc<dyn Factory>], report: &mut Report) {
    // These two carry no log-in of anybody; every other protocol may.
    let names: Vec<&str> =
        protocols.iter().map(|p| p.spec().name).filter(|name| !["dns", "icmp"].contains(name)).collect();
    if names.is_empty() {
        return;
    }
    let text = format!(
        "secrets are not masked: passwords, keys, cookies and log-ins in {} are shown unless hide_keywords, \
         redact_authorization or redact_headers cover them; --redact on masks them all",
        names.join(", ")
    );
    report.warnings.push(Problem { pos: Pos::default(), key: String::new(), text });
}

impl Config {
    /// The effective configuration for people, one matter a line.
    pub fn summary(&self) -> String {
        let mut out = String::new();
        let mut line = |name: &str, text: &str| {
            let _ = writeln!(out, "{name:<12} {text}");
        };
        line("dialect", self.dialect.describe());
        if self.captures() {
            for interface in &self.interfaces {
                line("interface", &describe_interface(interface));
            }
        }
        if let Some(filter) = &self.bpf_filter {
            line("filter", filter);
        }
        line("flows", &describe_flows(&self.flows));
        line("host", &describe_system(self.system.as_ref()));
        if self.protocols.is_empty() {
            line("protocols", "none");
        }
        for factory in &self.protocols {
            line("protocol", &self.describe_protocol(factory.as_ref()));
        }
        let secrets = if self.redact { "masked" } else { "shown where no key of a protocol masks them" };
        line("secrets", secrets);
        let digits = match self.precision {
            Precision::Milli => "ms",
            Precision::Micro => "us",
            Precision::Nano => "ns",
        };
        line("timestamps", digits);
        line("memory", &format!("{} MiB", self.memory >> 20));
        line("shards", &self.shards.map_or("one for each core".to_owned(), |n| n.to_string()));
        if self.ignore_outgoing {
            line("outgoing", "events whose direction is egress are dropped");
        }
        if self.capture_self {
            line("own traffic", "captured");
        }
        if let Some(file) = &self.output_file {
            let mib = file.rotate_every as f64 / f64::from(1 << 20);
            let path = file.path.join(&file.filename);
            line(
                "output",
                &format!("file {}, {} files of {mib:.1} MiB", path.display(), file.number_of_files),
            );
        }
        if self.output_console.is_some() {
            line("output", "standard output");
        }
        out
    }

    fn describe_protocol(&self, factory: &dyn Factory) -> String {
        let common = factory.common();
        let ports: Vec<String> = common.ports.iter().map(u16::to_string).collect();
        let place = match (factory.spec().ports.is_empty() && ports.is_empty(), self.detect) {
            (true, _) => "everywhere".to_owned(),
            (false, true) => format!("recognised by content; expected on {}", ports.join(", ")),
            (false, false) => format!("on {} only", ports.join(", ")),
        };
        format!("{} {place}", factory.spec().name)
    }
}

fn describe_interface(interface: &Interface) -> String {
    let mut text = match &interface.file {
        Some(file) => format!("the capture {}", file.display()),
        None if interface.devices.is_empty() => {
            "the devices worth watching (see wirebeat devices)".to_owned()
        }
        None => interface.devices.join(", "),
    };
    if interface.snaplen != Interface::default().snaplen {
        let _ = write!(text, ", {} bytes of each frame", interface.snaplen);
    }
    if let Some(buffer) = interface.buffer {
        let _ = write!(text, ", rings of {} MiB", buffer >> 20);
    }
    if interface.promiscuous == Some(false) {
        text.push_str(", not promiscuous");
    }
    text
}

fn describe_system(options: Option<&wirebeat_system::Options>) -> String {
    let Some(options) = options else { return "not measured".to_owned() };
    let mut sets = options.sets;
    let names = wirebeat_system::Sets::NAMES.iter().filter(|n| sets.by_name(n).is_some_and(|on| *on));
    let names: Vec<&str> = names.copied().collect();
    let mut text = format!("measured every {:?}: {}", options.period, names.join(", "));
    if let (true, Some((cpu, memory))) = (options.sets.process, options.top) {
        let _ = write!(text, "; processes: {cpu} by CPU, {memory} by memory");
    }
    if options.hostfs != std::path::Path::new("/") {
        let _ = write!(text, "; the host is at {}", options.hostfs.display());
    }
    text
}

fn describe_flows(flows: &Flows) -> String {
    if !flows.enabled {
        return "off".to_owned();
    }
    let counts = if flows.delta { "changes since the last record" } else { "totals" };
    match flows.period {
        Some(period) => {
            format!("every {period:?} and at the end, {counts}; over after {:?} of silence", flows.timeout)
        }
        None => format!("at the end only, {counts}; over after {:?} of silence", flows.timeout),
    }
}
