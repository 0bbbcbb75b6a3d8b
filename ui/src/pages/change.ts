import { change } from "../core/send";
import { reason } from "./call";

/** Deletes an index; an error says what the server said. */
export async function remove(index: string): Promise<void> {
  const response = await change("DELETE", `/es/${encodeURIComponent(index)}`);
  if (!response.ok) throw new Error(reason(await response.json().catch(() => undefined)) ?? `${response.status} ${response.statusText}`);
}
