//! Which devices are captured: the default set, and what the user's patterns say.

use thiserror::Error;

use super::{Device, Kind};

/// Longest pattern, in bytes; a device name has at most 15.
const MAX_PATTERN: usize = 64;

/// Whether a device is captured, and why (not).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The device.
    pub device: Device,
    /// Whether it is captured.
    pub captured: bool,
    /// Why, in a few words for people.
    pub reason: String,
}

/// Which devices the user wants.
///
/// Patterns: a name or glob (`*`, `?`), `any`, `default`, `default_route`, `default_route_ipv4`, `default_route_ipv6`,
/// a number (position in the device list from 0, as Packetbeat has it), and any of them behind `!` to leave devices out.
/// The last pattern that fits a device decides. Without a pattern that adds, the default set is what is left out from:
///
/// - the devices that default routes of the main table leave through; when there is none, every Ethernet or wireless
///   device that is up, has an address and belongs to nothing;
/// - every bridge, such as `docker0` and the `br-*` of compose networks (container to container frames pass there);
/// - `lo`;
/// - ends of virtual cables (veth) that no bridge owns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    text: String,
    include: bool,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Any,
    Default,
    Route { v4: bool, v6: bool },
    Position(usize),
    Glob(String),
}

/// A device pattern that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("device pattern {pattern:?}: {message}")]
pub struct SelectionError {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub message: String,
}

impl Selection {
    /// From the user's patterns; none at all means the default set.
    ///
    /// # Errors
    ///
    /// [`SelectionError`] for the first pattern that is not understood.
    pub fn parse<S: AsRef<str>>(patterns: &[S]) -> Result<Self, SelectionError> {
        let mut rules = Vec::new();
        for pattern in patterns {
            let text = pattern.as_ref().trim();
            let fail =
                |message: &str| SelectionError { pattern: text.to_owned(), message: message.to_owned() };
            let (include, name) = match text.strip_prefix('!') {
                Some(rest) => (false, rest.trim_start()),
                None => (true, text),
            };
            if name.is_empty() {
                return Err(fail("a name is missing"));
            }
            if name.len() > MAX_PATTERN {
                return Err(fail("longer than any device name"));
            }
            if name.contains(|c: char| c == '/' || c == ',' || c.is_whitespace()) {
                return Err(fail(
                    "a device name has no slash, comma or space; give several patterns instead",
                ));
            }
            let what = match name {
                "any" => What::Any,
                "default" => What::Default,
                "default_route" => What::Route { v4: true, v6: true },
                "default_route_ipv4" => What::Route { v4: true, v6: false },
                "default_route_ipv6" => What::Route { v4: false, v6: true },
                _ => name.parse().map_or_else(|_| What::Glob(name.to_owned()), What::Position),
            };
            rules.push(Rule { text: text.to_owned(), include, what });
        }
        Ok(Self { rules })
    }

    /// Decides for each device, in the order given.
    pub fn choose(&self, devices: &[Device]) -> Vec<Choice> {
        let adds = self.rules.iter().any(|r| r.include);
        let decide = |position: usize, device: &Device| -> (bool, String) {
            let fits = |rule: &&Rule| rule.what.fits(position, device, devices);
            match self.rules.iter().rev().find(fits) {
                Some(rule) if rule.include => (
                    true,
                    match rule.what {
                        What::Default => by_default(device, devices).1,
                        _ => format!("chosen by {}", rule.text),
                    },
                ),
                Some(rule) => (false, format!("left out by {}", rule.text)),
                None if adds => (false, "not chosen".to_owned()),
                None => by_default(device, devices),
            }
        };
        let choices = devices.iter().enumerate().map(|(position, device)| {
            let (captured, reason) = decide(position, device);
            Choice { device: device.clone(), captured, reason }
        });
        choices.collect()
    }

    /// The patterns that fit none of the devices, so that a misspelt name can be told.
    pub fn unmatched(&self, devices: &[Device]) -> Vec<String> {
        let fits = |rule: &Rule| devices.iter().enumerate().any(|(at, d)| rule.what.fits(at, d, devices));
        self.rules.iter().filter(|r| !fits(r)).map(|r| r.text.clone()).collect()
    }
}

impl What {
    fn fits(&self, position: usize, device: &Device, devices: &[Device]) -> bool {
        match self {
            Self::Any => true,
            Self::Default => by_default(device, devices).0,
            Self::Route { v4, v6 } => *v4 && device.default_v4 || *v6 && device.default_v6,
            Self::Position(n) => *n == position,
            Self::Glob(pattern) => glob(pattern.as_bytes(), device.name.as_bytes()),
        }
    }
}

