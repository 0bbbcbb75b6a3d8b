//! ICMP: echoes with a known count, and what a closed port answers.

use super::{CLIENT, CLIENT6, Recording, SERVER, SERVER6, Stage};

pub(crate) const RECORDINGS: &[Recording] = &[
    Recording {
        name: "icmp/ping",
        about: "Five echoes over IPv4, each answered.",
        filter: "icmp",
        make: ping,
    },
    Recording {
        name: "icmp/ping6",
        about: "Five echoes over IPv6, each answered.",
        filter: "icmp6",
        make: ping6,
    },
    Recording {
        name: "icmp/unanswered",
        about: "Three echoes that nobody answers, then two that are.",
        filter: "icmp",
        make: unanswered,
    },
    Recording {
        name: "icmp/fragments",
        about: "Two echoes of 4,000 bytes over each IP version: three fragments each way.",
        filter: "ip or (ip6 and ip6[6] = 44)",
        make: fragments,
    },
    Recording {
        name: "icmp/unreachable",
        about: "UDP datagrams to a closed port, over both IP versions, and the port unreachable they get.",
        filter: "udp or icmp or (icmp6 and ip6[40] = 1)",
        make: unreachable,
    },
    Recording {
        name: "icmp/expired",
        about: "An echo whose time to live ends at the server, which was to forward it.",
        filter: "udp or icmp",
        make: expired,
    },
];

fn start(stage: &mut Stage) {
    stage.program("ping -V");
    // One exchange beforehand, so that no neighbour discovery delays the first echo.
    crate::lab::run(stage.client.command("ping").args(["-c", "1", "-W", "2", SERVER]));
    crate::lab::run(stage.client.command("ping").args(["-c", "1", "-W", "2", SERVER6]));
    stage.record();
}

fn ping(stage: &mut Stage) {
    start(stage);
    stage.client(&format!("ping -n -c 5 -i 0.2 {SERVER}"));
    stage.expect("icmp 5, answered 5");
}

fn ping6(stage: &mut Stage) {
    start(stage);
    stage.client(&format!("ping -n -c 5 -i 0.2 {SERVER6}"));
    stage.expect("icmp 5, answered 5");
}

fn unanswered(stage: &mut Stage) {
    start(stage);
    stage.server_setting("net/ipv4/icmp_echo_ignore_all", 1);
    stage.client(&format!("ping -n -c 3 -i 0.2 -W 1 {SERVER} || true"));
    stage.server_setting("net/ipv4/icmp_echo_ignore_all", 0);
    stage.client(&format!("ping -n -c 2 -i 0.2 -W 1 {SERVER}"));
    stage.settings("net.ipv4.icmp_echo_ignore_all=1 for the first three");
    stage.expect("icmp 5, answered 2");
}

fn fragments(stage: &mut Stage) {
    start(stage);
    stage.client(&format!("ping -n -c 2 -i 0.2 -s 4000 {SERVER}"));
    stage.client(&format!("ping -n -c 2 -i 0.2 -s 4000 {SERVER6}"));
    stage.expect("icmp 4, answered 4, each of 4,008 bytes of ICMP in three fragments");
}

fn unreachable(stage: &mut Stage) {
    stage.program("nc -h");
    start(stage);
    for address in [SERVER, SERVER6] {
        for port in [9, 10] {
            stage.client(&format!("printf hello | nc -u -w 1 {address} {port} || true"));
        }
    }
    stage.expect("icmp 4: port unreachable, each quotes the datagram that it answers");
}

fn expired(stage: &mut Stage) {
    start(stage);
    stage.server_setting("net/ipv4/ip_forward", 1);
    stage.server.ip("route add 203.0.113.0/24 dev lo");
    stage.client.ip(&format!("route add 203.0.113.0/24 via {SERVER}"));
    stage.settings("net.ipv4.ip_forward=1, route to 203.0.113.0/24 by way of the server");
    stage.client("ping -n -c 1 -t 1 -W 1 203.0.113.7 || true");
    stage.expect("icmp 2: the echo, not answered, and the time exceeded that quotes it");
    stage.expect(&format!("(the client is {CLIENT}, {CLIENT6})"));
}
