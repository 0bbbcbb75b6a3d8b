import { useEffect, useMemo, useState } from "preact/hooks";
import { inert } from "../charts/inert";
import { get } from "./call";
import { fields, type FieldRow } from "../core/mapping";
import { filled } from "./indices";

/** Fields of an index: name, type, what an alias stands for. */
export function IndexFields({ index }: { index: string }) {
  const [all, setAll] = useState<FieldRow[] | null>(null);
  const [used, setUsed] = useState<Set<string> | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [every, setEvery] = useState(false);
  const [words, setWords] = useState("");
  useEffect(() => {
    const abort = new AbortController();
    const name = encodeURIComponent(index);
    Promise.all([
      get(`/es/${name}/_mapping`, abort.signal),
      get(`/es/${name}/_field_caps?fields=*&include_empty_fields=false`, abort.signal),
    ]).then(
      ([mapping, caps]) => {
        setAll(fields(mapping));
        setUsed(filled(caps));
      },
      (e: unknown) => {
        if (!abort.signal.aborted) setError(e instanceof Error ? e.message : String(e));
      },
    );
    return () => abort.abort();
  }, [index]);
  const shown = useMemo(
    () => (all ?? []).filter((f) => (every || !used || used.has(f.name)) && (f.name.includes(words) || f.type === words)),
    [all, used, every, words],
  );
  if (error !== null) return <p role="alert">{error}</p>;
  if (!all) return <p class="quiet">Loading …</p>;
  return (
    <div class="fields">
      <div class="fields-head">
        <label>
          <span class="unseen">Search fields</span>
          <input type="search" placeholder="Search fields" value={words} onInput={(e) => setWords(e.currentTarget.value)} />
        </label>
        <label class="check">
          <input type="checkbox" checked={every} onChange={(e) => setEvery(e.currentTarget.checked)} /> also fields without a value
        </label>
        <span class="quiet">
          {shown.length} of {all.length} fields
        </span>
      </div>
      <div class="fields-list" tabIndex={0} role="region" aria-label={`Fields of ${index}`}>
        <table class="plain-table dense">
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Type</th>
              <th scope="col">Alias of</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((f) => (
              <tr key={f.name}>
                <td class="mono">
                  <bdi>{inert(f.name)}</bdi>
                </td>
                <td>{f.type}</td>
                <td class="mono">{f.path === undefined ? "" : inert(f.path)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
