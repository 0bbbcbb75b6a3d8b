//! Network namespaces and the veth pairs between them.
//!
//! Use documentation addresses (198.51.100.0/24, 2001:db8::/32): nothing outside can be meant by them.

use std::process::Command;

use super::reaper::Undo;
use super::{run, serial};

/// A network namespace with its loopback up. Processes still inside are ended with it.
pub(crate) struct Namespace {
    name: String,
    _undo: Undo,
}

impl Namespace {
    pub(crate) fn new(label: &str) -> Self {
        let name = format!("wb{}-{}-{label}", std::process::id(), serial());
        run(Command::new("ip").args(["netns", "add", &name]));
        let undo = Undo::new(&end(&name));
        let namespace = Self { name, _undo: undo };
        namespace.ip("link set lo up");
        // Less chatter of the kernel's own: no asking for routers, no asking whether an address is taken.
        for setting in ["router_solicitations", "accept_dad"] {
            let script = format!("echo 0 > /proc/sys/net/ipv6/conf/default/{setting} || true");
            run(namespace.command("bash").args(["-c", &script]));
        }
        namespace
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A program inside, with a `/sys` that shows this namespace's devices.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// `ip ARGS` inside.
    pub(crate) fn ip(&self, args: &str) -> String {
        run(Command::new("ip").args(["-n", &self.name]).args(args.split_whitespace()))
    }

    /// A veth pair from here to there, both ends up with the addresses given (`198.51.100.1/24`).
    pub(crate) fn link(
        &self,
        device: &str,
        addresses: &[&str],
        to: &Self,
        to_device: &str,
        to_addresses: &[&str],
    ) {
        run(Command::new("ip")
            .args(["link", "add", device, "netns", &self.name, "type", "veth"])
            .args(["peer", "name", to_device, "netns", &to.name]));
        for (namespace, device, addresses) in [(self, device, addresses), (to, to_device, to_addresses)] {
            for address in addresses {
                // Without duplicate address detection an IPv6 address is usable at once.
                let nodad = if address.contains(':') { " nodad" } else { "" };
                namespace.ip(&format!("address add {address} dev {device}{nodad}"));
            }
            namespace.ip(&format!("link set {device} up"));
        }
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("bash").args(["-c", &end(&self.name)]).status();
    }
}

/// Shell: ends the processes inside, by their ids, and removes the namespace.
fn end(name: &str) -> String {
    format!(
        "for s in TERM KILL; do for i in {{1..100}}; do p=$(ip netns pids {name} 2>/dev/null) || break 2; \
         [ -z \"$p\" ] && break 2; [ $i = 1 ] && kill -$s $p; sleep 0.05; done; done; \
         ip netns delete {name} 2>/dev/null; true"
    )
}
