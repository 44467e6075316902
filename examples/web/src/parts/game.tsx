import { useEffect, useState, type ReactNode } from "react";
import { useAnswer, useHeld, useLast, type Heard } from "../answer";
import { useCommand } from "../command";
import type { Asks, Failure, Limit, Success } from "../graphql";
import { useRefresh } from "../refresh";
import { DailyLimit } from "./daily-limit";
import { motion } from "./motion";
import { Problem, type Fault } from "./problem";
import { Press } from "./press";

interface Rules<Status, Play> {
  status: Asks<Status, Record<string, never>>;
  play: Asks<Play, { input: { idempotencyKey: string; expectedRevision?: number | null } }>;
  /** What a subscription told of the status. */
  told?: Status | undefined;
  /** Milliseconds for which the player is kept in suspense, at least. */
  suspense?: number;
  /** Milliseconds that it takes to show what the server has drawn. */
  reveal?: number;
}

interface GameState<Status, Play> {
  status: Heard<Status>;
  limit: Limit | undefined;
  /** What was played last, from when it may be shown. */
  play: Success<Play> | null;
  isPlaying: boolean;
  fault: Fault | null;
  start: () => void;
}

/**
 * What every game does: shows how it stands, plays once at a press, and counts what is left of the day.
 *
 * How it stands is what was heard last, wherever it came from: a play tells it too, and a refusal that another tab has
 * used up the day. A play names the revision whose odds are on the page; where it is another by now, nothing is played,
 * and the page shows the new odds. While a play is under way everything stays as it was, so that a number does not tell
 * the end before the animation.
 */
export function useGame<Status extends object, Play extends { status?: object | null } | Failure>(
  rules: Rules<Status, Play>,
): GameState<Status, Play> {
  const asked = useAnswer(rules.status, {});
  const { send, fault } = useCommand(rules.play);
  const [play, setPlay] = useState<Success<Play> | null>(null);
  const [played, setPlayed] = useState<Status>(); // how it stood after the last play
  const [isPlaying, setPlaying] = useState(false);
  const refresh = useRefresh();

  const answer = useLast(asked.answer, rules.told, played);
  const limit = useLast(limitOf(answer), limitOf(fault));
  useEffect(() => {
    if (fault?.code === "REVISION_CONFLICT") asked.again();
  }, [fault]);

  async function start() {
    setPlaying(true);
    const suspense = motion(rules.suspense ?? 0);
    const play = await send({ expectedRevision: revisionOf(answer) });
    if (play?.status) setPlayed(play.status as Status); // of a play of this game
    await suspense;
    if (play) {
      setPlay(play);
      await motion(rules.reveal ?? 0);
    }
    setPlaying(false);
    refresh();
  }
  return {
    status: { ...asked, answer: useHeld(answer, isPlaying) },
    limit: useHeld(limit, isPlaying),
    play,
    isPlaying,
    fault,
    start: () => void start(),
  };
}

/** The revision whose odds a status shows. */
function revisionOf(answer: object | undefined): number | null {
  return answer && "config" in answer ? (answer as { config: { revision: number } }).config.revision : null;
}

/** A status and the refusal of one more play tell the limit; what else is answered does not. */
function limitOf(answer: object | null | undefined): Limit | undefined {
  return answer && "dailyLimit" in answer ? (answer as { dailyLimit: Limit }).dailyLimit : undefined;
}

/** What came out, or what there is to do: a screen reader says it as it changes. */
export function Result({ children }: { children: ReactNode }) {
  return (
    <div className="result" role="status">
      {children}
    </div>
  );
}

interface PlayProps {
  game: Pick<GameState<never, never>, "limit" | "isPlaying" | "fault" | "start">;
  label: string;
  isSoldOut?: boolean;
}

/** The button to play, what stands against it, and how often it can still be pressed. */
export function PlayButton({ game, label, isSoldOut = false }: PlayProps) {
  const { limit, isPlaying, fault, start } = game;
  const isUsedUp = limit !== undefined && !limit.unlimited && limit.remaining === 0;
  return (
    <>
      {fault && !isPlaying && <Problem fault={fault} />}
      <Press className="play" isOff={isPlaying || isUsedUp || isSoldOut} onPress={start}>
        {label}
      </Press>
      {limit && <DailyLimit limit={limit} />}
    </>
  );
}
