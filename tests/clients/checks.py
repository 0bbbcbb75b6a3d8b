"""What users' Python clients do with an Elasticsearch: prints one JSON object of what they got.

usage: checks.py elasticsearch|opensearchpy URL

The client is whichever version stands first in PYTHONPATH. What the facts have to be, tests/elastic/clients.rs says.
"""

import importlib
import json
import sys
import warnings

warnings.simplefilter("ignore")
library = importlib.import_module(sys.argv[1])
helpers = importlib.import_module(sys.argv[1] + ".helpers")
opensearch = sys.argv[1] == "opensearchpy"
version = library.__version__ if isinstance(library.__version__, tuple) else library.__versionstr__
client = (library.OpenSearch if opensearch else library.Elasticsearch)(sys.argv[2])

ALL = "packetbeat-*"
DAY = "packetbeat-2024.10.27"
EDGE = "packetbeat-2024.02.29"
ICMP = {"query": {"term": {"type": "icmp"}}}
facts = {"client": str(version)}


def plain(answer):
    """8.x and later wrap what they got."""
    return getattr(answer, "body", answer)


def refused(call):
    try:
        call()
    except Exception as error:  # each client has its own classes
        status = getattr(error, "status_code", None)
        if not isinstance(status, int):
            status = error.meta.status
        return [type(error).__name__, status]
    return ["nothing", 0]


facts["ping"] = client.ping()
facts["info"] = plain(client.info())["version"]["number"]
facts["health"] = plain(client.cluster.health())["status"]

found = plain(client.search(index=ALL, body={**ICMP, "size": 3, "sort": ["event.id"]}))
facts["search"] = found["hits"]["total"]["value"]
facts["search_ids"] = [hit["_id"] for hit in found["hits"]["hits"]]
aggs = {"size": 0, "aggs": {"t": {"terms": {"field": "type"}}}}
buckets = plain(client.search(index=ALL, body=aggs))["aggregations"]["t"]["buckets"]
facts["terms"] = {bucket["key"]: bucket["doc_count"] for bucket in buckets}
facts["count"] = plain(client.count(index=ALL))["count"]
facts["count_query"] = plain(client.count(index=ALL, body=ICMP))["count"]

lines = [{"index": DAY}, {"size": 0, "track_total_hits": True}, {"index": ALL}, {**ICMP, "size": 0}]
facts["msearch"] = [r["hits"]["total"]["value"] for r in plain(client.msearch(body=lines))["responses"]]

scanned = [hit["_id"] for hit in helpers.scan(client, index=ALL, size=1500, query={"query": {"match_all": {}}})]
facts["scan"] = [len(scanned), len(set(scanned))]
found = [hit["_id"] for hit in helpers.scan(client, index=ALL, query=ICMP, preserve_order=True)]
facts["scan_query"] = len(set(found))

if opensearch:
    try:
        pit = client.create_pit(index=DAY, params={"keep_alive": "1m"})["pit_id"]
    except library.exceptions.RequestError:
        pit = None  # a path of OpenSearch's own, which Elasticsearch has not
else:
    pit = plain(client.open_point_in_time(index=DAY, keep_alive="1m"))["id"]
seen, after = [], None
while pit:
    body = {"size": 300, "sort": [{"@timestamp": "asc"}], "pit": {"id": pit, "keep_alive": "1m"}, "_source": False}
    if opensearch:
        body["sort"].append({"event.id": "asc"})  # it has no _shard_doc of its own
    if after is not None:
        body["search_after"] = after
    hits = plain(client.search(body=body))["hits"]["hits"]
    if not hits:
        break
    seen += [hit["_id"] for hit in hits]
    after = hits[-1]["sort"]
facts["pit"] = [len(seen), len(set(seen))]
if opensearch:
    facts["pit_closed"] = bool(pit) and client.delete_pit(body={"pit_id": [pit]})["pits"][0]["successful"]
else:
    facts["pit_closed"] = plain(client.close_point_in_time(body={"id": pit}))["succeeded"]

caps = plain(client.field_caps(index=ALL, fields=["client.ip", "type", "request"]))["fields"]
facts["field_caps"] = {name: sorted(kinds) for name, kinds in caps.items() if name in ("client.ip", "type", "request")}
mapping = plain(client.indices.get_mapping(index=DAY))[DAY]["mappings"]
facts["mapping"] = mapping["properties"]["client"]["properties"]["ip"]["type"]
facts["exists"] = [bool(client.indices.exists(index=DAY)), bool(client.indices.exists(index="nothing"))]
facts["indices"] = sorted(plain(client.indices.get(index=ALL)))
facts["aliases"] = len(plain(client.indices.get_alias(index=ALL)))
facts["cat"] = sorted(row["index"] for row in plain(client.cat.indices(index=ALL, format="json")))
facts["cat_text"] = len(str(client.cat.indices(index=ALL, h="index")).split())
facts["cat_count"] = plain(client.cat.count(index=ALL, format="json"))[0]["count"]
facts["get"] = plain(client.get(index=EDGE, id="ed9e" + "0" * 28))["_source"]
facts["missing_document"] = refused(lambda: client.get(index=EDGE, id="nothing"))
facts["missing_index"] = refused(lambda: client.search(index="nothing", body={}))
facts["wrong"] = refused(lambda: client.search(index=DAY, body={"query": {"no_such": {}}}))

print(json.dumps(facts))
