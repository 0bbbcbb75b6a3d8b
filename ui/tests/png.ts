// PNG pictures with a palette: what a page looks like needs no more than 256 colours, and takes a third of the bytes.
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Colours that are kept exactly, the most frequent ones; the others are means of those like them. */
const EXACT = 96;
const MOST = 256;

interface Picture {
  width: number;
  height: number;
  /** 0xRRGGBB a pixel. */
  pixels: Uint32Array;
}

/** An 8-bit RGB or RGBA picture without interlacing, as Chromium writes them (PNG, 5 to 9). */
function decode(png: Buffer): Picture {
  let [width, height, channels] = [0, 0, 3];
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const kind = png.toString("latin1", at + 4, at + 8);
    const data = png.subarray(at + 8, at + 8 + length);
    if (kind === "IHDR") {
      width = data.readUInt32BE(0);
      height = data.readUInt32BE(4);
      if (data[8] !== 8 || (data[9] !== 2 && data[9] !== 6) || data[12] !== 0) throw new Error("not a plain RGB picture");
      channels = data[9] === 6 ? 4 : 3;
    } else if (kind === "IDAT") parts.push(data);
    at += 12 + length;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  const out = Buffer.alloc(stride * height);
  const pixels = new Uint32Array(width * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)] ?? 0;
    for (let x = 0; x < stride; x++) {
      const here = y * stride + x;
      const left = x >= channels ? (out[here - channels] ?? 0) : 0;
      const up = y > 0 ? (out[here - stride] ?? 0) : 0;
      const corner = x >= channels && y > 0 ? (out[here - stride - channels] ?? 0) : 0;
      const guess = filter === 1 ? left : filter === 2 ? up : filter === 3 ? (left + up) >> 1 : filter === 4 ? paeth(left, up, corner) : 0;
      out[here] = (raw[y * (stride + 1) + 1 + x] ?? 0) + guess;
    }
    for (let x = 0; x < width; x++) {
      const i = y * stride + x * channels;
      pixels[y * width + x] = ((out[i] ?? 0) << 16) | ((out[i + 1] ?? 0) << 8) | (out[i + 2] ?? 0);
    }
  }
  return { width, height, pixels };
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

const channel = (colour: number, i: number) => (colour >> (16 - 8 * i)) & 255;

/** Colours to show: the most frequent as they are, the rest by halving what differs most (median cut). */
function palette(counts: Map<number, number>): number[] {
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  if (sorted.length <= MOST) return sorted.map(([c]) => c);
  const boxes = [sorted.slice(EXACT)];
  const spread = (box: [number, number][], i: number) => Math.max(...box.map(([c]) => channel(c, i))) - Math.min(...box.map(([c]) => channel(c, i)));
  while (boxes.length < MOST - EXACT) {
    const ranked = boxes.map((box, n) => ({ n, by: [0, 1, 2].map((i) => spread(box, i)) })).sort((a, b) => Math.max(...b.by) - Math.max(...a.by));
    const widest = ranked[0];
    const box = widest ? boxes[widest.n] : undefined;
    if (!widest || !box || Math.max(...widest.by) === 0) break;
    const axis = widest.by.indexOf(Math.max(...widest.by));
    box.sort((a, b) => channel(a[0], axis) - channel(b[0], axis));
    const middle = box.length >> 1;
    boxes.splice(widest.n, 1, box.slice(0, middle), box.slice(middle));
  }
  const mean = (box: [number, number][]) =>
    [0, 1, 2].reduce((colour, i) => (colour << 8) | Math.round(box.reduce((sum, [c, n]) => sum + channel(c, i) * n, 0) / box.reduce((sum, [, n]) => sum + n, 0)), 0);
  return [...sorted.slice(0, EXACT).map(([c]) => c), ...boxes.filter((b) => b.length).map(mean)];
}

function chunk(kind: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
  const out = Buffer.alloc(8);
  out.writeUInt32BE(data.length, 0);
  out.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([out.subarray(0, 4), body, out.subarray(4)]);
}

/** The same picture with a palette. */
export function smaller(png: Buffer): Buffer {
  const { width, height, pixels } = decode(png);
  const counts = new Map<number, number>();
  for (const p of pixels) counts.set(p, (counts.get(p) ?? 0) + 1);
  const colours = palette(counts);
  const nearest = new Map<number, number>();
  for (const colour of counts.keys()) {
    let [best, index] = [Infinity, 0];
    colours.forEach((c, i) => {
      const far = [0, 1, 2].reduce((sum, k) => sum + (channel(c, k) - channel(colour, k)) ** 2, 0);
      if (far < best) [best, index] = [far, i];
    });
    nearest.set(colour, index);
  }
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) rows[y * (width + 1) + 1 + x] = nearest.get(pixels[y * width + x] ?? 0) ?? 0;
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const table = Buffer.from(colours.flatMap((c) => [0, 1, 2].map((i) => channel(c, i))));
  return Buffer.concat([SIGNATURE, chunk("IHDR", head), chunk("PLTE", table), chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })), chunk("IEND", Buffer.alloc(0))]);
}
