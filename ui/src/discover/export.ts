// The whole result as a file: read page by page from a view of the store that does not change, written as it comes.
import { signal } from "@preact/signals";
import { closePit, openPit, searchPit } from "../core/es";
import { esQuery, index } from "../core/state";
import { valueAt, summary, SUMMARY } from "./columns";
import { line } from "./csv";
import { sorting, total, toRow } from "./model";

export type Format = "csv" | "ndjson";

export interface Progress {
  format: Format;
  done: number;
  of: number;
  stop: () => void;
}

/** The export that runs. */
export const progress = signal<Progress | null>(null);

interface Sink {
  write(text: string): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

interface Picker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<{ createWritable(): Promise<{ write(t: string): Promise<void>; close(): Promise<void>; abort(): Promise<void> }> }>;
}

const PAGE = 1_000;

/** A file that the browser writes to while it comes, or, where it cannot, parts that it keeps until the end. */
async function open(name: string, type: string): Promise<Sink> {
  const picker = (window as unknown as Picker).showSaveFilePicker;
  if (picker) {
    const handle = await picker.call(window, { suggestedName: name });
    return handle.createWritable();
  }
  const parts: Blob[] = [];
  return {
    write: async (text) => void parts.push(new Blob([text])),
    abort: async () => void parts.splice(0),
    close: async () => {
      const url = URL.createObjectURL(new Blob(parts, { type }));
      const a = document.createElement("a");
      a.href = url;
      a.download = name;
      a.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    },
  };
}

/** Writes all events of the result; answers how many. */
export async function exportAll(format: Format, columns: string[]): Promise<number> {
  const abort = new AbortController();
  const name = `wirebeat-${new Date().toISOString().replace(/[:.]/g, "-")}.${format}`;
  const query = esQuery();
  const pattern = index.value;
  const sort = sorting("_shard_doc");
  const sink = await open(name, format === "csv" ? "text/csv;charset=utf-8" : "application/x-ndjson");
  let done = 0;
  let pit = "";
  progress.value = { format, done, of: total.value ?? 0, stop: () => abort.abort() };
  try {
    pit = await openPit(pattern, abort.signal);
    if (format === "csv") await sink.write(line(columns.map((c) => (c === SUMMARY ? "summary" : c))));
    let after: unknown[] | undefined;
    for (;;) {
      const body = {
        size: PAGE,
        track_total_hits: false,
        query,
        sort,
        pit: { id: pit, keep_alive: "2m" },
        ...(format === "csv" && !columns.includes(SUMMARY) ? { _source: columns } : {}),
        ...(after ? { search_after: after } : {}),
      };
      const answer = await searchPit(body, abort.signal);
      const hits = answer.hits.hits;
      if (hits.length === 0) break;
      pit = answer.pit_id ?? pit;
      const text =
        format === "csv"
          ? hits.map((h) => line(columns.map((c) => (c === SUMMARY ? summary(toRow(h)) : valueAt(h._source, c))))).join("")
          : hits.map((h) => `${JSON.stringify({ _index: h._index, _id: h._id, ...h._source })}\n`).join("");
      await sink.write(text);
      done += hits.length;
      progress.value = { format, done, of: Math.max(done, total.value ?? 0), stop: () => abort.abort() };
      after = hits.at(-1)?.sort;
      if (hits.length < PAGE || !after) break;
    }
    await sink.close();
    return done;
  } catch (e) {
    await sink.abort().catch(() => undefined);
    throw e;
  } finally {
    progress.value = null;
    if (pit) closePit(pit).catch(() => undefined);
  }
}
