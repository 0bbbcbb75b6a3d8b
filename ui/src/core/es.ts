// The Elasticsearch API of wirebeat, as the page asks it: under /es, on the page's own origin.
import { signal } from "@preact/signals";
import { send } from "./send";

export interface Hit {
  _index: string;
  _id: string;
  _source?: Record<string, unknown>;
  sort?: unknown[];
}

export interface SearchResponse {
  took: number;
  timed_out: boolean;
  pit_id?: string;
  hits: { total?: { value: number; relation: "eq" | "gte" }; hits: Hit[] };
  aggregations?: Record<string, unknown>;
  error?: unknown;
  status?: number;
}

export interface FieldCaps {
  indices: string[];
  fields: Record<string, Record<string, { type: string; metadata_field?: boolean; searchable: boolean; aggregatable: boolean; meta?: Record<string, string[]> }>>;
}

/** An error that the server put in words. */
export class EsError extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    reason: string,
    /** Where in the query, in UTF-16 units from 0. */
    readonly offset?: number,
  ) {
    super(reason);
  }
}

/** The query as typed could not be read; until the next one. */
export const fault = signal<{ reason: string; offset?: number } | null>(null);

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** The error in an answer of Elasticsearch's shape. */
export function readError(status: number, body: unknown): EsError {
  const error = record(body)["error"];
  if (typeof error === "string") return new EsError(status, "error", error);
  const e = record(error);
  const causes = e["root_cause"];
  const root = record(Array.isArray(causes) ? causes[0] : undefined);
  const deepest = record(e["caused_by"]);
  const at = root["offset"] ?? e["offset"];
  const type = String(root["type"] ?? e["type"] ?? "error");
  const reason = String(root["reason"] ?? deepest["reason"] ?? e["reason"] ?? `HTTP ${status}`);
  const located = typeof at === "number" ? at : column(reason);
  return new EsError(status, type, reason, located);
}

/** Lucene's errors name the place in words: `at line 1, column 8`. */
function column(reason: string): number | undefined {
  const m = /at line 1, column (\d+)/.exec(reason);
  return m ? Number(m[1]) : undefined;
}

const SYNTAX = /pars(e|ing)_exception|query_shard_exception/;

function blame(e: EsError): EsError {
  if (e.status === 400 && (e.offset !== undefined || SYNTAX.test(e.type))) {
    fault.value = e.offset === undefined ? { reason: e.message } : { reason: e.message, offset: e.offset };
  }
  return e;
}

async function call(method: string, path: string, body?: string, signal?: AbortSignal, type = "application/json"): Promise<unknown> {
  const response = await send(`/es${path}`, {
    method,
    headers: body === undefined ? {} : { "content-type": type },
    ...(body === undefined ? {} : { body }),
    ...(signal ? { signal } : {}),
  });
  if (!response.ok) throw blame(readError(response.status, await response.json().catch(() => undefined)));
  // Given up while it arrives, an answer is an error, not an empty one.
  return (await response.json()) as unknown;
}

function path(index: string): string {
  return `/${encodeURIComponent(index).replace(/%2C/g, ",").replace(/%2A|\*/g, "*")}`;
}

export async function search(index: string, body: object, signal?: AbortSignal): Promise<SearchResponse> {
  return (await call("POST", `${path(index)}/_search?ignore_unavailable=true`, JSON.stringify(body), signal)) as SearchResponse;
}

/** Several searches in one call. Each answer may be an error of its own; a query that does not parse is said in `fault`. */
export async function msearch(items: { index: string; body: object }[], signal?: AbortSignal): Promise<SearchResponse[]> {
  if (items.length === 0) return [];
  const lines = items.flatMap((i) => [JSON.stringify({ index: i.index, ignore_unavailable: true }), JSON.stringify(i.body)]);
  const answer = (await call("POST", "/_msearch", `${lines.join("\n")}\n`, signal, "application/x-ndjson")) as { responses: SearchResponse[] };
  const failed = answer.responses.find((r) => r.error !== undefined && r.status === 400);
  if (failed) blame(readError(400, failed));
  return answer.responses;
}

export async function fieldCaps(index: string, signal?: AbortSignal): Promise<FieldCaps> {
  return (await call("GET", `${path(index)}/_field_caps?fields=*&include_empty_fields=false&ignore_unavailable=true`, undefined, signal)) as FieldCaps;
}

/** The mappings of indices, as they are answered. */
export async function mapping(index: string, signal?: AbortSignal): Promise<unknown> {
  return call("GET", `${path(index)}/_mapping?ignore_unavailable=true`, undefined, signal);
}

/** One document. */
export async function get(index: string, id: string, signal?: AbortSignal): Promise<Hit | null> {
  try {
    return (await call("GET", `${path(index)}/_doc/${encodeURIComponent(id)}`, undefined, signal)) as Hit;
  } catch (e) {
    if (e instanceof EsError && e.status === 404) return null;
    throw e;
  }
}

/** Names of the indices that are there. */
export async function indices(signal?: AbortSignal): Promise<string[]> {
  const rows = (await call("GET", "/_cat/indices?format=json&h=index", undefined, signal)) as { index: string }[];
  return rows.map((r) => r.index);
}

/** A view of the store that stays as it is while it is paged through. */
export async function openPit(index: string, signal?: AbortSignal): Promise<string> {
  const answer = (await call("POST", `${path(index)}/_pit?keep_alive=2m&ignore_unavailable=true`, undefined, signal)) as { id: string };
  return answer.id;
}

export async function closePit(id: string): Promise<void> {
  await call("DELETE", "/_pit", JSON.stringify({ id }));
}

export async function searchPit(body: object, signal?: AbortSignal): Promise<SearchResponse> {
  return (await call("POST", "/_search", JSON.stringify(body), signal)) as SearchResponse;
}
