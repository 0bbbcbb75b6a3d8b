//! Loss is told: what was sent is what was seen plus what the named counters say, to the packet; and memory stays bounded
//! however much comes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod lab;
#[path = "lab/wirebeat.rs"]
mod wirebeat;

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use lab::netns::Namespace;
use lab::quota::Quota;
use wirebeat::Wirebeat;

const PORT: u16 = 9999;
/// As a destination port: two packets of three are queries of two flows, the third goes to [`PORT`].
const MIXED: u16 = 0;
/// A query for the root's name servers: what comes to port 53 is decoded.
const QUERY: &[u8] = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\0\0\x02\0\x01";
/// How a sender is told what to send: packets, packets a second, source ports, destination port.
const ORDER: &str = "WIREBEAT_TEST_SEND";

/// Run by the tests in another namespace, not by itself.
#[test]
#[ignore = "the sender that the other tests start"]
fn sender() {
    let order = std::env::var(ORDER).expect("started by a test");
    let numbers: Vec<u64> = order.split(' ').map(|n| n.parse().unwrap()).collect();
    let [count, rate, sources, port] = numbers[..] else { panic!("{order}") };
    let open = |port: u64| {
        let socket = UdpSocket::bind("198.51.100.2:0").unwrap();
        socket.connect(("198.51.100.1", port as u16)).unwrap();
        socket
    };
    let sockets: Vec<UdpSocket> =
        (0..sources).map(|_| open(if port == u64::from(MIXED) { PORT.into() } else { port })).collect();
    let noisy = [open(53), open(53)];
    let begun = Instant::now();
    let mut sent = 0;
    for n in 0..count {
        // Paced in bursts of 50.
        if n % 50 == 0 {
            let due = begun + Duration::from_nanos(n * 1_000_000_000 / rate);
            while Instant::now() < due {
                std::hint::spin_loop(); // yielding would give others what they are to be denied
            }
        }
        let query = port == 53 || port == u64::from(MIXED) && n % 3 > 0;
        let socket = if port == u64::from(MIXED) && query {
            &noisy[(n % 2) as usize]
        } else {
            &sockets[(n / 3 % sources) as usize]
        };
        // The other end answers with ICMP errors, which a connected socket reports once: send again.
        let number = n.to_be_bytes();
        let payload = if query { QUERY } else { &number };
        while socket.send(payload).is_err() {}
        sent += 1;
    }
    println!("sent {sent} in {:?}", begun.elapsed());
}

fn send(there: &Namespace, count: u64, rate: u64, sources: u64, port: u16) -> std::process::Command {
    let program = std::env::current_exe().unwrap();
    let mut command = there.command(program.to_str().unwrap());
    command
        .args(["--exact", "sender", "--ignored", "--nocapture"])
        .env(ORDER, format!("{count} {rate} {sources} {port}"));
    command
}

fn pair() -> (Namespace, Namespace) {
    let (here, there) = (Namespace::new("receiver"), Namespace::new("sender"));
    here.link("eth0", &["198.51.100.1/24"], &there, "eth0", &["198.51.100.2/24"]);
    (here, there)
}

/// A counter of the summary, 0 when it is not there.
fn counter(log: &str, name: &str) -> u64 {
    let line = log.lines().find_map(|l| l.strip_prefix(&format!("{name}: ")));
    line.map_or(0, |l| l.split(' ').next().unwrap().parse().unwrap())
}

