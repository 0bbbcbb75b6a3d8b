// Which colour marks which kind of event. The colours themselves are in charts.css, safe for colour-blind eyes.
const KINDS: Record<string, string> = {
  http: "var(--series-0)",
  dns: "var(--series-5)",
  redis: "var(--series-3)",
  icmp: "var(--series-1)",
  flow: "var(--series-7)",
};

export function kindColour(kind: string): string {
  return KINDS[kind] ?? "var(--series-4)";
}
