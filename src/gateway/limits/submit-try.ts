import {
  beginSubmitTry,
  dropSubmitTry,
  keepSubmitTry,
  type LimitsState,
} from '../../domain/limits/limits.js';
import type { CasDocument } from './cas-document.js';

/** The one submit of all replicas that may be tried while submits are held back. */
export class SubmitTry {
  readonly #shared: CasDocument<LimitsState>;
  readonly #forms: readonly string[];
  #isOurs = false;

  /** @param forms of the path of a submit */
  constructor(shared: CasDocument<LimitsState>, forms: readonly string[]) {
    this.#shared = shared;
    this.#forms = forms;
  }

  /** It is this process's: there are terms for it until it was made, or dropped. */
  get isOurs(): boolean {
    return this.#isOurs;
  }

  /** Takes it, where it is due. @throws {StoreUnavailableError} */
  async begin(): Promise<void> {
    const { value, now } = this.#shared;
    if (this.#isOurs || beginSubmitTry(value, this.#forms, now) === null) return;
    const begun = await this.#shared.change((state, { atLeast }) => {
      const trying = beginSubmitTry(state, this.#forms, atLeast);
      return { value: trying ?? state, result: trying !== null };
    });
    this.#isOurs ||= begun;
  }

  /** Says that it is still under way, now and then: one of which nothing is heard is given up. @throws {StoreUnavailableError} */
  async keep(): Promise<void> {
    const { value, now } = this.#shared;
    if (!this.#isOurs || keepSubmitTry(value, now) === value) return;
    await this.#shared.change((state, { atLeast }) => ({
      value: keepSubmitTry(state, atLeast),
      result: undefined,
    }));
  }

  /** It was not made: there was nothing to be had. @throws {StoreUnavailableError} */
  async drop(): Promise<void> {
    if (!this.end()) return;
    await this.#shared.change((state, { atLeast }) => ({
      value: dropSubmitTry(state, atLeast),
      result: undefined,
    }));
  }

  /** It was made. Says whether it was this process's. */
  end(): boolean {
    const wasOurs = this.#isOurs;
    this.#isOurs = false;
    return wasOurs;
  }
}
