import { reason } from "./call";

/** Where the page keeps the token that changes need. */
const TOKEN = "wirebeat.token";

/** Deletes an index; an error says what the server said. */
export async function remove(index: string): Promise<void> {
  const token = sessionStorage.getItem(TOKEN) ?? "";
  const response = await fetch(`/es/${encodeURIComponent(index)}`, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(reason(await response.json().catch(() => undefined)) ?? `${response.status} ${response.statusText}`);
}
