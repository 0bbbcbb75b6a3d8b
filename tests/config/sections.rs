//! Protocol sections: which protocols run, in each of the forms.

use super::*;

#[test]
fn three_forms_mean_the_same() {
    let options = "{ports: [5354], include_authorities: true}";
    for text in [
        "packetbeat.protocols:\n- type: dns\n  ports: [5354]\n  include_authorities: true\n".to_owned(),
        format!("packetbeat.protocols.dns: {options}\n"),
        format!("packetbeat:\n  protocols:\n    dns: {options}\n"),
        format!("protocols:\n  dns: {options}\n"),
    ] {
        let config = good(&text);
        assert_eq!(names(&config), ["dns"], "{text}");
        assert_eq!(config.protocols[0].common().ports, [5354]);
        assert!(warnings(&config).is_empty(), "{text}: {:?}", config.warnings);
    }
}

#[test]
fn only_what_is_there_and_enabled_and_names_ports() {
    assert!(names(&good("packetbeat.protocols: []\n")).is_empty());
    assert!(names(&good("packetbeat.protocols.dns: {enabled: false, ports: [53]}\n")).is_empty());
    let config = good("packetbeat.protocols:\n- type: dns\n  #ports: [53]\n");
    assert!(names(&config).is_empty());
    assert!(warnings(&config)[0].starts_with(
        "test.yml:2:3: packetbeat.protocols.dns.ports: not decoded: the section names no ports"
    ));
    assert!(warnings(&config)[0].contains("write ports: [53], or wirebeat.detect: true"));
    let config = good("packetbeat.protocols.dns:\n");
    assert!(names(&config).is_empty());
    assert!(
        warnings(&config)[0].contains("packetbeat.protocols.dns: a section without keys is off"),
        "{:?}",
        warnings(&config)
    );
    // ICMP has no ports.
    let config = good("packetbeat.protocols:\n- type: icmp\n");
    assert_eq!(names(&config), if decodes("icmp") { vec!["icmp"] } else { vec![] });
    // With recognition by content all run but those that are switched off, whatever ports they name.
    let config = good("wirebeat.detect: true\npacketbeat.protocols:\n- type: dns\n  enabled: false\n");
    assert!(config.detect && !names(&config).contains(&"dns"));
    assert_eq!(names(&config).len(), all_names().len() - 1);
    let config = good("wirebeat.detect: true\npacketbeat.protocols:\n- type: dns\n");
    assert_eq!(names(&config), all_names());
}

#[test]
fn nothing_to_report_is_said() {
    let said = warnings(&good("packetbeat.interfaces.device: eth0\n"));
    assert_eq!(
        said,
        [
            "test.yml: no protocol and no flows: nothing would be reported; without a configuration everything is"
        ]
    );
}

#[test]
fn names_nobody_knows() {
    for (text, expected) in [
        (
            "- type: htttp\n  ports: [80]\n",
            "test.yml:2:3: packetbeat.protocols.htttp: no protocol of this name; did you mean http?",
        ),
        ("- type: quux\n", "test.yml:2:3: packetbeat.protocols.quux: no protocol of this name"),
        (
            "- type: cassandra\n  ports: [9042]\n",
            "test.yml:2:3: packetbeat.protocols.cassandra: not decoded yet",
        ),
    ] {
        let said = warnings(&good(&format!("packetbeat.protocols:\n{text}packetbeat.flows.enabled: true\n")));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with(expected), "{said:?}");
    }
    let said = warnings(&good(
        "packetbeat.flows.enabled: true\npacketbeat.protocols:\n- type: amqp\n  enabled: false\n",
    ));
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn keys_nobody_knows() {
    let said = warnings(&good("packetbeat.protocols:\n- type: dns\n  ports: [53]\n  send_reqest: true\n"));
    assert_eq!(
        said,
        [
            "test.yml:4:3: packetbeat.protocols.dns.send_reqest: not known and not used; did you mean send_request?"
        ]
    );
    for line in [
        "fields: {a: 1}",
        "fields_under_root: true",
        "processors: [{x: 1}]",
        "keep_null: true",
        "index: x",
        "interface.device: eth0",
    ] {
        let said = warnings(&good(&format!("packetbeat.protocols:\n- type: dns\n  ports: [53]\n  {line}\n")));
        assert!(said.len() == 1 && said[0].contains("not honoured"), "{line}: {said:?}");
    }
}

