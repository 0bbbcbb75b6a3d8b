import { useEffect, useState } from "preact/hooks";
import { indices } from "../core/es";
import { loadFields } from "../core/fields";
import { index, language, query, tick } from "../core/state";
import { Pills } from "./Pills";
import { QueryInput } from "./QueryInput";
import { Refresh } from "./Refresh";
import { TimePicker } from "./TimePicker";

/** Index pattern, query, time and refreshing, and the filters below. Without `choose` the page has indices of its own. */
export function SearchBar({ choose = false }: { choose?: boolean }) {
  useEffect(() => {
    loadFields(index.value).catch(() => undefined);
  }, [index.value, tick.value]);
  return (
    <section class="bar" aria-label="Search">
      <div class="bar-row">
        {choose ? <Pattern /> : null}
        <QueryInput value={query.value} language={language.value} />
        <TimePicker />
        <Refresh />
      </div>
      <Pills />
    </section>
  );
}

const STANDARD = ["packetbeat-*", "topbeat-*", "packetbeat-*,topbeat-*"];
const OWN = "…";

/** The index pattern: the usual ones, one for each family that is there, or one that is typed. */
function Pattern() {
  const [found, setFound] = useState<string[]>([]);
  const [own, setOwn] = useState(false);
  useEffect(() => {
    const abort = new AbortController();
    indices(abort.signal).then(
      (names) => setFound([...new Set(names.map((n) => n.replace(/-\d{4}\.\d{2}\.\d{2}$/, "-*")))]),
      () => undefined,
    );
    return () => abort.abort();
  }, []);
  const all = [...new Set([...STANDARD, ...found, index.value])];
  if (own) {
    return (
      <form
        class="pattern"
        onSubmit={(e) => {
          e.preventDefault();
          const typed = new FormData(e.currentTarget).get("pattern");
          if (typeof typed === "string" && typed.trim()) index.value = typed.trim();
          setOwn(false);
        }}
      >
        <input
          class="input mono"
          name="pattern"
          aria-label="Index pattern, confirm with enter"
          value={index.value}
          spellcheck={false}
          ref={(e) => e?.focus()}
          onKeyDown={(e) => e.key === "Escape" && setOwn(false)}
          onBlur={() => setOwn(false)}
        />
      </form>
    );
  }
  return (
    <div class="pattern">
      <select
        class="input"
        aria-label="Index pattern"
        title={index.value}
        value={index.value}
        onChange={(e) => {
          if (e.currentTarget.value === OWN) setOwn(true);
          else index.value = e.currentTarget.value;
        }}
      >
        {all.map((p) => (
          <option key={p} value={p}>
            {p}
          </option>
        ))}
        <option value={OWN}>Other pattern …</option>
      </select>
    </div>
  );
}
