const LETTERS = "0123456789bcdefghjkmnpqrstuvwxyz";

/** The middle of a geohash cell. */
export function place(hash: string): { lat: number; lon: number } | undefined {
  let [south, north, west, east] = [-90, 90, -180, 180];
  let even = true;
  for (const letter of hash) {
    const bits = LETTERS.indexOf(letter);
    if (bits < 0) return undefined;
    for (let mask = 16; mask > 0; mask >>= 1) {
      if (even) {
        const mid = (west + east) / 2;
        if (bits & mask) west = mid;
        else east = mid;
      } else {
        const mid = (south + north) / 2;
        if (bits & mask) south = mid;
        else north = mid;
      }
      even = !even;
    }
  }
  return hash === "" ? undefined : { lat: (south + north) / 2, lon: (west + east) / 2 };
}
