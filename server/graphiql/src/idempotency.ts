/** 128 random bits; crypto.randomUUID is missing on pages that came over plain http from another machine. */
export function freshKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The variables' text with a fresh value for each idempotencyKey; all else, layout included, stays. */
export function withFreshKeys(variables: string): string {
  return variables.replaceAll(/("idempotencyKey"\s*:\s*)"(?:[^"\\]|\\.)*"/g, (_match, name: string) => `${name}"${freshKey()}"`);
}
