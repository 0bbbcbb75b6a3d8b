//! Every option: flipped, the typed configuration changes; with a wrong value, the place and what was expected.

use std::time::Duration;

use wirebeat::config::Interface;
use wirebeat_model::Precision;

use super::*;

fn interface(lines: &str) -> Interface {
    good(&format!("packetbeat.interfaces:\n  device: eth0\n{lines}")).interfaces.remove(0)
}

#[test]
fn interfaces() {
    let plain = interface("");
    assert_eq!((plain.snaplen, plain.buffer, plain.promiscuous), (262_144, None, None));
    assert_eq!(interface("  snaplen: 1514\n").snaplen, 1514);
    // The largest packet and its link header.
    assert_eq!(interface("  snaplen: 65535\n").snaplen, 262_144);
    assert_eq!(interface("  snaplen: 65534\n").snaplen, 65_534);
    assert_eq!(interface("  buffer_size_mb: 5\n").buffer, Some(5 << 20));
    assert_eq!(interface("  bpf_filter: tcp port 80\n").bpf_filter.as_deref(), Some("tcp port 80"));
    assert_eq!(interface("  bpf_filter:\n").bpf_filter, None);
    assert!(interface("  with_vlans: yes\n").with_vlans);
    assert_eq!(interface("  auto_promisc_mode: off\n").promiscuous, Some(false));
    assert!(interface("  ignore_outgoing: true\n").ignore_outgoing);
    assert_eq!(interface("  file: x.pcap\n").file, Some("x.pcap".into()));
    let networks = interface("  internal_networks: 10.0.0.0/8\n").internal_networks;
    assert!(
        networks.contains("10.1.1.1".parse().unwrap()) && !networks.contains("192.168.1.1".parse().unwrap())
    );
    assert!(!interface("  internal_networks: []\n").internal_networks.contains("10.1.1.1".parse().unwrap()));
    for (devices, expected) in [
        ("eth0, br-*, '!br-x'", &["eth0", "br-*", "!br-x"][..]),
        ("any", &["any"]),
        ("0", &["0"]),
        ("'eth0,docker0'", &["eth0", "docker0"]),
    ] {
        let config = good(&format!("packetbeat.interfaces.device: [{devices}]\n"));
        assert_eq!(config.devices(), expected);
    }
    assert_eq!(good("packetbeat.interfaces.device: eth0,lo\n").devices(), ["eth0", "lo"]);
    assert_eq!(good("packetbeat.interfaces.snaplen: 100\n").devices(), ["any"], "as in Packetbeat on Linux");
}

#[test]
fn interfaces_that_are_wrong() {
    for (text, expected) in [
        (
            "interfaces:\n  device: {a: 1}\n",
            "test.yml:2:11: interfaces.device: expected a device such as eth0",
        ),
        (
            "interfaces:\n  type: dpdk\n",
            "test.yml:2:9: interfaces.type: expected pcap or af_packet, found \"dpdk\"",
        ),
        ("interfaces: eth0\n", "test.yml:1:13: interfaces: expected a map of keys, found \"eth0\""),
        (
            "interfaces:\n  snaplen: 3\n",
            "test.yml:2:12: interfaces.snaplen: expected a whole number from 64 to 262144, found 3",
        ),
        ("interfaces:\n  snaplen: big\n", "found \"big\""),
        (
            "interfaces:\n  buffer_size_mb: 0\n",
            "test.yml:2:19: interfaces.buffer_size_mb: expected a whole number from 1 to 65536",
        ),
        (
            "interfaces:\n  bpf_filter: [tcp]\n",
            "test.yml:2:15: interfaces.bpf_filter: expected a filter such as tcp port 80",
        ),
        ("interfaces:\n  bpf_filter: tcp prt 80\n", "test.yml:2:15: interfaces.bpf_filter: "),
        (
            "interfaces:\n  with_vlans: maybe\n",
            "test.yml:2:15: interfaces.with_vlans: expected true or false, found \"maybe\"",
        ),
        ("interfaces:\n  auto_promisc_mode: 7\n", "expected true or false, found 7"),
        ("interfaces:\n  ignore_outgoing: []\n", "expected true or false, found a list of 0"),
        ("interfaces:\n  file: {}\n", "expected a text, found a map"),
        (
            "interfaces:\n  fanout_group: 70000\n",
            "interfaces.fanout_group: expected a whole number from 0 to 65535, found 70000",
        ),
        (
            "interfaces:\n  metrics_interval: often\n",
            "interfaces.metrics_interval: expected a duration such as 10s, 500ms or 1m30s, found \"often\"",
        ),
        ("interfaces:\n  poll_default_route: x\n", "interfaces.poll_default_route: expected a duration"),
        (
            "interfaces:\n  internal_networks: [privat]\n",
            "test.yml:2:23: interfaces.internal_networks: expected a network such as 10.0.0.0/8",
        ),
        (
            "interfaces:\n- device: eth0\n- device: lo\n- device: eth0\n",
            "test.yml:4:3: interfaces[2].device: the same device as in line 2",
        ),
    ] {
        let error = bad(text);
        assert!(error.contains(expected), "{text}\n{error}\n{expected}");
    }
}

