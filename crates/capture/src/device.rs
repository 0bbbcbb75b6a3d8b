//! The network devices of this host, and which of them are captured.

use std::net::IpAddr;

use thiserror::Error;

/// One network device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Interface index, unique in the network namespace.
    pub index: u32,
    /// Name, e.g. `eth0`.
    pub name: String,
    /// What kind of device it is.
    pub kind: Kind,
    /// Its addresses with prefix lengths.
    pub addresses: Vec<(IpAddr, u8)>,
    /// Index of the bridge (or bond) it belongs to.
    pub master: Option<u32>,
    /// Maximum transmission unit in bytes.
    pub mtu: u32,
    /// Whether it is administratively up.
    pub up: bool,
    /// Whether a default route of IPv4 leaves through it.
    pub default_v4: bool,
    /// Whether a default route of IPv6 leaves through it.
    pub default_v6: bool,
}

/// What kind of device it is, as the kernel's link info tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `lo`.
    Loopback,
    /// A physical or virtual Ethernet card.
    Ethernet,
    /// One end of a virtual cable.
    Veth,
    /// A bridge, such as `docker0`.
    Bridge,
    /// tun or tap.
    Tun,
    /// A wireless card.
    Wireless,
    /// Any other kind by the kernel's name (`vxlan`, `vlan`, `bond`, `wireguard` …).
    Other(String),
}

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    patterns: Vec<String>,
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

/// Lists the devices of this network namespace.
///
/// # Errors
///
/// Those of the netlink socket.
pub fn list() -> std::io::Result<Vec<Device>> {
    Err(std::io::ErrorKind::Unsupported.into())
}

impl Selection {
    /// From the user's patterns; none at all means the default selection.
    ///
    /// # Errors
    ///
    /// [`SelectionError`] for the first pattern that is not understood.
    pub fn parse<S: AsRef<str>>(patterns: &[S]) -> Result<Self, SelectionError> {
        Ok(Self { patterns: patterns.iter().map(|p| p.as_ref().to_owned()).collect() })
    }

    /// Decides for each device.
    pub fn choose(&self, _devices: &[Device]) -> Vec<Choice> {
        Vec::new()
    }
}
