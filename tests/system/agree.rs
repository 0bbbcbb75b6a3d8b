//! The same numbers as `/proc`, free, df, ps, uptime, ss and ip show, while the host works: burners of CPU, a hog of
//! memory, a writer of a disk, open sockets.

use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use super::{Background, agree, get, lab, last, number, read, top};

const TOOLS: &[&str] = &["free", "df", "ps", "uptime", "ss", "ip"];

fn tool(command: &str) -> String {
    lab::run(Command::new("bash").args(["-c", command]))
}

/// `name: value` of `/proc/net/dev` of loopback: bytes received.
fn loopback_bytes() -> f64 {
    let text = read("/proc/net/dev");
    let line = text.lines().find(|l| l.trim_start().starts_with("lo:")).unwrap();
    line.split(':').nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

fn ticks(pid: u32) -> f64 {
    let text = read(format!("/proc/{pid}/stat"));
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()
}

#[test]
fn as_other_tools_see_it() {
    let _peace = super::in_peace();
    if !lab::ready("as_other_tools_see_it", TOOLS) {
        return;
    }
    let dir = lab::Dir::new("system");
    let burner = Background::shell("while :; do :; done");
    // tail keeps all it gets: 120 MB.
    let hog = Background::shell("exec tail -c 120000000 < <(head -c 120000000 /dev/zero; exec sleep 600)");
    let disk = dir.join("written");
    let _writer = Background::shell(&format!(
        "while :; do dd if=/dev/zero of={} bs=1M count=32 conv=fsync; done",
        disk.display()
    ));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let sockets: Vec<_> =
        (0..30).map(|_| (TcpStream::connect(address).unwrap(), listener.accept().unwrap())).collect();
    std::thread::sleep(Duration::from_secs(2));

    // What only grows lies between what was read before and what is read after.
    let before = (loopback_bytes(), ticks(burner.pid()));
    let events = top(&["--all", "--period", "2s", "--count", "2"]);
    let after = (loopback_bytes(), ticks(burner.pid()));

    let memory = last(&events, "system.memory", |_| true);
    let free = tool("free -b");
    let words: Vec<f64> =
        free.lines().nth(1).unwrap().split_whitespace().skip(1).map(|w| w.parse().unwrap()).collect();
    let total = words[0];
    agree("memory total (free)", number(memory, "system.memory.total"), total, 0.0);
    agree("memory free (free)", number(memory, "system.memory.free"), words[2], total * 0.1);
    agree("memory available (free)", number(memory, "system.memory.actual.free"), words[5], total * 0.1);
    let used = number(memory, "system.memory.actual.used.pct");
    agree("share used (free: total - available)", used, (total - words[5]) / total, 0.1);

    for line in tool("df -B1 --output=source,target,size,used,avail,pcent -x tmpfs -x devtmpfs -x overlay")
        .lines()
        .skip(1)
    {
        let w: Vec<&str> = line.split_whitespace().collect();
        // Of several mounts of one device only one is told.
        let found = events.iter().rev().find(|e| get(e, "system.filesystem.mount_point") == w[1]);
        let Some(event) = found.filter(|_| w[0].starts_with('/')) else { continue };
        let of = |i: usize| w[i].trim_end_matches('%').parse::<f64>().unwrap();
        let slack = 500e6;
        agree(&format!("{} size (df)", w[1]), number(event, "system.filesystem.total"), of(2), 0.0);
        agree(&format!("{} used (df)", w[1]), number(event, "system.filesystem.used.bytes"), of(3), slack);
        agree(
            &format!("{} available (df)", w[1]),
            number(event, "system.filesystem.available"),
            of(4),
            slack,
        );
        // df rounds up.
        agree(
            &format!("{} % used (df)", w[1]),
            number(event, "system.filesystem.used.pct") * 100.0,
            of(5) - 0.5,
            1.0,
        );
    }
    assert!(events.iter().any(|e| get(e, "system.filesystem.mount_point") == "/"));

    let process = |pid: u32| last(&events, "system.process", |e| e["process"]["pid"] == pid);
    for (name, pid) in [("burner", burner.pid()), ("hog", hog.pid())] {
        let event = process(pid);
        let ps = tool(&format!("ps -o rss=,nlwp=,ppid=,user=,comm= -p {pid}"));
        let w: Vec<&str> = ps.split_whitespace().collect();
        let rss: f64 = w[0].parse().unwrap();
        agree(
            &format!("{name}: memory (ps)"),
            number(event, "system.process.memory.rss.bytes"),
            rss * 1024.0,
            rss * 1024.0 * 0.02 + 1e6,
        );
        agree(
            &format!("{name}: threads (ps)"),
            number(event, "system.process.num_threads"),
            w[1].parse().unwrap(),
            0.0,
        );
        agree(
            &format!("{name}: parent (ps)"),
            number(event, "process.parent.pid"),
            w[2].parse().unwrap(),
            0.0,
        );
        assert_eq!(
            (event["user"]["name"].as_str(), event["process"]["name"].as_str()),
            (Some(w[3]), Some(w[4]))
        );
    }
    assert!(number(process(hog.pid()), "system.process.memory.rss.bytes") > 115e6);
    let cpu = number(process(burner.pid()), "system.process.cpu.total.value") / 10.0;
    println!("burner: ticks {} <= {cpu} <= {}", before.1, after.1);
    assert!(before.1 <= cpu && cpu <= after.1);

    let lo = last(&events, "system.network", |e| get(e, "system.network.name") == "lo");
    let bytes = number(lo, "system.network.in.bytes");
    println!("lo: bytes {} <= {bytes} <= {}", before.0, after.0);
    assert!(before.0 <= bytes && bytes <= after.0);

    let load = last(&events, "system.load", |_| true);
    let uptime = tool("LC_ALL=C uptime");
    let theirs: Vec<f64> =
        uptime.rsplit("average:").next().unwrap().split(',').map(|w| w.trim().parse().unwrap()).collect();
    for ((name, theirs), within) in ["1", "5", "15"].into_iter().zip(theirs).zip([1.0, 0.5, 0.3]) {
        agree(&format!("load {name} (uptime)"), number(load, &format!("system.load.{name}")), theirs, within);
    }
    let up = number(last(&events, "system.uptime", |_| true), "system.uptime.duration.ms") / 1000.0;
    agree(
        "uptime in s (/proc/uptime)",
        up,
        read("/proc/uptime").split_whitespace().next().unwrap().parse().unwrap(),
        10.0,
    );

    let summary = last(&events, "system.socket_summary", |_| true);
    let count = |filter: &str| tool(&format!("ss -Htan {filter} | wc -l")).trim().parse::<f64>().unwrap();
    let established = count("state established");
    assert!(established >= 60.0, "our own connections, both ends");
    agree(
        "TCP established (ss)",
        number(summary, "system.socket.summary.tcp.all.established"),
        established,
        10.0,
    );
    agree(
        "TCP listening (ss)",
        number(summary, "system.socket.summary.tcp.all.listening"),
        count("state listening"),
        3.0,
    );
    // ss -s counts orphans and requests apart, and others come and go.
    let ss = tool("ss -s");
    let tcp: f64 = ss
        .lines()
        .find_map(|l| l.strip_prefix("TCP:"))
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    agree("TCP (ss -s)", number(summary, "system.socket.summary.tcp.all.count"), tcp, tcp * 0.2 + 20.0);
    drop(sockets);

    let processes = last(&events, "system.process.summary", |_| true);
    let ps: f64 = tool("ps -e --no-headers | wc -l").trim().parse().unwrap();
    agree("processes (ps)", number(processes, "system.process.summary.total"), ps, ps * 0.1 + 10.0);

    let written = number(
        last(&events, "system.diskio", |e| !get(e, "host.disk.write.bytes").is_null()),
        "host.disk.write.bytes",
    );
    println!("written in 2 s: {written}");
    assert!(written > 0.0, "a writer was at work");
}
