import { createContext, useContext, useEffect, useState, type ReactNode } from "react";

/** How far the server's clock is ahead of this device's, which may be wrong by hours. */
const Ahead = createContext(0);

export function ServerClock({ serverTime, children }: { serverTime: string; children: ReactNode }) {
  const [ahead, setAhead] = useState(0);
  useEffect(() => setAhead(Date.parse(serverTime) - Date.now()), [serverTime]);
  return <Ahead value={ahead}>{children}</Ahead>;
}

/** The time until an instant as "HH:MM:SS", by the server's clock. */
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
    if (hasPassed) onPassed?.();
  }, [hasPassed]);
  const seconds = Math.max(0, left);
  return [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part) => `${Math.floor(part)}`.padStart(2, "0")).join(":");
}
