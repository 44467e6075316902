import { useEffect, useMemo, useState } from "react";
import { Provider } from "urql";
import { createClient } from "./client";
import { Today } from "./features/today";
import { Footer } from "./parts/footer";
import { Header } from "./parts/header";
import { Invitation } from "./parts/invitation";
import { remember, resume, type Session } from "./session";

export function App() {
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [day, setDay] = useState(0);
  useEffect(() => {
    resume().then(setSession, () => setSession(null));
  }, []);
  // Everything changes with the player and with what is on: a new client has an empty cache.
  const client = useMemo(() => createClient(session ?? null, () => setSession(null)), [session, day]);

  function signIn(next: Session | null) {
    remember(next);
    setSession(next);
  }
  if (session === undefined) return null;
  return (
    <Provider value={client}>
      <Header session={session} onChange={signIn} />
      <main key={`${session?.token} ${day}`}>
        {session ? <Today onChanged={() => setDay(day + 1)} /> : <Invitation onSignIn={signIn} />}
      </main>
      <Footer />
    </Provider>
  );
}
