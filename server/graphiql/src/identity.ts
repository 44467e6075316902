/**
 * Who is signed in. The token lives in sessionStorage: it survives a reload, and dies with the browser's tab.
 * Its claims are read for display alone; only the server can tell whether it is good.
 */
export interface Identity {
  token: string;
  label: string;
  role: string | null;
  subject: string | null;
  expiresAt: number | null; // milliseconds since the epoch
}

const KEY = "haru:token";

export function identityOf(pasted: string, label?: string): Identity {
  const token = pasted.trim().replace(/^(authorization:\s*)?(bearer\s+)?/i, "");
  const claims = claimsOf(token);
  const text = (name: string) => (typeof claims[name] === "string" ? claims[name] : null);
  const role = text("role");
  return {
    token,
    label: label ?? (role ? `${role.charAt(0)}${role.slice(1).toLowerCase()}` : "Pasted token"),
    role,
    subject: text("sub"),
    expiresAt: typeof claims.exp === "number" ? claims.exp * 1000 : null,
  };
}

function claimsOf(token: string): Record<string, unknown> {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === "object" && claims !== null ? (claims as Record<string, unknown>) : {};
  } catch {
    return {}; // an opaque token
  }
}

export function recall(): Identity | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as { token: string; label: string } | null;
    return kept && identityOf(kept.token, kept.label);
  } catch {
    return null;
  }
}

export function remember(identity: Identity | null): void {
  try {
    if (identity) sessionStorage.setItem(KEY, JSON.stringify({ token: identity.token, label: identity.label }));
    else sessionStorage.removeItem(KEY);
  } catch {
    // storage is off: the token then lives in memory only
  }
}