/// The default set, with the reason for each device.
fn by_default(device: &Device, devices: &[Device]) -> (bool, String) {
    let master = device.master.and_then(|index| devices.iter().find(|d| d.index == index));
    let yes = |reason: &str| (true, reason.to_owned());
    let no = |reason: String| (false, reason);
    match (device.default_v4, device.default_v6) {
        (true, true) => return yes("default route of IPv4 and IPv6"),
        (true, false) => return yes("default route of IPv4"),
        (false, true) => return yes("default route of IPv6"),
        (false, false) => {}
    }
    match (&device.kind, master) {
        (Kind::Loopback, _) => yes("loopback"),
        (Kind::Bridge, _) => yes("bridge"),
        (Kind::Veth, Some(bridge)) if bridge.kind == Kind::Bridge => {
            no(format!("its frames are seen on bridge {}", bridge.name))
        }
        (Kind::Veth, _) => yes("virtual cable that no bridge owns"),
        (_, Some(master)) => no(format!("belongs to {}", master.name)),
        (Kind::Ethernet | Kind::Wireless, None) => {
            let routed = devices.iter().any(|d| d.default_v4 || d.default_v6);
            if !routed && device.up && !device.addresses.is_empty() {
                yes("there is no default route; up and with an address")
            } else {
                no("no default route leaves through it".to_owned())
            }
        }
        (kind, None) => no(format!("{kind}: no default route leaves through it")),
    }
}

/// `*` and `?`, without backtracking further than the last star.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == b'?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match &mut star {
                Some((at, from)) => {
                    *from += 1;
                    (p, n) = (*at + 1, *from);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(index: u32, name: &str, kind: Kind, master: Option<u32>) -> Device {
        Device {
            index,
            name: name.to_owned(),
            kind,
            addresses: vec![("192.0.2.1".parse().unwrap(), 24)],
            master,
            mtu: 1500,
            up: true,
            default_v4: name == "eth0",
            default_v6: false,
        }
    }

    fn docker_host() -> Vec<Device> {
        vec![
            device(1, "lo", Kind::Loopback, None),
            device(2, "eth0", Kind::Ethernet, None),
            device(3, "eth1", Kind::Ethernet, None),
            device(4, "docker0", Kind::Bridge, None),
            device(5, "br-0123456789ab", Kind::Bridge, None),
            device(6, "veth1", Kind::Veth, Some(4)),
            device(7, "cali0", Kind::Veth, None),
            device(8, "vxlan.calico", Kind::Other("vxlan".to_owned()), None),
            device(9, "eth2", Kind::Ethernet, Some(5)),
        ]
    }

    fn chosen(patterns: &[&str], devices: &[Device]) -> Vec<String> {
        let choices = Selection::parse(patterns).unwrap().choose(devices);
        choices.into_iter().filter(|c| c.captured).map(|c| c.device.name).collect()
    }

    #[test]
    fn the_default_set() {
        let devices = docker_host();
        assert_eq!(chosen(&[], &devices), ["lo", "eth0", "docker0", "br-0123456789ab", "cali0"]);
        let choices = Selection::default().choose(&devices);
        let reason = |n: usize| choices[n].reason.as_str();
        assert_eq!(reason(1), "default route of IPv4");
        assert_eq!(reason(5), "its frames are seen on bridge docker0");
        assert_eq!(reason(7), "vxlan: no default route leaves through it");
        assert_eq!(reason(8), "belongs to br-0123456789ab");
        let without_route: Vec<_> =
            docker_host().into_iter().map(|d| Device { default_v4: false, ..d }).collect();
        assert_eq!(
            chosen(&[], &without_route),
            ["lo", "eth0", "eth1", "docker0", "br-0123456789ab", "cali0"]
        );
    }

    #[test]
    fn patterns() {
        let d = docker_host();
        assert_eq!(chosen(&["eth1"], &d), ["eth1"]);
        assert_eq!(chosen(&["br-*", "lo"], &d), ["lo", "br-0123456789ab"]);
        assert_eq!(chosen(&["!lo"], &d), ["eth0", "docker0", "br-0123456789ab", "cali0"]);
        assert_eq!(chosen(&["any", "!eth?", "eth2"], &d).len(), 7);
        assert_eq!(chosen(&["default_route"], &d), ["eth0"]);
        assert_eq!(chosen(&["default_route_ipv6"], &d), [""; 0]);
        assert_eq!(chosen(&["0", "2"], &d), ["lo", "eth1"]);
        assert_eq!(chosen(&["default", "eth1"], &d).len(), 6);
        let unmatched = Selection::parse(&["eth0", "wlan0", "!tun*"]).unwrap().unmatched(&d);
        assert_eq!(unmatched, ["wlan0", "!tun*"]);
        for bad in ["", "!", "a b", "eth0,eth1", "/dev/eth0"] {
            assert!(Selection::parse(&[bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn globs() {
        for (pattern, name, fits) in [
            ("*", "", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("?", "", false),
            ("veth*", "veth1", true),
            ("*****************x", "aaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), name.as_bytes()), fits, "{pattern} {name}");
        }
    }
}
