//! Every call: its methods, its path, its parameters, who answers it. What is not here is refused.

use crate::Failure;
use crate::call::{Call, INDICES};
use crate::cat;
use crate::cat::table::TABLE;
use crate::es::url::{QUERY, SEARCH, SOURCE};
use crate::es::{cluster, doc, field_caps, index, mapping, msearch, pit, scroll, search};
use crate::reply::Reply;
use crate::ui;

/// Answers a call.
pub(crate) type Handler = fn(&Call<'_>) -> Result<Reply, Failure>;

/// One call.
pub(crate) struct Route {
    pub(crate) methods: &'static [&'static str],
    pub(crate) path: &'static str,
    /// Names of parameters besides those of every call; those of the path too. `None`: they are not looked at.
    pub(crate) params: Option<Lists>,
    /// Whether it reads a body.
    pub(crate) body: bool,
    /// Whether it changes something, and so needs the token.
    pub(crate) changes: bool,
    pub(crate) run: Handler,
}

/// Lists of names.
pub(crate) type Lists = &'static [&'static [&'static str]];

const GET: &[&str] = &["GET"];
const HEAD: &[&str] = &["HEAD"];
const GET_HEAD: &[&str] = &["GET", "HEAD"];
const GET_POST: &[&str] = &["GET", "POST"];
const POST: &[&str] = &["POST"];
const PUT_POST: &[&str] = &["PUT", "POST"];
const PUT: &[&str] = &["PUT"];
const DELETE: &[&str] = &["DELETE"];
const PUT_POST_DELETE: &[&str] = &["PUT", "POST", "DELETE"];

/// Reads no body.
const fn get(methods: &'static [&'static str], path: &'static str, params: Lists, run: Handler) -> Route {
    Route { methods, path, params: Some(params), body: false, changes: false, run }
}

/// Reads a body.
const fn ask(methods: &'static [&'static str], path: &'static str, params: Lists, run: Handler) -> Route {
    Route { methods, path, params: Some(params), body: true, changes: false, run }
}

/// Elasticsearch has it, we have not.
const fn refused(methods: &'static [&'static str], path: &'static str) -> Route {
    Route { methods, path, params: None, body: true, changes: false, run: cluster::refuse }
}

const SEARCHES: Lists = &[INDICES, QUERY, SOURCE, SEARCH];
const COUNTS: Lists = &[INDICES, QUERY, &["min_score", "preference", "routing", "terminate_after"]];
const VALIDATES: Lists = &[INDICES, QUERY, &["all_shards", "explain", "rewrite"]];
const MSEARCHES: Lists = &[
    INDICES,
    &[
        "ccs_minimize_roundtrips",
        "max_concurrent_searches",
        "max_concurrent_shard_requests",
        "pre_filter_shard_size",
        "rest_total_hits_as_int",
        "routing",
        "search_type",
        "typed_keys",
    ],
];
const SCROLLS: Lists = &[&["rest_total_hits_as_int", "scroll", "scroll_id", "source", "source_content_type"]];
const PITS: Lists = &[INDICES, &["keep_alive", "preference", "routing", "allow_partial_search_results"]];
const CAPS: Lists = &[
    INDICES,
    &[
        "fields",
        "filters",
        "include_empty_fields",
        "include_unmapped",
        "source",
        "source_content_type",
        "types",
    ],
];
const MANAGES: &[&str] = &["local", "master_timeout", "timeout"];
const MAPPINGS: Lists = &[INDICES, MANAGES, &["fields", "include_defaults"]];
const SETTINGS: Lists = &[INDICES, MANAGES, &["flat_settings", "include_defaults", "name"]];
const ABOUT: Lists = &[INDICES, MANAGES, &["features", "flat_settings", "include_defaults"]];
const ALIASES: Lists = &[INDICES, MANAGES, &["name"]];
const STATS: Lists = &[
    INDICES,
    &[
        "completion_fields",
        "fielddata_fields",
        "fields",
        "forbid_closed_indices",
        "groups",
        "include_segment_file_sizes",
    ],
    &["include_unloaded_segments", "level", "metric"],
];
const DOCS: Lists =
    &[&["index", "id"], SOURCE, &["force_synthetic_source", "preference", "realtime", "refresh", "routing"]];
