//! What is served over HTTP: Elasticsearch's API and the pages, and how people are told of it.

use std::env;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use wirebeat_web::{Backend, ServeError, Server};

use crate::api::{self, StoreBackend};
use crate::config::Keeping;
use crate::engine;
use crate::health::{Health, Looking};
use crate::keep::Keeper;
use crate::ui::{About, Range, Ui};

/// Ports after a usual one that are tried when it is taken.
const NEXT_PORTS: u16 = 20;

/// Where to listen.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// The address.
    pub address: SocketAddr,
    /// Whether somebody named it on the command line: then no other port will do.
    pub exact: bool,
}

impl Wish {
    /// As asked for on the command line, or as configured.
    pub fn new(asked: Option<SocketAddr>, configured: Option<SocketAddr>) -> Option<Self> {
        let address = asked.or(configured)?;
        Some(Self { address, exact: asked.is_some() })
    }
}

/// Why it is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServingError {
    /// The API.
    #[error("the API: {0}")]
    Api(ServeError),
    /// The pages.
    #[error("the pages: {0}")]
    Ui(ServeError),
    /// The thread that looks how everything is.
    #[error("starting a thread: {0}")]
    Thread(#[from] io::Error),
}

/// What is served, until it is dropped.
pub struct Serving {
    servers: Vec<Server>,
    /// How everything is.
    pub health: Arc<Health>,
    _looking: Looking,
}

impl Serving {
    /// Every address that is listened on.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.servers.iter().flat_map(|server| server.addresses().iter().copied())
    }
}

/// Opens the listeners that are wished for and says where they are.
///
/// # Errors
/// [`ServingError`]: nothing is served then.
pub fn serve(
    keeper: &Keeper,
    keeping: &Keeping,
    api: Option<Wish>,
    ui: Option<Wish>,
    reading: Vec<String>,
    range: Arc<OnceLock<Range>>,
) -> Result<Serving, ServingError> {
    let directory = keeper.directory();
    let health = Arc::new(Health::new(keeper.journal().clone(), Arc::clone(keeper.store())));
    let backend: Arc<dyn Backend> =
        Arc::new(StoreBackend::new(Arc::clone(keeper.store()), engine::schema(), directory.source()));
    let options = |wish: Wish| {
        let identity = api::identity(directory.source());
        let mut options =
            wirebeat_web::Options::new(vec![wish.address], directory.token().to_owned(), identity);
        options.names.clone_from(&keeping.names);
        options.next_ports = if wish.exact { 0 } else { NEXT_PORTS };
        options
    };
    let mut servers = Vec::new();
    let mut about = About { reading, ..About::new(directory.path(), keeping) };
    if let Some(wish) = api {
        let server = wirebeat_web::serve(options(wish), Arc::clone(&backend)).map_err(ServingError::Api)?;
        about.elastic = server.addresses().first().copied();
        eprintln!("answering searches at {}{}", list(&server), moved(&server, wish));
        servers.push(server);
    }
    if let Some(wish) = ui {
        let pages = Arc::new(Ui::new(about, keeper, Arc::clone(&health), range));
        let server = wirebeat_web::serve_ui(options(wish), backend, pages).map_err(ServingError::Ui)?;
        tell(&server, wish, directory.token());
        servers.push(server);
    }
    servers.iter().for_each(|server| health.add_server(Arc::clone(server.counters())));
    let looking = Looking::start(Arc::clone(&health))?;
    Ok(Serving { servers, health, _looking: looking })
}

fn list(server: &Server) -> String {
    let at: Vec<_> = server.addresses().iter().map(|a| format!("http://{a}")).collect();
    at.join(", ")
}

/// Says so when it is another port than the usual one.
fn moved(server: &Server, wish: Wish) -> String {
    let same = |a: &SocketAddr| wish.address.port() == 0 || a.port() == wish.address.port();
    if server.addresses().iter().all(same) { String::new() } else { format!(" ({} is taken)", wish.address) }
}

/// Says where the pages are. The token goes to a terminal, where its owner sits, not into a log.
fn tell(server: &Server, wish: Wish, token: &str) {
    let Some(at) = server.addresses().first() else { return };
    let terminal = io::stderr().is_terminal();
    let fragment = if terminal { format!("#token={token}") } else { String::new() };
    eprintln!("open http://{at}/{fragment}{}", moved(server, wish));
    let remote = env::var_os("SSH_CONNECTION").is_some();
    let screen = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some());
    if remote || terminal && !screen {
        eprintln!("{}", tunnel(*at, &|name| env::var(name).ok(), &host_name()));
    }
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    if name.trim().is_empty() { "HOST".to_owned() } else { name.trim().to_owned() }
}

/// How to see the pages from another computer.
fn tunnel(at: SocketAddr, variable: &dyn Fn(&str) -> Option<String>, host: &str) -> String {
    // Client's address and port, then the server's (ssh(1), SSH_CONNECTION).
    let server = variable("SSH_CONNECTION").and_then(|c| Some(c.split(' ').nth(2)?.to_owned()));
    let host = server.as_deref().filter(|ip| ip.parse::<std::net::IpAddr>().is_ok()).unwrap_or(host);
    let user = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| variable(name));
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let port = at.port();
    format!("from another computer: ssh -L {port}:{at} {user}{host}, and then the same address there")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tunnels() {
        let at = "127.0.0.1:5601".parse().unwrap();
        let of = |name: &str| match name {
            "SSH_CONNECTION" => Some("192.0.2.9 51312 198.51.100.7 22".to_owned()),
            "USER" => Some("root".to_owned()),
            "SUDO_USER" => Some("ann".to_owned()),
            _ => None,
        };
        let line = tunnel(at, &of, "box");
        assert!(line.contains("ssh -L 5601:127.0.0.1:5601 ann@198.51.100.7,"), "{line}");
        let line = tunnel(at, &|_| None, "box");
        assert!(line.contains("ssh -L 5601:127.0.0.1:5601 box,"), "{line}");
    }
}
