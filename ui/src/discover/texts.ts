// Captured texts, made easier to read.

/** The words of a command line: separated by spaces, quoted where they hold some. */
export function words(line: string): string[] {
  return line.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
}

const LONGEST = 300_000;

/** JSON with one value a line; all else as it is. */
export function laidOut(body: string): string {
  if (!/^\s*[[{]/.test(body) || body.length > LONGEST) return body;
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