#[test]
fn interface_options_that_are_not_honoured() {
    for (line, expected) in [
        ("fanout_group: 3", "test.yml:3:17: packetbeat.interfaces.fanout_group: not honoured"),
        ("metrics_interval: 5s", "test.yml:3:21: packetbeat.interfaces.metrics_interval: not honoured yet"),
        ("type: pf_ring", "test.yml:3:9: packetbeat.interfaces.type: pf_ring is no more"),
        (
            "devise: eth0",
            "test.yml:3:3: packetbeat.interfaces.devise: not known and not used; did you mean device?",
        ),
    ] {
        let said =
            warnings(&good(&format!("packetbeat.flows.enabled: true\npacketbeat.interfaces:\n  {line}\n")));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with(expected), "{said:?}");
    }
}

#[test]
fn devices_share_one_filter() {
    let text = |a: &str, b: &str| {
        format!(
            "packetbeat.flows.enabled: true\npacketbeat.interfaces:\n- device: a\n  {a}\n- device: b\n  {b}\n"
        )
    };
    let config = good(&text("bpf_filter: tcp", "bpf_filter: tcp"));
    assert_eq!((config.bpf_filter.as_deref(), warnings(&config).len()), (Some("tcp"), 0));
    let config = good(&text("bpf_filter: tcp", "bpf_filter: udp"));
    assert_eq!((config.bpf_filter.as_deref(), warnings(&config).len()), (Some("(tcp) or (udp)"), 1));
    let config = good(&text("bpf_filter: tcp", "snaplen: 100"));
    assert_eq!((config.bpf_filter.as_deref(), warnings(&config).len()), (None, 1));
}

