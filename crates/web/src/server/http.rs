//! One request: let in, read, worked on by another thread, answered.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, Request, Response, Uri, header};
use axum::routing::any;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service;

use super::Options;
use super::accept::Seat;
use crate::Failure;
use crate::api::{Api, no_handler};
use crate::call::Call;
use crate::counters::{Counters, count};
use crate::filter_path::FilterPath;
use crate::media::{Coding, Form, check_request};
use crate::params::{Params, decode};
use crate::reply::{Wanted, finish};
use crate::routes;
use crate::ui::{self, Place};

/// Room for bodies is lent in pieces of so many bytes.
const PIECE: usize = 4 << 10;
/// How long after its deadline a request may still answer by itself.
const LATE: Duration = Duration::from_secs(5);

/// What all requests share.
pub(super) struct Http {
    pub(super) api: Arc<Api>,
    pub(super) options: Options,
    pub(super) counters: Arc<Counters>,
    router: Router,
    /// The calls of the pages.
    pages: Router,
    workers: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// Room for bodies, in pieces.
    room: Arc<Semaphore>,
}

/// Where a request came in.
#[derive(Clone)]
struct Door {
    http: Arc<Http>,
    seat: Arc<Seat>,
}

/// A body that has been read, and the room it takes.
struct Taken {
    bytes: Vec<u8>,
    room: Option<OwnedSemaphorePermit>,
}

impl Http {
    pub(super) fn new(api: Api, options: Options, counters: Arc<Counters>) -> Self {
        Self {
            api: Arc::new(api),
            counters,
            router: router(routes::ROUTES),
            pages: router(ui::ROUTES),
            workers: Arc::new(Semaphore::new(options.workers.max(1))),
            waiting: AtomicUsize::new(0),
            room: Arc::new(Semaphore::new(options.max_bodies.div_ceil(PIECE))),
            options,
        }
    }

    /// Answers a request that came to an address of ours.
    pub(super) async fn serve(
        self: Arc<Self>,
        request: Request<Incoming>,
        local: SocketAddr,
        seat: Arc<Seat>,
    ) -> Response<Body> {
        count(&self.counters.requests);
        let of_ui = self.api.pages.is_some();
        let mut response = self.respond(request.map(Body::new), local, seat).await;
        if of_ui {
            ui::secure(response.headers_mut());
        }
        response
    }

    async fn respond(
        self: Arc<Self>,
        mut request: Request<Body>,
        local: SocketAddr,
        seat: Arc<Seat>,
    ) -> Response<Body> {
        let place = self.api.pages.as_ref().map(|_| ui::place(request.uri()));
        if let Some(Place::File) = place {
            // A link of another page may lead here: these files say nothing of what was captured.
            if let Err(failure) = self.api.guard.check_host(request.uri(), request.headers(), local) {
                count(&self.counters.forbidden);
                return finish(failure.into(), &Wanted::plain());
            }
            return ui::serve(request.method(), request.uri().path(), request.headers());
        }
        if let Err(failure) = self.api.guard.check(request.uri(), request.headers(), local) {
            count(&self.counters.forbidden);
            return finish(failure.into(), &Wanted::plain());
        }
        if let Err(failure) = decode(request.uri().path(), false) {
            return finish(failure.into(), &Wanted::plain());
        }
        let mut router = match place {
            Some(Place::Own) => self.pages.clone(),
            Some(Place::Api(uri)) => {
                *request.uri_mut() = uri;
                self.router.clone()
            }
            _ => self.router.clone(),
        };
        // `/_search/` is `/_search`.
        if let Some(uri) = without_slash(request.uri()) {
            *request.uri_mut() = uri;
        }
        request.extensions_mut().insert(Door { http: self, seat });
        match router.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Answers a request of a known path.
    async fn answer(
        self: Arc<Self>,
        path: &'static str,
        parts: Vec<(String, String)>,
        request: Request<Body>,
        seat: Arc<Seat>,
    ) -> Response<Body> {
        let began = Instant::now();
        let (head, body) = request.into_parts();
        let wanted = match wanted(&head) {
            Ok(wanted) => wanted,
            Err(failure) => return finish(failure.into(), &Wanted::plain()),
        };
        let route = match self.api.route(&head.method, path, &target(&head.uri)) {
            Ok(route) => route,
            Err(reply) => return finish(reply, &wanted.1),
        };
        let (params, wanted) = wanted;
        let body = match self.read(&head.headers, body).await {
            Ok(body) => body,
            Err(failure) => {
                count(&self.counters.bad_bodies);
                return finish(failure.into(), &wanted);
            }
        };
        seat.busy();
        let response = self.work(began, route, head, params, parts, body, wanted).await;
        seat.idle();
        response
    }

    /// Reads a body within its bounds.
    async fn read(&self, headers: &HeaderMap, mut body: Body) -> Result<Taken, Failure> {
        let limit = self.options.max_body;
        let mut taken = Taken { bytes: Vec::new(), room: None };
        let reading = async {
            while let Some(frame) = body.frame().await {
                let frame =
                    frame.map_err(|e| Failure::plain(400, format!("the body cannot be read: {e}")))?;
                let Ok(data) = frame.into_data() else { continue };
                self.lend(&mut taken, data.len(), limit)?;
                taken.bytes.extend_from_slice(&data);
            }
            Ok(())
        };
        match tokio::time::timeout(self.options.patience, reading).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => return Err(failure),
            Err(_) => return Err(Failure::plain(408, "the body did not come in time")),
        }
        if !taken.bytes.is_empty() {
            check_request(text(headers, header::CONTENT_TYPE))?;
        }
        Ok(taken)
    }

