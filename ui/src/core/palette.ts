// Which colour marks which kind of event. The colours themselves are in charts.css, safe for colour-blind eyes.
const KINDS: Record<string, string> = {
  http: "var(--series-0)",
  dns: "var(--series-5)",
  redis: "var(--series-3)",
  icmp: "var(--series-1)",
  flow: "var(--series-7)",
};

/** The colour of a kind that has one of its own. */
export function ownColour(kind: string): string | undefined {
  return Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
}

export function kindColour(kind: string): string {
  return ownColour(kind) ?? "var(--series-4)";
}
