/** Sums from the first series to each one: the upper edges when they stand on top of each other. No edge where
 * no series has a value. */
export function stacked(series: (number | null)[][]): (number | null)[][] {
  const out: (number | null)[][] = [];
  let below: number[] = [];
  const any = (i: number) => series.some((s) => s[i] !== null && s[i] !== undefined);
  for (const values of series) {
    below = values.map((v, i) => (below[i] ?? 0) + (v ?? 0));
    out.push(below.map((v, i) => (any(i) ? v : null)));
  }
  return out;
}

/** Which series of a stack a height lies in. */
export function segment(edges: (number | null)[][], i: number, y: number): number {
  for (let s = 0; s < edges.length; s++) {
    if (y <= (edges[s]?.[i] ?? 0)) return y > (s === 0 ? -1 : (edges[s - 1]?.[i] ?? 0)) ? s : -1;
  }
  return -1;
}
