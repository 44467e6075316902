import { useText } from "../language";
import { demoSession, type Session } from "../session";

/** For those who are nobody yet. */
export function Invitation({ onSignIn }: { onSignIn: (session: Session) => void }) {
  const { t } = useText();
  return (
    <section className="card invitation">
      <p>{t.account.invitation}</p>
      <button className="play" onClick={() => void demoSession().then((demo) => demo && onSignIn(demo))}>
        {t.account.demo}
      </button>
    </section>
  );
}
