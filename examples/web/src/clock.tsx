import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from "react";

/** How far the server's clock is ahead of this device's, which may be wrong by hours. */
const Ahead = createContext(0);

export function ServerClock({ serverTime, children }: { serverTime: string; children: ReactNode }) {
  const ahead = useMemo(() => Date.parse(serverTime) - Date.now(), [serverTime]);
  return <Ahead value={ahead}>{children}</Ahead>;
}

/** The time until an instant as "HH:MM:SS", by the server's clock; calls `onPassed` when it is a second behind us. */
export function useTimeUntil(instant: string, onPassed?: () => void): string {
  const ahead = useContext(Ahead);
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const left = Math.floor((Date.parse(instant) - now - ahead) / 1000);
  const hasPassed = left < 0;
  useEffect(() => {
    if (!hasPassed || !onPassed) return;
    const timer = setTimeout(onPassed, 1000); // a second late is no harm; early, the server is still in the old day
    return () => clearTimeout(timer);
  }, [hasPassed]);
  const seconds = Math.max(0, left);
  return [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part) => `${Math.floor(part)}`.padStart(2, "0")).join(":");
}
