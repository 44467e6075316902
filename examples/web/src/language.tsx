import { createContext, useContext, useEffect, useState, type ReactNode } from "react";
import type { RewardType } from "./graphql";
import { en } from "./texts/en";
import { ko, type Text } from "./texts/ko";

const LANGUAGES = { ko, en } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = "haru:language";
const Context = createContext<{ language: Language; setLanguage: (language: Language) => void }>(null!);

/** The player's language: as chosen in this tab, or else the browser's. */
export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(() => {
    const chosen = sessionStorage.getItem(KEY) ?? navigator.language.slice(0, 2);
    return chosen === "en" ? "en" : chosen === "ko" ? "ko" : "en";
  });
  useEffect(() => {
    document.documentElement.lang = language;
    document.title = LANGUAGES[language].pageTitle;
  }, [language]);

  function choose(chosen: Language) {
    sessionStorage.setItem(KEY, chosen);
    setLanguage(chosen);
  }
  return <Context value={{ language, setLanguage: choose }}>{children}</Context>;
}

interface Reward {
  type: RewardType;
  amount: number;
}

export function isNothing({ type, amount }: Reward): boolean {
  return type === "NONE" || amount === 0;
}

/** What operators name in every language; where they did not, the API tells it in the event's own. */
export type Named = Record<Language, string>;

/** The texts and formats of the player's language. */
export function useText() {
  const { language, setLanguage } = useContext(Context);
  const t: Text = LANGUAGES[language];
  const number = new Intl.NumberFormat(language);
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 2 });
  const day = new Intl.DateTimeFormat(language, { month: "long", day: "numeric", weekday: "short", timeZone: "UTC" });
  const moment = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
  return {
    t,
    language,
    setLanguage,
    named: (texts: Named) => texts[language],
    number: (value: number) => number.format(value),
    /** Of the API's percent, which goes from 0 to 100. */
    percent: (value: number) => percent.format(value / 100),
    /** Of a `Date`: a day of the event's calendar, the same wherever the player is. */
    day: (date: string) => day.format(new Date(`${date}T00:00:00Z`)),
    /** Of a `DateTime`: an instant, in the player's own time zone. */
    moment: (instant: string) => moment.format(new Date(instant)),
    /** Of a reward, as "100 P". */
    reward: ({ type, amount }: Reward) =>
      isNothing({ type, amount }) ? t.nothing : t.reward(type, amount, number.format(amount)),
  };
}
