import type { ReactNode } from "react";
import type { CombinedError, OperationResult } from "urql";
import { isFailure, type ErrorCode, type Failure, type Success } from "../graphql";
import { useText } from "../language";

/** What went wrong: an expected failure, or an answer that never came. */
export interface Fault {
  code: ErrorCode | "NETWORK";
  message: string;
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

/** Shows a query's answer, or why there is none: every union of the API is either a success or a `UserError`. */
export function Answered<Answer extends object>({
  result,
  children,
}: {
  result: Pick<OperationResult<{ answer: Answer }>, "data" | "error">;
  children: (answer: Success<Answer>) => ReactNode;
}) {
  const answer = result.data?.answer;
  if (answer && isFailure(answer)) return <Problem fault={asFault(answer)} />;
  if (answer) return children(answer as Success<Answer>);
  if (result.error) return <Problem fault={asFault(result.error)} />;
  return <div className="loading" aria-busy="true" />;
}
