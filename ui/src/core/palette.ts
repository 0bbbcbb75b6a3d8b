// Which colour marks which kind of event. The colours themselves are in charts.css, safe for colour-blind eyes.
const KINDS: Record<string, string> = {
  http: "var(--series-0)",
  dns: "var(--series-5)",
  redis: "var(--series-3)",
  icmp: "var(--series-1)",
  flow: "var(--series-7)",
};

/** And which marks a code of HTTP beside others, so that it is the same in each panel of a page. */
const CODES: Record<string, string> = {
  "101": "var(--series-6)",
  "201": "var(--series-7)",
  "204": "var(--series-4)",
  "206": "var(--series-0)",
  "301": "var(--series-5)",
  "302": "var(--series-6)",
  "304": "var(--series-3)",
  "401": "var(--series-6)",
  "403": "var(--series-7)",
  "404": "var(--series-4)",
  "405": "var(--series-5)",
  "429": "var(--series-3)",
  "502": "var(--series-5)",
  "503": "var(--series-3)",
};

/** The colour of a kind that has one of its own. */
export function ownColour(kind: string): string | undefined {
  return Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
}

/** The colour that a code of HTTP likes to have. */
export function codeColour(code: string): string | undefined {
  return Object.hasOwn(CODES, code) ? CODES[code] : undefined;
}

export function kindColour(kind: string): string {
  return ownColour(kind) ?? "var(--series-4)";
}