#[test]
fn flows() {
    let flows = |text: &str| good(&format!("packetbeat.flows:\n{text}")).flows;
    assert!(!good("packetbeat.flows:\n").flows.enabled, "all options commented out");
    assert!(!flows("  enabled: false\n").enabled);
    let plain = flows("  enabled: true\n");
    assert!(plain.enabled && !plain.delta);
    assert_eq!((plain.timeout, plain.period), (Duration::from_secs(30), Some(Duration::from_secs(10))));
    assert_eq!(flows("  timeout: 5m\n").timeout, Duration::from_secs(300));
    assert_eq!(flows("  period: 500ms\n").period, Some(Duration::from_millis(500)));
    assert_eq!(flows("  period: -1\n").period, None);
    assert_eq!(flows("  period: -1s\n").period, None);
    assert!(flows("  enable_delta_flow_reports: true\n").delta);
    assert_eq!(flows("  tags: [a, b]\n").tags, ["a", "b"]);
    for (line, expected) in [
        ("timeout: soon", "test.yml:2:12: packetbeat.flows.timeout: expected a duration such as 10s"),
        ("timeout: 0", "packetbeat.flows.timeout: expected a duration longer than nothing"),
        ("period: 0s", "packetbeat.flows.period: expected a duration longer than nothing, or -1"),
        ("period: [1]", "packetbeat.flows.period: expected a duration"),
        ("enabled: 2", "packetbeat.flows.enabled: expected true or false, found 2"),
        ("enable_delta_flow_reports: x", "expected true or false"),
        ("allow_mismatched_eth: x", "expected true or false"),
        ("tags: {a: 1}", "packetbeat.flows.tags: expected a list of texts, found a map"),
    ] {
        let error = bad(&format!("packetbeat.flows:\n  {line}\n"));
        assert!(error.contains(expected), "{line}\n{error}");
    }
    for line in [
        "fields: {a: 1}",
        "fields_under_root: true",
        "processors: [{x: 1}]",
        "keep_null: true",
        "index: x",
        "allow_mismatched_eth: false",
    ] {
        let said = warnings(&good(&format!("packetbeat.flows:\n  {line}\n")));
        assert!(said.len() == 1 && said[0].contains("not honoured"), "{line}: {said:?}");
    }
    for line in [
        "fields: {}",
        "fields_under_root: false",
        "processors: []",
        "keep_null: false",
        "index: ''",
        "allow_mismatched_eth: true",
    ] {
        let said = warnings(&good(&format!("packetbeat.flows:\n  {line}\n")));
        assert!(said.is_empty(), "{line}: {said:?}");
    }
    let said = warnings(&good("packetbeat.flows:\n  perod: 10s\n"));
    assert_eq!(said, ["test.yml:2:3: packetbeat.flows.perod: not known and not used; did you mean period?"]);
}

#[test]
fn our_own_keys() {
    let own = |line: &str| good(&format!("packetbeat.flows.enabled: true\nwirebeat:\n  {line}\n"));
    assert!(!own("memory: 1MiB").detect);
    assert!(own("detect: true").detect);
    assert!(!good("wirebeat.detect: false\n").detect);
    assert!(own("redact: on").redact && own("redact: true").redact);
    assert!(!own("redact: off").redact && !own("redact: default").redact);
    assert!(!good("wirebeat.redact: off\n").redact && good("wirebeat.redact: default\n").redact);
    assert_eq!(own("memory: 1GiB").memory, 1 << 30);
    assert_eq!(own("shards: 3").shards, Some(3));
    assert_eq!(own("shards: 0").shards, None);
    assert!(own("capture.self: true").capture_self);
    assert!(good("capture.self: true\n").capture_self);
    assert_eq!(
        warnings(&own("fields_1x: true")),
        [
            "test.yml:3:14: wirebeat.fields_1x: not honoured yet for transactions and flows, only for measurements of the host"
        ]
    );
    assert!(warnings(&own("fields_1x: false")).is_empty());
    for (line, expected) in [
        ("detect: often", "test.yml:1:18: wirebeat.detect: expected true or false"),
        ("redact: some", "wirebeat.redact: expected on, off or default, found \"some\""),
        ("memory: 5 parsecs", "wirebeat.memory: expected a number of bytes such as 1048576 or 10MB"),
        ("memory: 10", "wirebeat.memory: expected at least 1MiB"),
        ("memory: -1", "expected a number of bytes"),
        ("shards: 257", "wirebeat.shards: expected a whole number from 0 to 256, found 257"),
        ("capture.self: 3", "wirebeat.capture.self: expected true or false, found 3"),
        ("capture: 3", "wirebeat.capture: expected a map of keys, found 3"),
        ("fields_1x: 3", "expected true or false"),
    ] {
        let error = bad(&format!("wirebeat.{line}\n"));
        assert!(error.contains(expected), "{line}\n{error}");
    }
}

