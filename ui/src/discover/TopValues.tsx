import { useEffect, useState } from "preact/hooks";
import { Icon } from "../app/icons";
import { EsError, search } from "../core/es";
import type { FieldInfo } from "../core/fields";
import { formatValue, inert, isName, percent, show } from "../core/format";
import { addFilter, breakdown, esQuery, index } from "../core/state";

interface Bucket {
  key: unknown;
  key_as_string?: string;
  doc_count: number;
}

interface Answer {
  values: { doc_count_error_upper_bound?: number; sum_other_doc_count?: number; buckets: Bucket[] } | undefined;
  have: number;
  all: number;
  stats: { min: number | null; max: number | null; avg: number | null } | undefined;
}

const NUMBERS = new Set(["long", "double", "integer", "float", "short", "byte", "unsigned_long", "half_float", "scaled_float"]);

/** The most frequent values of a field, over all events that match. */
export function TopValues({ field }: { field: FieldInfo }) {
  const [answer, setAnswer] = useState<Answer | null>(null);
  const [error, setError] = useState("");
  const query = JSON.stringify(esQuery());
  const counts = field.aggregatable && field.type !== "date" && field.type !== "flattened";
  useEffect(() => {
    const abort = new AbortController();
    const aggs = {
      have: { filter: { exists: { field: field.name } } },
      ...(counts ? { values: { terms: { field: field.name, size: 10 } } } : {}),
      ...(NUMBERS.has(field.type) && !isName(field.name) ? { stats: { stats: { field: field.name } } } : {}),
    };
    search(index.value, { size: 0, track_total_hits: true, query: JSON.parse(query) as object, aggs }, abort.signal).then(
      (r) => {
        const a = r.aggregations as { values?: Answer["values"]; have?: { doc_count: number }; stats?: Answer["stats"] } | undefined;
        setError("");
        setAnswer({ values: a?.values, have: a?.have?.doc_count ?? 0, all: r.hits.total?.value ?? 0, stats: a?.stats });
      },
      (e: unknown) => {
        if (!abort.signal.aborted) setError(e instanceof EsError ? e.message : "wirebeat does not answer");
      },
    );
    return () => abort.abort();
  }, [field.name, query, index.value]);
  if (error) return <div class="top wrong">{inert(error, 200)}</div>;
  if (!answer) return <div class="top" aria-busy="true" />;
  const { values, have, all, stats } = answer;
  const near = (values?.doc_count_error_upper_bound ?? 0) > 0;
  const write = (v: unknown) => show(field.name, field.type, v, field.unit, 120);
  return (
    <div class="top">
      <p class="top-note">
        {formatValue(have, "count")} of {formatValue(all, "count")} events · {percent(have, all)}
      </p>
      {stats && stats.min !== null && have > 0 ? (
        <dl class="stats">
          {(["min", "avg", "max"] as const).map((k) => (
            <div key={k}>
              <dt>{k}</dt>
              <dd>{write(stats[k])}</dd>
            </div>
          ))}
        </dl>
      ) : null}
      <ul>
        {values?.buckets.map((b) => {
          const value = field.type === "boolean" ? b.key_as_string === "true" || b.key === true : b.key;
          const text = field.type === "boolean" ? String(value) : write(b.key_as_string ?? b.key);
          return (
            <li key={text} class="top-value">
              <div class="top-text">
                <bdi title={inert(text)}>{text || "(empty)"}</bdi>
                <span class="top-count">{formatValue(b.doc_count, "count")}</span>
                <span class="top-share">{percent(b.doc_count, all)}</span>
              </div>
              <meter class="top-bar" min={0} max={Math.max(1, all)} value={b.doc_count} aria-hidden="true" />
              <div class="top-tools">
                <button type="button" class="icon-button small" aria-label={`Filter for ${text}`} title="Filter for this value" onClick={() => addFilter({ field: field.name, op: "is", value })}>
                  <Icon name="plus" size={13} />
                </button>
                <button type="button" class="icon-button small" aria-label={`Filter out ${text}`} title="Filter out this value" onClick={() => addFilter({ field: field.name, op: "is", value, negate: true })}>
                  <Icon name="minus" size={13} />
                </button>
              </div>
            </li>
          );
        })}
      </ul>
      {values && (values.sum_other_doc_count ?? 0) > 0 ? <p class="top-note">{formatValue(values.sum_other_doc_count ?? 0, "count")} with other values</p> : null}
      {near ? <p class="top-note warn">Approximate: each may be off by {formatValue(values?.doc_count_error_upper_bound ?? 0, "count")}</p> : null}
      {!counts ? <p class="top-note">Values of this type are not counted.</p> : null}
      <div class="top-end">
        <button type="button" class="link-button" onClick={() => addFilter({ field: field.name, op: "exists" })}>
          Exists
        </button>
        <button type="button" class="link-button" onClick={() => addFilter({ field: field.name, op: "exists", negate: true })}>
          Does not exist
        </button>
        {counts ? (
          <button type="button" class="link-button" onClick={() => (breakdown.value = field.name)}>
            Divide the bars
          </button>
        ) : null}
      </div>
    </div>
  );
}
