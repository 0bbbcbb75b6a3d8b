// `/_ui/status` as the header and Discover read it. Keys that are absent are not known.
import { signal } from "@preact/signals";
import { online, send } from "./send";

export interface Status {
  version?: string;
  now?: string;
  mode?: "run" | "read";
  title?: string;
  token_file?: string;
  elastic?: string;
  range?: { from: string | number; to: string | number };
  capture?: {
    running?: boolean;
    devices?: { name: string; captured?: boolean; why?: string }[];
    rates?: { packets?: number; bytes?: number; events?: number };
    loss?: { name: string; value: number; meaning?: string; recent?: { t: string; n: number }[] }[];
    notes?: { level: string; text: string }[];
  };
  store?: { health?: string; failing?: string | boolean };
}

export const status = signal<Status | null>(null);
const EVERY = 5_000;
/** How often a server that does not answer is asked again. */
const AGAIN = 1_000;

async function read(): Promise<void> {
  try {
    const response = await send("/_ui/status", {});
    if (response.ok) status.value = (await response.json()) as Status;
  } catch {
    // `online` says it.
  }
}

/** Reads the status now and then, more often while the server does not answer. Resolves after the first answer. */
export async function watch(): Promise<void> {
  let last = Date.now();
  const look = async () => {
    if (!document.hidden && (!online.value || Date.now() - last >= EVERY)) {
      await read();
      last = Date.now();
    }
    setTimeout(() => void look(), AGAIN);
  };
  await read();
  void look();
}