#[test]
fn the_top() {
    assert_eq!(good("timestamp.precision: ns\n").precision, Precision::Nano);
    assert_eq!(good("timestamp.precision: ms\n").precision, Precision::Milli);
    assert_eq!(good("timestamp.precision: microsecond\n").precision, Precision::Micro);
    assert!(good("ignore_outgoing: true\n").ignore_outgoing);
    assert!(good("packetbeat.ignore_outgoing: true\n").ignore_outgoing);
    assert_eq!(good("tags: x\n").flows.tags, ["x"]);
    for (text, expected) in [
        ("timestamp.precision: s\n", "test.yml:1:22: timestamp.precision: expected one of us, ms, ns, "),
        ("timestamp: ns\n", "test.yml:1:12: timestamp: expected a map of keys"),
        ("ignore_outgoing: 2\n", "test.yml:1:18: ignore_outgoing: expected true or false"),
        ("tags: {}\n", "test.yml:1:7: tags: expected a list of texts, found a map"),
        ("tags: [[a]]\n", "tags: expected a list of texts"),
        ("wirebeat: yes\n", "wirebeat: expected a map of keys, found \"yes\""),
        ("packetbeat: [1]\n", "packetbeat: expected a map of keys, found a list of 1"),
        ("output: x\n", "output: expected a map of keys, found \"x\""),
        ("- a\n- b\n", "test.yml:1:1: expected keys and values (key: value), found a list of 2"),
        ("just words\n", "expected keys and values"),
    ] {
        let error = bad(text);
        assert!(error.contains(expected), "{text}\n{error}");
    }
    for (text, expected) in [
        ("procesors: [x]\n", "test.yml:1:1: procesors: not known and not used; did you mean processors?"),
        (
            "paketbeat.flows.period: 1s\n",
            "test.yml:1:1: paketbeat: not known and not used; did you mean packetbeat?",
        ),
        ("quux: 1\n", "test.yml:1:1: quux: not known and not used"),
        ("timestamp.precison: ms\n", "timestamp.precison: not known and not used; did you mean precision?"),
        ("packetbeat.flow.period: 1s\n", "packetbeat.flow: not known and not used; did you mean flows?"),
        ("wirebeat.memry: 1GB\n", "wirebeat.memry: not known and not used; did you mean memory?"),
    ] {
        let said = warnings(&good(text)).join("\n");
        assert!(said.contains(expected), "{text}\n{said}");
    }
}

#[test]
fn outputs() {
    let file = |lines: &str| good(&format!("output.file:\n  path: /tmp/x\n{lines}")).output_file;
    let plain = file("").unwrap();
    assert_eq!(
        (plain.filename.as_str(), plain.rotate_every, plain.number_of_files),
        ("packetbeat", 10 << 20, 7)
    );
    assert_eq!(plain.permissions, 0o600);
    assert_eq!(file("  filename: f\n").unwrap().filename, "f");
    assert_eq!(file("  rotate_every_kb: 1\n").unwrap().rotate_every, 1024);
    assert_eq!(file("  number_of_files: 3\n").unwrap().number_of_files, 3);
    for mode in ["0644", "\"0644\"", "644", "0o644"] {
        assert_eq!(file(&format!("  permissions: {mode}\n")).unwrap().permissions, 0o644, "{mode}");
    }
    let said = warnings(&good("output.file:\n  path: x\n  rotate_on_startup: true\n"));
    assert!(
        said[0].starts_with("test.yml:3:22: output.file.rotate_on_startup: not honoured yet"),
        "{said:?}"
    );
    assert!(warnings(&good("output.file:\n  path: x\n  rotate_on_startup: false\n")).is_empty());
    assert_eq!(file("  enabled: false\n"), None);
    assert!(!good("output.console:\n  enabled: true\n").output_console.unwrap().pretty);
    assert!(good("output.console.pretty: true\n").output_console.unwrap().pretty);
    assert_eq!(good("output.console:\n").output_console, None);
    for (text, expected) in [
        (
            "output.file:\n  filename: x\n",
            "test.yml:1:1: output.file.path: expected the directory to write to",
        ),
        (
            "output.file:\n  path: x\n  filename: a/b\n",
            "test.yml:3:13: output.file.filename: expected a file's name",
        ),
        (
            "output.file:\n  path: x\n  rotate_every_kb: 0\n",
            "output.file.rotate_every_kb: expected a whole number from 1",
        ),
        (
            "output.file:\n  path: x\n  number_of_files: 1\n",
            "output.file.number_of_files: expected a whole number from 2 to 1024",
        ),
        ("output.file:\n  path: x\n  permissions: 0999\n", "output.file.permissions: expected permissions"),
        ("output.file:\n  path: x\n  permissions: 0444\n", "with which the owner reads and writes"),
        ("output.file:\n  path: x\n  rotate_on_startup: 3\n", "expected true or false"),
        ("output.console:\n  pretty: very\n", "test.yml:2:11: output.console.pretty: expected true or false"),
    ] {
        let error = bad(text);
        assert!(error.contains(expected), "{text}\n{error}");
    }
    for name in ["elasticsearch", "logstash", "kafka", "redis", "discard"] {
        let said = warnings(&good(&format!("output.{name}:\n  hosts: [x]\n")));
        assert!(
            said.len() == 1 && said[0].starts_with(&format!("test.yml:1:1: output.{name}: not honoured yet")),
            "{said:?}"
        );
    }
    let said = warnings(&good("output.elasticsaerch:\n  hosts: [x]\n"));
    assert_eq!(
        said,
        ["test.yml:1:1: output.elasticsaerch: no output of this name; did you mean elasticsearch?"]
    );
    let said = warnings(&good("output.console:\n  codec.format.string: '%{x}'\n"));
    assert!(said[0].contains("output.console.codec: not honoured yet"), "{said:?}");
}

