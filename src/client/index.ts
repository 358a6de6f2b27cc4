/** `avatar-gateway/client`: for Node.js and browsers. See docs/client.md. */

export { createClient } from './client.js';
export {
  ConnectionError,
  GatewayError,
  WaitTimeoutError,
  type WebhookFault,
  WebhookVerificationError,
} from './errors.js';
export type {
  Avatar,
  AvatarEvent,
  AvatarGatewayClient,
  AvatarPage,
  AvatarStatus,
  Check,
  ClientOptions,
  CreateOptions,
  CreateRequest,
  Deliveries,
  EventsOptions,
  Finding,
  GetOptions,
  ListQuery,
  PageQuery,
  Problem,
  RequestOptions,
  Video,
  VideoOptions,
  WaitOptions,
} from './types.js';
export { isFinal } from './wait.js';
export { verifyWebhook, type WebhookEvent, type WebhookOptions } from './webhook.js';
