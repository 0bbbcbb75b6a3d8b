//! Fields that every event may have: ECS, with the top-level fields that Packetbeat adds.

use crate::{Class, Field, Kind, Unit, fields};

fields! {
    pub FIELDS:
    TIMESTAMP = Field::new("@timestamp", Kind::Date, "When it began: the request's first packet, else the answer's.");
    TYPE = Field::new("type", Kind::Keyword, "What it is: http, dns, redis, icmp, flow …");
    STATUS = Field::new("status", Kind::Keyword, "OK or Error. Error too when one half was never seen.");
    METHOD = Field::new("method", Kind::Keyword, "The protocol's verb.");
    QUERY = Field::new("query", Kind::Keyword, "The request in one line.").class(Class::Payload);
    RESOURCE = Field::new("resource", Kind::Keyword, "What the request is about: a name, a key.").class(Class::Payload);
    PATH = Field::new("path", Kind::Keyword, "Where the request leads.");
    PARAMS = Field::new("params", Kind::Text, "Parameters of the request.").class(Class::Payload);
    REQUEST = Field::new("request", Kind::Text, "The request as text (`send_request`).").class(Class::Payload);
    RESPONSE = Field::new("response", Kind::Text, "The answer as text (`send_response`).").class(Class::Payload);
    TAGS = Field::new("tags", Kind::Keyword, "Labels given in the configuration.");
    ERROR_MESSAGE = Field::new("error.message", Kind::Text, "Notes on what was wrong or incomplete.").aliases(&["notes"]);

    EVENT_ID = Field::new("event.id", Kind::Keyword, "Unique over all sensors, the same when a capture is read again.");
    EVENT_KIND = Field::new("event.kind", Kind::Keyword, "event; metric for measurements of the host.");
    EVENT_CATEGORY = Field::new("event.category", Kind::Keyword, "ECS category.");
    EVENT_TYPE = Field::new("event.type", Kind::Keyword, "ECS event types.");
    EVENT_DATASET = Field::new("event.dataset", Kind::Keyword, "The protocol, or flow.");
    EVENT_ACTION = Field::new("event.action", Kind::Keyword, "What was done, e.g. redis.get.");
    EVENT_OUTCOME = Field::new("event.outcome", Kind::Keyword, "success or failure.");
    EVENT_START = Field::new("event.start", Kind::Date, "First packet.");
    EVENT_END = Field::new("event.end", Kind::Date, "Last packet.");
    EVENT_DURATION = Field::new("event.duration", Kind::Long, "From start to end.").unit(Unit::Nanos);

    SOURCE_IP = Field::new("source.ip", Kind::Ip, "Who began.");
    SOURCE_PORT = Field::new("source.port", Kind::Long, "Its port.");
    SOURCE_MAC = Field::new("source.mac", Kind::Keyword, "Its hardware address, as ECS writes it.");
    SOURCE_BYTES = Field::new("source.bytes", Kind::Long, "Bytes it sent: of the message in a transaction, of whole frames in a flow record.").unit(Unit::Bytes);
    SOURCE_PACKETS = Field::new("source.packets", Kind::Long, "Packets it sent.").unit(Unit::Packets);
    SOURCE_NAT_IP = Field::new("source.nat.ip", Kind::Ip, "Its address on the other side of a translation.");
    SOURCE_NAT_PORT = Field::new("source.nat.port", Kind::Long, "Its port on the other side of a translation.");
    DESTINATION_IP = Field::new("destination.ip", Kind::Ip, "Who was addressed.");
    DESTINATION_PORT = Field::new("destination.port", Kind::Long, "Its port.");
    DESTINATION_MAC = Field::new("destination.mac", Kind::Keyword, "Its hardware address, as ECS writes it.");
    DESTINATION_DOMAIN = Field::new("destination.domain", Kind::Keyword, "The name it was addressed by.");
    DESTINATION_BYTES = Field::new("destination.bytes", Kind::Long, "Bytes it sent: of the message in a transaction, of whole frames in a flow record.").unit(Unit::Bytes);
    DESTINATION_PACKETS = Field::new("destination.packets", Kind::Long, "Packets it sent.").unit(Unit::Packets);
    DESTINATION_NAT_IP = Field::new("destination.nat.ip", Kind::Ip, "Its address on the other side of a translation, e.g. the container behind a published port.");
    DESTINATION_NAT_PORT = Field::new("destination.nat.port", Kind::Long, "Its port on the other side of a translation.");
    CLIENT_IP = Field::new("client.ip", Kind::Ip, "Who asked.").aliases(&["client_ip"]);
    CLIENT_PORT = Field::new("client.port", Kind::Long, "Its port.").aliases(&["client_port"]);
    CLIENT_BYTES = Field::new("client.bytes", Kind::Long, "Bytes of the request.").unit(Unit::Bytes).aliases(&["bytes_in"]);
    SERVER_IP = Field::new("server.ip", Kind::Ip, "Who was asked.").aliases(&["ip"]);
    SERVER_PORT = Field::new("server.port", Kind::Long, "Its port.").aliases(&["port"]);
    SERVER_DOMAIN = Field::new("server.domain", Kind::Keyword, "The name it was asked by.");
    SERVER_BYTES = Field::new("server.bytes", Kind::Long, "Bytes of the answer.").unit(Unit::Bytes).aliases(&["bytes_out"]);

    NETWORK_TYPE = Field::new("network.type", Kind::Keyword, "ipv4 or ipv6.");
    NETWORK_TRANSPORT = Field::new("network.transport", Kind::Keyword, "tcp, udp, icmp, ipv6-icmp …").aliases(&["transport"]);
    NETWORK_IANA_NUMBER = Field::new("network.iana_number", Kind::Keyword, "The transport's protocol number.");
    NETWORK_PROTOCOL = Field::new("network.protocol", Kind::Keyword, "The application protocol; in a flow that nothing decodes, the guess from its first bytes.");
    NETWORK_BYTES = Field::new("network.bytes", Kind::Long, "Bytes of both sides.").unit(Unit::Bytes);
    NETWORK_PACKETS = Field::new("network.packets", Kind::Long, "Packets of both sides.").unit(Unit::Packets);
    NETWORK_COMMUNITY_ID = Field::new("network.community_id", Kind::Keyword, "Community ID, version 1, seed 0.");
    NETWORK_DIRECTION = Field::new("network.direction", Kind::Keyword, "ingress or egress for this host, internal, inbound, outbound or external by `internal_networks`, else unknown.");
    NETWORK_FORWARDED_IP = Field::new("network.forwarded_ip", Kind::Ip, "The client that a proxy names (`real_ip_header`).").aliases(&["real_ip"]);

    RELATED_IP = Field::new("related.ip", Kind::Ip, "Every address in the event.");
    RELATED_HOSTS = Field::new("related.hosts", Kind::Keyword, "Every host name in the event.");
    RELATED_USER = Field::new("related.user", Kind::Keyword, "Every user name in the event.");
    USER_NAME = Field::new("user.name", Kind::Keyword, "The user that the request names, or that a process runs as.").aliases(&["proc.username", "system.process.username"]);
    EVENT_MODULE = Field::new("event.module", Kind::Keyword, "What measures: system, docker.");
    SERVICE_TYPE = Field::new("service.type", Kind::Keyword, "What is measured: system, docker.");
    HOST_NAME = Field::new("host.name", Kind::Keyword, "The host that is measured.").aliases(&["beat.name", "beat.hostname"]);
    CONTAINER_ID = Field::new("container.id", Kind::Keyword, "The container's id.");
    CONTAINER_RUNTIME = Field::new("container.runtime", Kind::Keyword, "What runs the container: docker, podman, containerd, cri-o.");
    PROCESS_NAME = Field::new("process.name", Kind::Keyword, "The process's name, as the kernel has it.").aliases(&["proc.name", "system.process.name"]);
    PROCESS_PID = Field::new("process.pid", Kind::Long, "Its number.").aliases(&["proc.pid", "system.process.pid"]);
    PROCESS_PARENT_PID = Field::new("process.parent.pid", Kind::Long, "The number of its parent.").aliases(&["proc.ppid", "system.process.ppid"]);
    PROCESS_PGID = Field::new("process.pgid", Kind::Long, "The number of its process group.").aliases(&["system.process.pgid"]);
    PROCESS_EXECUTABLE = Field::new("process.executable", Kind::Keyword, "The file it runs.");
    PROCESS_COMMAND_LINE = Field::new("process.command_line", Kind::Keyword, "Its command line, secrets masked.").class(Class::Secret).aliases(&["proc.cmdline", "system.process.cmdline"]);
    OBSERVER_INTERFACE = Field::new("observer.ingress.interface.name", Kind::Keyword, "Where the flow's first packet was seen.");
}
