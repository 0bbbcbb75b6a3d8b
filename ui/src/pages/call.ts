// Calls of the API besides searches.
import { send } from "../core/send";
import { object } from "../dashboards/answer";

/** GET of JSON; an error says what the server said. */
export async function get(path: string, signal?: AbortSignal): Promise<unknown> {
  const response = await send(path, signal ? { signal } : {});
  if (!response.ok) throw new Error(reason(await response.json().catch(() => undefined)) ?? `${response.status} ${response.statusText}`);
  return (await response.json()) as unknown;
}

/** What an error answer says. */
export function reason(body: unknown): string | undefined {
  const error = object(body)["error"];
  if (typeof error === "string") return error;
  const text = object(error)["reason"];
  return typeof text === "string" ? text : undefined;
}
