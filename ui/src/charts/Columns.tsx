import { nice } from "./nice";
import type { Actions, SliceData } from "./types";
import { formatTick, formatValue } from "./unit";
import { useWidth } from "./useSize";

/** Upright bars over the steps of a scale. */
export function Columns({ data, label, actions }: { data: SliceData; label: string; actions: Actions }) {
  const [ref, width] = useWidth<HTMLDivElement>();
  const top = nice(Math.max(...data.slices.map((s) => s.value), 1e-12));
  const every = Math.max(1, Math.ceil(52 / Math.max(1, (width - 50) / Math.max(1, data.slices.length))));
  return (
    <div class="columns" ref={ref}>
      <div class="columns-axis" aria-hidden="true">
        <span>{formatTick(top, data.unit)}</span>
        <span>{formatTick(top / 2, data.unit)}</span>
        <span>0</span>
      </div>
      <ul class="columns-plot" aria-label={label}>
        {data.slices.map((s, i) => {
          const text = `${s.label}: ${formatValue(s.value, data.unit)}`;
          const bar = <span class="column-bar" style={{ height: `${(s.value / top) * 100}%` }} />;
          const pick = s.pick;
          return (
            <li key={s.label}>
              <button type="button" class="column" title={text} aria-label={`${text}. Filter for it`} disabled={!pick} onClick={() => pick && actions.pick(pick)}>
                {bar}
              </button>
              <span class="column-label" aria-hidden="true">
                {i % every === 0 ? (s.label.split(" – ")[0] ?? s.label).replace("≥ ", "") : ""}
              </span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
