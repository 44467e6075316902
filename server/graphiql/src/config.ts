/** What the server says about itself; it offers demo tokens in the local environment only. */
export interface DemoToken {
  label: string;
  role: string;
  token: string;
}

export interface Config {
  endpoint: string;
  subscriptionUrl: string;
  demoTokens: DemoToken[];
  /** IANA name of the zone in which the event's days turn; the browser's own when the server names none. */
  timeZone?: string;
}

const DEFAULTS: Config = { endpoint: "/graphql", subscriptionUrl: "/graphql", demoTokens: [] };

export async function loadConfig(): Promise<Config> {
  try {
    const response = await fetch(`${import.meta.env.BASE_URL}config.json`, { headers: { accept: "application/json" } });
    return response.ok ? { ...DEFAULTS, ...((await response.json()) as Partial<Config>) } : DEFAULTS;
  } catch {
    return DEFAULTS;
  }
}
