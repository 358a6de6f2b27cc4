import type { AudioFacts, ImageFacts, Mode } from '../domain/avatar.js';
import { estimateUsd } from '../domain/price.js';
import { inspectMedia } from './inspect.js';
import type { Ports } from './ports.js';
import { requireCallable } from './receiver.js';
import type { CheckRequest } from './request.js';

/** What was found in media that can be used, and what an avatar of them would cost. */
export interface Checked {
  readonly mode: Mode;
  readonly image: ImageFacts;
  readonly audio: AudioFacts;
  readonly costEstimateUsd: number | null;
}

/**
 * Looks at media and a receiver as a submit would, and stores and spends nothing.
 * @throws {ProblemError} for media that cannot be used, and for a receiver that may not be called
 */
export async function check(
  ports: Ports,
  { image, speech, mode, callbackUrl }: CheckRequest,
): Promise<Checked> {
  await requireCallable(ports, callbackUrl);
  const inspected = await inspectMedia(ports, image, speech);
  const audio = inspected.speech.facts;
  return {
    mode,
    image: inspected.image.facts,
    audio,
    costEstimateUsd: estimateUsd(mode, audio.durationSeconds),
  };
}
