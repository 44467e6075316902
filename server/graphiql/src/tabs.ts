import { freshKey } from "./idempotency";

const documents = import.meta.glob<string>("./tabs/*.graphql", { query: "?raw", import: "default", eager: true });
const variables = import.meta.glob<string>("./tabs/*.json", { query: "?raw", import: "default", eager: true });

export interface ReadyMade {
  name: string;
  title: string;
  group: "Players" | "Staff";
  opened: boolean; // whether a first visit opens it as a tab
}

export const READY_MADE: readonly ReadyMade[] = [
  { name: "today", title: "Today and me", group: "Players", opened: true },
  { name: "play", title: "Play today's game", group: "Players", opened: true },
  { name: "season_pass", title: "Season pass", group: "Players", opened: true },
  { name: "status", title: "Odds and limits", group: "Players", opened: false },
  { name: "ranking", title: "Ranking", group: "Players", opened: false },
  { name: "live", title: "Live changes", group: "Players", opened: false },
  { name: "schedule", title: "Schedule days", group: "Staff", opened: true },
  { name: "publish", title: "Publish a game or season", group: "Staff", opened: true },
  { name: "upload", title: "Upload a ranking", group: "Staff", opened: true },
  { name: "look_up", title: "Look up players and logs", group: "Staff", opened: true },
  { name: "admin", title: "Grant, block, issue tokens", group: "Staff", opened: false },
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
