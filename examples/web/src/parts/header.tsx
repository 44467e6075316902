import { useState, type FormEvent } from "react";
import { useText, type Language } from "../language";
import { demoSession, pastedSession, type Session } from "../session";

export function Header({ session, onChange }: { session: Session | null; onChange: (next: Session | null) => void }) {
  return (
    <header className="top">
      <a className="brand" href="/">
        haru <small>하루</small>
      </a>
      <LanguageSwitch />
      <Account session={session} onChange={onChange} />
    </header>
  );
}

const NAMES: [Language, string, string][] = [
  ["ko", "한국어", "한"],
  ["en", "English", "En"],
];

function LanguageSwitch() {
  const { t, language, setLanguage } = useText();
  return (
    <div className="switch" role="group" aria-label={t.language}>
      {NAMES.map(([each, name, short]) => (
        <button
          key={each}
          type="button"
          lang={each}
          aria-pressed={each === language}
          onClick={() => setLanguage(each)}
        >
          <span className="name">{name}</span>
          <span className="short" aria-hidden="true">
            {short}
          </span>
        </button>
      ))}
    </div>
  );
}

function Account({ session, onChange }: { session: Session | null; onChange: (next: Session | null) => void }) {
  const { t } = useText();
  const [pasted, setPasted] = useState("");
  function signIn(event: FormEvent) {
    event.preventDefault();
    if (pasted.trim()) onChange(pastedSession(pasted));
  }
  return (
    <details className="account">
      <summary aria-label={session ? `${t.account.title}: ${session.label}` : t.account.signedOut}>
        {session?.label ?? t.account.signedOut}
      </summary>
      <form onSubmit={signIn}>
        {session && !session.isDemo && (
          <button type="button" onClick={() => void demoSession().then((demo) => demo && onChange(demo))}>
            {t.account.demo}
          </button>
        )}
        <label>
          {t.account.paste}
          <textarea
            aria-label={t.account.token}
            rows={3}
            spellCheck={false}
            autoComplete="off"
            placeholder="eyJ…"
            value={pasted}
            onChange={(event) => setPasted(event.target.value)}
          />
        </label>
        <button disabled={!pasted.trim()}>{t.account.signIn}</button>
        {session && (
          <button type="button" className="quiet" onClick={() => onChange(null)}>
            {t.account.signOut}
          </button>
        )}
      </form>
    </details>
  );
}
