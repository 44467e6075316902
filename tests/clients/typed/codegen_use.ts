// What the generated types promise; tsc compares.
import type { PlayMutation, ScalarsQuery, ScalarsQueryVariables, UploadMutation, UploadMutationVariables } from './gql/graphql.js';
import type { Same } from './same.js';

type Scalars = { [Root in keyof ScalarsQuery]: NonNullable<ScalarsQuery[Root]> };
type Event = Scalars['userEvents']['nodes'][number];
type Uploaded = NonNullable<UploadMutation['uploadRanking']>;
type Played = NonNullable<PlayMutation['spinRoulette']>;
type Of<Union, Name extends string> = Extract<Union, { __typename: Name }>;

export const kept: [
  Same<Scalars['me']['id'], string>,
  Same<Scalars['me']['balances'][number]['amount'], number>,
  Same<Scalars['featureSchedule'][number]['date'], string>,
  Same<Event['createdAt'], string>,
  Same<unknown extends Event['meta'] ? true : false, true>,
  Same<ScalarsQueryVariables['day'], string>,
  Same<UploadMutationVariables['input']['file'], File>,
  Same<Uploaded['__typename'], 'PublishRankingPayload' | 'ValidationFailed' | 'RevisionConflict' | 'Problem'>,
  Same<NonNullable<Of<Uploaded, 'PublishRankingPayload'>['snapshot']>['entries']['nodes'][number]['score'], number>,
  Same<Of<Uploaded, 'ValidationFailed'>['issues'][number]['path'], string[]>,
  Same<Of<Uploaded, 'Problem'>['retryable'], boolean>,
  Same<Played['__typename'], 'RouletteSpin' | 'DailyLimitReached' | 'NoFeatureToday' | 'RevisionConflict' | 'Problem'>,
  Same<Of<Played, 'RouletteSpin'>['reward']['balance'], number | null>,
  Same<Of<Played, 'DailyLimitReached'>['dailyLimit']['resetsAt'], string>,
] = [true, true, true, true, true, true, true, true, true, true, true, true, true, true];
