//! Whole files of each dialect of packetbeat.yml.

use std::time::Duration;

use wirebeat::config::{Dialect, load};
use wirebeat_model::Precision;

use super::*;

/// What is expected to be said: a line and its beginning, or a protocol's section that is not decoded (yet).
enum Said {
    Line(u32, u32, &'static str),
    Undecoded(u32, u32, &'static str),
}
use Said::{Line, Undecoded};

#[track_caller]
fn check(file: &str, expected: &[Said]) -> Config {
    let path = example(file);
    let config = load(Some(&path), &[], None).unwrap_or_else(|errors| panic!("{errors}"));
    let expected: Vec<String> = expected
        .iter()
        .filter_map(|said| match said {
            Line(line, column, text) => Some(format!("{}:{line}:{column}: {text}", path.display())),
            Undecoded(_, _, name) if decodes(name.rsplit('.').next().unwrap()) => None,
            Undecoded(line, column, name) => {
                let text = "not decoded yet";
                Some(format!("{}:{line}:{column}: {name}: {text}", path.display()))
            }
        })
        .collect();
    let said = warnings(&config);
    assert_eq!(
        said.len(),
        expected.len(),
        "\nsaid:\n{}\nexpected:\n{}",
        said.join("\n"),
        expected.join("\n")
    );
    for (said, expected) in said.iter().zip(&expected) {
        assert!(said.starts_with(expected), "\nsaid:     {said}\nexpected: {expected}");
    }
    config
}

fn known(list: &[&'static str]) -> Vec<&'static str> {
    list.iter().copied().filter(|name| decodes(name)).collect()
}

#[test]
fn packetbeat_1() {
    let mut expected = vec![
        Undecoded(11, 3, "protocols.icmp"),
        Undecoded(13, 3, "protocols.dns"),
        Undecoded(18, 3, "protocols.http"),
        Undecoded(25, 3, "protocols.memcache"),
        Undecoded(28, 3, "protocols.mysql"),
        Undecoded(30, 3, "protocols.pgsql"),
        Undecoded(35, 3, "protocols.thrift"),
        Undecoded(37, 3, "protocols.mongodb"),
        Line(47, 3, "output.elasticsearch: not honoured yet"),
        Line(61, 9, "shipper.name: not honoured yet"),
        Line(64, 26, "shipper.refresh_topology_freq: not honoured yet"),
        Line(68, 1, "logging: not honoured yet: messages go to standard error"),
    ];
    if decodes("redis") {
        expected.insert(6, Line(32, 3, "protocols.redis: a section without keys is off, as in Packetbeat"));
    }
    let config = check("packetbeat-1x.yml", &expected);
    assert_eq!(config.dialect, Dialect::Packetbeat1);
    assert_eq!(config.devices(), ["any"]);
    let interface = &config.interfaces[0];
    assert_eq!((interface.snaplen, interface.buffer, interface.with_vlans), (1514, Some(100 << 20), true));
    assert!(!config.flows.enabled, "1.x had none");
    assert!(!config.detect && config.ignore_outgoing && !config.redact);
    assert_eq!(config.precision, Precision::Milli);
    assert_eq!(names(&config), known(&["dns", "http", "icmp"]));
    for protocol in &config.protocols {
        assert_eq!(protocol.common().tags, ["service-X", "web-tier"]);
        if protocol.spec().name == "http" {
            assert_eq!(protocol.common().ports, [80, 8080, 8000, 5000, 8002]);
            assert_eq!(protocol.common().transaction_timeout, Duration::from_secs(10));
        }
    }
    let file = config.output_file.as_ref().unwrap();
    assert_eq!((file.path.to_str(), file.filename.as_str()), (Some("/tmp/packetbeat"), "packetbeat"));
    assert_eq!((file.rotate_every, file.number_of_files, file.permissions), (10_000 << 10, 7, 0o600));
    let ports = config.ports().expect("without flows the kernel need not hand over the rest");
    assert_eq!(ports.icmp, decodes("icmp"));
    assert_eq!(ports.udp, if decodes("dns") { vec![53] } else { vec![] });
}

#[test]
fn packetbeat_5() {
    let config = check(
        "packetbeat-5x.yml",
        &[
            Undecoded(12, 1, "packetbeat.protocols.icmp"),
            Undecoded(16, 1, "packetbeat.protocols.amqp"),
            Undecoded(19, 1, "packetbeat.protocols.cassandra"),
            Undecoded(22, 1, "packetbeat.protocols.dns"),
            Undecoded(27, 1, "packetbeat.protocols.http"),
            Undecoded(31, 1, "packetbeat.protocols.memcache"),
            Undecoded(38, 1, "packetbeat.protocols.nfs"),
            Line(43, 1, "fields: not honoured yet"),
            Line(45, 1, "fields_under_root: not honoured yet"),
            Line(47, 1, "output.elasticsearch: not honoured yet"),
            Line(54, 1, "logging: not honoured yet"),
            Line(55, 1, "path: not honoured yet"),
        ],
    );
    assert_eq!(config.dialect, Dialect::Packetbeat);
    assert_eq!(config.devices(), ["eth0"]);
    assert!(config.flows.enabled && !config.flows.delta);
    assert_eq!(config.flows.tags, ["service-X"]);
    assert_eq!(names(&config), known(&["dns", "http", "icmp"]));
    assert!(config.ports().is_none(), "flows need every packet");
}

#[test]
fn packetbeat_7() {
    let config = check(
        "packetbeat-7x.yml",
        &[
            Undecoded(13, 3, "packetbeat.protocols.icmp"),
            Undecoded(16, 3, "packetbeat.protocols.amqp"),
            Undecoded(19, 3, "packetbeat.protocols.cassandra"),
            Undecoded(22, 3, "packetbeat.protocols.dhcpv4"),
            Undecoded(25, 3, "packetbeat.protocols.dns"),
            Undecoded(30, 3, "packetbeat.protocols.http"),
            Undecoded(33, 3, "packetbeat.protocols.memcache"),
            Undecoded(36, 3, "packetbeat.protocols.mysql"),
            Undecoded(39, 3, "packetbeat.protocols.pgsql"),
            Undecoded(42, 3, "packetbeat.protocols.redis"),
            Undecoded(45, 3, "packetbeat.protocols.thrift"),
            Undecoded(48, 3, "packetbeat.protocols.mongodb"),
            Undecoded(51, 3, "packetbeat.protocols.nfs"),
            Undecoded(54, 3, "packetbeat.protocols.tls"),
            Undecoded(64, 3, "packetbeat.protocols.sip"),
            Line(67, 1, "setup: not honoured yet"),
            Line(74, 1, "output.elasticsearch: not honoured yet"),
            Line(77, 1, "processors: not honoured yet"),
        ],
    );
    assert_eq!(names(&config), known(&["dns", "http", "icmp", "redis"]));
    assert!(config.flows.enabled && !config.flows.delta && !config.detect);
    assert_eq!(config.flows.period, Some(Duration::from_secs(10)));
}

#[test]
fn packetbeat_8() {
    let mut expected = vec![
        Line(15, 30, "packetbeat.shutdown_timeout: not needed"),
        Line(16, 1, "packetbeat.procs: not honoured yet"),
        Line(23, 25, "packetbeat.flows.allow_mismatched_eth: not honoured"),
        Line(25, 10, "packetbeat.flows.index: not honoured yet"),
        Line(26, 11, "packetbeat.flows.fields: not honoured yet"),
        Undecoded(29, 3, "packetbeat.protocols.icmp"),
        Undecoded(33, 3, "packetbeat.protocols.dns"),
        Undecoded(41, 3, "packetbeat.protocols.http"),
        Undecoded(53, 3, "packetbeat.protocols.redis"),
        Undecoded(58, 3, "packetbeat.protocols.sip"),
        Line(66, 1, "name: not honoured yet"),
        Line(69, 1, "max_procs: not honoured yet"),
        Line(71, 1, "features: not honoured yet"),
        Line(74, 1, "queue: not honoured yet"),
        Line(77, 1, "cloud: not honoured yet"),
        Line(79, 1, "monitoring: not honoured yet"),
        Line(80, 1, "output.elasticsearch: not honoured yet"),
        Line(89, 11, "output.console.pretty: not honoured yet"),
    ];
    if decodes("dns") {
        expected.insert(7, Line(39, 5, "packetbeat.protocols.dns.interface: not honoured yet"));
    }
    let config = check("packetbeat-8x.yml", &expected);
    assert_eq!(config.devices(), ["default_route", "docker0"]);
    assert_eq!(config.interfaces[0].promiscuous, Some(true));
    assert_eq!(config.interfaces[1].promiscuous, None);
    assert_eq!(config.interfaces[0].buffer, Some(30 << 20));
    assert!(config.internal_networks.contains("203.0.113.9".parse().unwrap()));
    assert!(config.internal_networks.contains("10.0.0.1".parse().unwrap()));
    assert_eq!((config.flows.period, config.flows.delta), (None, true));
    assert_eq!(config.precision, Precision::Micro);
    assert!(config.output_console.unwrap().pretty);
    assert_eq!(names(&config), known(&["dns", "http", "icmp", "redis"]));
    let http = config.protocols.iter().find(|p| p.spec().name == "http");
    assert!(http.is_none_or(|http| http.common().tags == ["edge", "web"]));
}

#[test]
fn packetbeat_in_a_container() {
    let config = check(
        "packetbeat-docker.yml",
        &[
            Undecoded(12, 1, "packetbeat.protocols.dns"),
            Undecoded(15, 1, "packetbeat.protocols.http"),
            Undecoded(18, 1, "packetbeat.protocols.tls"),
            Line(21, 1, "processors: not honoured yet"),
            Line(25, 1, "output.elasticsearch: not honoured yet"),
        ],
    );
    let http = config.protocols.iter().find(|p| p.spec().name == "http");
    assert!(http.is_none_or(|http| http.common().ports == [80, 5601, 9200]));
}

#[test]
fn our_own() {
    let config = check("wirebeat.yml", &[]);
    assert_eq!(config.dialect, Dialect::Wirebeat);
    assert_eq!(names(&config), all_names());
    assert!(
        config.detect && config.redact && config.capture_self && config.flows.enabled && config.flows.delta
    );
    assert_eq!((config.memory, config.shards, config.precision), (64 << 20, Some(2), Precision::Micro));
    assert!(config.devices().is_empty(), "the devices worth watching");
    assert_eq!(config.output_file.unwrap().permissions, 0o640);
}

#[test]
fn none_at_all() {
    let config = load(None, &[], None).unwrap();
    assert_eq!(config.dialect, Dialect::None);
    assert_eq!(names(&config), all_names());
    assert!(
        config.detect && config.redact && config.flows.enabled && config.flows.delta && !config.capture_self
    );
    assert_eq!(config.precision, Precision::Micro);
    assert_eq!((config.memory, config.shards), (256 << 20, None));
    assert_eq!(config.interfaces.len(), 1);
    assert!(config.warnings.is_empty() && config.devices().is_empty());
    // One key set on the command line does not make it Packetbeat's.
    let set = ["packetbeat.flows.period=5s".to_owned()];
    let config = load(None, &set, Some(false)).unwrap();
    assert_eq!(config.flows.period, Some(Duration::from_secs(5)));
    assert!(config.flows.delta && config.detect && !config.redact);
    assert_eq!(names(&config), all_names());
}

#[test]
fn two_dialects_in_one_file() {
    let config =
        good("interfaces:\n  device: eth0\npacketbeat.interfaces.device: eth1\nflows:\n  period: 3s\n");
    assert_eq!(config.devices(), ["eth1"]);
    assert_eq!(config.flows.period, Some(Duration::from_secs(3)), "said by one only");
    let said = warnings(&config);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("test.yml:2:3: interfaces: two dialects in one file"), "{said:?}");
}

#[test]
fn files_that_are_none() {
    let error = load(Some(&example("no-such.yml")), &[], None).unwrap_err().to_string();
    assert!(error.contains("no-such.yml: cannot be opened: No such file"), "{error}");
    let error = load(Some(&example("")), &[], None).unwrap_err().to_string();
    assert!(error.contains("cannot be read: Is a directory"), "{error}");
    let dir = std::env::temp_dir().join(format!("wirebeat-config-{}", std::process::id()));
    std::fs::write(&dir, b"a: 1\nb: \xff\n").unwrap();
    let error = load(Some(&dir), &[], None).unwrap_err().to_string();
    std::fs::remove_file(&dir).unwrap();
    assert!(error.contains("is not UTF-8 text (line 2)"), "{error}");
    let error = load(Some(Path::new("/dev/zero")), &[], None).unwrap_err().to_string();
    assert!(error.contains("larger than 4 MiB"), "{error}");
}
