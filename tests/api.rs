//! The Elasticsearch API over the real store, as a client meets it. Numbers follow from the events by counting; texts
//! and forms are those of Elasticsearch 8.19.5.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../crates/web/tests/client/mod.rs"]
mod client;
#[path = "api/store.rs"]
mod store;

use client::{get, post, send};
use serde_json::{Value, json};
use store::{TOKEN, document, id, put, start};

fn ids(answer: &Value) -> Vec<String> {
    let hits = answer["hits"]["hits"].as_array().unwrap_or_else(|| panic!("{answer}"));
    hits.iter().map(|hit| hit["_id"].as_str().unwrap().to_owned()).collect()
}

fn numbered(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers.into_iter().map(id).collect()
}

#[test]
fn searches_in_bodies_and_addresses() {
    let run = start();
    let all = get(run.at, "/_search?size=0&track_total_hits=true").json();
    assert_eq!(all["hits"]["total"], json!({"value": 48, "relation": "eq"}));
    assert_eq!(all["_shards"], json!({"total": 2, "successful": 2, "skipped": 0, "failed": 0}));
    // Every third of 48 is DNS.
    assert_eq!(get(run.at, "/packetbeat-*/_count?q=type:dns").json()["count"], 16);
    // Multiples of 10 that are none of 3: 10, 20, 40.
    let body =
        json!({"query": {"term": {"http.response.status_code": 500}}, "sort": [{"@timestamp": "desc"}]});
    let found = post(run.at, "/packetbeat-*/_search", &body.to_string()).json();
    assert_eq!(ids(&found), numbered([40, 20, 10]));
    assert_eq!(found["hits"]["hits"][2]["_source"], document(10));
    assert_eq!(found["hits"]["hits"][2]["_index"], "packetbeat-2026.01.01");
    // 2026-01-01T10:00:00Z in milliseconds.
    assert_eq!(found["hits"]["hits"][2]["sort"], json!([1_767_261_600_000_u64]));
    let found =
        get(run.at, "/packetbeat-2026.01.02/_search?q=url.path:%5C%2Fpage%5C%2F25&_source=url.path").json();
    assert_eq!(ids(&found), numbered([25]));
    assert_eq!(found["hits"]["hits"][0]["_source"], json!({"url": {"path": "/page/25"}}));
    let found = get(run.at, "/_search?sort=@timestamp:desc&size=2&from=1&rest_total_hits_as_int").json();
    assert_eq!((ids(&found), &found["hits"]["total"]), (numbered([46, 45]), &json!(48)));
    let found = get(run.at, "/_search?filter_path=hits.hits._id,-**.total&size=1&sort=@timestamp").json();
    assert_eq!(found, json!({"hits": {"hits": [{"_id": id(0)}]}}));
    let body = json!({"size": 0, "aggs": {"t": {"terms": {"field": "type"}}}});
    let found = post(run.at, "/_search?typed_keys", &body.to_string()).json();
    assert_eq!(
        found["aggregations"]["sterms#t"]["buckets"],
        json!([{"key": "http", "doc_count": 32}, {"key": "dns", "doc_count": 16}])
    );
    // A key of a map, and a list of indices with one left out.
    let found = get(run.at, "/*,-packetbeat-2026.01.01/_count?q=http.request.headers.host:bench.test").json();
    assert_eq!(
        found,
        json!({"count": 16, "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0}})
    );
    let none = get(run.at, "/nothing-*/_search").json();
    assert_eq!(none["hits"], json!({"total": {"value": 0, "relation": "eq"}, "max_score": 0.0, "hits": []}));
}

#[test]
fn members_come_in_the_order_people_know() {
    let run = start();
    let text = get(run.at, "/packetbeat-2026.01.01/_search?size=1").text().to_owned();
    let order = ["took", "timed_out", "_shards", "hits", "_index", "_id", "_score", "_source", "@timestamp"];
    let places: Vec<_> = order
        .map(|name| text.find(&format!("\"{name}\"")).unwrap_or_else(|| panic!("{name}: {text}")))
        .into();
    assert!(places.is_sorted(), "{text}");
    assert!(get(run.at, "/").text().starts_with("{\"name\":"));
}

#[test]
fn errors_as_elasticsearch_tells_them() {
    let run = start();
    let missing = get(run.at, "/nothing/_search");
    assert_eq!(missing.status, 404);
    let cause = json!({"type": "index_not_found_exception", "reason": "no such index [nothing]",
        "resource.type": "index_or_alias", "resource.id": "nothing", "index_uuid": "_na_", "index": "nothing"});
    let mut error = cause.clone();
    error["root_cause"] = json!([cause]);
    assert_eq!(missing.json(), json!({"error": error, "status": 404}));

    let unknown = post(run.at, "/_search", "{\"query\":{\"no_such\":{}}}");
    assert_eq!(unknown.status, 400);
    assert_eq!(unknown.json()["error"]["root_cause"][0]["reason"], "unknown query [no_such]");
    let wrong = post(run.at, "/_search", "{\"query\":{\"term\":{\"client.ip\":\"nowhere\"}}}");
    assert_eq!((wrong.status, wrong.reason().as_str()), (400, "all shards failed"));
    assert_eq!(wrong.json()["error"]["root_cause"][0]["type"], "query_shard_exception");
    assert_eq!(post(run.at, "/_search", "{nonsense").json()["error"]["type"], "x_content_parse_exception");
    assert_eq!(post(run.at, "/_count", "{\"size\":1}").reason(), "request does not support [size]");
    assert_eq!(
        post(run.at, "/_search", "{\"size\":-1}").reason(),
        "[size] parameter cannot be negative, found [-1]"
    );
    assert_eq!(
        post(run.at, "/_validate/query", "{\"query\":{\"no_such\":{}}}").json(),
        json!({"valid": false})
    );
    assert_eq!(
        post(run.at, "/_validate/query", "{\"query\":{\"term\":{\"type\":\"x\"}}}").json(),
        json!({"_shards": {"total": 1, "successful": 1, "failed": 0}, "valid": true})
    );
    let bulk =
        send(run.at, "PUT", "/_bulk", &[("content-type", "application/x-ndjson")], b"{\"create\":{}}\n{}\n");
    assert_eq!(bulk.status, 400);
    assert!(bulk.reason().starts_with("[PUT /_bulk] is not supported by wirebeat"), "{}", bulk.reason());
}

#[test]
fn a_scroll_tells_everything_once() {
    let run = start();
    for (what, body) in [
        ("as stored", json!({})),
        ("sorted", json!({"sort": [{"type": "asc"}]})),
        ("filtered", json!({"query": {"term": {"type": "http"}}, "sort": [{"@timestamp": "desc"}]})),
    ] {
        let first = post(run.at, "/packetbeat-*/_search?scroll=1m&size=7", &body.to_string()).json();
        let scroll_id = first["_scroll_id"].as_str().unwrap().to_owned();
        let mut all = ids(&first);
        let total = first["hits"]["total"]["value"].as_u64().unwrap();
        // Events that come later are not told.
        put(&run.store, 1000..1003);
        loop {
            let next =
                post(run.at, "/_search/scroll", &json!({"scroll": "1m", "scroll_id": scroll_id}).to_string());
            let page = next.json();
            assert_eq!(page["hits"]["total"]["value"], total, "{what}");
            let told = ids(&page);
            if told.is_empty() {
                break;
            }
            assert!(told.len() <= 7);
            all.extend(told);
        }
        assert_eq!(all.len() as u64, total, "{what}");
        let mut once = all.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), all.len(), "{what}");
        if what == "filtered" {
            assert_eq!(all, numbered((0..48).rev().filter(|n| n % 3 != 0)), "{what}");
        }
        run.store.delete_index("packetbeat-2026.02.11").unwrap();
    }
}

