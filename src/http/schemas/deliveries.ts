import { type Static, Type } from 'typebox';
import { callbackState } from './avatar.js';
import { AnyInteger, jsonContent, Nullable, NullableTime, Time } from './types.js';

export const DeliveriesView = Type.Object(
  {
    url: Type.String(),
    state: callbackState,
    webhook_id: Nullable(
      Type.String(),
      'What `webhook-id` is each time this end is told; `null` before the end.',
    ),
    next_attempt_at: NullableTime('When it is tried next, at the earliest; `null` where it is not.'),
    data: Type.Array(
      Type.Object({
        attempt: Type.Integer({ minimum: 1 }),
        at: Time('When it began.'),
        status: Nullable(Type.Integer(), 'What the receiver answered with, where it did.'),
        latency_ms: AnyInteger('Until the head of the answer was there, or there was none.'),
        error: Nullable(Type.String(), 'Why it does not count; `null` where it does.'),
      }),
      { description: 'The last tries, at most 20, the first one first.' },
    ),
  },
  { $id: 'Deliveries', description: 'How telling the receiver went.' },
);
export type DeliveriesView = Static<typeof DeliveriesView>;

export const deliveriesContent = jsonContent<DeliveriesView>('Deliveries', {
  url: 'https://app.example.com/avatars',
  state: 'delivered',
  webhook_id: 'av_5f0c1e7b9a3d4c2e8f6a7b1d0c9e8f7a_1795341784250',
  next_attempt_at: null,
  data: [
    { attempt: 1, at: '2026-11-22T10:03:04.300Z', status: 503, latency_ms: 112, error: 'answered 503' },
    { attempt: 2, at: '2026-11-22T10:03:09.550Z', status: 204, latency_ms: 48, error: null },
  ],
});
