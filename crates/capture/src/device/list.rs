//! The devices of this network namespace, from rtnetlink.

use std::io;
use std::net::IpAddr;
use std::path::Path;

use super::{Device, Kind};
use crate::netlink::{Message, Netlink, attributes, half, word};

// Attribute numbers: linux/if_link.h, linux/if_addr.h, linux/rtnetlink.h.
const IFLA_INFO_KIND: u16 = 1;
const RTN_UNICAST: u8 = 1;
const RTA_OIF: u16 = 4;
const RTA_MULTIPATH: u16 = 9;
const RTA_TABLE: u16 = 15;
const RT_TABLE_MAIN: u32 = 254;
/// Leave the counters out of the answer.
const RTEXT_FILTER_SKIP_STATS: u32 = 1 << 3;

/// How often a dump is asked again because something changed while it ran.
const ATTEMPTS: usize = 5;

/// Lists the devices of the calling thread's network namespace, by interface index.
///
/// # Errors
///
/// Those of the netlink socket. No right is needed.
pub fn list() -> io::Result<Vec<Device>> {
    let mut netlink = Netlink::open()?;
    let mut devices = Vec::new();
    for _ in 0..ATTEMPTS {
        devices.clear();
        let mut consistent = links(&mut netlink, &mut devices)?;
        consistent &= addresses(&mut netlink, &mut devices)?;
        consistent &= routes(&mut netlink, &mut devices)?;
        if consistent {
            break;
        }
    }
    devices.sort_by_key(|d| d.index);
    Ok(devices)
}

fn links(netlink: &mut Netlink, devices: &mut Vec<Device>) -> io::Result<bool> {
    let mut body = [0u8; 24];
    body[16..18].copy_from_slice(&8u16.to_ne_bytes());
    body[18..20].copy_from_slice(&libc::IFLA_EXT_MASK.to_ne_bytes());
    body[20..24].copy_from_slice(&RTEXT_FILTER_SKIP_STATS.to_ne_bytes());
    netlink.dump(libc::RTM_GETLINK, &body, |message| devices.extend(link(&message)))
}

/// `struct ifinfomsg` (16 bytes) and its attributes.
fn link(message: &Message<'_>) -> Option<Device> {
    let body = message.body;
    if message.kind != libc::RTM_NEWLINK || body.len() < 16 {
        return None;
    }
    let (hardware, index, flags) = (half(body, 2), word(body, 4), word(body, 8));
    let mut device = Device {
        index,
        name: String::new(),
        kind: Kind::Ethernet,
        addresses: Vec::new(),
        master: None,
        mtu: 0,
        up: flags & libc::IFF_UP as u32 != 0,
        default_v4: false,
        default_v6: false,
    };
    let mut kind = None;
    for (number, value) in attributes(body, 16) {
        match number {
            libc::IFLA_IFNAME => device.name = text(value),
            libc::IFLA_MTU => device.mtu = word(value, 0),
            libc::IFLA_MASTER => device.master = Some(word(value, 0)).filter(|n| *n != 0),
            libc::IFLA_LINKINFO => {
                kind = attributes(value, 0).find(|(n, _)| *n == IFLA_INFO_KIND).map(|(_, v)| text(v));
            }
            _ => {}
        }
    }
    device.kind = match kind.as_deref() {
        _ if hardware == libc::ARPHRD_LOOPBACK => Kind::Loopback,
        Some("veth") => Kind::Veth,
        Some("bridge") => Kind::Bridge,
        Some("tun") => Kind::Tun,
        Some(_) => Kind::Other(kind.unwrap_or_default()),
        None if hardware != libc::ARPHRD_ETHER => Kind::Other("other".to_owned()),
        None if is_wireless(&device.name) => Kind::Wireless,
        None => Kind::Ethernet,
    };
    (!device.name.is_empty()).then_some(device)
}

fn is_wireless(name: &str) -> bool {
    // A device name holds no slash; `.` and `..` are refused by the kernel as well.
    Path::new("/sys/class/net").join(name).join("phy80211").exists()
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value.split(|b| *b == 0).next().unwrap_or(&[])).into_owned()
}

/// `struct ifaddrmsg` (8 bytes) and its attributes.
fn addresses(netlink: &mut Netlink, devices: &mut [Device]) -> io::Result<bool> {
    netlink.dump(libc::RTM_GETADDR, &[0; 8], |message| {
        let body = message.body;
        if message.kind != libc::RTM_NEWADDR || body.len() < 8 {
            return;
        }
        let (prefix, index) = (body[1], word(body, 4));
        // On a point-to-point link ADDRESS is the peer's and LOCAL ours; else they agree or LOCAL is missing.
        let mut found = None;
        for (number, value) in attributes(body, 8) {
            if number == libc::IFA_LOCAL || number == libc::IFA_ADDRESS && found.is_none() {
                found = address(value).or(found);
            }
        }
        if let (Some(address), Some(device)) = (found, devices.iter_mut().find(|d| d.index == index)) {
            device.addresses.push((address, prefix));
        }
    })
}

fn address(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => <[u8; 4]>::try_from(value).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(value).ok().map(IpAddr::from),
        _ => None,
    }
}

/// `struct rtmsg` (12 bytes) and its attributes: only default routes of the main table count.
fn routes(netlink: &mut Netlink, devices: &mut [Device]) -> io::Result<bool> {
    let mut consistent = true;
    for family in [libc::AF_INET, libc::AF_INET6] {
        let mut body = [0; 12];
        body[0] = family as u8;
        let asked = netlink.dump(libc::RTM_GETROUTE, &body, |message| {
            let body = message.body;
            let is_default = body.len() >= 12 && body[1] == 0 && body[7] == RTN_UNICAST;
            if message.kind != libc::RTM_NEWROUTE || !is_default || i32::from(body[0]) != family {
                return;
            }
            let mut table = u32::from(body[4]);
            let mut through = Vec::new();
            for (number, value) in attributes(body, 12) {
                match number {
                    RTA_OIF => through.push(word(value, 0)),
                    RTA_TABLE => table = word(value, 0),
                    RTA_MULTIPATH => through.extend(next_hops(value)),
                    _ => {}
                }
            }
            for device in devices.iter_mut() {
                if table == RT_TABLE_MAIN && device.kind != Kind::Loopback && through.contains(&device.index)
                {
                    device.default_v4 |= family == libc::AF_INET;
                    device.default_v6 |= family == libc::AF_INET6;
                }
            }
        });
        match asked {
            Ok(whole) => consistent &= whole,
            // A kernel without IPv6 has no such routes.
            Err(e) if e.raw_os_error() == Some(libc::EAFNOSUPPORT) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(consistent)
}

/// Interface indexes of `struct rtnexthop` records: length, flags, hops, index.
fn next_hops(mut value: &[u8]) -> Vec<u32> {
    let mut out = Vec::new();
    while value.len() >= 8 {
        out.push(word(value, 4));
        let len = usize::from(half(value, 0)).max(8).next_multiple_of(4);
        value = value.get(len..).unwrap_or(&[]);
    }
    out
}
