// gql.tada: the types come out of the documents as they are written, without a generated file for each.
import { initGraphQLTada, type ResultOf, type VariablesOf } from 'gql.tada';
import type { introspection } from './graphql-env.js';
import type { Same } from './same.js';

const graphql = initGraphQLTada<{
  introspection: introspection;
  scalars: { Date: string; DateTime: string; BigInt: number; JSON: unknown; Upload: File };
}>();

const Scalars = graphql(`
  query Scalars($from: DateTime, $day: Date!) {
    me { id balances { type amount } }
    featureSchedule(from: $day, to: $day) { date }
    userEvents(filter: {from: $from}) { nodes { createdAt meta } }
  }
`);
const Upload = graphql(`
  mutation Upload($input: UploadRankingInput!) {
    uploadRanking(input: $input) {
      __typename
      ... on PublishRankingPayload { snapshot { entries { nodes { rank score } } } }
      ... on ValidationFailed { issues { path message } }
      ... on UserError { code retryable }
    }
  }
`);
type Answers = { [Root in keyof ResultOf<typeof Scalars>]: NonNullable<ResultOf<typeof Scalars>[Root]> };
type Event = Answers['userEvents']['nodes'][number];
type Uploaded = NonNullable<ResultOf<typeof Upload>['uploadRanking']>;
type Of<Union, Name extends string> = Extract<Union, { __typename: Name }>;

export const kept: [
  Same<Answers['me']['id'], string>,
  Same<Answers['me']['balances'][number]['amount'], number>,
  Same<Answers['featureSchedule'][number]['date'], string>,
  Same<Event['createdAt'], string>,
  Same<unknown extends Event['meta'] ? true : false, true>,
  Same<VariablesOf<typeof Scalars>['day'], string>,
  Same<VariablesOf<typeof Upload>['input']['file'], File>,
  Same<Uploaded['__typename'], 'PublishRankingPayload' | 'ValidationFailed' | 'RevisionConflict' | 'Problem'>,
  Same<NonNullable<Of<Uploaded, 'PublishRankingPayload'>['snapshot']>['entries']['nodes'][number]['score'], number>,
  Same<Of<Uploaded, 'ValidationFailed'>['issues'][number]['path'], string[]>,
  Same<Of<Uploaded, 'Problem'>['retryable'], boolean>,
] = [true, true, true, true, true, true, true, true, true, true, true];
