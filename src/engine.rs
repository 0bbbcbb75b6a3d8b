//! From a configuration to what shards need.

use std::net::IpAddr;
use std::sync::Arc;

use wirebeat_model::{Schema, Value, ecs};

use crate::app::Protocols;
use crate::config::{self, Config};
use crate::flows;
use crate::shard::{FlowSettings, Settings};

/// What an open flow takes in tables and wheel, in bytes: its entry, its TCP state and a deadline.
const FLOW_BYTES: usize = 800;
/// Flows kept open at least, however little memory there is.
const MIN_FLOWS: usize = 1_000;

/// Installs the schema of the whole program: every field of every room.
pub fn schema() -> &'static Schema {
    let mut lists = wirebeat_proto::fields();
    lists.extend([flows::FIELDS, wirebeat_journal::FIELDS]);
    lists.extend(wirebeat_system::fields());
    lists.push(wirebeat_journal::FIELDS);
    lists.push(wirebeat_store::FIELDS);
    Schema::install(&lists)
}

/// The index an event belongs to, without its day.
pub fn index_of(entries: &[(u16, Value<'_>)]) -> &'static str {
    // Only what was measured of the host names a module.
    let module = ecs::EVENT_MODULE.id();
    if entries.iter().any(|(id, _)| *id == module) { "topbeat" } else { "packetbeat" }
}

/// What `shards` shards share. `local`: this host's addresses, none when a capture is read. `source` names the sensor.
pub fn settings(
    config: &Config,
    shards: usize,
    local: Vec<IpAddr>,
    source: u64,
    several_devices: bool,
) -> Arc<Settings> {
    let internal = config.internal_networks.clone();
    Arc::new(Settings {
        protocols: Protocols::new(config.protocols.clone(), config.detect),
        flows: FlowSettings {
            enabled: config.flows.enabled,
            timeout: config.flows.timeout,
            period: config.flows.period,
            delta: config.flows.delta,
            tags: config.flows.tags.clone(),
        },
        direction: Box::new(move |from, to| config::direction(from, to, &local, &internal)),
        // One half is for the flows themselves, the other for what waits: parsers, leftovers, requests.
        memory: config.memory / 2 / shards,
        max_flows: (config.memory / 2 / FLOW_BYTES).max(MIN_FLOWS) / shards,
        source,
        several_devices,
        ignore_outgoing: config.ignore_outgoing,
    })
}
