// The dashboards that come with the program, in the order of the navigation.
import dns from "./dns.json";
import tunnelling from "./dns-tunnelling.json";
import flows from "./flows.json";
import http from "./http.json";
import icmp from "./icmp.json";
import overview from "./overview.json";
import processes from "./processes.json";
import redis from "./redis.json";
import system from "./system.json";
import type { Dashboard } from "./types";
import { checked } from "./check";

export const DASHBOARDS: Dashboard[] = [overview, http, dns, tunnelling, redis, icmp, flows, system, processes].map(checked);

export function dashboard(id: string): Dashboard | undefined {
  return DASHBOARDS.find((d) => d.id === id);
}