const HEALTH: Lists = &[
    INDICES,
    MANAGES,
    &["level", "wait_for_active_shards", "wait_for_events", "wait_for_no_initializing_shards"],
    &["wait_for_no_relocating_shards", "wait_for_nodes", "wait_for_status"],
];
const CAT_INDICES: Lists = &[INDICES, TABLE, &["health", "include_unloaded_segments", "pri"]];
const LISTS: Lists = &[MANAGES, &["flat_settings", "name", "include_defaults", "expand_wildcards"]];

/// Every call.
pub(crate) static ROUTES: &[Route] = &[
    get(GET_HEAD, "/", &[], cluster::root),
    // Searches.
    ask(GET_POST, "/_search", SEARCHES, search::search),
    ask(GET_POST, "/{index}/_search", SEARCHES, search::search),
    ask(GET_POST, "/_count", COUNTS, search::count),
    ask(GET_POST, "/{index}/_count", COUNTS, search::count),
    ask(GET_POST, "/_msearch", MSEARCHES, msearch::msearch),
    ask(GET_POST, "/{index}/_msearch", MSEARCHES, msearch::msearch),
    ask(GET_POST, "/_validate/query", VALIDATES, search::validate),
    ask(GET_POST, "/{index}/_validate/query", VALIDATES, search::validate),
    ask(GET_POST, "/_search/scroll", SCROLLS, scroll::next),
    ask(GET_POST, "/_search/scroll/{scroll_id}", SCROLLS, scroll::next),
    ask(DELETE, "/_search/scroll", SCROLLS, scroll::close),
    ask(DELETE, "/_search/scroll/{scroll_id}", SCROLLS, scroll::close),
    ask(POST, "/{index}/_pit", PITS, pit::open),
    ask(DELETE, "/_pit", &[], pit::close),
    ask(POST, "/{index}/_search/point_in_time", PITS, pit::open_of_opensearch),
    ask(DELETE, "/_search/point_in_time", &[], pit::close_of_opensearch),
    // Documents.
    get(GET_HEAD, "/{index}/_doc/{id}", DOCS, doc::get),
    get(GET_HEAD, "/{index}/_source/{id}", DOCS, doc::source),
    ask(GET_POST, "/_mget", DOCS, doc::mget),
    ask(GET_POST, "/{index}/_mget", DOCS, doc::mget),
    // Fields.
    get(GET, "/_mapping", MAPPINGS, mapping::mapping),
    get(GET, "/_mappings", MAPPINGS, mapping::mapping),
    get(GET, "/{index}/_mapping", MAPPINGS, mapping::mapping),
    get(GET, "/{index}/_mappings", MAPPINGS, mapping::mapping),
    get(GET, "/_mapping/field/{fields}", MAPPINGS, mapping::fields),
    get(GET, "/{index}/_mapping/field/{fields}", MAPPINGS, mapping::fields),
    ask(GET_POST, "/_field_caps", CAPS, field_caps::field_caps),
    ask(GET_POST, "/{index}/_field_caps", CAPS, field_caps::field_caps),
    // Indices.
    get(GET, "/{index}", ABOUT, index::get),
    get(HEAD, "/{index}", ABOUT, index::head),
    Route { changes: true, ..get(DELETE, "/{index}", ABOUT, index::delete) },
    get(GET, "/_settings", SETTINGS, index::settings),
    get(GET, "/_settings/{name}", SETTINGS, index::settings),
    get(GET, "/{index}/_settings", SETTINGS, index::settings),
    get(GET, "/{index}/_settings/{name}", SETTINGS, index::settings),
    get(GET_HEAD, "/_alias", ALIASES, index::alias),
    get(GET_HEAD, "/_alias/{name}", ALIASES, index::alias),
    get(GET_HEAD, "/{index}/_alias", ALIASES, index::alias),
    get(GET_HEAD, "/{index}/_alias/{name}", ALIASES, index::alias),
    get(GET, "/_resolve/index/{index}", &[INDICES], index::resolve),
    get(GET, "/_stats", STATS, cluster::stats),
    get(GET, "/_stats/{metric}", STATS, cluster::stats),
    get(GET, "/{index}/_stats", STATS, cluster::stats),
    get(GET, "/{index}/_stats/{metric}", STATS, cluster::stats),
    get(GET_POST, "/_refresh", &[INDICES], cluster::refresh),
    get(GET_POST, "/{index}/_refresh", &[INDICES], cluster::refresh),
    // The node.
    get(GET, "/_cluster/health", HEALTH, cluster::health),
    get(GET, "/_cluster/health/{index}", HEALTH, cluster::health),
    get(GET, "/_nodes", &[MANAGES, &["flat_settings"]], cluster::nodes),
    get(GET, "/_nodes/http", &[MANAGES, &["flat_settings"]], cluster::nodes),
    get(GET, "/_license", &[MANAGES, &["accept_enterprise"]], cluster::license),
    get(GET, "/_xpack", &[MANAGES, &["accept_enterprise", "categories"]], cluster::xpack),
    get(GET, "/_data_stream", LISTS, cluster::data_streams),
    get(GET, "/_index_template", LISTS, cluster::index_templates),
    get(GET, "/_component_template", LISTS, cluster::component_templates),
    get(GET, "/_template", LISTS, cluster::nothing),
    get(GET, "/_ilm/policy", LISTS, cluster::nothing),
    get(GET, "/_ingest/pipeline", LISTS, cluster::nothing),
    // Tables.
    get(GET, "/_cat", &[TABLE], cat::list),
    get(GET, "/_cat/aliases", &[TABLE, &["alias", "expand_wildcards"]], cat::aliases),
    get(GET, "/_cat/aliases/{alias}", &[TABLE, &["alias", "expand_wildcards"]], cat::aliases),
    ask(GET_POST, "/_cat/count", &[INDICES, TABLE], cat::count),
    ask(GET_POST, "/_cat/count/{index}", &[INDICES, TABLE], cat::count),
    get(GET, "/_cat/health", &[TABLE, &["ts"]], cat::health),
    get(GET, "/_cat/indices", CAT_INDICES, cat::indices),
    get(GET, "/_cat/indices/{index}", CAT_INDICES, cat::indices),
    // Writing.
    refused(PUT_POST, "/_bulk"),
    refused(PUT_POST, "/{index}/_bulk"),
    refused(POST, "/{index}/_doc"),
    refused(PUT_POST_DELETE, "/{index}/_doc/{id}"),
    refused(PUT_POST, "/{index}/_create/{id}"),
    refused(POST, "/{index}/_update/{id}"),
    refused(POST, "/{index}/_update_by_query"),
    refused(POST, "/{index}/_delete_by_query"),
    refused(POST, "/_reindex"),
    refused(PUT, "/{index}"),
    refused(PUT_POST, "/{index}/_mapping"),
    refused(PUT, "/_settings"),
    refused(PUT, "/{index}/_settings"),
    refused(POST, "/_aliases"),
    refused(PUT_POST_DELETE, "/{index}/_alias/{name}"),
    refused(PUT_POST_DELETE, "/_template/{name}"),
    refused(PUT_POST_DELETE, "/_index_template/{name}"),
    refused(PUT_POST_DELETE, "/_component_template/{name}"),
    refused(PUT_POST_DELETE, "/_ilm/policy/{name}"),
    refused(PUT_POST_DELETE, "/_ingest/pipeline/{name}"),
    refused(PUT_POST_DELETE, "/_data_stream/{name}"),
    refused(PUT, "/_cluster/settings"),
];

/// The calls of one path.
pub(crate) fn of_path(path: &str) -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().chain(ui::ROUTES).filter(move |route| route.path == path)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_method_of_a_path_once() {
        let mut seen = HashSet::new();
        for route in ROUTES.iter().chain(ui::ROUTES) {
            for method in route.methods {
                assert!(seen.insert((route.path, method)), "{method} {}", route.path);
            }
            for name in route.path.split('/').filter_map(|p| p.strip_prefix('{')?.strip_suffix('}')) {
                let known = route.params.is_none_or(|lists| lists.iter().any(|list| list.contains(&name)));
                assert!(known, "{name} of {}", route.path);
            }
        }
    }

    #[test]
    fn what_changes_something_is_marked() {
        let safe: HashSet<_> =
            ["/_search/scroll", "/_search/scroll/{scroll_id}", "/_pit", "/_search/point_in_time"].into();
        for route in ROUTES.iter().filter(|r| r.methods.contains(&"DELETE") && r.params.is_some()) {
            assert!(route.changes || safe.contains(route.path), "{}", route.path);
        }
        for route in ui::ROUTES {
            assert_eq!(route.changes, route.methods != ["GET"], "{}", route.path);
        }
    }
}
