import { connect, isIP, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import type { Access, AccessNow, Tls } from './access.js';
import type { Endpoint } from './address.js';

/** Which node holds the store, and how it is talked to. */
export interface Node {
  /** Asked for each connection. @throws StoreUnavailableError where nobody knows */
  readonly locate: () => Promise<Endpoint>;
  /** Whether others say where it is, and may say another one a moment later: then they are asked now and then. */
  readonly moves: boolean;
  readonly access: AccessNow;
  readonly isTls: boolean;
  readonly db: number;
}

/** Replies stay as Redis has them. */
export type ClientOptions = Omit<RedisOptions, 'replyMapping'>;

/** A client of ioredis, and where it connected to last. */
export interface Located {
  readonly client: Redis;
  readonly at: { endpoint: Endpoint | null };
}

/** A client that looks for its node, and asks how it is talked to, each time it connects. */
export function locatedClient(
  { locate, access, isTls }: Omit<Node, 'db' | 'moves'>,
  options: ClientOptions,
): Located {
  const at: Located['at'] = { endpoint: null };
  class Connector extends AbstractConnector {
    constructor() {
      super(0); // What was to be sent has been answered; and a node that hangs does not take leave.
    }

    async connect(): Promise<Socket> {
      this.connecting = true;
      delete this.firstError;
      try {
        const now = await access();
        at.endpoint = await locate();
        // Given up meanwhile.
        if (!this.connecting) return broken();
        logIn(client, now);
        this.stream = open(at.endpoint, now.tls);
      } catch (error) {
        this.firstError = error as Error;
        return broken();
      }
      this.stream.once('error', (error) => {
        this.firstError = error;
      });
      return this.stream;
    }
  }
  // Without the name and version of the client, which take a right of their own to be told. By `tls` the client knows what
  // to wait for on the socket.
  const client = new Redis({ disableClientInfo: true, ...options, ...(isTls && { tls: {} }), Connector });
  return { client, at };
}

/** The client has read its options by now, and sends this once it is connected. */
function logIn({ condition }: Redis, { username, password }: Access): void {
  if (condition === null) return;
  if (username !== null) condition.auth = [username, password ?? ''];
  else if (password !== null) condition.auth = password;
}

function open({ host, port, name }: Endpoint, tls: Tls | null): Socket {
  if (tls === null) return connect({ host, port });
  // The extension that names the server takes no address (RFC 6066).
  const servername = tls.servername ?? name ?? (isIP(host) === 0 ? host : undefined);
  return connectTls({ ...tls, host, port, ...(servername !== undefined && { servername }) });
}

/** Where `connect` rejects, ioredis never tries again; after a broken stream it does. */
function broken(): Socket {
  return new Socket().destroy();
}
