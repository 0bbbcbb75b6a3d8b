// Which colour stands for which series. Colours are CSS variables, so that both themes and the canvas agree.
import { codeColour, ownColour } from "../core/palette";

const SERIES = 8;

const MEANING: [RegExp, string][] = [
  [/^(ok|success|noerror|2\d\d)$/i, "var(--series-ok)"],
  [/^(error|failure|servfail|5\d\d)$/i, "var(--series-error)"],
  [/^(4\d\d|nxdomain)$/i, "var(--series-warn)"],
];

function meaning(label: string): string | undefined {
  return MEANING.find(([pattern]) => pattern.test(label))?.[1];
}

/** A colour for each; what means success or error has its own, and so has a kind of event; each once. */
export function colours(list: { label: string; rest?: boolean }[]): string[] {
  const taken = new Set<string>();
  const first = new Array<string | undefined>(list.length).fill(undefined);
  // Of several codes that mean the same the lowest has the meaning's colour, in whatever order they come.
  const given = list.map((_, i) => i);
  const lowest = [...given].sort((a, b) => (list[a]?.label ?? "").localeCompare(list[b]?.label ?? "", "en", { numeric: true }));
  for (const wish of [meaning, ownColour, codeColour]) {
    for (const i of wish === meaning ? lowest : given) {
      const s = list[i];
      if (!s || first[i] !== undefined) continue;
      if (s.rest) first[i] = "var(--series-rest)";
      const wanted = s.rest ? undefined : wish(s.label);
      if (wanted === undefined || taken.has(wanted)) continue;
      taken.add(wanted);
      first[i] = wanted;
    }
  }
  // What looks like a meaning that is shown does not stand for anything else.
  const free = Array.from({ length: SERIES }, (_, i) => i).filter((i) => !taken.has(`var(--series-${i})`) && !(taken.has("var(--series-ok)") && i === 2) && !(taken.has("var(--series-warn)") && i === 1));
  let next = 0;
  return first.map((c) => c ?? `var(--series-${free[next++ % free.length] ?? 0})`);
}

/** A `var(--x)` as the canvas takes it. */
export function resolve(colour: string, element: Element): string {
  const name = /^var\((--[a-z0-9-]+)\)$/.exec(colour)?.[1];
  return name === undefined ? colour : getComputedStyle(element).getPropertyValue(name).trim() || "#888";
}