#[test]
fn what_is_not_honoured_is_said_once_a_section() {
    for name in [
        "name",
        "fields",
        "processors",
        "queue",
        "setup",
        "logging",
        "path",
        "monitoring",
        "xpack",
        "http",
        "cloud",
        "keystore",
        "max_procs",
        "seccomp",
        "features",
        "instrumentation",
        "migration",
        "npcap",
        "geoip",
        "runoptions",
    ] {
        let said = warnings(&good(&format!("{name}.a: 1\n{name}.b.c: 2\n")));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with(&format!("test.yml:1:1: {name}: not honoured")), "{said:?}");
        assert!(warnings(&good(&format!("{name}:\n"))).is_empty(), "nothing asked for");
        assert!(warnings(&good(&format!("{name}.enabled: false\n"))).is_empty(), "nothing asked for");
    }
}

#[test]
fn the_command_line_comes_last() {
    let text = "packetbeat.interfaces.device: eth0\npacketbeat.flows.period: 1s\n";
    let config = read_in(
        text,
        &["packetbeat.interfaces.device=lo,eth1", "packetbeat.flows.period=2s", "tags=a,b"],
        &[],
    )
    .unwrap();
    assert_eq!(config.devices(), ["lo", "eth1"]);
    assert_eq!(config.flows.period, Some(Duration::from_secs(2)));
    assert_eq!(config.flows.tags, ["a", "b"]);
    let errors = read_in(text, &["packetbeat.flows.period=soon"], &[]).unwrap_err().to_string();
    assert_eq!(
        errors,
        "-E packetbeat.flows.period: expected a duration such as 10s, 500ms or 1m30s, found \"soon\""
    );
    let errors = read_in(text, &["nonsense"], &[]).unwrap_err().to_string();
    assert!(errors.starts_with("-E nonsense: expected key=value"), "{errors}");
}

#[test]
fn the_environment() {
    let text = "packetbeat.interfaces.device: ${DEVICE}\npacketbeat.flows.period: ${PERIOD:10s}\n";
    let config = read_in(text, &[], &[("DEVICE", "eth0,lo"), ("PERIOD", "3s")]).unwrap();
    assert_eq!(
        (config.devices(), config.flows.period),
        (vec!["eth0".into(), "lo".into()], Some(Duration::from_secs(3)))
    );
    let errors = read_in(text, &[], &[]).unwrap_err().to_string();
    assert!(errors.starts_with("test.yml:1:31: packetbeat.interfaces.device: DEVICE is neither"), "{errors}");
    let text = "packetbeat.flows.period: ${PERIOD:?say how often}\noutput.elasticsearch.password: ${NOBODY_HAS_THIS}\n";
    let errors = read_in(text, &[], &[]).unwrap_err().to_string();
    assert_eq!(errors, "test.yml:1:26: packetbeat.flows.period: PERIOD is not set: say how often");
}
