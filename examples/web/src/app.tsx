import { useEffect, useMemo, useState } from "react";
import { Provider } from "urql";
import { createClient } from "./client";
import { Today } from "./features/today";
import { Footer } from "./parts/footer";
import { Header } from "./parts/header";
import { Invitation } from "./parts/invitation";
import { remember, resume, type Session } from "./session";

/** From when somebody comes, or a day begins, to the next such moment: each visit starts from nothing. */
interface Visit {
  number: number;
  session: Session | null;
  isRefused: boolean;
}

export function App() {
  const [visit, setVisit] = useState<Visit | null>(null);
  function begin(session: Session | null, isRefused = false) {
    setVisit((before) => ({ number: (before?.number ?? 0) + 1, session, isRefused }));
  }
  useEffect(() => {
    resume().then(begin, () => begin(null));
  }, []);
  // A new client has an empty cache.
  const client = useMemo(() => createClient(visit?.session ?? null, () => begin(null, true)), [visit]);

  function signIn(session: Session | null) {
    remember(session);
    begin(session);
  }
  if (!visit) return null;
  const { number, session, isRefused } = visit;
  return (
    <Provider value={client}>
      <Header key={`header ${session?.label}`} session={session} onChange={signIn} />
      <main key={number}>
        {session ? <Today onChanged={() => begin(session)} /> : <Invitation isRefused={isRefused} onSignIn={signIn} />}
      </main>
      <Footer />
    </Provider>
  );
}
