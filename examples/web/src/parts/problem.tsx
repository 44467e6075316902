import type { ReactNode } from "react";
import type { CombinedError } from "urql";
import type { Heard } from "../answer";
import { isFailure, type ErrorCode, type Failure, type Limit, type Success } from "../graphql";
import { useText } from "../language";

/** What went wrong: an expected failure, or an answer that never came. */
export interface Fault {
  code: ErrorCode | "NETWORK";
  message: string;
  dailyLimit?: Limit;
}

export function asFault(from: Failure | CombinedError | undefined): Fault {
  if (from && isFailure(from)) return from;
  const [first] = from?.graphQLErrors ?? [];
  if (first) return { code: first.extensions["code"] as ErrorCode, message: first.message };
  return { code: "NETWORK", message: from?.message ?? "" };
}

/** Says it in the player's words where we have them, and in the server's otherwise. */
export function Problem({ fault }: { fault: Fault }) {
  const { t } = useText();
  return (
    <p className="problem" role="alert" data-code={fault.code}>
      {t.errors[fault.code] ?? fault.message}
    </p>
  );
}

interface AnsweredProps<Answer> {
  heard: Heard<Answer>;
  /** What to show instead of an expected failure. */
  refused?: (failure: Failure) => ReactNode;
  children: (answer: Success<Answer>) => ReactNode;
}

/** Shows a query's answer, or why there is none: every union of the API is either a success or a `UserError`. */
export function Answered<Answer extends object>({ heard, refused, children }: AnsweredProps<Answer>) {
  const { answer, error, again } = heard;
  const { t } = useText();
  if (!answer && !error) return <div className="loading" aria-busy="true" />;
  return (
    <>
      {error && (
        <div className="unanswered">
          <Problem fault={asFault(error)} />
          <button type="button" onClick={again}>
            {t.again}
          </button>
        </div>
      )}
      {answer && (isFailure(answer) ? (refused?.(answer) ?? <Problem fault={answer} />) : children(answer as Success<Answer>))}
    </>
  );
}
