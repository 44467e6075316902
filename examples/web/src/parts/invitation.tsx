import { useText } from "../language";
import { demoSession, type Session } from "../session";

/** For those who are nobody yet, or no longer. */
export function Invitation({ isRefused, onSignIn }: { isRefused: boolean; onSignIn: (session: Session) => void }) {
  const { t } = useText();
  return (
    <section className="card invitation">
      <h1>{t.today}</h1>
      {isRefused && (
        <p className="problem" role="alert">
          {t.account.refused}
        </p>
      )}
      <p>{t.account.invitation}</p>
      <button type="button" className="play" onClick={() => void demoSession().then((demo) => demo && onSignIn(demo))}>
        {t.account.demo}
      </button>
    </section>
  );
}
