import { connect, isIP, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';
import type { Endpoint } from './address.js';
import type { Topology } from './topology.js';

/** Has a client of ioredis look for its node each time it connects. */
export class Way {
  /** Where it led last. */
  endpoint: Endpoint | null = null;
  /** The option of the one client that goes this way. */
  readonly Connector: NonNullable<RedisOptions['Connector']>;

  constructor(topology: Topology, tls: RedisOptions['tls']) {
    const way = this;
    this.Connector = class extends AbstractConnector {
      constructor() {
        super(0); // What was to be sent has been answered; and a node that hangs does not take leave.
      }

      async connect(): Promise<Socket> {
        this.connecting = true;
        delete this.firstError;
        try {
          way.endpoint = await topology.locate();
        } catch (error) {
          this.firstError = error as Error;
          return broken();
        }
        // Given up meanwhile.
        if (!this.connecting) return broken();
        this.stream = open(way.endpoint, tls);
        this.stream.once('error', (error) => {
          this.firstError = error;
        });
        return this.stream;
      }
    };
  }
}

function open({ host, port }: Endpoint, tls: RedisOptions['tls']): Socket {
  if (tls === undefined) return connect({ host, port });
  // The extension that names the server takes no address (RFC 6066).
  return connectTls({ ...tls, host, port, ...(isIP(host) === 0 ? { servername: host } : {}) });
}

/** Where `connect` rejects, ioredis never tries again; after a broken stream it does. */
function broken(): Socket {
  return new Socket().destroy();
}