#[test]
fn a_point_in_time_stays_the_same() {
    let run = start();
    let pit = send(run.at, "POST", "/packetbeat-*/_pit?keep_alive=1m", &[], b"").json();
    let body = json!({"pit": {"id": pit["id"], "keep_alive": "1m"}, "size": 5, "sort": [{"type": "asc"}]});
    put(&run.store, 1000..1003);
    run.store.delete_index("packetbeat-2026.01.02").unwrap();
    let mut all = Vec::new();
    let mut body = body;
    loop {
        let page = post(run.at, "/_search", &body.to_string()).json();
        assert_eq!(page["hits"]["total"]["value"], 48);
        let hits = page["hits"]["hits"].as_array().unwrap();
        let Some(last) = hits.last() else { break };
        // The value after the user's own is the place of the hit.
        assert_eq!(last["sort"].as_array().unwrap().len(), 2);
        body["search_after"] = last["sort"].clone();
        all.extend(ids(&page));
    }
    all.sort();
    assert_eq!(all, numbered(0..48));
    assert_eq!(get(run.at, "/packetbeat-2026.01.02/_count").status, 404);
}

#[test]
fn documents_by_their_ids() {
    let run = start();
    let found = get(run.at, &format!("/packetbeat-2026.01.01/_doc/{}", id(10))).json();
    assert_eq!(found["_source"], document(10));
    assert_eq!((&found["found"], &found["_version"]), (&json!(true), &json!(1)));
    assert_eq!(found["_id"], json!(id(10)));
    let missing = get(run.at, "/packetbeat-2026.01.01/_doc/no-such-id");
    assert_eq!(
        (missing.status, missing.json()),
        (404, json!({"_index": "packetbeat-2026.01.01", "_id": "no-such-id", "found": false}))
    );
    // 30 is of the next day.
    assert_eq!(get(run.at, &format!("/packetbeat-2026.01.01/_doc/{}", id(30))).status, 404);
    assert_eq!(
        send(run.at, "HEAD", &format!("/packetbeat-2026.01.01/_doc/{}", id(10)), &[], b"").status,
        200
    );
    let source = get(run.at, &format!("/packetbeat-2026.01.01/_source/{}?_source_includes=url", id(10)));
    assert_eq!(source.json(), json!({"url": {"path": "/page/10"}}));
    let gone = get(run.at, "/packetbeat-2026.01.01/_source/1");
    assert_eq!(gone.reason(), "Document not found [packetbeat-2026.01.01]/[1]");
    let many = post(
        run.at,
        "/packetbeat-2026.01.01/_mget?filter_path=docs._id,docs.found",
        &json!({"ids": [id(3), "x"]}).to_string(),
    );
    assert_eq!(many.json(), json!({"docs": [{"_id": id(3), "found": true}, {"_id": "x", "found": false}]}));
}

