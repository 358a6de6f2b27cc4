import { ByteCollector } from './collector.js';
import { classifyMedia, type GivenMedia, MediaError, TELLING_BYTES, UrlNotAllowedError } from './media.js';

/** Reads media given as text, piece by piece. */
export class MediaText {
  readonly #text: ByteCollector;
  /** Until enough is there to say what it is. */
  readonly #head = new ByteCollector(TELLING_BYTES);
  #given: GivenMedia | null = null;

  /** @param expectedBytes as for `ByteCollector` */
  constructor(expectedBytes?: number) {
    this.#text = new ByteCollector(expectedBytes);
  }

  /** The piece is not kept. */
  write(piece: Buffer): void {
    if (this.#given === null) {
      this.#head.append(piece);
      if (this.#head.length >= TELLING_BYTES) this.#classify();
    } else if (this.#given.kind === 'base64') {
      this.#text.append(piece);
    }
  }

  end(): GivenMedia {
    const given = this.#given ?? this.#classify();
    return given.kind === 'base64' ? { kind: 'base64', bytes: this.#text.take() } : given;
  }

  #classify(): GivenMedia {
    this.#given = mediaIn(this.#head.take());
    if (this.#given.kind === 'base64') this.#text.append(this.#given.bytes);
    return this.#given;
  }
}

/** Media given as a text that is all there, or enough of it to tell. What is returned shares its memory. */
export function mediaIn(text: Buffer): GivenMedia {
  try {
    const media = classifyMedia(text);
    return media.kind === 'url' ? media : { kind: 'base64', bytes: media.base64 };
  } catch (error) {
    if (error instanceof MediaError || error instanceof UrlNotAllowedError) return { kind: 'invalid', error };
    throw error;
  }
}
