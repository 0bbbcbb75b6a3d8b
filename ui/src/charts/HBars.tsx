import { colours } from "./colour";
import { inert } from "./inert";
import type { Actions, Part, SliceData } from "./types";
import { formatValue } from "./unit";

/** One bar for each value, the longest first, perhaps divided in parts. */
export function HBars({ data, label, actions }: { data: SliceData; label: string; actions: Actions }) {
  // What is left over has no bar: it would be the longest and hide the differences.
  const top = Math.max(...data.slices.filter((s) => !s.rest).map((s) => s.value), 1e-12);
  const divided = data.slices.some((s) => s.parts);
  const names = divided ? partNames(data) : [];
  const tint = new Map(names.map((n, i) => [n.label, colours(names)[i] ?? ""]));
  return (
    <div class="hbars">
      <ul aria-label={label}>
        {data.slices.map((s) => (
          <li key={s.label}>
            <Name slice={s} actions={actions} />
            <span class="hbar-value">{formatValue(s.value, data.unit)}</span>
            {s.rest ? null : (
            <span class="hbar-track">
              {s.parts ? (
                s.parts.map((p) => (
                  <Segment key={p.label} part={p} share={p.value / top} colour={tint.get(p.label) ?? "var(--series-rest)"} actions={actions} unit={data.unit} />
                ))
              ) : (
                <span class="hbar" style={{ width: `${(s.value / top) * 100}%` }} />
              )}
            </span>
            )}
          </li>
        ))}
      </ul>
      {names.length ? (
        <ul class="legend" aria-label="Parts">
          {names.slice(0, 12).map((n) => (
            <li key={n.label}>
              <span class="legend-item">
                <span class="swatch" style={{ background: tint.get(n.label) }} aria-hidden="true" />
                <bdi>{inert(n.label, 60)}</bdi>
              </span>
            </li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}

function partNames(data: SliceData): Part[] {
  const sums = new Map<string, Part>();
  for (const s of data.slices) {
    for (const p of s.parts ?? []) {
      const seen = sums.get(p.label);
      if (seen) seen.value += p.value;
      else sums.set(p.label, { ...p });
    }
  }
  return [...sums.values()].sort((a, b) => Number(a.rest ?? false) - Number(b.rest ?? false) || b.value - a.value);
}

function Name({ slice, actions }: { slice: Part; actions: Actions }) {
  const text = inert(slice.label, 200) || "(empty)";
  const pick = slice.pick;
  if (!pick) return <span class="hbar-name plain">{text}</span>;
  return (
    <button type="button" class="hbar-name" title={`Filter for ${text}`} onClick={() => actions.pick(pick)}>
      <bdi>{text}</bdi>
    </button>
  );
}

interface SegmentProps {
  part: Part;
  share: number;
  colour: string;
  unit: SliceData["unit"];
  actions: Actions;
}

function Segment({ part, share, colour, unit, actions }: SegmentProps) {
  const text = `${inert(part.label, 120)}: ${formatValue(part.value, unit)}`;
  const look = { width: `${share * 100}%`, background: colour };
  const pick = part.pick;
  if (!pick) return <span class="hbar part" style={look} title={text} />;
  return <button type="button" class="hbar part" style={look} title={text} aria-label={`${text}: filter for it`} onClick={() => actions.pick(pick)} />;
}
