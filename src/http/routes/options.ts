import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { Gateway } from '../../gateway/gateway.js';
import type { HeldRequests } from '../streams/held-requests.js';

/** What routes are given. */
export interface RouteOptions {
  readonly gateway: Gateway;
  readonly held: HeldRequests;
  /** How long a caller may take nothing of a video. */
  readonly videoStallMs: number;
  readonly requireIdempotencyKey: boolean;
  /** How callers reach the gateway, for absolute URLs; `null`: as their requests say. */
  readonly publicUrl: string | null;
}

export type Routes = FastifyPluginAsyncTypebox<RouteOptions>;
