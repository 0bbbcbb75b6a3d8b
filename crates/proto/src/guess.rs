//! Names of protocols by their first bytes, for flows that nothing decodes.
//!
//! A signature is taken from the protocol's standard and asks for enough fixed bits that chance does not meet it: a
//! wrong name is worse than none. Where both sides are needed to be sure, both are asked for.

mod shared;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;

use wirebeat_model::Transport;

/// What a flow's first bytes look like. `client` are the first bytes of who began, `server` of the other side; either
/// may be empty, and both may be cut after [`crate::Spec::GUESS_BYTES`]. Only what first bytes can tell apart is named.
///
/// Protocols that this program decodes have the name they are decoded under.
pub fn guess_name(transport: Transport, client: &[u8], server: &[u8]) -> Option<&'static str> {
    // Who was heard first need not be who began: the sides are tried both ways.
    match transport {
        Transport::TCP => tcp::name(client, server).or_else(|| tcp::name(server, client)),
        Transport::UDP => udp::name(client, server).or_else(|| udp::name(server, client)),
        _ => None,
    }
}
