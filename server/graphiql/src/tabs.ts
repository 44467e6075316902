import { freshKey } from "./idempotency";

const documents = import.meta.glob<string>("./tabs/*.graphql", { query: "?raw", import: "default", eager: true });
const variables = import.meta.glob<string>("./tabs/*.json", { query: "?raw", import: "default", eager: true });

/** Reads and writes are apart: whoever only looks has no button at hand that changes something. */
export const GROUPS = ["Players: look", "Players: play", "Staff: look", "Staff: change"] as const;

export interface ReadyMade {
  name: string;
  title: string;
  group: (typeof GROUPS)[number];
  opened: boolean; // whether a first visit opens it as a tab
}

export const READY_MADE: readonly ReadyMade[] = [
  { name: "today", title: "Today and me", group: "Players: look", opened: true },
  { name: "status", title: "Odds and limits", group: "Players: look", opened: false },
  { name: "season_pass", title: "Season pass", group: "Players: look", opened: true },
  { name: "ranking", title: "Ranking", group: "Players: look", opened: false },
  { name: "live", title: "Live changes", group: "Players: look", opened: false },
  { name: "play", title: "Play today's game", group: "Players: play", opened: true },
  { name: "stamp", title: "Stamp and claim", group: "Players: play", opened: false },
  { name: "schedule", title: "Schedule and its faults", group: "Staff: look", opened: true },
  { name: "published", title: "What is published", group: "Staff: look", opened: true },
  { name: "complaint", title: "A player's complaint", group: "Staff: look", opened: true },
  { name: "look_up", title: "Players and logs", group: "Staff: look", opened: true },
  { name: "schedule_day", title: "Schedule a day", group: "Staff: change", opened: false },
  { name: "publish", title: "Publish a game or season", group: "Staff: change", opened: false },
  { name: "upload", title: "Upload a ranking", group: "Staff: change", opened: false },
  { name: "admin", title: "Grant, block, tokens", group: "Staff: change", opened: false },
];

export function queryOf(name: string): string {
  return (documents[`./tabs/${name}.graphql`] ?? "").trimEnd();
}

/** The tab's variables, with a fresh key for each `{{key}}` and the event's calendar date for `{{today+n}}`. */
export function variablesOf(name: string, timeZone: string | undefined): string {
  return (variables[`./tabs/${name}.json`] ?? "{}")
    .trimEnd()
    .replaceAll("{{key}}", freshKey)
    .replaceAll(/\{\{today(?:\+(\d+))?\}\}/g, (_match, days?: string) => calendarDate(Number(days ?? 0), timeZone));
}

function calendarDate(daysAhead: number, timeZone: string | undefined): string {
  const today = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" } as Intl.DateTimeFormatOptions).format(new Date());
  const date = new Date(`${today}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + daysAhead);
  return date.toISOString().slice(0, 10);
}
