// Every request of the page goes through here: whether the server answers at all, and the token that changes need.
import { signal } from "@preact/signals";

const KEY = "wirebeat.token";

/** False while the server does not answer. */
export const online = signal(true);
/** Set while a change waits for the token; the dialog answers it. */
export const asking = signal<{ answer: (token: string | null) => void; refused: boolean } | null>(null);

/** Takes the token from the address, where the program's line put it, and removes it from there. */
export function takeToken(): void {
  const found = /[#&]token=([^&]+)/.exec(location.hash)?.[1];
  if (!found) return;
  sessionStorage.setItem(KEY, decodeURIComponent(found));
  history.replaceState(history.state, "", location.pathname + location.search);
}

export async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    const response = await fetch(path, { ...init, headers: { accept: "application/json", ...(init.headers as Record<string, string>) } });
    // A proxy in between says so for a server that is gone.
    online.value = response.status !== 502 && response.status !== 504;
    return response;
  } catch (e) {
    if (!(e instanceof DOMException && e.name === "AbortError")) online.value = false;
    throw e;
  }
}

/** Whether a change was refused for want of the token; requests of other origins are refused too, and no token helps them. */
async function wantsToken(response: Response): Promise<boolean> {
  return response.status === 403 && /needs the token/.test(await response.clone().text());
}

/** A request that changes something: with the token, which is asked for when it is missing or refused. */
export async function change(method: "PUT" | "POST" | "DELETE", path: string, body?: unknown): Promise<Response> {
  for (;;) {
    const token = sessionStorage.getItem(KEY);
    const response = await send(path, {
      method,
      headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!(await wantsToken(response))) return response;
    const given = await new Promise<string | null>((answer) => (asking.value = { answer, refused: token !== null }));
    asking.value = null;
    if (given === null) return response;
    sessionStorage.setItem(KEY, given);
  }
}