#[test]
fn fields_and_their_kinds() {
    let run = start();
    let field = |name: &str| {
        let answer = get(run.at, &format!("/packetbeat-2026.01.01/_mapping/field/{name}")).json();
        answer["packetbeat-2026.01.01"]["mappings"].clone()
    };
    assert_eq!(
        field("client.ip"),
        json!({"client.ip": {"full_name": "client.ip", "mapping": {"ip": {"type": "ip"}}}})
    );
    assert_eq!(field("nope"), json!({}));
    let mapping = get(run.at, "/packetbeat-2026.01.01/_mapping").json();
    let properties = &mapping["packetbeat-2026.01.01"]["mappings"]["properties"];
    assert_eq!(properties["@timestamp"], json!({"type": "date"}));
    assert_eq!(
        properties["http"]["properties"]["response"]["properties"]["status_code"],
        json!({"type": "long"})
    );
    assert_eq!(
        properties["http"]["properties"]["request"]["properties"]["headers"],
        json!({"type": "flattened"})
    );
    let caps = get(run.at, "/packetbeat-*/_field_caps?fields=dns.id,_id").json();
    assert_eq!(caps["indices"], json!(["packetbeat-2026.01.01", "packetbeat-2026.01.02"]));
    assert_eq!(
        caps["fields"]["dns.id"],
        json!({"long": {"type": "long", "metadata_field": false, "searchable": true, "aggregatable": true}})
    );
    assert_eq!(caps["fields"]["dns"]["object"]["searchable"], false);
    assert_eq!(caps["fields"]["_id"]["_id"]["metadata_field"], true);
    // Declared, but no event has it.
    let target = "/packetbeat-*/_field_caps?fields=redis.return_value";
    assert!(get(run.at, target).json()["fields"].get("redis.return_value").is_some());
    assert_eq!(get(run.at, &format!("{target}&include_empty_fields=false")).json()["fields"], json!({}));
    let filter =
        json!({"fields": ["type"], "index_filter": {"range": {"@timestamp": {"gte": "2026-01-02"}}}});
    let caps = post(run.at, "/_field_caps", &filter.to_string()).json();
    assert_eq!(caps["indices"], json!(["packetbeat-2026.01.02"]));
}

