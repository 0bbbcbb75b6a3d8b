// Captures made by hand: Ethernet, IPv4, TCP and UDP around any bytes (RFC 791, 793, 768).
import { head } from "./server";

export interface End {
  ip: [number, number, number, number];
  port: number;
}

const MOST = 60_000;
const SYN = 0x02;
const ACK = 0x10;
const FIN = 0x01;

export class Capture {
  private parts: Buffer[] = [head()];
  /** Time of the next packet, µs. */
  private at: number;

  constructor(startMs: number) {
    this.at = startMs * 1000;
  }

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }

  /** A whole TCP connection: what the client says, what the server answers, turn by turn. */
  tcp(client: End, server: End, turns: [Buffer, Buffer][]): void {
    const seq = { c: 1000, s: 9000 };
    const send = (from: "c" | "s", flags: number, data: Buffer = Buffer.alloc(0)) => {
      const other = from === "c" ? "s" : "c";
      const [a, b] = from === "c" ? [client, server] : [server, client];
      const tcp = Buffer.alloc(20);
      tcp.writeUInt16BE(a.port, 0);
      tcp.writeUInt16BE(b.port, 2);
      tcp.writeUInt32BE(seq[from], 4);
      tcp.writeUInt32BE(flags & SYN && from === "c" ? 0 : seq[other], 8);
      tcp[12] = 5 << 4;
      tcp[13] = flags;
      tcp.writeUInt16BE(65_535, 14);
      this.frame(a, b, 6, Buffer.concat([tcp, data]));
      seq[from] += data.length + (flags & (SYN | FIN) ? 1 : 0);
    };
    const say = (from: "c" | "s", data: Buffer) => {
      for (let i = 0; i < data.length; i += MOST) send(from, ACK, data.subarray(i, i + MOST));
      send(from === "c" ? "s" : "c", ACK);
    };
    send("c", SYN);
    send("s", SYN | ACK);
    send("c", ACK);
    for (const [ask, answer] of turns) {
      say("c", ask);
      say("s", answer);
    }
    send("c", FIN | ACK);
    send("s", FIN | ACK);
    send("c", ACK);
  }

  /** A question and its answer. */
  udp(client: End, server: End, ask: Buffer, answer: Buffer): void {
    for (const [a, b, data] of [[client, server, ask], [server, client, answer]] as const) {
      const udp = Buffer.alloc(8);
      udp.writeUInt16BE(a.port, 0);
      udp.writeUInt16BE(b.port, 2);
      udp.writeUInt16BE(8 + data.length, 4);
      this.frame(a, b, 17, Buffer.concat([udp, data]));
    }
  }

  private frame(a: End, b: End, protocol: number, payload: Buffer): void {
    const ip = Buffer.alloc(20);
    ip[0] = 0x45;
    ip.writeUInt16BE(20 + payload.length, 2);
    ip.writeUInt16BE(0x4000, 6);
    ip[8] = 64;
    ip[9] = protocol;
    ip.set(a.ip, 12);
    ip.set(b.ip, 16);
    let sum = 0;
    for (let i = 0; i < 20; i += 2) sum += ip.readUInt16BE(i);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    ip.writeUInt16BE(~sum & 0xffff, 10);
    const ethernet = Buffer.from([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]);
    const record = Buffer.alloc(16);
    this.at += 1000;
    record.writeUInt32LE(Math.floor(this.at / 1e6), 0);
    record.writeUInt32LE(this.at % 1e6, 4);
    const length = ethernet.length + ip.length + payload.length;
    record.writeUInt32LE(length, 8);
    record.writeUInt32LE(length, 12);
    this.parts.push(record, ethernet, ip, payload);
  }
}

/** A DNS message with one question and, in an answer, one TXT record (RFC 1035, 4.1). Labels are any bytes. */
export function dns(id: number, labels: string[], txt?: string): Buffer {
  const name = Buffer.concat([...labels.map((l) => Buffer.concat([Buffer.from([Buffer.byteLength(l)]), Buffer.from(l)])), Buffer.from([0])]);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(id, 0);
  head.writeUInt16BE(txt === undefined ? 0x0100 : 0x8180, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(txt === undefined ? 0 : 1, 6);
  const question = Buffer.concat([name, Buffer.from([0, 16, 0, 1])]);
  if (txt === undefined) return Buffer.concat([head, question]);
  const data = Buffer.from(txt);
  const fixed = Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, data.length + 1, data.length]);
  return Buffer.concat([head, question, fixed, data]);
}

/** A command as an array of bulk strings (RESP). */
export function resp(...words: string[]): Buffer {
  return Buffer.from(`*${words.length}\r\n${words.map((w) => `$${Buffer.byteLength(w)}\r\n${w}\r\n`).join("")}`);
}
