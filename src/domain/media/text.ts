import { ByteCollector } from './collector.js';
import { classifyMedia, type GivenMedia, MediaError, TELLING_BYTES, UrlNotAllowedError } from './media.js';

/** Reads media given as text, piece by piece. */
export class MediaText {
  readonly #expectedBytes: number | undefined;
  /** Until it is known what it is. */
  #head: Buffer[] = [];
  #headBytes = 0;
  /** What it is, base64 as it comes; `null` until enough of it is there. */
  #is: ByteCollector | GivenMedia | null = null;

  /** @param expectedBytes as for `ByteCollector` */
  constructor(expectedBytes?: number) {
    this.#expectedBytes = expectedBytes;
  }

  /** The piece is not kept. */
  write(text: Buffer): void {
    if (this.#is instanceof ByteCollector) this.#is.append(text);
    if (this.#is !== null) return;
    this.#head.push(Buffer.from(text));
    this.#headBytes += text.length;
    if (this.#headBytes >= TELLING_BYTES) this.#is = this.#classify();
  }

  end(): GivenMedia {
    const is = this.#is ?? this.#classify();
    return is instanceof ByteCollector ? { kind: 'base64', bytes: is.take() } : is;
  }

  #classify(): ByteCollector | GivenMedia {
    const head = Buffer.concat(this.#head);
    this.#head = [];
    try {
      const media = classifyMedia(head);
      if (media.kind === 'url') return media;
      const text = new ByteCollector(this.#expectedBytes);
      text.append(media.base64);
      return text;
    } catch (error) {
      if (error instanceof MediaError || error instanceof UrlNotAllowedError)
        return { kind: 'neither', error };
      throw error;
    }
  }
}

/** Media given as a text that is all there. */
export function mediaIn(text: string): GivenMedia {
  const reader = new MediaText(text.length);
  reader.write(Buffer.from(text));
  return reader.end();
}
