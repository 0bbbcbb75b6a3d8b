//! What somebody should know about this capture: what it cannot see, and why.

use std::path::Path;

use wirebeat_capture::device::{Choice, Kind, list};
use wirebeat_store::Stats;

use crate::health::Health;
use crate::pressure::Pressure;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// Something is missing.
    Warning,
    /// It does not work.
    Error,
}

impl Level {
    /// As the pages read it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A note and how much it matters.
pub(super) type Note = (Level, String);

/// Where the program runs.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// What the kernel says it is: `/proc/version`.
    pub(super) kernel: String,
    /// Whether it runs in a container.
    pub(super) contained: bool,
}

impl Place {
    /// This one.
    pub(super) fn here() -> Self {
        let marked = ["/.dockerenv", "/run/.containerenv"].iter().any(|p| Path::new(p).exists());
        Self {
            kernel: std::fs::read_to_string("/proc/version").unwrap_or_default(),
            contained: marked || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some(),
        }
    }

    /// What follows from where it runs.
    pub(super) fn notes(&self, devices: &[Choice]) -> Vec<Note> {
        let mut notes = Vec::new();
        let kernel = self.kernel.to_ascii_lowercase();
        if kernel.contains("linuxkit") {
            notes.push((
                Level::Warning,
                "This is the virtual machine of Docker Desktop: its containers are seen, the computer around it is not."
                    .to_owned(),
            ));
        } else if kernel.contains("microsoft") {
            notes.push((
                Level::Warning,
                "This is the Linux inside Windows (WSL): what Windows itself sends and receives is not seen."
                    .to_owned(),
            ));
        }
        // A container's own network has one end of a virtual cable and nothing else.
        let others = devices.iter().any(|c| !matches!(c.device.kind, Kind::Loopback | Kind::Veth));
        if self.contained && !others {
            notes.push((
                Level::Warning,
                "wirebeat runs in a container with a network of its own and sees that container's traffic only: start it \
                 with --net=host."
                    .to_owned(),
            ));
        }
        notes
    }
}

/// The devices that would be there to capture, each with why it is not.
pub(super) fn refused_devices(why: &str) -> Vec<Choice> {
    // What has to be done about it is in a note of its own.
    let reason = why.split(": ").next().unwrap_or(why);
    let devices = list().unwrap_or_default();
    devices.into_iter().map(|device| Choice { device, captured: false, reason: reason.to_owned() }).collect()
}

/// Everything there is to say now.
pub(super) fn all(place: &Place, health: &Health, store: &Stats, losing: bool) -> Vec<Note> {
    let mut notes = Vec::new();
    if let Some(why) = health.refused() {
        notes.push((Level::Error, format!("Nothing is captured: {why}")));
        notes.extend(place.notes(&refused_devices(why)));
    }
    if let Some(capture) = health.capture() {
        let devices = capture.devices();
        if !devices.iter().any(|c| c.captured) {
            notes.push((
                Level::Error,
                "No device is captured: name one with -i, or see why below.".to_owned(),
            ));
        }
        if let Some(problem) = capture.live.problem() {
            notes.push((Level::Warning, problem));
        }
        notes.extend(place.notes(&devices));
        let pressure = capture.shards_now().iter().map(|s| s.pressure).max().unwrap_or_default();
        let given_up = match pressure {
            Pressure::None => None,
            Pressure::Bodies => Some("bodies are not kept"),
            Pressure::Noisiest => Some("bodies are not kept and the noisiest flows are not decoded"),
            Pressure::Sampled => Some("of new flows one in eight is decoded"),
        };
        if let Some(given_up) = given_up {
            notes.push((
                Level::Warning,
                format!("Capture cannot keep up: {given_up}. Packets and flows are counted."),
            ));
        }
        if losing {
            notes.push((Level::Warning, "Packets or events were lost in the last seconds.".to_owned()));
        }
    }
    if let Some(why) = &store.failing {
        notes.push((Level::Error, format!("The store cannot write, events wait in the journal: {why}")));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use wirebeat_capture::device::Device;

    fn device(kind: Kind) -> Choice {
        let device = Device {
            index: 1,
            name: "x".into(),
            kind,
            addresses: Vec::new(),
            master: None,
            mtu: 1500,
            up: true,
            default_v4: false,
            default_v6: false,
        };
        Choice { device, captured: true, reason: String::new() }
    }

    #[test]
    fn where_it_runs() {
        let place = |kernel: &str, contained| Place { kernel: kernel.to_owned(), contained };
        let plain = place("Linux version 6.12.9-amd64 (debian-kernel@lists.debian.org)", false);
        assert!(plain.notes(&[device(Kind::Loopback), device(Kind::Ethernet)]).is_empty());
        let desktop = place("Linux version 6.6.31-linuxkit (root@buildkitsandbox)", true);
        assert!(desktop.notes(&[device(Kind::Bridge)])[0].1.contains("Docker Desktop"));
        let wsl = place("Linux version 5.15.167.4-microsoft-standard-WSL2", false);
        assert!(wsl.notes(&[])[0].1.contains("Windows"));
        let inside = place("Linux version 6.12.9", true);
        let alone = [device(Kind::Loopback), device(Kind::Veth)];
        assert!(inside.notes(&alone)[0].1.contains("--net=host"));
        assert!(place("Linux version 6.12.9", false).notes(&alone).is_empty());
    }
}