#[test]
fn stopped_for_three_seconds_every_packet_is_accounted_for() {
    if !lab::ready("stopped_for_three_seconds_every_packet_is_accounted_for", &["ip"]) {
        return;
    }
    let (here, there) = pair();
    let config = lab::Dir::new("loss");
    // Only what the sender sends: neighbour discovery and ICMP answers are others' packets. A ring that 3 s fill.
    let file = config.write(
        "wirebeat.yml",
        format!(
            "packetbeat.interfaces:\n  device: eth0\n  buffer_size_mb: 16\n  bpf_filter: udp and dst port {PORT}\n\
             packetbeat.flows:\n  period: -1\n"
        ),
    );
    let wirebeat = Wirebeat::start(Some(&here), &["-c", file.to_str().unwrap()]);
    let (count, rate) = (600_000, 100_000);
    let mut sender = send(&there, count, rate, 8, PORT).stdout(std::process::Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    wirebeat.signal("STOP");
    std::thread::sleep(Duration::from_secs(3));
    wirebeat.signal("CONT");
    assert!(sender.wait().unwrap().success());
    let events = wirebeat.stop();
    let (seen, dropped) = (counter(&events.log, "packets"), counter(&events.log, "kernel_drops"));
    println!("sent {count}, seen {seen}, kernel_drops {dropped}");
    assert_eq!(seen + dropped, count, "{}", events.log);
    assert!(dropped > 0, "a stop of 3 s at {rate} packets/s did not fill the ring: nothing was tested");
    // What was seen went on into the flow records, less what further counters name: none here.
    let told: u64 =
        events.of("flow").iter().map(|f| wirebeat::field(f, "network.packets").as_u64().unwrap()).sum();
    assert_eq!(told, seen, "{}", events.log);
}

/// DESIGN section 5: first the noisiest flows, then all but a sample of the new ones, and every packet counted.
#[test]
fn what_it_cannot_keep_up_with_is_given_up_by_name() {
    if !lab::ready("what_it_cannot_keep_up_with_is_given_up_by_name", &["ip"]) {
        return;
    }
    let (here, there) = pair();
    let config = lab::Dir::new("pressure");
    let file = config.write(
        "wirebeat.yml",
        format!(
            "packetbeat.interfaces:\n  device: eth0\n  buffer_size_mb: 16\n  bpf_filter: udp and (dst port {PORT} or dst port 53)\n\
             packetbeat.flows:\n  period: -1\npacketbeat.protocols:\n- type: dns\n  ports: [53]\n"
        ),
    );
    let wirebeat = Wirebeat::start(Some(&here), &["-c", file.to_str().unwrap()]);
    // Two flows that are decoded and will be the noisiest.
    lab::run(send(&there, 2_000, 100_000, 2, 53).stdout(std::process::Stdio::null()));
    std::thread::sleep(Duration::from_millis(500));
    wirebeat.signal("STOP");
    let count = 300_000;
    lab::run(send(&there, count, 200_000, 8_000, MIXED).stdout(std::process::Stdio::null()));
    wirebeat.signal("CONT");
    let events = wirebeat.stop();
    let of = |name| counter(&events.log, name);
    println!("{}", events.log);
    assert_eq!(of("packets") + of("kernel_drops"), 2_000 + count, "{}", events.log);
    assert!(of("flows_given_up") > 0, "{}", events.log);
    assert!(of("flows_not_decoded") > 0, "{}", events.log);
    // Flows are told all the same.
    let told: u64 =
        events.of("flow").iter().map(|f| wirebeat::field(f, "network.packets").as_u64().unwrap()).sum();
    assert_eq!(told, of("packets"), "{}", events.log);
}

#[test]
fn overload_does_not_grow_memory() {
    if !lab::ready("overload_does_not_grow_memory", &["ip"]) {
        return;
    }
    // The full length is for `cargo xtask long overload`.
    let seconds: u64 = std::env::var("WIREBEAT_OVERLOAD_SECONDS").map_or(8, |s| s.parse().unwrap());
    let (here, there) = pair();
    let config = lab::Dir::new("overload");
    let (ring, budget) = (16, 64);
    let file = config.write(
        "wirebeat.yml",
        format!(
            "packetbeat.interfaces:\n  device: eth0\n  buffer_size_mb: {ring}\n  bpf_filter: udp and (dst port {PORT} or dst port 53)\n\
             packetbeat.flows:\n  period: 1s\npacketbeat.protocols:\n- type: dns\n  ports: [53]\nwirebeat.memory: {budget}MB\n"
        ),
    );
    let wirebeat = Wirebeat::start(Some(&here), &["-c", file.to_str().unwrap()]);
    let pid = wirebeat.pid();
    // A hundredth of a CPU takes less than a tenth of what the senders offer.
    let quota = Quota::new(pid, 1);
    let (senders, rate) = (3, 200_000);
    let running: Vec<_> = (0..senders)
        .map(|_| {
            send(&there, seconds * rate, rate, 8_000, MIXED)
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    let begun = Instant::now();
    let mut peak = 0;
    while begun.elapsed() < Duration::from_secs(seconds) {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
        peak = peak.max(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024);
        std::thread::sleep(Duration::from_millis(200));
    }
    for mut sender in running {
        assert!(sender.wait().unwrap().success());
    }
    drop(quota); // it ends in full speed
    let log = wirebeat.end();
    let of = |name| counter(&log, name);
    let (seen, dropped) = (of("packets"), of("kernel_drops"));
    let sent = seconds * senders * rate;
    println!(
        "resident {peak} MB at most; sent {sent} = {:.1} times what was seen\n{log}",
        sent as f64 / seen as f64
    );
    assert_eq!(seen + dropped, sent, "{log}");
    assert!(sent > 4 * seen, "no overload was tested\n{log}");
    assert!(peak < ring + budget + 64, "resident {peak} MB");
}
