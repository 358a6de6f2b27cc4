import { Base64Decoder } from './base64.js';
import { classifyMedia, type GivenMedia, MediaError, TELLING_BYTES, UrlNotAllowedError } from './media.js';

/** Reads media given as text, piece by piece: base64 is decoded as it comes, and only its bytes are kept. */
export class MediaText {
  readonly #expectedBytes: number | undefined;
  #head: Buffer[] = [];
  #headBytes = 0;
  /** What it is; `null` until enough of it is there. */
  #is: Base64Decoder | GivenMedia | null = null;

  /** @param expectedBytes as for `ByteCollector` */
  constructor(expectedBytes?: number) {
    this.#expectedBytes = expectedBytes;
  }

  /** The piece is not kept. */
  write(text: Buffer): void {
    if (this.#is instanceof Base64Decoder) this.#is.write(text);
    if (this.#is !== null) return;
    this.#head.push(Buffer.from(text));
    this.#headBytes += text.length;
    if (this.#headBytes >= TELLING_BYTES) this.#is = this.#classify();
  }

  end(): GivenMedia {
    const is = this.#is ?? this.#classify();
    return is instanceof Base64Decoder ? orNeither(() => ({ kind: 'bytes', bytes: is.end() })) : is;
  }

  #classify(): Base64Decoder | GivenMedia {
    const head = Buffer.concat(this.#head);
    this.#head = [];
    return orNeither(() => {
      const media = classifyMedia(head);
      if (media.kind === 'url') return media;
      const decoder = new Base64Decoder(this.#expectedBytes);
      decoder.write(media.base64);
      return decoder;
    });
  }
}

/** Media given as a text that is all there. */
export function mediaIn(text: string): GivenMedia {
  const reader = new MediaText((text.length / 4) * 3);
  reader.write(Buffer.from(text));
  return reader.end();
}

function orNeither<T>(read: () => T): T | GivenMedia {
  try {
    return read();
  } catch (error) {
    if (error instanceof MediaError || error instanceof UrlNotAllowedError) return { kind: 'neither', error };
    throw error;
  }
}