    /// Lends room for so many more bytes.
    fn lend(&self, taken: &mut Taken, more: usize, limit: usize) -> Result<(), Failure> {
        let needed = taken.bytes.len().saturating_add(more);
        if needed > limit {
            return Err(too_large(limit));
        }
        let have = taken.room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = u32::try_from(needed.div_ceil(PIECE).saturating_sub(have)).unwrap_or(u32::MAX);
        if missing == 0 {
            return Ok(());
        }
        let Ok(more) = Arc::clone(&self.room).try_acquire_many_owned(missing) else {
            let reason = "[parent] Data too large: the bodies of all requests under way take too much memory";
            return Err(Failure::new(429, "circuit_breaking_exception", reason));
        };
        match &mut taken.room {
            Some(room) => room.merge(more),
            None => taken.room = Some(more),
        }
        Ok(())
    }

    /// Has a request worked on.
    #[allow(clippy::too_many_arguments, reason = "what a request consists of, used once")]
    async fn work(
        self: Arc<Self>,
        began: Instant,
        route: &'static routes::Route,
        head: Parts,
        mut params: Params,
        parts: Vec<(String, String)>,
        body: Taken,
        wanted: Wanted,
    ) -> Response<Body> {
        let deadline = began + self.options.deadline;
        let Some(permit) = self.worker(deadline).await else {
            count(&self.counters.busy);
            let reason = "rejected execution: too many requests are waiting";
            return finish(Failure::new(429, "es_rejected_execution_exception", reason).into(), &wanted);
        };
        let cancel = Cancel(Arc::new(AtomicBool::new(false)));
        let (api, cancelled, limit) = (Arc::clone(&self.api), Arc::clone(&cancel.0), self.options.max_body);
        let plain = wanted.clone();
        let job = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let _room = body.room;
            for (name, value) in parts {
                params.push(&name, value);
            }
            let bytes = match inflate(&head.headers, body.bytes, limit) {
                Ok(bytes) => bytes,
                Err(failure) => return finish(failure.into(), &wanted),
            };
            let call = Call {
                api: &api,
                path: head.uri.path().to_owned(),
                method: head.method,
                params,
                body: bytes,
                accepted: Form::accepted(text(&head.headers, header::ACCEPT)),
                wanted,
                began,
                deadline,
                cancelled,
            };
            finish(api.answer(route, &call, &head.headers), &call.wanted)
        });
        match tokio::time::timeout_at((deadline + LATE).into(), job).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => {
                count(&self.counters.panics);
                finish(Failure::new(500, "exception", "a fault of wirebeat's").into(), &plain)
            }
            Err(_) => {
                count(&self.counters.overdue);
                let reason = "the request was not answered in time";
                finish(Failure::new(503, "timeout_exception", reason).into(), &plain)
            }
        }
    }

    /// Waits for a worker, if not too many wait already.
    async fn worker(&self, deadline: Instant) -> Option<OwnedSemaphorePermit> {
        struct Waiting<'a>(&'a AtomicUsize);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        if let Ok(permit) = Arc::clone(&self.workers).try_acquire_owned() {
            return Some(permit);
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if before >= self.options.max_waiting {
            return None;
        }
        let permit = Arc::clone(&self.workers).acquire_owned();
        tokio::time::timeout_at(deadline.into(), permit).await.ok()?.ok()
    }
}