#[test]
fn indices_and_tables() {
    let run = start();
    let table = get(run.at, "/_cat/indices?v&h=index,docs.count,health,status,pri,rep,docs.deleted&s=index");
    assert_eq!(
        table.text(),
        "index                 docs.count health status pri rep docs.deleted\n\
         packetbeat-2026.01.01         24 green  open     1   0            0\n\
         packetbeat-2026.01.02         24 green  open     1   0            0\n"
    );
    let head = get(run.at, "/_cat/indices?v").text().lines().next().unwrap().to_owned();
    let names: Vec<&str> = head.split_whitespace().collect();
    assert_eq!(
        names,
        [
            "health",
            "status",
            "index",
            "uuid",
            "pri",
            "rep",
            "docs.count",
            "docs.deleted",
            "store.size",
            "pri.store.size",
            "dataset.size"
        ]
    );
    let rows = get(run.at, "/_cat/indices/*01?format=json&bytes=b").json();
    let size: u64 = rows[0]["store.size"].as_str().unwrap().parse().unwrap();
    assert!(size > 0);
    assert_eq!(rows[0]["uuid"].as_str().unwrap().len(), 22);
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!(get(run.at, "/_cat/count?h=count").text(), "48\n");
    assert_eq!(
        get(run.at, "/_resolve/index/*02").json(),
        json!({"indices": [{"name": "packetbeat-2026.01.02", "attributes": ["open"]}], "aliases": [], "data_streams": []})
    );
    assert_eq!(get(run.at, "/_alias/x").json(), json!({"error": "alias [x] missing", "status": 404}));
    let settings = get(run.at, "/packetbeat-2026.01.01/_settings").json();
    let index = &settings["packetbeat-2026.01.01"]["settings"]["index"];
    assert_eq!((&index["number_of_shards"], &index["number_of_replicas"]), (&json!("1"), &json!("0")));
    assert_eq!(index["creation_date"], "1767225600000");
    let stats = get(run.at, "/_stats/docs").json();
    assert_eq!(stats["_all"]["primaries"]["docs"]["count"], 48);
    assert_eq!(stats["indices"]["packetbeat-2026.01.02"]["total"]["docs"]["count"], 24);
    let health = get(run.at, "/_cluster/health?wait_for_status=yellow&timeout=5s").json();
    assert_eq!((&health["status"], &health["timed_out"]), (&json!("green"), &json!(false)));
    assert_eq!(health["active_shards"], 2);
    let nodes = get(run.at, "/_nodes/http").json();
    let node = nodes["nodes"].as_object().unwrap().values().next().unwrap();
    assert_eq!(node["http"]["publish_address"], json!(run.at.to_string()));

    let token = [("x-wirebeat-token", TOKEN)];
    assert_eq!(send(run.at, "DELETE", "/packetbeat-2026.01.01", &[], b"").status, 403);
    let deleted = send(run.at, "DELETE", "/packetbeat-2026.01.01", &token, b"");
    assert_eq!((deleted.status, deleted.json()), (200, json!({"acknowledged": true})));
    assert_eq!(get(run.at, "/_cat/count?h=count").text(), "24\n");
    assert_eq!(send(run.at, "HEAD", "/packetbeat-2026.01.01", &[], b"").status, 404);
    // A name is no path.
    assert_eq!(send(run.at, "DELETE", "/..%2F..%2Fetc", &token, b"").status, 404);
}

