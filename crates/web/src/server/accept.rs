//! Connections: taken, counted, and given up when others need their place.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

use super::Options;
use super::http::Http;
use super::stall::Stall;
use crate::api::Api;
use crate::counters::{Counters, count};

/// Bytes of a request's head, and lines in it, at most.
const MAX_HEAD: usize = 64 << 10;
const MAX_HEADERS: usize = 100;
/// How long the end waits for requests that are being worked on.
const GRACE: Duration = Duration::from_secs(2);
/// How long to wait when connections cannot be taken.
const PAUSE: Duration = Duration::from_millis(100);
/// How often scrolls that nobody asks for any more are given up.
const SWEEP: Duration = Duration::from_secs(15);

/// The place of an open connection.
pub(super) struct Seat {
    began: Instant,
    /// Milliseconds after `began` since when it waits for a request or its body; `BUSY` while it is worked on.
    idle: AtomicU64,
    leave: Notify,
}

const BUSY: u64 = u64::MAX;

impl Seat {
    /// A request is there as a whole.
    pub(super) fn busy(&self) {
        self.idle.store(BUSY, Relaxed);
    }

    /// Its answer is, too.
    pub(super) fn idle(&self) {
        self.idle.store(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(BUSY - 1), Relaxed);
    }

    /// Since when it has been idle; `None` while it is not.
    fn idle_since(&self) -> Option<Instant> {
        match self.idle.load(Relaxed) {
            BUSY => None,
            ms => Some(self.began + Duration::from_millis(ms)),
        }
    }
}

/// The open connections.
struct Seats {
    limit: usize,
    taken: Mutex<HashMap<u64, Arc<Seat>>>,
}

impl Seats {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Seat>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more. When all are taken the one that has been idle for longest goes: a client that sends
    /// nothing, or never the whole of it, keeps nobody out.
    fn take(&self, id: u64, counters: &Counters) -> Option<Arc<Seat>> {
        let mut taken = self.lock();
        if taken.len() >= self.limit {
            let oldest = taken
                .iter()
                .filter_map(|(id, seat)| Some((seat.idle_since()?, *id)))
                .min()
                .map(|(_, id)| id)?;
            if let Some(seat) = taken.remove(&oldest) {
                seat.leave.notify_one();
                count(&counters.connections_evicted);
            }
        }
        let seat = Arc::new(Seat { began: Instant::now(), idle: AtomicU64::new(0), leave: Notify::new() });
        taken.insert(id, Arc::clone(&seat));
        Some(seat)
    }
}

/// Takes connections until it is stopped.
pub(super) async fn run(
    listeners: Vec<StdListener>,
    options: Options,
    api: Api,
    counters: Arc<Counters>,
    mut stopped: watch::Receiver<bool>,
) {
    let seats = Arc::new(Seats { limit: options.max_connections.max(1), taken: Mutex::default() });
    let (open, mut closed) = watch::channel(());
    let http = Arc::new(Http::new(api, options, counters));
    for listener in listeners {
        let Ok(listener) = TcpListener::from_std(listener) else { continue };
        let (http, seats, stopped, open) =
            (Arc::clone(&http), Arc::clone(&seats), stopped.clone(), open.subscribe());
        tokio::spawn(listen(listener, http, seats, stopped, open));
    }
    let sweeper = Arc::clone(&http);
    let mut end = stopped.clone();
    tokio::spawn(async move {
        while tokio::time::timeout(SWEEP, end.wait_for(|stop| *stop)).await.is_err() {
            sweeper.api.contexts.sweep();
        }
    });
    let _ = stopped.wait_for(|stop| *stop).await;
    closed.mark_unchanged();
    // Every connection holds a receiver; when the last is gone the sender knows.
    drop(closed);
    let _ = tokio::time::timeout(GRACE, open.closed()).await;
}

async fn listen(
    listener: TcpListener,
    http: Arc<Http>,
    seats: Arc<Seats>,
    mut stopped: watch::Receiver<bool>,
    open: watch::Receiver<()>,
) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let Ok(local) = listener.local_addr() else { return };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let Ok((stream, _)) = accepted else {
            count(&http.counters.accept_errors);
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        count(&http.counters.connections);
        let id = NEXT.fetch_add(1, Relaxed);
        let Some(seat) = seats.take(id, &http.counters) else {
            count(&http.counters.connections_refused);
            refuse(stream);
            continue;
        };
        let (http, seats, stopped, open) =
            (Arc::clone(&http), Arc::clone(&seats), stopped.clone(), open.clone());
        tokio::spawn(async move {
            converse(stream, local, http, seat, stopped).await;
            seats.lock().remove(&id);
            drop(open);
        });
    }
}

/// Says that there is no place, as far as that goes without waiting.
fn refuse(mut stream: TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nX-elastic-product: Elasticsearch\r\n\
        Content-Type: application/json\r\nContent-Length: 50\r\nConnection: close\r\n\r\n\
        {\"error\":\"too many connections are open\",\"status\":503}";
    tokio::spawn(async move {
        let _ = tokio::time::timeout(PAUSE, stream.write_all(ANSWER)).await;
    });
}

/// Serves one connection until it ends, by whoever's will.
async fn converse(
    stream: TcpStream,
    local: SocketAddr,
    http: Arc<Http>,
    seat: Arc<Seat>,
    mut stopped: watch::Receiver<bool>,
) {
    let local = stream.local_addr().unwrap_or(local);
    let _ = stream.set_nodelay(true);
    let (idle, patience) = (http.options.idle, http.options.patience);
    let counters = Arc::clone(&http.counters);
    let service = {
        let seat = Arc::clone(&seat);
        hyper::service::service_fn(move |request| {
            let (http, seat) = (Arc::clone(&http), Arc::clone(&seat));
            async move { Ok::<_, std::convert::Infallible>(http.serve(request, local, seat).await) }
        })
    };
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(Stall::new(stream, patience)), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        result = connection.as_mut() => Some(result),
        () = seat.leave.notified() => return,
        () = async { drop(stopped.wait_for(|stop| *stop).await) } => None,
    };
    let result = match ended {
        Some(result) => result,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(e) = result
        && let Some(io) = std::error::Error::source(&e).and_then(|s| s.downcast_ref::<std::io::Error>())
        && io.kind() == std::io::ErrorKind::TimedOut
    {
        count(&counters.stalled);
    }
}