/// Tells a worker that nobody waits for it any more.
struct Cancel(Arc<AtomicBool>);

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// All paths of a list of calls.
fn router(calls: &[routes::Route]) -> Router {
    let mut paths: Vec<&'static str> = calls.iter().map(|route| route.path).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut router = Router::new();
    for path in paths {
        let handler =
            move |Extension(door): Extension<Door>, parts: RawPathParams, request: Request<Body>| {
                let parts = parts.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                door.http.answer(path, parts, request, door.seat)
            };
        router = router.route(path, any(handler));
    }
    router.fallback(async |method: Method, uri: Uri| {
        let mut wanted = Wanted::plain();
        wanted.head = method == Method::HEAD;
        finish(no_handler(&method, &target(&uri)), &wanted)
    })
}

/// The parameters of a request, and how its answer is wanted.
fn wanted(head: &Parts) -> Result<(Params, Wanted), Failure> {
    let params = Params::parse(head.uri.query().unwrap_or_default())?;
    let wanted = Wanted {
        form: Form::accepted(text(&head.headers, header::ACCEPT)).unwrap_or(Form::Json),
        coding: Coding::accepted(text(&head.headers, header::ACCEPT_ENCODING)),
        pretty: params.flag("pretty")?,
        filter: FilterPath::parse(params.get("filter_path").unwrap_or_default())?,
        head: head.method == Method::HEAD,
    };
    match params.get("format") {
        Some(other @ ("yaml" | "cbor" | "smile")) => Err(Failure::unsupported(&format!("format [{other}]"))),
        _ => Ok((params, wanted)),
    }
}

/// Unpacks a body within its bound.
fn inflate(headers: &HeaderMap, bytes: Vec<u8>, limit: usize) -> Result<Vec<u8>, Failure> {
    let reader: Box<dyn Read> = match Coding::of_request(text(headers, header::CONTENT_ENCODING))? {
        Coding::Identity => return Ok(bytes),
        Coding::Gzip => Box::new(MultiGzDecoder::new(bytes.as_slice())),
        Coding::Deflate => Box::new(ZlibDecoder::new(bytes.as_slice())),
    };
    let mut out = Vec::new();
    let read = reader.take(limit as u64 + 1).read_to_end(&mut out);
    if out.len() > limit {
        return Err(too_large(limit));
    }
    read.map_err(|e| Failure::plain(400, format!("the body cannot be unpacked: {e}")))?;
    Ok(out)
}

fn too_large(limit: usize) -> Failure {
    Failure::plain(413, format!("the body is larger than [{limit}] bytes"))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Path and parameters, as they came.
fn target(uri: &Uri) -> String {
    uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string)
}

/// The same address without slashes at the end of its path, if it has any.
fn without_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let short = path.trim_end_matches('/');
    if short.len() == path.len() || short.is_empty() {
        return None;
    }
    let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    Uri::try_from(format!("{short}{query}")).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn all_paths_fit_together() {
        let _ = (router(routes::ROUTES), router(ui::ROUTES));
    }

    #[test]
    fn slashes() {
        let short = |uri: &str| without_slash(&uri.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(short("/_search/?q=a").as_deref(), Some("/_search?q=a"));
        assert_eq!(short("/"), None);
        assert_eq!(short("/_search"), None);
        assert_eq!(short("//"), None);
    }

    #[test]
    fn bombs_are_not_unpacked() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![b' '; 1 << 20]).unwrap();
        let packed = encoder.finish().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
        assert_eq!(inflate(&headers, packed.clone(), 1 << 20).unwrap().len(), 1 << 20);
        assert_eq!(inflate(&headers, packed.clone(), (1 << 20) - 1).unwrap_err().status, 413);
        assert_eq!(inflate(&headers, packed[..20].to_vec(), 1 << 20).unwrap_err().status, 400);
    }
}
