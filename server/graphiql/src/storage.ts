/**
 * Where GraphiQL keeps tabs, layout and history: localStorage, less the request headers. Its history plugin keeps
 * the headers of each request even when shouldPersistHeaders is off, and a token may have been typed there.
 */
export const storageWithoutHeaders: Storage = {
  get length() {
    return localStorage.length;
  },
  clear: () => localStorage.clear(),
  key: (index) => localStorage.key(index),
  getItem: (key) => localStorage.getItem(key),
  removeItem: (key) => localStorage.removeItem(key),
  setItem: (key, value) => {
    if (key.endsWith(":headers")) return;
    localStorage.setItem(key, withoutHeaders(value));
  },
};

function withoutHeaders(value: string): string {
  if (!value.includes('"headers"')) return value;
  try {
    return JSON.stringify(JSON.parse(value, (name, inner: unknown) => (name === "headers" ? undefined : inner)));
  } catch {
    return value; // the text of a query or of variables, not a record
  }
}