#[test]
fn common_options() {
    let dns = |line: &str| {
        let config = good(&format!("packetbeat.protocols:\n- type: dns\n  ports: [53]\n  {line}\n"));
        config.protocols[0].common().clone()
    };
    assert!(!dns("enabled: true").send_request && dns("send_request: true").send_request);
    assert!(dns("send_response: yes").send_response);
    assert_eq!(dns("transaction_timeout: 250ms").transaction_timeout, std::time::Duration::from_millis(250));
    assert_eq!(dns("tags: [a]").tags, ["a"]);
    for (line, expected) in [
        ("ports: [http]", "test.yml:3:10: packetbeat.protocols.dns.ports: expected ports from 1 to 65535"),
        ("ports: [0]", "expected ports from 1 to 65535"),
        ("ports: 65536", "expected ports from 1 to 65535"),
        ("ports: {}", "expected ports from 1 to 65535"),
        ("send_request: 1", "packetbeat.protocols.dns.send_request: expected true or false, found 1"),
        ("transaction_timeout: long", "packetbeat.protocols.dns.transaction_timeout: expected a duration"),
        ("enabled: perhaps", "packetbeat.protocols.dns.enabled: expected true or false"),
    ] {
        let error = bad(&format!("packetbeat.protocols:\n- type: dns\n  {line}\n"));
        assert!(error.contains(expected), "{line}\n{error}");
    }
}

#[test]
fn lists_that_are_wrong() {
    for (text, expected) in [
        (
            "packetbeat.protocols: dns\n",
            "test.yml:1:23: packetbeat.protocols: expected a list of protocols, found \"dns\"",
        ),
        (
            "packetbeat.protocols:\n- ports: [53]\n",
            "test.yml:2:3: packetbeat.protocols[0]: expected an entry such as {type: http, ports: [80]}",
        ),
        ("packetbeat.protocols: [dns]\n", "packetbeat.protocols[0]: expected an entry"),
        ("packetbeat.protocols.dns: 53\n", "packetbeat.protocols.dns: expected a map of keys, found 53"),
        (
            "packetbeat.protocols: [{type: dns, ports: [53]}]\npacketbeat.protocols.dns.ports: [54]\n",
            "test.yml:2:1: packetbeat.protocols: given as a list and as a map (first in line 1)",
        ),
    ] {
        let error = bad(text);
        assert!(error.contains(expected), "{text}\n{error}");
    }
}

#[test]
fn one_section_for_each_protocol() {
    let config = good("packetbeat.protocols:\n- type: dns\n  ports: [53]\n- type: dns\n  ports: [54]\n");
    assert_eq!(config.protocols[0].common().ports, [54]);
    assert_eq!(
        warnings(&config),
        ["test.yml:4:3: packetbeat.protocols.dns: configured twice: this section replaces the one in line 2"]
    );
    if decodes("icmp") {
        let error = bad("packetbeat.protocols:\n- type: icmp\n- type: icmp\n");
        assert_eq!(error, "test.yml:3:3: packetbeat.protocols.icmp: configured twice: first in line 2");
    }
}

#[test]
fn one_protocol_for_each_port() {
    if !(decodes("http") && decodes("redis")) {
        return;
    }
    let text =
        "packetbeat.protocols:\n- type: redis\n  ports: [6379, 8080]\n- type: http\n  ports: [80, 8080]\n";
    let error = bad(text);
    let expected = "test.yml:4:3: packetbeat.protocols.http.ports: port 8080 is taken by redis (line 2): one protocol for each port, or wirebeat.detect: true";
    assert_eq!(error, expected);
    assert_eq!(names(&good(&format!("{text}wirebeat.detect: true\n"))), all_names());
    good(
        "packetbeat.protocols:\n- type: redis\n  enabled: false\n  ports: [80]\n- type: http\n  ports: [80]\n",
    );
}

#[test]
fn one_warning_says_what_is_exposed() {
    if !decodes("http") {
        return;
    }
    let text = "packetbeat.protocols:\n- type: http\n  ports: [80]\n";
    let exposed = |config: &Config| {
        config.warnings.iter().filter(|w| w.text.contains("secrets are not masked")).count()
    };
    let config = good(text);
    assert_eq!((config.redact, exposed(&config)), (false, 1));
    assert!(
        config.warnings.last().unwrap().text.contains("log-ins in http are shown"),
        "{:?}",
        config.warnings
    );
    let config = good(&format!("{text}wirebeat.redact: on\n"));
    assert_eq!((config.redact, exposed(&config)), (true, 0));
    let none = |_: &str| None;
    let config = parse(None, text, &[], Some(true), &none).unwrap();
    assert_eq!((config.redact, exposed(&config)), (true, 0));
    let config = parse(None, "", &[], Some(false), &none).unwrap();
    assert_eq!((config.redact, exposed(&config)), (false, 1));
    let config = good("packetbeat.protocols:\n- type: dns\n  ports: [53]\n");
    assert_eq!(exposed(&config), 0, "DNS has no log-ins");
}