#[test]
fn many_searches_at_once() {
    let run = start();
    let body = "{\"index\":\"packetbeat-*\"}\n{\"size\":0,\"query\":{\"match\":{\"type\":\"dns\"}}}\n\
                {\"index\":\"nothing\"}\n{}\n{\"index\":\"nothing\",\"ignore_unavailable\":true}\n{}\n";
    let answer = send(
        run.at,
        "POST",
        "/_msearch?max_concurrent_shard_requests=5",
        &[("content-type", "application/x-ndjson")],
        body.as_bytes(),
    );
    let responses = answer.json()["responses"].clone();
    assert_eq!(responses[0]["hits"]["total"]["value"], 16);
    let statuses: Vec<&Value> = responses.as_array().unwrap().iter().map(|r| &r["status"]).collect();
    assert_eq!(statuses, [200, 404, 200]);
    assert_eq!(responses[2]["hits"]["total"]["value"], 0);
}

#[test]
fn older_names_are_aliases() {
    let run = start();
    // Multiples of 10 that are none of 3.
    let found = get(run.at, "/_search?q=http.code:500&sort=@timestamp").json();
    assert_eq!(ids(&found), numbered([10, 20, 40]));
    // Those of five clients whose number is 2: 2, 7, 12 …
    let body = json!({"query": {"term": {"client_ip": "10.0.0.2"}}, "size": 0, "track_total_hits": true,
        "aggs": {"c": {"terms": {"field": "http.code"}}, "n": {"cardinality": {"field": "client_ip"}}}});
    let found = post(run.at, "/packetbeat-*/_search", &body.to_string()).json();
    let of_client: Vec<u64> = (0..48).filter(|n| n % 5 == 2).collect();
    assert_eq!(found["hits"]["total"]["value"], of_client.len());
    let http = of_client.iter().filter(|n| *n % 3 != 0).count();
    let told = &found["aggregations"];
    assert_eq!(
        told["c"]["buckets"],
        json!([{"key": 200, "doc_count": http}]),
        "2, 12 … are no multiples of 10"
    );
    assert_eq!(told["n"]["value"], 1);

    // In the mapping of an index in which their field has values, and in no other.
    let mapping = get(run.at, "/packetbeat-2026.01.01/_mapping").json();
    let properties = &mapping["packetbeat-2026.01.01"]["mappings"]["properties"];
    assert_eq!(properties["client_ip"], json!({"type": "alias", "path": "client.ip"}));
    let http = &properties["http"]["properties"];
    assert_eq!(http["code"], json!({"type": "alias", "path": "http.response.status_code"}));
    assert_eq!(http["response"]["properties"]["status_code"], json!({"type": "long"}));
    for absent in ["bytes_in", "proc", "load", "fs"] {
        let told = &properties[absent]["properties"]["name"]["type"];
        assert!(properties[absent]["type"] != "alias" && told != "alias", "{absent}: {}", properties[absent]);
    }
    let caps = get(run.at, "/_field_caps?fields=client_*,http.code,bytes_in,beat.name").json();
    let names: Vec<&String> = caps["fields"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["client", "client_ip", "http", "http.code", "http.response"]);
    assert_eq!(caps["fields"]["client_ip"]["ip"]["type"], "ip");
    assert_eq!(caps["fields"]["http.code"]["long"]["aggregatable"], true);

    // Among the fields of a document, not in it.
    let body = json!({"query": {"ids": {"values": [id(10)]}}, "fields": ["*"], "_source": ["client_ip", "http.code"]});
    let hit = &post(run.at, "/_search", &body.to_string()).json()["hits"]["hits"][0];
    assert_eq!(hit["_source"], json!({}));
    for (name, value) in
        [("client_ip", json!("10.0.0.0")), ("client.ip", json!("10.0.0.0")), ("http.code", json!(500))]
    {
        assert_eq!(hit["fields"][name], json!([value]), "{name}");
    }
}
