/** Whose token we have: kept for this tab alone, and never in a URL. A token that has run out is replaced in place. */
export interface Session {
  label: string;
  token: string;
  isDemo: boolean;
}

interface DemoToken {
  label: string;
  role: string;
  token: string;
}

const KEY = "haru:session";

/** The one who was signed in before a reload, or else the demo player. */
export async function resume(): Promise<Session | null> {
  const stored = sessionStorage.getItem(KEY);
  return stored ? (JSON.parse(stored) as Session | null) : demoSession();
}

/** A fresh token of the demo player; null where the server offers none. */
export async function demoSession(): Promise<Session | null> {
  const response = await fetch("/graphiql/config.json");
  if (!response.ok) return null;
  const { demoTokens } = (await response.json()) as { demoTokens: DemoToken[] };
  const player = demoTokens.find(({ role }) => role === "PLAYER");
  return player ? { label: player.label, token: player.token, isDemo: true } : null;
}

/** Puts a new token into a session whose old one was refused; false where we cannot get one. */
export async function renew(session: Session): Promise<boolean> {
  const fresh = session.isDemo ? await demoSession() : null;
  if (fresh) session.token = fresh.token; // in place: whoever goes on with this session goes on with the new token
  remember(fresh && session);
  return fresh !== null;
}

/** A pasted token, with or without the words of a header before it. */
export function pastedSession(text: string): Session {
  const token = text.trim().replace(/^(authorization:\s*)?(bearer\s+)?/i, "");
  return { label: `…${token.slice(-6)}`, token, isDemo: false };
}

export function remember(session: Session | null): void {
  sessionStorage.setItem(KEY, JSON.stringify(session));
}
