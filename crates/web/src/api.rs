//! What all calls share, and the way of a request from its bytes to its answer.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, Method};

use crate::Failure;
use crate::backend::Backend;
use crate::call::Call;
use crate::contexts::Contexts;
use crate::guard::Guard;
use crate::identity::Identity;
use crate::reply::Reply;
use crate::routes::{self, Route};
use crate::ui::Pages;

/// What all calls share.
pub(crate) struct Api {
    pub(crate) backend: Arc<dyn Backend>,
    /// What the pages ask; `None` where only the API is served.
    pub(crate) pages: Option<Arc<dyn Pages>>,
    pub(crate) identity: Identity,
    pub(crate) contexts: Contexts,
    pub(crate) guard: Guard,
    pub(crate) addresses: Vec<SocketAddr>,
    /// Bytes of a body, at most.
    pub(crate) max_body: usize,
}

impl Api {
    /// Who answers a method at a path (as it stands in the list of calls).
    ///
    /// # Errors
    /// The answer: 405, or what OPTIONS tells.
    pub(crate) fn route(&self, method: &Method, path: &str, uri: &str) -> Result<&'static Route, Reply> {
        if let Some(route) = routes::of_path(path).find(|route| route.methods.contains(&method.as_str())) {
            return Ok(route);
        }
        let mut methods: Vec<&str> =
            routes::of_path(path).flat_map(|route| route.methods.iter().copied()).collect();
        methods.sort_unstable();
        methods.dedup();
        let allow = Some(methods.join(","));
        if *method == Method::OPTIONS {
            return Err(Reply { allow, ..Reply::empty(200) });
        }
        let text = format!(
            "Incorrect HTTP method for uri [{uri}] and method [{method}], allowed: [{}]",
            methods.join(", ")
        );
        Err(Reply { allow, ..Reply::from(Failure::plain(405, text)) })
    }

    /// Answers a call of a route.
    pub(crate) fn answer(&self, route: &Route, call: &Call<'_>, headers: &HeaderMap) -> Reply {
        let checked = || {
            if route.changes {
                self.guard.check_token(headers)?;
            }
            if let Some(known) = route.params {
                call.params.only(&call.path, known)?;
            }
            if !route.body && !call.body.is_empty() {
                let text = format!("request [{} {}] does not support having a body", call.method, call.path);
                return Err(Failure::illegal(text));
            }
            (route.run)(call)
        };
        checked().unwrap_or_else(Reply::from)
    }
}

/// What is said to a path that is none.
pub(crate) fn no_handler(method: &Method, uri: &str) -> Reply {
    let text = format!("no handler found for uri [{uri}] and method [{method}]");
    Reply::json(400, serde_json::json!({"error": text}))
}
