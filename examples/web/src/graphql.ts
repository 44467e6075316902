import { initGraphQLTada, type ResultOf, type TadaDocumentNode } from "gql.tada";
import type { introspection } from "./graphql-env.d.ts"; // made of schema.graphql by `npm run types`

/** Writes an operation; its result and variables are typed by the schema. */
export const graphql = initGraphQLTada<{
  introspection: introspection;
  disableMasking: true;
  scalars: { BigInt: number; Date: string; DateTime: string; JSON: unknown; Upload: File };
}>();

type Enum<Name extends keyof introspection["types"]> = introspection["types"][Name] extends { enumValues: infer Value }
  ? Value
  : never;
export type ErrorCode = Enum<"ErrorCode">;
export type FeatureType = Enum<"FeatureType">;
export type RewardType = Enum<"RewardType">;
export type DiceOutcome = Enum<"DiceOutcome">;

export const DailyLimitFields = graphql(`
  fragment DailyLimit on DailyLimit {
    max
    remaining
    unlimited
    resetsAt
  }
`);

export type Limit = ResultOf<typeof DailyLimitFields>;

/**
 * What every expected failure has, and what some of them have besides: spread it where a result union is selected, and
 * no failure is forgotten.
 */
export const FailureFields = graphql(
  `
    fragment Failure on UserError {
      code
      message
      retryable
      ... on DailyLimitReached {
        dailyLimit {
          ...DailyLimit
        }
      }
      ... on NoFeatureToday {
        endsAt
        serverTime
      }
    }
  `,
  [DailyLimitFields],
);

export interface Failure {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  dailyLimit?: Limit;
  endsAt?: string;
  serverTime?: string;
}

/** A union's members that are no failure. */
export type Success<Answer> = Exclude<Answer, Failure | null>;

export function isFailure(answer: object): answer is Failure {
  return "retryable" in answer;
}

/** An operation whose one root field is aliased `answer`, so that one hook can serve them all; null beside errors. */
export type Asks<Answer, Variables> = TadaDocumentNode<{ answer: Answer | null }, Variables, unknown>;
