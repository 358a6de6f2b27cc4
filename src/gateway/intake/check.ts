import type { AudioFacts, Cost, ImageFacts, Mode } from '../../domain/avatar.js';
import { costOf, estimateUsd } from '../../domain/price.js';
import type { FieldError } from '../../problems.js';
import { requireCallable } from '../callbacks/receiver.js';
import type { Ports } from '../ports.js';
import { requireMode } from '../spend/allowance.js';
import { inspectMedia } from './inspect.js';
import type { CheckRequest } from './request.js';

/** What was found in media that can be used, and what an avatar of them would cost. */
export interface CheckResult {
  readonly mode: Mode;
  readonly image: ImageFacts;
  readonly audio: AudioFacts;
  readonly costEstimateUsd: number | null;
  /** What would be held for it. */
  readonly reserved: Cost;
  /** What was forgiven in the media. */
  readonly warnings: readonly FieldError[];
}

/**
 * Inspects media and a receiver as a submit would, and stores and spends nothing.
 * @throws {ProblemError} for media that cannot be used, and for a mode or a receiver that its caller may not have
 */
export async function check(
  ports: Ports,
  { caller, image, speech, mode, memory, callbackUrl }: CheckRequest,
): Promise<CheckResult> {
  requireMode(caller, mode);
  await requireCallable(ports, caller, callbackUrl);
  const inspected = await inspectMedia({ ...ports, holder: memory.holder }, image, speech);
  const audio = inspected.speech.facts;
  const { prices } = ports.settings;
  return {
    mode,
    image: inspected.image.facts,
    audio,
    costEstimateUsd: estimateUsd(prices, mode, audio.durationSeconds),
    reserved: costOf(prices, mode, audio.durationSeconds),
    warnings: inspected.warnings,
  };
}
