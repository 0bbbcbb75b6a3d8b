//! Listeners and the thread behind them.
//!
//! One thread with an async runtime reads requests and writes answers; a few others work on them. Everything has a bound:
//! connections, headers, bodies (each, and all together), requests that wait, the time of each step.

mod accept;
mod http;
mod stall;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use crate::api::Api;
use crate::backend::Backend;
use crate::contexts::Contexts;
use crate::counters::Counters;
use crate::guard::{Guard, Login};
use crate::identity::Identity;
use crate::ui::{self, Pages};

/// What is served, where, and within which bounds.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen. All on the same port, if the next free one may be taken.
    pub listen: Vec<SocketAddr>,
    /// How many ports after the wanted one are tried when it is taken; 0: none.
    pub next_ports: u16,
    /// Names of this host besides `localhost`, that a request may be addressed to.
    pub names: Vec<String>,
    /// What a request that changes something has to carry; empty: nothing can be changed.
    pub token: String,
    /// Asked of every request. Without it only loopback addresses are listened on.
    pub login: Option<Login>,
    /// Who we say we are.
    pub identity: Identity,
    /// Open connections, at most.
    pub max_connections: usize,
    /// Bytes of a request's body, at most, before and after unpacking.
    pub max_body: usize,
    /// Bytes of all bodies being read or worked on, at most.
    pub max_bodies: usize,
    /// Requests worked on at the same time.
    pub workers: usize,
    /// Requests that wait for a worker, at most.
    pub max_waiting: usize,
    /// Open scrolls and points in time, at most.
    pub max_contexts: usize,
    /// How long a client may take for the head of a request, or leave a connection idle.
    pub idle: Duration,
    /// How long a client may take for a body, or to read any of an answer.
    pub patience: Duration,
    /// How long a request may be worked on.
    pub deadline: Duration,
}

impl Options {
    /// With the default bounds.
    pub fn new(listen: Vec<SocketAddr>, token: String, identity: Identity) -> Self {
        Self {
            listen,
            next_ports: 0,
            names: Vec::new(),
            token,
            login: None,
            identity,
            max_connections: 256,
            max_body: 8 << 20,
            max_bodies: 64 << 20,
            workers: 4,
            max_waiting: 64,
            max_contexts: 64,
            idle: Duration::from_secs(75),
            patience: Duration::from_secs(30),
            deadline: Duration::from_secs(60),
        }
    }
}

/// Why it cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody else listens there, and on the next ports that were tried.
    #[error("{0} is taken")]
    Taken(SocketAddr),
    /// The address cannot be listened on.
    #[error("{0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// An address that others can reach needs a password.
    #[error("{0} can be reached from outside: it needs a user and a password")]
    Open(SocketAddr),
    /// No address was given, or none of this host.
    #[error("no address to listen on")]
    NoAddress,
    /// The thread could not be started.
    #[error("starting the thread of the API: {0}")]
    Thread(io::Error),
}

/// A server that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Server {
    addresses: Vec<SocketAddr>,
    counters: Arc<Counters>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What it served and refused.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Takes no more connections, lets requests that are being worked on end (for two seconds at most), and returns.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Listens and answers. The listeners are open when this returns.
///
/// # Errors
/// [`ServeError`]. An address that this host has not (IPv6 where it is off) is left out as long as another one is there.
pub fn serve(options: Options, backend: Arc<dyn Backend>) -> Result<Server, ServeError> {
    start(options, backend, None)
}

/// The same for the pages: their files, what they ask, and the API below `/es`.
///
/// # Errors
/// As [`serve`].
pub fn serve_ui(
    options: Options,
    backend: Arc<dyn Backend>,
    pages: Arc<dyn Pages>,
) -> Result<Server, ServeError> {
    start(options, backend, Some(pages))
}

fn start(
    options: Options,
    backend: Arc<dyn Backend>,
    pages: Option<Arc<dyn Pages>>,
) -> Result<Server, ServeError> {
    if let Some(open) = options.listen.iter().find(|a| !a.ip().to_canonical().is_loopback())
        && options.login.is_none()
    {
        return Err(ServeError::Open(*open));
    }
    let listeners = listen(&options.listen, options.next_ports)?;
    let addresses: Vec<SocketAddr> = listeners.iter().filter_map(|l| l.local_addr().ok()).collect();
    let counters = Arc::new(Counters::default());
    let api = Api {
        backend,
        pages,
        identity: options.identity.clone(),
        contexts: Contexts::new(options.max_contexts),
        guard: Guard::new(&options.names, options.token.clone(), options.login.clone()),
        addresses: addresses.clone(),
        max_body: options.max_body,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(options.workers.max(1))
        .thread_name("api-worker")
        .build()
        .map_err(ServeError::Thread)?;
    let (stop, stopped) = watch::channel(false);
    let shared = Arc::clone(&counters);
    let name = if api.pages.is_some() { "ui" } else { "api" };
    let thread = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            if api.pages.is_some() {
                ui::load();
            }
            runtime.block_on(accept::run(listeners, options, api, shared, stopped));
            // Searches that nobody waits for any more have been told to end.
            runtime.shutdown_timeout(Duration::from_secs(1));
        })
        .map_err(ServeError::Thread)?;
    Ok(Server { addresses, counters, stop, thread: Some(thread) })
}

/// Opens all listeners on the first port that all of them can have.
fn listen(wanted: &[SocketAddr], next_ports: u16) -> Result<Vec<TcpListener>, ServeError> {
    let mut taken = ServeError::NoAddress;
    for step in 0..=next_ports {
        match listen_at(wanted, step) {
            Err(ServeError::Taken(address)) if step == 0 => taken = ServeError::Taken(address),
            Err(ServeError::Taken(_)) => {}
            other => return other,
        }
    }
    Err(taken)
}

fn listen_at(wanted: &[SocketAddr], step: u16) -> Result<Vec<TcpListener>, ServeError> {
    let mut listeners = Vec::new();
    let mut missing = None;
    // Port 0 is any: the others then take the one that the first got.
    let mut any = 0;
    for address in wanted {
        let mut at = *address;
        let port = if at.port() == 0 { Some(any) } else { at.port().checked_add(step) };
        let Some(port) = port else { return Err(ServeError::Taken(*address)) };
        at.set_port(port);
        match TcpListener::bind(at).and_then(|l| l.set_nonblocking(true).map(|()| l)) {
            Ok(listener) => {
                if address.port() == 0 {
                    any = listener.local_addr().map_or(0, |a| a.port());
                }
                listeners.push(listener);
            }
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => return Err(ServeError::Taken(at)),
            Err(e) if matches!(e.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported) => {
                missing = Some(ServeError::Listen(at, e));
            }
            Err(e) => return Err(ServeError::Listen(at, e)),
        }
    }
    if listeners.is_empty() {
        return Err(missing.unwrap_or(ServeError::NoAddress));
    }
    Ok(listeners)
}
