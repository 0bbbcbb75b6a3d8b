//! The network devices of this host, and which of them are captured.
//!
//! ```no_run
//! # fn main() -> std::io::Result<()> {
//! use wirebeat_capture::device::{Selection, list};
//! for choice in Selection::default().choose(&list()?) {
//!     println!("{} {}: {}", choice.device.name, choice.captured, choice.reason);
//! }
//! # Ok(()) }
//! ```

mod choose;
mod list;

use std::fmt;
use std::net::IpAddr;

pub use choose::{Choice, Selection, SelectionError};
pub use list::list;

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
    /// Index of the bridge (or bond, VRF …) it belongs to.
    pub master: Option<u32>,
    /// Maximum transmission unit in bytes.
    pub mtu: u32,
    /// Whether it is administratively up.
    pub up: bool,
    /// Whether a default route of IPv4 in the main table leaves through it.
    pub default_v4: bool,
    /// Whether a default route of IPv6 in the main table leaves through it.
    pub default_v6: bool,
}

/// What kind of device it is, as the kernel tells.
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
    /// Any other kind by the kernel's name (`vxlan`, `vlan`, `bond`, `wireguard` …), `other` when it gives none.
    Other(String),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "loopback",
            Self::Ethernet => "ethernet",
            Self::Veth => "veth",
            Self::Bridge => "bridge",
            Self::Tun => "tun",
            Self::Wireless => "wireless",
            Self::Other(name) => name,
        })
    }
}
