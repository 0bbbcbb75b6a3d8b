//! Names of protocols by their first bytes, for flows that nothing decodes.

/// What a flow's first bytes look like. `client` are the first bytes of who began, `server` of the other side; either
/// may be empty. Only what first bytes can tell apart is named.
pub fn guess_name(transport: wirebeat_model::Transport, client: &[u8], server: &[u8]) -> Option<&'static str> {
    let _ = (transport, client, server);
    None
}
